# What Terraform's AWS provider makes of a served sandbox. With stage=1 and then with stage=2, apply has to succeed and
# the plan after it has to be empty (plan -detailed-exitcode exits 0): what is read back is what was written. After
# destroy, the account is as empty as before.
#
#   trueup sandbox serve --port 4566
#   terraform init
#   terraform apply -var endpoint=http://127.0.0.1:4566 -var stage=1

terraform {
  required_version = ">= 1.5"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "6.36.0"
    }
  }
}

provider "aws" {
  region = "us-east-1"

  # Any key passes where the policies of callers are not enforced.
  access_key = "sandbox"
  secret_key = "sandbox"

  # The credentials are validated, and the account is found, with sts:GetCallerIdentity.
  skip_metadata_api_check = true
  skip_region_validation  = true

  endpoints {
    iam = var.endpoint
    sts = var.endpoint
  }
}

data "aws_caller_identity" "current" {}

locals {
  changed   = var.stage == 2
  partition = split(":", data.aws_caller_identity.current.arn)[1]
  account   = data.aws_caller_identity.current.account_id

  reads = { for bucket in ["one", "two"] : bucket => jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect   = "Allow"
      Action   = ["s3:GetObject"]
      Resource = ["arn:${local.partition}:s3:::${bucket}/*"]
    }]
  }) }

  # The marks that encodings trip over.
  odd = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Action    = ["s3:GetObject", "s3:ListBucket"]
      Resource  = ["arn:aws:s3:::reports", "arn:aws:s3:::reports/a+b c%20d/$${aws:username}/*"]
      Condition = { StringEquals = { "aws:PrincipalTag/Team" = "R&D <1+1=2>" } }
    }]
  })
}
