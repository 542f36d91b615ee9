"""Each place where moto is known to answer unlike IAM, asked of the served sandbox.

The rows are numbered as in the list that they come from; every one has to answer as IAM does. One line is printed for
each row: its number, what was asked, and IAM's answer.
"""

import base64
import concurrent.futures
import csv
import datetime
import hashlib
import hmac
import io
import json
import struct
import sys
import time
import urllib.error
import urllib.parse
import urllib.request

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

ENDPOINT, ENFORCING, THROTTLING, LAGGING, CHINESE = sys.argv[1:]
ACCOUNT = "123456789012"
READ_ONLY = "arn:aws:iam::aws:policy/ReadOnlyAccess"
PASSWORD = "Correct-horse-7-battery"
ROWS = {}


def client(endpoint=ENDPOINT, service="iam", **arguments):
    # Nothing is checked or repeated on this side.
    config = Config(parameter_validation=False, retries={"max_attempts": 0}, max_pool_connections=32)
    return boto3.client(service, endpoint_url=endpoint, config=config, **arguments)


iam = client()


def row(number, asked, answer):
    def keep(check):
        assert number not in ROWS, f"row {number} is there twice"
        ROWS[number] = (asked, answer, check)
        return check

    return keep


def refusal(call, **arguments):
    try:
        call(**arguments)
    except ClientError as error:
        return error.response["Error"]["Code"]
    return None


def refused(code, call, **arguments):
    found = refusal(call, **arguments)
    assert found == code, f"{call.__name__}({str(arguments)[:200]}) was answered {found}, not {code}"


def document(effect="Allow", action="s3:GetObject", resource="*", **more):
    statement = {"Effect": effect, "Action": action, "Resource": resource, **more}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def trust(principal={"Service": "ec2.amazonaws.com"}):
    statement = {"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def user(name, **arguments):
    return iam.create_user(UserName=name, **arguments)["User"]


def role(name, **arguments):
    return iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust(), **arguments)["Role"]


def policy(name, **arguments):
    return iam.create_policy(PolicyName=name, PolicyDocument=document(), **arguments)["Policy"]["Arn"]


def tags(*pairs):
    return [{"Key": key, "Value": value} for key, value in pairs]


