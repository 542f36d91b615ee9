# Is renamed and moved, with everything that others have given to it.
resource "aws_iam_user" "leaver" {
  name                 = local.changed ? "left" : "leaver"
  path                 = local.changed ? "/former/" : "/staff/"
  permissions_boundary = local.changed ? aws_iam_policy.writing.arn : aws_iam_policy.reading.arn
  force_destroy        = true
  tags                 = local.changed ? { Team = "None", Left = "" } : { Team = "Core", Since = "2020" }
}

resource "aws_iam_user" "member" {
  name                 = "member"
  path                 = local.changed ? "/staff/platform/" : "/staff/"
  permissions_boundary = local.changed ? null : aws_iam_policy.reading.arn
  tags                 = local.changed ? { Team = "Platform" } : {}
}

# Some groups of the user: the other ones are left alone.
resource "aws_iam_user_group_membership" "member" {
  user   = aws_iam_user.member.name
  groups = [local.changed ? aws_iam_group.operators.name : aws_iam_group.writers.name]
}

resource "aws_iam_user_policy" "own" {
  name   = "own"
  user   = aws_iam_user.member.name
  policy = local.changed ? local.odd : local.reads["one"]
}

# An attachment is replaced, not changed.
resource "aws_iam_user_policy_attachment" "member" {
  user       = aws_iam_user.member.name
  policy_arn = local.changed ? aws_iam_policy.writing.arn : aws_iam_policy.reading.arn
}

resource "aws_iam_user_login_profile" "member" {
  user                    = aws_iam_user.member.name
  password_length         = 24
  password_reset_required = true
}

resource "aws_iam_access_key" "member" {
  user   = aws_iam_user.member.name
  status = local.changed ? "Inactive" : "Active"
}

# Nobody enables it.
resource "aws_iam_virtual_mfa_device" "member" {
  virtual_mfa_device_name = "member"
  path                    = "/staff/"
  tags                    = local.changed ? { Team = "Platform" } : { Team = "Core", team = "core" }
}
