resource "aws_iam_policy" "reading" {
  name        = "reading"
  path        = "/staff/"
  description = "What staff read"
  policy      = local.changed ? local.odd : local.reads["one"]
  tags        = local.changed ? { Team = "Platform" } : {}
}

# Keys of tags that differ in case alone are two here; on users and roles they would be one.
resource "aws_iam_policy" "writing" {
  name   = "writing"
  path   = "/staff/"
  policy = local.changed ? local.reads["two"] : local.odd
  tags   = local.changed ? { Cost = "7", cost = "8" } : { Team = "Core", Cost = "" }
}
