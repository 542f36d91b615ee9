resource "aws_iam_account_password_policy" "this" {
  minimum_password_length        = local.changed ? 16 : 14
  require_symbols                = !local.changed
  require_numbers                = true
  require_uppercase_characters   = true
  require_lowercase_characters   = true
  allow_users_to_change_password = true
  hard_expiry                    = !local.changed
  max_password_age               = local.changed ? 0 : 90
  password_reuse_prevention      = local.changed ? 3 : 5
}

# An alias is replaced, not changed.
resource "aws_iam_account_alias" "this" {
  account_alias = local.changed ? "trueup-after" : "trueup-before"
}
