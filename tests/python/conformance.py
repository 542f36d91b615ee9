"""Asks the served sandbox what people's scripts ask IAM, and holds the answers to what IAM is known to answer.

Each check names one of the places where emulators are known to be more lenient than IAM.
"""

import datetime
import json

import boto3
from botocore.exceptions import ClientError

iam = boto3.client("iam")
ACCOUNT = "123456789012"


def refused(code, call, **arguments):
    try:
        call(**arguments)
    except ClientError as error:
        found = error.response["Error"]["Code"]
        assert found == code, f"{call.__name__}({arguments}) was refused with {found}, not {code}"
        assert error.response["Error"]["Message"], f"{call.__name__} was refused without a message"
        assert error.response["ResponseMetadata"]["RequestId"], "an answer has no request id"
        return
    raise AssertionError(f"{call.__name__}({arguments}) was accepted")


def document(effect="Allow", action="s3:GetObject", resource="*"):
    statement = {"Effect": effect, "Action": action, "Resource": resource}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


# Names ignore letter case; paths and lengths are checked.
created = iam.create_user(UserName="alice", Path="/platform/", Tags=[{"Key": "Team", "Value": ""}])["User"]
assert created["Arn"] == f"arn:aws:iam::{ACCOUNT}:user/platform/alice"
assert created["UserId"].startswith("AIDA") and len(created["UserId"]) == 21
assert isinstance(created["CreateDate"], datetime.datetime)
refused("EntityAlreadyExists", iam.create_user, UserName="ALICE")
assert iam.get_user(UserName="ALICE")["User"]["UserName"] == "alice"
refused("ValidationError", iam.create_user, UserName="bad name!")
refused("ValidationError", iam.create_user, UserName="x" * 65)
refused("NoSuchEntity", iam.get_user, UserName="bob")

# Tag keys of users ignore letter case, and lists leave tags out.
iam.tag_user(UserName="alice", Tags=[{"Key": "team", "Value": "x"}])
assert iam.list_user_tags(UserName="alice")["Tags"] == [{"Key": "team", "Value": "x"}]
assert "Tags" not in iam.list_users()["Users"][0]
refused("InvalidInput", iam.tag_user, UserName="alice", Tags=[{"Key": "aws:x", "Value": "y"}])

# Deletion meets conflicts, and so does a group with members.
iam.create_group(GroupName="developers")
iam.add_user_to_group(GroupName="developers", UserName="alice")
iam.add_user_to_group(GroupName="developers", UserName="alice")
refused("DeleteConflict", iam.delete_group, GroupName="developers")
refused("DeleteConflict", iam.delete_user, UserName="alice")

# Quotas.
for number in range(9):
    iam.create_group(GroupName=f"group-{number}")
    iam.add_user_to_group(GroupName=f"group-{number}", UserName="alice")
iam.create_group(GroupName="eleventh")
refused("LimitExceeded", iam.add_user_to_group, GroupName="eleventh", UserName="alice")
iam.create_access_key(UserName="alice")
iam.create_access_key(UserName="alice")
refused("LimitExceeded", iam.create_access_key, UserName="alice")
long = document(resource=["arn:aws:s3:::" + "x" * 60] * 40)
refused("LimitExceeded", iam.put_user_policy, UserName="alice", PolicyName="long", PolicyDocument=long)

# Pages.
pages = iam.get_paginator("list_groups").paginate(PaginationConfig={"PageSize": 3})
names = [group["GroupName"] for page in pages for group in page["Groups"]]
assert len(names) == 11 == len(set(names)), names
page = iam.list_groups(MaxItems=3)
assert page["IsTruncated"] and len(page["Groups"]) == 3
refused("ValidationError", boto3.client("iam", config=boto3.session.Config(parameter_validation=False)).list_groups, MaxItems=1001)

# Documents are refused as IAM refuses them, and answered as they were sent.
put = {"UserName": "alice", "PolicyName": "p"}
refused("MalformedPolicyDocument", iam.put_user_policy, **put, PolicyDocument="{")
refused("MalformedPolicyDocument", iam.put_user_policy, **put, PolicyDocument=document(action="GetObject"))
iam.put_user_policy(**put, PolicyDocument=document())
assert iam.get_user_policy(**put)["PolicyDocument"] == json.loads(document())

# Versions.
policy = iam.create_policy(PolicyName="reports", PolicyDocument=document())["Policy"]["Arn"]
refused("EntityAlreadyExists", iam.create_policy, PolicyName="Reports", Path="/other/", PolicyDocument=document())
for number in range(4):
    iam.create_policy_version(PolicyArn=policy, PolicyDocument=document(action=f"s3:Get{number}"))
refused("LimitExceeded", iam.create_policy_version, PolicyArn=policy, PolicyDocument=document())
refused("DeleteConflict", iam.delete_policy_version, PolicyArn=policy, VersionId="v1")
iam.attach_user_policy(UserName="alice", PolicyArn=policy)
refused("DeleteConflict", iam.delete_policy, PolicyArn=policy)
refused("NoSuchEntity", iam.attach_user_policy, UserName="alice", PolicyArn="arn:aws:iam::aws:policy/NoSuchPolicy")

# Boundaries are stored, shown and counted.
iam.put_user_permissions_boundary(UserName="alice", PermissionsBoundary=policy)
boundary = iam.get_user(UserName="alice")["User"]["PermissionsBoundary"]
assert boundary == {"PermissionsBoundaryType": "Policy", "PermissionsBoundaryArn": policy}, boundary
assert iam.get_policy(PolicyArn=policy)["Policy"]["PermissionsBoundaryUsageCount"] == 1

# The password policy is replaced as a whole, and passwords are held to it.
iam.update_account_password_policy(MinimumPasswordLength=20, RequireSymbols=True, MaxPasswordAge=90)
iam.update_account_password_policy(MinimumPasswordLength=16)
found = iam.get_account_password_policy()["PasswordPolicy"]
assert found["MinimumPasswordLength"] == 16 and not found["RequireSymbols"] and "MaxPasswordAge" not in found, found
refused("PasswordPolicyViolation", iam.create_login_profile, UserName="alice", Password="Short-7")
iam.create_login_profile(UserName="alice", Password="Correct-horse-7-battery", PasswordResetRequired=True)
assert iam.get_login_profile(UserName="alice")["LoginProfile"]["PasswordResetRequired"]

# The bulk call tells the same.
pages = iam.get_paginator("get_account_authorization_details").paginate(Filter=["User"])
details = [user for page in pages for user in page["UserDetailList"]]
assert [user["UserName"] for user in details] == ["alice"]
assert details[0]["UserPolicyList"] == [{"PolicyName": "p", "PolicyDocument": json.loads(document())}]
assert len(details[0]["GroupList"]) == 10 and details[0]["Tags"] == [{"Key": "team", "Value": "x"}]
summary = iam.get_account_summary()["SummaryMap"]
assert summary["Users"] == 1 and summary["Groups"] == 11 and summary["Policies"] == 1 and len(summary) >= 34, summary