def codes(seed, offset=0):
    """Two consecutive codes of a device, the older first."""
    key = base64.b32decode(seed)
    found = []
    for step in (int(time.time()) // 30 + offset, int(time.time()) // 30 + offset + 1):
        digest = hmac.new(key, struct.pack(">q", step), hashlib.sha1).digest()
        start = digest[-1] & 15
        found.append(f"{(struct.unpack('>I', digest[start:start + 4])[0] & 0x7FFFFFFF) % 10**6:06}")
    return {"AuthenticationCode1": found[0], "AuthenticationCode2": found[1]}


def device(name):
    made = iam.create_virtual_mfa_device(VirtualMFADeviceName=name)["VirtualMFADevice"]
    return made["SerialNumber"], made["Base32StringSeed"], made


def ssh_key(number):
    modulus = bytes([0, 0xC0 | number]) + b"\x55" * 255
    fields = b"".join(struct.pack(">I", len(field)) + field for field in (b"ssh-rsa", b"\x01\x00\x01", modulus))
    return "ssh-rsa " + base64.b64encode(fields).decode()


def raw(action, **parameters):
    """An answer as it is on the wire."""
    body = urllib.parse.urlencode({"Action": action, "Version": "2010-05-08", **parameters}).encode()
    request = urllib.request.Request(ENDPOINT, data=body, headers={"Authorization": "none"})
    try:
        with urllib.request.urlopen(request) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


# Names.


@row(1, "CreateUser alice then Alice", "EntityAlreadyExists")
def _():
    user("alice")
    refused("EntityAlreadyExists", iam.create_user, UserName="Alice")


@row(2, "GetUser ALICE for alice", "found")
def _():
    assert iam.get_user(UserName="ALICE")["User"]["UserName"] == "alice"


@row(3, "case duplicates of groups, roles, policies, instance profiles", "EntityAlreadyExists")
def _():
    iam.create_group(GroupName="case")
    refused("EntityAlreadyExists", iam.create_group, GroupName="CASE")
    role("case")
    refused("EntityAlreadyExists", iam.create_role, RoleName="CASE", AssumeRolePolicyDocument=trust())
    policy("case")
    refused("EntityAlreadyExists", iam.create_policy, PolicyName="CASE", PolicyDocument=document())
    iam.create_instance_profile(InstanceProfileName="case")
    refused("EntityAlreadyExists", iam.create_instance_profile, InstanceProfileName="CASE")


@row(4, "same policy name, other path", "EntityAlreadyExists")
def _():
    refused("EntityAlreadyExists", iam.create_policy, PolicyName="case", Path="/x/", PolicyDocument=document())


@row(5, "65-character user or role name, 129-character group name", "ValidationError")
def _():
    refused("ValidationError", iam.create_user, UserName="x" * 65)
    refused("ValidationError", iam.create_role, RoleName="x" * 65, AssumeRolePolicyDocument=trust())
    refused("ValidationError", iam.create_group, GroupName="x" * 129)


@row(6, "`bad name!`, empty name, path `foo`", "ValidationError")
def _():
    refused("ValidationError", iam.create_user, UserName="bad name!")
    refused("ValidationError", iam.create_user, UserName="")
    refused("ValidationError", iam.create_user, UserName="p1", Path="foo")


@row(7, "missing UserName parameter", "ValidationError")
def _():
    refused("ValidationError", iam.create_user)


@row(8, "unique ids", "AIDA, AGPA, AROA, ANPA, AIPA and 17 characters")
def _():
    found = {
        "AIDA": iam.get_user(UserName="alice")["User"]["UserId"],
        "AGPA": iam.get_group(GroupName="case")["Group"]["GroupId"],
        "AROA": iam.get_role(RoleName="case")["Role"]["RoleId"],
        "ANPA": iam.get_policy(PolicyArn=f"arn:aws:iam::{ACCOUNT}:policy/case")["Policy"]["PolicyId"],
        "AIPA": iam.get_instance_profile(InstanceProfileName="case")["InstanceProfile"]["InstanceProfileId"],
    }
    for prefix, unique in found.items():
        assert unique.startswith(prefix) and len(unique) == 21 and unique.isalnum() and unique.isupper(), found


# Tags and boundaries.


@row(9, "user tags: 62 tags, `aws:` prefix, 300-character value, `a`+`A`", "refused")
def _():
    many = tags(*((f"k{number}", "v") for number in range(62)))
    refused("ValidationError", iam.create_user, UserName="tagged", Tags=many)
    refused("InvalidInput", iam.create_user, UserName="tagged", Tags=tags(("AWS:x", "y")))
    refused("ValidationError", iam.create_user, UserName="tagged", Tags=tags(("x", "v" * 300)))
    refused("InvalidInput", iam.create_user, UserName="tagged", Tags=tags(("a", "1"), ("A", "2")))
    refused("NoSuchEntity", iam.get_user, UserName="tagged")


@row(10, "TagUser `team` over `Team`", "one tag, in the new spelling")
def _():
    user("tagged", Tags=tags(("Team", "a")))
    iam.tag_user(UserName="tagged", Tags=tags(("team", "b")))
    assert iam.list_user_tags(UserName="tagged")["Tags"] == tags(("team", "b"))


@row(11, "role tags: case, cumulative limit", "folded, 50")
def _():
    role("tagged", Tags=tags(("Team", "a")))
    iam.tag_role(RoleName="tagged", Tags=tags(("team", "b")))
    assert iam.list_role_tags(RoleName="tagged")["Tags"] == tags(("team", "b"))
    iam.tag_role(RoleName="tagged", Tags=tags(*((f"k{number}", "v") for number in range(49))))
    refused("LimitExceeded", iam.tag_role, RoleName="tagged", Tags=tags(("one-more", "v")))


@row(12, "policy tags `Cost`+`cost`", "two distinct tags")
def _():
    arn = policy("tagged", Tags=tags(("Cost", "a"), ("cost", "b")))
    iam.tag_policy(PolicyArn=arn, Tags=tags(("COST", "c")))
    found = {tag["Key"]: tag["Value"] for tag in iam.list_policy_tags(PolicyArn=arn)["Tags"]}
    assert found == {"Cost": "a", "cost": "b", "COST": "c"}, found


@row(13, "CreateUser(PermissionsBoundary)", "stored")
def _():
    boundary = policy("boundary")
    user("bounded", PermissionsBoundary=boundary)
    assert iam.get_user(UserName="bounded")["User"]["PermissionsBoundary"]["PermissionsBoundaryArn"] == boundary


@row(14, "boundary pointing to an absent policy (role)", "NoSuchEntity")
def _():
    absent = f"arn:aws:iam::{ACCOUNT}:policy/absent"
    arguments = {"RoleName": "bounded", "AssumeRolePolicyDocument": trust()}
    refused("NoSuchEntity", iam.create_role, PermissionsBoundary=absent, **arguments)
    role("bounded")
    refused("NoSuchEntity", iam.put_role_permissions_boundary, RoleName="bounded", PermissionsBoundary=absent)


@row(15, "PermissionsBoundaryUsageCount; boundary in ListEntitiesForPolicy", "present")
def _():
    boundary = f"arn:aws:iam::{ACCOUNT}:policy/boundary"
    found = iam.get_policy(PolicyArn=boundary)["Policy"]
    assert (found["PermissionsBoundaryUsageCount"], found["AttachmentCount"]) == (1, 0), found
    users = iam.list_entities_for_policy(PolicyArn=boundary)["PolicyUsers"]
    assert [entity["UserName"] for entity in users] == ["bounded"], users


@row(16, "PermissionsBoundaryType", "`Policy`")
def _():
    assert iam.get_user(UserName="bounded")["User"]["PermissionsBoundary"]["PermissionsBoundaryType"] == "Policy"


# Renames.


@row(17, "UpdateUser rename: tags", "kept")
def _():
    before = iam.get_user(UserName="tagged")["User"]
    iam.update_user(UserName="tagged", NewUserName="renamed")
    after = iam.get_user(UserName="renamed")["User"]
    assert after["Tags"] == before["Tags"] and after["UserId"] == before["UserId"], after


@row(18, "rename onto an existing name", "EntityAlreadyExists")
def _():
    refused("EntityAlreadyExists", iam.update_user, UserName="renamed", NewUserName="ALICE")
    iam.create_group(GroupName="other")
    refused("EntityAlreadyExists", iam.update_group, GroupName="other", NewGroupName="Case")


@row(19, "UpdateGroup with NewPath only", "applied")
def _():
    iam.update_group(GroupName="other", NewPath="/moved/")
    assert iam.get_group(GroupName="other")["Group"]["Arn"] == f"arn:aws:iam::{ACCOUNT}:group/moved/other"


@row(20, "UpdateGroup of an absent group without a new name", "NoSuchEntity")
def _():
    refused("NoSuchEntity", iam.update_group, GroupName="absent")


# Deletions.


@row(21, "DeleteGroup with member / inline / attached policy", "DeleteConflict")
def _():
    group = {"GroupName": "full"}
    iam.create_group(**group)
    iam.add_user_to_group(UserName="alice", **group)
    refused("DeleteConflict", iam.delete_group, **group)
    iam.remove_user_from_group(UserName="alice", **group)
    iam.put_group_policy(PolicyName="p", PolicyDocument=document(), **group)
    refused("DeleteConflict", iam.delete_group, **group)
    iam.delete_group_policy(PolicyName="p", **group)
    iam.attach_group_policy(PolicyArn=READ_ONLY, **group)
    refused("DeleteConflict", iam.delete_group, **group)
    iam.detach_group_policy(PolicyArn=READ_ONLY, **group)
    iam.delete_group(**group)


@row(22, "DeleteUser with login profile / key / MFA / SSH key / membership", "DeleteConflict")
def _():
    who = {"UserName": "full"}
    user("full")
    iam.create_login_profile(Password=PASSWORD, **who)
    refused("DeleteConflict", iam.delete_user, **who)
    iam.delete_login_profile(**who)
    key = iam.create_access_key(**who)["AccessKey"]["AccessKeyId"]
    refused("DeleteConflict", iam.delete_user, **who)
    iam.delete_access_key(AccessKeyId=key, **who)
    serial, seed, _ = device("full")
    iam.enable_mfa_device(SerialNumber=serial, **codes(seed.decode()), **who)
    refused("DeleteConflict", iam.delete_user, **who)
    iam.deactivate_mfa_device(SerialNumber=serial, **who)
    key = iam.upload_ssh_public_key(SSHPublicKeyBody=ssh_key(1), **who)["SSHPublicKey"]["SSHPublicKeyId"]
    refused("DeleteConflict", iam.delete_user, **who)
    iam.delete_ssh_public_key(SSHPublicKeyId=key, **who)
    iam.add_user_to_group(GroupName="case", **who)
    refused("DeleteConflict", iam.delete_user, **who)
    iam.remove_user_from_group(GroupName="case", **who)
    iam.delete_user(**who)
    assert iam.get_group(GroupName="case")["Users"] == []


@row(23, "DeleteUser or DeleteRole with inline or attached policy", "DeleteConflict")
def _():
    user("held")
    role("held")
    for kind in ("user", "role"):
        owner = {f"{kind.capitalize()}Name": "held"}
        delete = getattr(iam, f"delete_{kind}")
        getattr(iam, f"put_{kind}_policy")(PolicyName="p", PolicyDocument=document(), **owner)
        refused("DeleteConflict", delete, **owner)
        getattr(iam, f"delete_{kind}_policy")(PolicyName="p", **owner)
        getattr(iam, f"attach_{kind}_policy")(PolicyArn=READ_ONLY, **owner)
        refused("DeleteConflict", delete, **owner)
        getattr(iam, f"detach_{kind}_policy")(PolicyArn=READ_ONLY, **owner)
        delete(**owner)


@row(24, "DeleteRole in a profile, DeleteInstanceProfile with a role, second role", "DeleteConflict, LimitExceeded")
def _():
    profile = {"InstanceProfileName": "case"}
    iam.add_role_to_instance_profile(RoleName="case", **profile)
    refused("DeleteConflict", iam.delete_role, RoleName="case")
    refused("DeleteConflict", iam.delete_instance_profile, **profile)
    refused("LimitExceeded", iam.add_role_to_instance_profile, RoleName="bounded", **profile)
    iam.remove_role_from_instance_profile(RoleName="case", **profile)


@row(25, "DeletePolicy while attached, with versions, or used as boundary", "DeleteConflict")
def _():
    arn = policy("used")
    iam.attach_user_policy(UserName="alice", PolicyArn=arn)
    refused("DeleteConflict", iam.delete_policy, PolicyArn=arn)
    iam.detach_user_policy(UserName="alice", PolicyArn=arn)
    iam.create_policy_version(PolicyArn=arn, PolicyDocument=document())
    refused("DeleteConflict", iam.delete_policy, PolicyArn=arn)
    iam.delete_policy_version(PolicyArn=arn, VersionId="v2")
    iam.delete_policy(PolicyArn=arn)
    refused("DeleteConflict", iam.delete_policy, PolicyArn=f"arn:aws:iam::{ACCOUNT}:policy/boundary")


@row(26, "DeleteVirtualMFADevice while assigned", "DeleteConflict")
def _():
    serial, seed, _ = device("assigned")
    iam.enable_mfa_device(UserName="alice", SerialNumber=serial, **codes(seed.decode()))
    refused("DeleteConflict", iam.delete_virtual_mfa_device, SerialNumber=serial)


@row(27, "DeleteRole on a service-linked role", "UnmodifiableEntity")
def _():
    made = iam.create_service_linked_role(AWSServiceName="batch.amazonaws.com")["Role"]["RoleName"]
    refused("UnmodifiableEntity", iam.delete_role, RoleName=made)


# Quotas.


@row(28, "3rd access key", "LimitExceeded")
def _():
    user("keys")
    for _ in range(2):
        iam.create_access_key(UserName="keys")
    refused("LimitExceeded", iam.create_access_key, UserName="keys")


@row(29, "6th policy version; default version deletion; ids not reused", "LimitExceeded, DeleteConflict, v6")
def _():
    arn = policy("versions")
    for _ in range(4):
        iam.create_policy_version(PolicyArn=arn, PolicyDocument=document())
    refused("LimitExceeded", iam.create_policy_version, PolicyArn=arn, PolicyDocument=document())
    refused("DeleteConflict", iam.delete_policy_version, PolicyArn=arn, VersionId="v1")
    iam.delete_policy_version(PolicyArn=arn, VersionId="v2")
    made = iam.create_policy_version(PolicyArn=arn, PolicyDocument=document())["PolicyVersion"]
    assert made["VersionId"] == "v6", made


@row(30, "25 attached policies; 12 groups per user", "LimitExceeded")
def _():
    user("many")
    for number in range(11):
        arn = policy(f"many-{number}")
        iam.create_group(GroupName=f"many-{number}")
        attach = {"UserName": "many", "PolicyArn": arn}
        join = {"UserName": "many", "GroupName": f"many-{number}"}
        if number < 10:
            iam.attach_user_policy(**attach)
            iam.add_user_to_group(**join)
        else:
            refused("LimitExceeded", iam.attach_user_policy, **attach)
            refused("LimitExceeded", iam.add_user_to_group, **join)


@row(31, "inline document of 3000 characters, managed of 7000", "LimitExceeded")
def _():
    long = lambda length: document(resource="arn:aws:s3:::" + "x" * length)
    refused("LimitExceeded", iam.put_user_policy, UserName="alice", PolicyName="p", PolicyDocument=long(3000))
    refused("LimitExceeded", iam.create_policy, PolicyName="long", PolicyDocument=long(7000))


@row(32, "6 SSH keys; duplicate or garbage key", "LimitExceeded, DuplicateSSHPublicKey, UnrecognizedPublicKeyEncoding")
def _():
    user("ssh")
    for number in range(5):
        iam.upload_ssh_public_key(UserName="ssh", SSHPublicKeyBody=ssh_key(number))
    refused("LimitExceeded", iam.upload_ssh_public_key, UserName="ssh", SSHPublicKeyBody=ssh_key(5))
    refused("DuplicateSSHPublicKey", iam.upload_ssh_public_key, UserName="ssh", SSHPublicKeyBody=ssh_key(0))
    refused("UnrecognizedPublicKeyEncoding", iam.upload_ssh_public_key, UserName="ssh", SSHPublicKeyBody="garbage")


@row(33, "12 MFA devices on one user", "LimitExceeded at 9")
def _():
    user("devices")
    for number in range(9):
        serial, seed, _ = device(f"devices-{number}")
        arguments = {"UserName": "devices", "SerialNumber": serial, **codes(seed.decode())}
        if number < 8:
            iam.enable_mfa_device(**arguments)
        else:
            refused("LimitExceeded", iam.enable_mfa_device, **arguments)


# Pages.


def page_through(call, element, size=2, **arguments):
    """Every item of a list, page by page."""
    found, marker = [], {}
    for _ in range(1000):
        page = call(MaxItems=size, **arguments, **marker)
        found += page[element]
        assert len(page[element]) <= size, page
        if not page["IsTruncated"]:
            assert "Marker" not in page, page
            return found
        marker = {"Marker": page["Marker"]}
    raise AssertionError(f"{call.__name__} never ends")


@row(34, "ListUsers, ListGroups, GetGroup, ListUserPolicies, GAAD with MaxItems", "paged")
def _():
    iam.create_group(GroupName="paged")
    user("paged")
    for name in ("alice", "renamed", "many", "paged"):
        if name != "many":
            iam.add_user_to_group(GroupName="paged", UserName=name)
    for number in range(3):
        iam.put_user_policy(UserName="paged", PolicyName=f"p{number}", PolicyDocument=document())
    assert len(page_through(iam.list_users, "Users")) == len(iam.list_users()["Users"]) > 2
    assert len(page_through(iam.list_groups, "Groups")) == len(iam.list_groups()["Groups"]) > 2
    assert len(page_through(iam.get_group, "Users", GroupName="paged")) == 3
    assert page_through(iam.list_user_policies, "PolicyNames", UserName="paged") == ["p0", "p1", "p2"]
    details = page_through(iam.get_account_authorization_details, "UserDetailList", Filter=["User"])
    assert len(details) == len(iam.list_users()["Users"])


@row(35, "ListRoles, ListPolicies, ListAttached*, ListVirtualMFADevices", "opaque markers, validated, at most 1000 items")
def _():
    assert len(page_through(iam.list_roles, "Roles")) == len(iam.list_roles()["Roles"]) > 2
    local = {"Scope": "Local"}
    assert len(page_through(iam.list_policies, "Policies", **local)) == len(iam.list_policies(**local)["Policies"]) > 2
    assert len(page_through(iam.list_attached_user_policies, "AttachedPolicies", UserName="many")) == 10
    devices = iam.list_virtual_mfa_devices()["VirtualMFADevices"]
    assert len(page_through(iam.list_virtual_mfa_devices, "VirtualMFADevices", size=len(devices))) == len(devices)
    for call, more in (
        (iam.list_roles, {}),
        (iam.list_policies, local),
        (iam.list_attached_user_policies, {"UserName": "many"}),
        (iam.list_virtual_mfa_devices, {}),
    ):
        refused("ValidationError", call, Marker="bogus", **more)
        refused("ValidationError", call, MaxItems=1001, **more)
        refused("ValidationError", call, MaxItems=0, **more)
    marker = iam.list_roles(MaxItems=1)["Marker"]
    assert not marker.isdigit(), marker
    refused("ValidationError", iam.list_roles, Marker=marker, PathPrefix="/x/")
    refused("ValidationError", iam.list_users, Marker=marker)


@row(36, "ListRoles order", "no promise, but stable across pages")
def _():
    names = [found["RoleName"] for found in iam.list_roles()["Roles"]]
    assert [found["RoleName"] for found in page_through(iam.list_roles, "Roles", size=1)] == names


# GetAccountAuthorizationDetails.


@row(37, "policies in GAAD", "name, id; only AWS policies that are used")
def _():
    iam.attach_user_policy(UserName="alice", PolicyArn=READ_ONLY)
    pages = iam.get_paginator("get_account_authorization_details").paginate()
    found = {entry["Arn"]: entry for page in pages for entry in page["Policies"]}
    assert all(entry["PolicyName"] and entry["PolicyId"].startswith("ANPA") for entry in found.values())
    assert all("Description" not in entry for entry in found.values())
    aws = sorted(arn for arn in found if ":aws:policy/" in arn)
    assert aws == [READ_ONLY, "arn:aws:iam::aws:policy/aws-service-role/BatchServiceRolePolicy"], aws


@row(38, "user boundary in GAAD", "present")
def _():
    pages = iam.get_paginator("get_account_authorization_details").paginate(Filter=["User"])
    found = {entry["UserName"]: entry for page in pages for entry in page["UserDetailList"]}
    assert found["bounded"]["PermissionsBoundary"]["PermissionsBoundaryArn"].endswith(":policy/boundary")


@row(39, "unknown Filter", "ValidationError")
def _():
    refused("ValidationError", iam.get_account_authorization_details, Filter=["Nothing"])
    refused("ValidationError", iam.get_account_authorization_details, Filter=["user"])


# Documents.


def put(text):
    iam.put_user_policy(UserName="alice", PolicyName="p", PolicyDocument=text)


@row(40, "managed document validation incl. Version rule", "MalformedPolicyDocument")
def _():
    old = document().replace("2012-10-17", "2008-10-17")
    for text, message in (
        (old, "Policy document must be version 2012-10-17 or greater."),
        ("{", "Syntax errors in policy."),
        (document(action="GetObject"), "Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc."),
        (document(resource="x"), 'Resource x must be in ARN format or "*".'),
    ):
        try:
            iam.create_policy(PolicyName="p", PolicyDocument=text)
            raise AssertionError(f"{text} was accepted")
        except ClientError as error:
            found = error.response["Error"]
            assert (found["Code"], found["Message"]) == ("MalformedPolicyDocument", message), (text, found)


@row(41, "Principal in identity policy, Sid with space, duplicate JSON keys, characters > U+00FF", "refused")
def _():
    refused("MalformedPolicyDocument", lambda: put(document(Principal="*")))
    refused("MalformedPolicyDocument", lambda: put(document(Sid="a b")))
    refused("MalformedPolicyDocument", lambda: put(document().replace('"Effect"', '"Effect": "Deny", "Effect"')))
    refused("ValidationError", lambda: put(document(resource="arn:aws:s3:::\u0100").replace("\\u0100", "\u0100")))


@row(42, "unquoted number in a condition", "accepted")
def _():
    put(document(Condition={"NumericLessThan": {"aws:MultiFactorAuthAge": 3600}}))


@row(43, "CreateRole trust: garbage text, absent principal", "MalformedPolicyDocument")
def _():
    refused("MalformedPolicyDocument", iam.create_role, RoleName="r", AssumeRolePolicyDocument="garbage")
    absent = trust({"AWS": f"arn:aws:iam::{ACCOUNT}:user/absent"})
    refused("MalformedPolicyDocument", iam.create_role, RoleName="r", AssumeRolePolicyDocument=absent)


@row(44, "account id in trust rewritten; deleted principal shown as AIDA", "both")
def _():
    trusted = lambda: iam.get_role(RoleName="trusting")["Role"]["AssumeRolePolicyDocument"]["Statement"][0]["Principal"]
    iam.create_role(RoleName="trusting", AssumeRolePolicyDocument=trust({"AWS": ACCOUNT}))
    assert trusted() == {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, trusted()
    leaving = user("leaving")
    text = trust({"AWS": leaving["Arn"]})
    iam.update_assume_role_policy(RoleName="trusting", PolicyDocument=text)
    assert trusted() == {"AWS": leaving["Arn"]}, trusted()
    iam.delete_user(UserName="leaving")
    user("leaving")
    assert trusted() == {"AWS": leaving["UserId"]} and leaving["UserId"].startswith("AIDA"), trusted()


@row(45, "CreatePolicyVersion / ListPolicyVersions", "no Document; newest first")
def _():
    arn = policy("listed")
    made = iam.create_policy_version(PolicyArn=arn, PolicyDocument=document())["PolicyVersion"]
    found = iam.list_policy_versions(PolicyArn=arn)["Versions"]
    assert [version["VersionId"] for version in found] == ["v2", "v1"], found
    assert all("Document" not in version for version in [made, *found])


@row(46, "documents percent-encoded on the wire", "RFC 3986")
def _():
    put(document(resource="arn:aws:s3:::a b+c%20~"))
    _, text = raw("GetUserPolicy", UserName="alice", PolicyName="p")
    encoded = text.split("<PolicyDocument>")[1].split("</PolicyDocument>")[0]
    assert encoded.startswith("%7B%22Version%22%3A%20%22") and "a%20b%2Bc%2520~" in encoded, encoded


# Roles.


@row(47, "MaxSessionDuration=100; description 1001", "ValidationError")
def _():
    made = {"RoleName": "r", "AssumeRolePolicyDocument": trust()}
    refused("ValidationError", iam.create_role, MaxSessionDuration=100, **made)
    refused("ValidationError", iam.create_role, Description="d" * 1001, **made)


@row(48, "UpdateRole with one field", "keeps the other")
def _():
    role("partial", Description="d", MaxSessionDuration=7200)
    fields = lambda: [iam.get_role(RoleName="partial")["Role"].get(key) for key in ("Description", "MaxSessionDuration")]
    iam.update_role(RoleName="partial", MaxSessionDuration=3600)
    assert fields() == ["d", 3600], fields()
    iam.update_role(RoleName="partial", Description="e")
    assert fields() == ["e", 3600], fields()


# Passwords.


def password_policy(**arguments):
    iam.update_account_password_policy(**arguments)
    return iam.get_account_password_policy()["PasswordPolicy"]


@row(49, "UpdateAccountPasswordPolicy wholesale reset", "what is left out goes back to its default")
def _():
    password_policy(MinimumPasswordLength=20, RequireSymbols=True, MaxPasswordAge=90)
    found = password_policy(MinimumPasswordLength=16)
    assert (found["MinimumPasswordLength"], found["RequireSymbols"], found["ExpirePasswords"]) == (16, False, False)


@row(50, "length 5, MaxPasswordAge 0, reuse 0", "ValidationError")
def _():
    for wrong in ({"MinimumPasswordLength": 5}, {"MaxPasswordAge": 0}, {"PasswordReusePrevention": 0}):
        refused("ValidationError", iam.update_account_password_policy, **wrong)


@row(51, "read-back of `{}`", "HardExpiry, MaxPasswordAge and PasswordReusePrevention absent")
def _():
    found = password_policy()
    assert found == {
        "MinimumPasswordLength": 6,
        "RequireSymbols": False,
        "RequireNumbers": False,
        "RequireUppercaseCharacters": False,
        "RequireLowercaseCharacters": False,
        "AllowUsersToChangePassword": False,
        "ExpirePasswords": False,
    }, found
    iam.delete_account_password_policy()


@row(52, "weak password", "PasswordPolicyViolation")
def _():
    user("signing-in")
    for weak in ("short-7", "alllowercase", "lower7only"):
        refused("PasswordPolicyViolation", iam.create_login_profile, UserName="signing-in", Password=weak)


@row(53, "CreateLoginProfile(PasswordResetRequired=true)", "stored")
def _():
    iam.create_login_profile(UserName="signing-in", Password=PASSWORD, PasswordResetRequired=True)
    assert iam.get_login_profile(UserName="signing-in")["LoginProfile"]["PasswordResetRequired"]


@row(54, "UpdateLoginProfile with only the flag", "sets the flag")
def _():
    iam.update_login_profile(UserName="signing-in", PasswordResetRequired=False)
    assert not iam.get_login_profile(UserName="signing-in")["LoginProfile"]["PasswordResetRequired"]


@row(55, "CreateLoginProfile without Password", "refused")
def _():
    refused("ValidationError", iam.create_login_profile, UserName="alice")


# Keys and identity. The account is served twice: as root whoever signs, and by the policies of who signs.


@row(56, "UpdateAccessKey(Status=bogus); calls with inactive or invented keys", "refused")
def _():
    user("caller")
    iam.attach_user_policy(UserName="caller", PolicyArn="arn:aws:iam::aws:policy/IAMReadOnlyAccess")
    key = iam.create_access_key(UserName="caller")["AccessKey"]
    change = {"UserName": "caller", "AccessKeyId": key["AccessKeyId"]}
    refused("ValidationError", iam.update_access_key, Status="bogus", **change)
    mine = {"aws_access_key_id": key["AccessKeyId"], "aws_secret_access_key": key["SecretAccessKey"]}
    caller = client(ENFORCING, **mine)
    assert caller.list_users()["Users"]
    refused("AccessDenied", caller.create_user, UserName="made-by-a-reader")
    invented = client(ENFORCING, aws_access_key_id="AKIAIOSFODNN7EXAMPLE", aws_secret_access_key="x" * 40)
    refused("InvalidClientTokenId", invented.list_users)
    forged = client(ENFORCING, **{**mine, "aws_secret_access_key": "x" * 40})
    refused("SignatureDoesNotMatch", forged.list_users)
    iam.update_access_key(Status="Inactive", **change)
    refused("InvalidClientTokenId", caller.list_users)
    iam.update_access_key(Status="Active", **change)
    ROWS["caller"] = mine


@row(57, "GetUser without name / GetCallerIdentity", "caller")
def _():
    mine = ROWS.pop("caller")
    assert client(ENFORCING, **mine).get_user()["User"]["UserName"] == "caller"
    identity = client(ENFORCING, "sts", **mine).get_caller_identity()
    assert identity["Arn"] == f"arn:aws:iam::{ACCOUNT}:user/caller" and identity["UserId"].startswith("AIDA"), identity
    assert client(service="sts").get_caller_identity()["Arn"] == f"arn:aws:iam::{ACCOUNT}:root"
    assert iam.get_user()["User"]["Arn"] == f"arn:aws:iam::{ACCOUNT}:root"


# MFA.


@row(
    58,
    "EnableMFADevice with wrong codes, absent serial, device of another user",
    "InvalidAuthenticationCode / NoSuchEntity / EntityAlreadyExists",
)
def _():
    serial, seed, _ = device("phone")
    right = codes(seed.decode())
    swapped = dict(zip(right, reversed(right.values())))
    refused("InvalidAuthenticationCode", iam.enable_mfa_device, UserName="caller", SerialNumber=serial, **swapped)
    absent = f"arn:aws:iam::{ACCOUNT}:mfa/absent"
    refused("NoSuchEntity", iam.enable_mfa_device, UserName="caller", SerialNumber=absent, **right)
    iam.enable_mfa_device(UserName="caller", SerialNumber=serial, **right)
    refused("EntityAlreadyExists", iam.enable_mfa_device, UserName="keys", SerialNumber=serial, **right)


@row(59, "QRCodePNG", "PNG")
def _():
    assert device("qr")[2]["QRCodePNG"].startswith(b"\x89PNG\r\n\x1a\n")


@row(60, "ListVirtualMFADevices", "never tells seed and QR")
def _():
    assert all(
        not found.keys() & {"Base32StringSeed", "QRCodePNG", "Tags"}
        for found in iam.list_virtual_mfa_devices()["VirtualMFADevices"]
    )


@row(61, "duplicate device name", "EntityAlreadyExists")
def _():
    refused("EntityAlreadyExists", iam.create_virtual_mfa_device, VirtualMFADeviceName="phone")


# Alias.


@row(62, "invalid alias; deleting a wrong alias", "refused")
def _():
    for wrong in ("Acme", "a", "-acme", "acme--x", ACCOUNT):
        refused("ValidationError", iam.create_account_alias, AccountAlias=wrong)
    iam.create_account_alias(AccountAlias="acme")
    refused("NoSuchEntity", iam.delete_account_alias, AccountAlias="other")
    assert iam.list_account_aliases()["AccountAliases"] == ["acme"]


@row(63, "second CreateAccountAlias", "replaces the first")
def _():
    iam.create_account_alias(AccountAlias="acme-two")
    assert iam.list_account_aliases()["AccountAliases"] == ["acme-two"]


# Report and summary.


def report():
    for _ in range(50):
        if iam.generate_credential_report()["State"] == "COMPLETE":
            break
        time.sleep(0.1)
    found = iam.get_credential_report()
    return found, {line["user"]: line for line in csv.DictReader(io.StringIO(found["Content"].decode()))}


@row(64, "report root row; GeneratedTime", "present; now")
def _():
    refused("ReportNotPresent", iam.get_credential_report)
    found, rows = report()
    age = datetime.datetime.now(datetime.timezone.utc) - found["GeneratedTime"]
    assert abs(age) < datetime.timedelta(minutes=1), found["GeneratedTime"]
    assert next(iter(rows)) == "<root_account>" and rows["<root_account>"]["arn"].endswith(":root")


@row(65, "sentinels; password_last_changed", "N/A, no_information")
def _():
    _, rows = report()
    with_password, without = rows["signing-in"], rows["alice"]
    assert (with_password["password_enabled"], with_password["password_last_used"]) == ("true", "no_information")
    assert with_password["password_last_changed"].endswith("Z") and with_password["password_next_rotation"] == "N/A"
    assert (without["password_enabled"], without["password_last_changed"]) == ("false", "N/A"), without
    assert rows["<root_account>"]["password_enabled"] == "not_supported"
    assert without["access_key_1_last_rotated"] == "N/A" and rows["keys"]["access_key_1_last_used_date"] == "N/A"


@row(66, "ReportNotPresent before generation", "ReportNotPresent, 410")
def _():
    # Another account, of which nobody has asked for a report.
    try:
        client(CHINESE, region_name="cn-north-1").get_credential_report()
        raise AssertionError("there is a report")
    except ClientError as error:
        assert error.response["Error"]["Code"] == "ReportNotPresent", error
        assert error.response["ResponseMetadata"]["HTTPStatusCode"] == 410, error


@row(67, "summary", "34 keys")
def _():
    found = iam.get_account_summary()["SummaryMap"]
    assert len(found) == 34 and found["AccountPasswordPresent"] == 1, found
    counted = {
        "Users": len(iam.list_users(MaxItems=1000)["Users"]),
        "Groups": len(iam.list_groups(MaxItems=1000)["Groups"]),
        "Roles": len(iam.list_roles(MaxItems=1000)["Roles"]),
        "Policies": len(iam.list_policies(Scope="Local", MaxItems=1000)["Policies"]),
        "InstanceProfiles": 1,
        "MFADevices": len(iam.list_virtual_mfa_devices(MaxItems=1000)["VirtualMFADevices"]),
    }
    assert {key: found[key] for key in counted} == counted, found


# Federation.

METADATA = f"""<EntityDescriptor xmlns="urn:oasis:names:tc:SAML:2.0:metadata" entityID="https://idp.example.com"><!--{"x" * 1000}-->
<IDPSSODescriptor protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol"><KeyDescriptor><KeyInfo
xmlns="http://www.w3.org/2000/09/xmldsig#"><X509Data><X509Certificate>MAMCAQE=</X509Certificate></X509Data></KeyInfo></KeyDescriptor>
<SingleSignOnService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST" Location="https://idp.example.com/sso"/>
</IDPSSODescriptor></EntityDescriptor>"""


@row(68, "SAML garbage metadata; duplicate name", "refused; EntityAlreadyExists")
def _():
    refused("InvalidInput", iam.create_saml_provider, Name="corp", SAMLMetadataDocument="x" * 1000)
    iam.create_saml_provider(Name="corp", SAMLMetadataDocument=METADATA)
    refused("EntityAlreadyExists", iam.create_saml_provider, Name="corp", SAMLMetadataDocument=METADATA)


@row(69, "OIDC delete absent; no thumbprint derivation", "NoSuchEntity; filled")
def _():
    arn = iam.create_open_id_connect_provider(Url="https://idp.example.com")["OpenIDConnectProviderArn"]
    found = iam.get_open_id_connect_provider(OpenIDConnectProviderArn=arn)
    assert [len(thumbprint) for thumbprint in found["ThumbprintList"]] == [40], found
    iam.delete_open_id_connect_provider(OpenIDConnectProviderArn=arn)
    refused("NoSuchEntity", iam.delete_open_id_connect_provider, OpenIDConnectProviderArn=arn)


# Attachments.


@row(70, "attach/detach idempotence, detach absent", "success, NoSuchEntity")
def _():
    attachment = {"UserName": "keys", "PolicyArn": READ_ONLY}
    iam.attach_user_policy(**attachment)
    iam.attach_user_policy(**attachment)
    iam.detach_user_policy(**attachment)
    refused("NoSuchEntity", iam.detach_user_policy, **attachment)


@row(71, "attach malformed ARN", "ValidationError")
def _():
    refused("ValidationError", iam.attach_user_policy, UserName="keys", PolicyArn="longarnthatisnoarnatall")


@row(72, "AWS managed policies", "there, and immutable")
def _():
    assert len(page_through(iam.list_policies, "Policies", size=1000, Scope="AWS")) > 1000
    for call, more in (
        (iam.delete_policy, {}),
        (iam.create_policy_version, {"PolicyDocument": document()}),
        (iam.set_default_policy_version, {"VersionId": "v1"}),
        (iam.tag_policy, {"Tags": tags(("a", "b"))}),
    ):
        refused("AccessDenied", call, PolicyArn=READ_ONLY, **more)


# Dynamics. Each fault is asked for; none is there by itself.


@row(73, "480 parallel reads", "throttled")
def _():
    reader = client(THROTTLING)
    with concurrent.futures.ThreadPoolExecutor(32) as pool:
        answers = list(pool.map(lambda _: refusal(reader.list_users), range(480)))
    assert set(answers) == {None, "Throttling"}, set(answers)
    assert answers.count("Throttling") > 240, answers.count("Throttling")


@row(74, "eventual consistency, EntityTemporarilyUnmodifiable, ConcurrentModification", "occur")
def _():
    slow = client(LAGGING)
    slow.create_user(UserName="fresh")
    refused("NoSuchEntity", slow.get_user, UserName="fresh")
    assert slow.get_user(UserName="fresh")["User"]["UserName"] == "fresh"
    slow.create_login_profile(UserName="fresh", Password=PASSWORD)
    refused("EntityTemporarilyUnmodifiable", slow.delete_login_profile, UserName="fresh")
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        tag = lambda number: refusal(slow.tag_user, UserName="fresh", Tags=tags((f"k{number}", "v")))
        answers = set(pool.map(tag, range(8)))
    assert answers == {None, "ConcurrentModification"}, answers


@row(75, "ten parallel CreateUser of one name", "1 success, 9 EntityAlreadyExists")
def _():
    with concurrent.futures.ThreadPoolExecutor(10) as pool:
        answers = list(pool.map(lambda _: refusal(iam.create_user, UserName="wanted"), range(10)))
    assert answers.count(None) == 1 and answers.count("EntityAlreadyExists") == 9, answers


@row(76, "partition by signing region (cn, gov)", "arn:aws-cn; here a sandbox is made for its partition")
def _():
    china = client(CHINESE, region_name="cn-north-1")
    made = china.create_user(UserName="wei")["User"]["Arn"]
    assert made == f"arn:aws-cn:iam::{ACCOUNT}:user/wei", made
    china.attach_user_policy(UserName="wei", PolicyArn="arn:aws-cn:iam::aws:policy/ReadOnlyAccess")
    refused("NoSuchEntity", china.attach_user_policy, UserName="wei", PolicyArn=READ_ONLY)
    identity = client(CHINESE, "sts", region_name="cn-north-1").get_caller_identity()["Arn"]
    assert identity == f"arn:aws-cn:iam::{ACCOUNT}:root", identity


@row(77, "ListUsers/ListRoles/ListPolicies", "omit tags, boundary")
def _():
    listed = iam.list_users()["Users"] + iam.list_roles()["Roles"] + iam.list_policies(Scope="Local")["Policies"]
    assert not any(found.keys() & {"Tags", "PermissionsBoundary", "RoleLastUsed", "Description"} - {"Description"} for found in listed)
    assert not any("Description" in found for found in iam.list_policies(Scope="Local")["Policies"])


@row(78, "error envelope", "Type, Code, Message and RequestId, nothing else")
def _():
    status, text = raw("GetUser", UserName="nobody")
    before, after = text.split("<RequestId>")
    assert status == 404, status
    assert before == (
        '<ErrorResponse xmlns="https://iam.amazonaws.com/doc/2010-05-08/"><Error><Type>Sender</Type><Code>NoSuchEntity</Code>'
        "<Message>The user with name nobody cannot be found.</Message></Error>"
    ), before
    assert after.endswith("</RequestId></ErrorResponse>"), after


for number in range(1, 79):
    asked, answer, check = ROWS[number]
    try:
        check()
    except Exception as error:
        raise AssertionError(f"row {number}: {asked}: IAM answers {answer}: {error}") from error
    print(f"row {number}: {asked}: {answer}")
