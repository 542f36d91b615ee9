resource "aws_iam_role" "pipeline" {
  name                 = "pipeline"
  path                 = "/staff/"
  description          = local.changed ? "Delivers & deploys" : "Delivers"
  max_session_duration = local.changed ? 7200 : 3600
  permissions_boundary = local.changed ? aws_iam_policy.writing.arn : null
  tags                 = { Team = local.changed ? "Platform" : "Core" }

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect = "Allow"
      Action = "sts:AssumeRole"
      Principal = local.changed ? { AWS = "arn:${local.partition}:iam::${local.account}:root" } : {
        Service = "ec2.amazonaws.com"
      }
    }]
  })
}

resource "aws_iam_role_policy_attachment" "pipeline" {
  role       = aws_iam_role.pipeline.name
  policy_arn = local.changed ? aws_iam_policy.writing.arn : aws_iam_policy.reading.arn
}
