"""Changes the account of `tests/moto.rs` by hand, in every way that people do."""

import json

import boto3

iam = boto3.client("iam")


def document(*actions):
    return json.dumps(
        {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": list(actions), "Resource": "*"}]}
    )


# Nobody knows these; they are reported and left.
iam.create_user(UserName="stranger")
iam.create_group(GroupName="strangers")
iam.add_user_to_group(GroupName="strangers", UserName="stranger")

# More than the manifest says.
iam.add_user_to_group(GroupName="team-1", UserName="stranger")
iam.add_user_to_group(GroupName="team-2", UserName="user-010")
iam.put_user_policy(UserName="user-011", PolicyName="extra", PolicyDocument=document("iam:*"))
iam.put_group_policy(GroupName="team-3", PolicyName="extra", PolicyDocument=document("iam:*"))
iam.create_policy(PolicyName="stray", PolicyDocument=document("sqs:*"))
stray = "arn:aws:iam::123456789012:policy/stray"
iam.attach_user_policy(UserName="user-012", PolicyArn=stray)
iam.attach_group_policy(GroupName="team-4", PolicyArn=stray)
iam.tag_user(UserName="user-013", Tags=[{"Key": "stray", "Value": "1"}])

# Less than the manifest says.
iam.remove_user_from_group(GroupName="team-4", UserName="user-014")
iam.delete_user_policy(UserName="user-000", PolicyName="reports")
iam.detach_group_policy(GroupName="team-5", PolicyArn="arn:aws:iam::123456789012:policy/baseline")
iam.untag_user(UserName="user-015", TagKeys=["team"])
for group in iam.list_groups_for_user(UserName="user-099")["Groups"]:
    iam.remove_user_from_group(GroupName=group["GroupName"], UserName="user-099")
iam.delete_user(UserName="user-099")

# Other than the manifest says.
iam.put_user_policy(UserName="user-020", PolicyName="reports", PolicyDocument=document("s3:GetObject", "s3:DeleteObject"))
iam.create_policy_version(
    PolicyArn="arn:aws:iam::123456789012:policy/baseline", PolicyDocument=document("s3:*"), SetAsDefault=True
)
iam.tag_user(UserName="user-016", Tags=[{"Key": "team", "Value": "9"}])
iam.update_account_password_policy(MinimumPasswordLength=6)
iam.delete_account_alias(AccountAlias="acme-moto")
iam.create_account_alias(AccountAlias="acme-hijacked")
