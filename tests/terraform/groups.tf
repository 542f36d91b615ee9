resource "aws_iam_group" "readers" {
  name = local.changed ? "viewers" : "readers"
}

resource "aws_iam_group" "writers" {
  name = "writers"
  path = local.changed ? "/staff/" : "/"
}

resource "aws_iam_group" "operators" {
  name = "operators"
  path = "/staff/"
}

resource "aws_iam_group" "auditors" {
  name = "auditors"
  path = "/staff/"
}

resource "aws_iam_group_policy" "shared" {
  name   = "shared"
  group  = aws_iam_group.writers.name
  policy = local.changed ? local.reads["one"] : local.odd
}

resource "aws_iam_group_policy_attachment" "writers" {
  group      = aws_iam_group.writers.name
  policy_arn = "arn:${local.partition}:iam::aws:policy/ReadOnlyAccess"
}

# All of the group: whoever is not named here leaves it.
resource "aws_iam_group_membership" "auditors" {
  name  = "auditors"
  group = aws_iam_group.auditors.name
  users = local.changed ? [aws_iam_user.leaver.name, aws_iam_user.member.name] : [aws_iam_user.leaver.name]
}
