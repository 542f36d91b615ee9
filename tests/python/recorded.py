"""Holds the sandbox's answers, field by field, to what real accounts were recorded to answer.

The facts (which fields an answer has and which it leaves out, the code, the HTTP status and the words of a refusal) are
those of the answers that LocalStack's tests recorded from accounts of AWS between 2024 and 2026: the files
`tests/aws/services/iam/*.snapshot.json` and `tests/aws/services/sts/test_sts.snapshot.json` of its repository. What is
asked here, and in which order, is our own.

An answer is compared as a whole: a field too many is as wrong as one too few. What differs from account to account is
held to its form, such as `TIME`. No order of tags is promised, so those here come in the sandbox's, except where a policy
is created: that answer has them as they were given.

Not compared: what AWS's own policies say of themselves (descriptions, older versions), server certificates, and STS
beyond `AssumeRole` and `GetCallerIdentity`; the sandbox does not have them.
"""

import base64
import datetime
import hashlib
import hmac
import json
import re
import struct
import sys
import time

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa

ENDPOINT, ENFORCING = sys.argv[1:]
ACCOUNT = "123456789012"
ARN = f"arn:aws:iam::{ACCOUNT}"
# A policy's document does not matter to most answers.
DOCUMENT = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}]}
TRUST = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}],
}
READ_ONLY = "arn:aws:iam::aws:policy/ReadOnlyAccess"


def client(endpoint=ENDPOINT, service="iam", **arguments):
    # Nothing is checked or repeated on this side.
    config = Config(parameter_validation=False, retries={"max_attempts": 0})
    return boto3.client(service, endpoint_url=endpoint, config=config, **arguments)


iam = client()


class Form:
    """What a value has to look like where it cannot be known."""

    def __init__(self, words, test):
        self.words, self.test = words, test

    def __repr__(self):
        return f"<{self.words}>"


TIME = Form("a time", lambda value: isinstance(value, datetime.datetime))
TEXT = Form("a text", lambda value: isinstance(value, str) and value)


def matching(pattern):
    return Form(pattern, lambda value: isinstance(value, str) and re.fullmatch(pattern, value, re.DOTALL))


def unique_id(prefix):
    return matching(prefix + "[A-Z0-9]{17}")


def compare(found, expected, place):
    if isinstance(expected, Form):
        assert expected.test(found), f"{place} is {found!r}, not {expected!r}"
    elif isinstance(expected, dict):
        assert isinstance(found, dict), f"{place} is {found!r}, not {expected!r}"
        extra, missing = sorted(found.keys() - expected.keys()), sorted(expected.keys() - found.keys())
        assert not extra, f"{place} has {extra}, which real answers leave out"
        assert not missing, f"{place} lacks {missing}"
        for key, value in expected.items():
            compare(found[key], value, f"{place}.{key}")
    elif isinstance(expected, list):
        assert isinstance(found, list) and len(found) == len(expected), f"{place} is {found!r}, not {expected!r}"
        for number, (one, other) in enumerate(zip(found, expected)):
            compare(one, other, f"{place}[{number}]")
    else:
        assert found == expected and type(found) is type(expected), f"{place} is {found!r}, not {expected!r}"


OPERATIONS, ANSWERS, REFUSALS = set(), 0, 0


def answers(expected, operation, by=iam, **arguments):
    """Asks, and compares the whole answer."""
    global ANSWERS
    found = getattr(by, operation)(**arguments)
    metadata = found.pop("ResponseMetadata")
    assert metadata["HTTPStatusCode"] == 200, f"{operation} is answered {metadata['HTTPStatusCode']}"
    compare(found, expected, operation)
    OPERATIONS.add(operation)
    ANSWERS += 1
    return found


def refuses(status, code, message, operation, by=iam, **arguments):
    """Asks for what is refused, and compares how. No message is no `Message` at all."""
    global REFUSALS
    try:
        getattr(by, operation)(**arguments)
    except ClientError as refusal:
        expected = {"Type": "Sender", "Code": code} | ({} if message is None else {"Message": message})
        compare(refusal.response["Error"], expected, f"the refusal of {operation}")
        found = refusal.response["ResponseMetadata"]["HTTPStatusCode"]
        assert found == status, f"{operation} is refused with {found}, not {status}"
    else:
        raise AssertionError(f"{operation}({arguments}) was accepted")
    OPERATIONS.add(operation)
    REFUSALS += 1


def tags(**given):
    return [{"Key": key, "Value": value} for key, value in given.items()]


def listed(field, items, **more):
    return {field: items, "IsTruncated": False} | more


def text(document):
    return json.dumps(document)


# Users.

user = {
    "Path": "/",
    "UserName": "anna",
    "UserId": unique_id("AIDA"),
    "Arn": f"{ARN}:user/anna",
    "CreateDate": TIME,
}
answers({"User": user}, "create_user", UserName="anna")
refuses(409, "EntityAlreadyExists", "User with name anna already exists.", "create_user", UserName="anna")
answers({"User": user}, "get_user", UserName="anna")
answers(listed("Users", [user]), "list_users")
# Root has no name.
root = {"UserId": ACCOUNT, "Arn": f"{ARN}:root", "CreateDate": TIME}
answers({"User": root}, "get_user")

with_path = user | {"Path": "/ops/", "UserName": "berta", "Arn": f"{ARN}:user/ops/berta"}
tagged = with_path | {"Tags": tags(cost="7", team="ops")}
answers({"User": tagged}, "create_user", UserName="berta", Path="/ops/", Tags=tags(cost="7", team="ops"))
answers({"User": tagged}, "get_user", UserName="berta")
# Lists leave tags out, and a prefix need not end where a folder does.
answers(listed("Users", [with_path]), "list_users", PathPrefix="/op")

answers({}, "update_user", UserName="berta", NewUserName="bea", NewPath="/dev/")
refuses(404, "NoSuchEntity", "The user with name berta cannot be found.", "get_user", UserName="berta")
renamed = tagged | {"Path": "/dev/", "UserName": "bea", "Arn": f"{ARN}:user/dev/bea"}
answers({"User": renamed}, "get_user", UserName="bea")
NOBODY = "The user with name nobody cannot be found."
for operation in ["get_user", "delete_user", "update_user", "list_user_tags", "list_user_policies"]:
    refuses(404, "NoSuchEntity", NOBODY, operation, UserName="nobody")
for operation in ["list_attached_user_policies", "list_groups_for_user", "list_access_keys", "create_access_key"]:
    refuses(404, "NoSuchEntity", NOBODY, operation, UserName="nobody")

answers(listed("Tags", tags(cost="7", team="ops")), "list_user_tags", UserName="bea")
answers({}, "tag_user", UserName="bea", Tags=tags(cost="8"))
answers({}, "untag_user", UserName="bea", TagKeys=["team"])
answers(listed("Tags", tags(cost="8")), "list_user_tags", UserName="bea")
answers(listed("Tags", []), "list_user_tags", UserName="anna")
refuses(404, "NoSuchEntity", NOBODY, "tag_user", UserName="nobody", Tags=tags(a="b"))
refuses(404, "NoSuchEntity", NOBODY, "untag_user", UserName="nobody", TagKeys=["a"])

# Console access.

profile = {"LoginProfile": {"UserName": "anna", "CreateDate": TIME, "PasswordResetRequired": False}}
PASSWORD = "Correct-horse-7-battery"
answers(profile, "create_login_profile", UserName="anna", Password=PASSWORD)
answers(profile, "get_login_profile", UserName="anna")
there = "Login Profile for user anna already exists."
refuses(409, "EntityAlreadyExists", there, "create_login_profile", UserName="anna", Password=PASSWORD)
answers({}, "update_login_profile", UserName="anna", PasswordResetRequired=True)
profile["LoginProfile"]["PasswordResetRequired"] = True
answers(profile, "get_login_profile", UserName="anna")
in_the_way = "Cannot delete entity, must delete login profile first."
refuses(409, "DeleteConflict", in_the_way, "delete_user", UserName="anna")
answers({}, "delete_login_profile", UserName="anna")
for operation in ["get_login_profile", "delete_login_profile"]:
    refuses(404, "NoSuchEntity", "Login Profile for User anna cannot be found.", operation, UserName="anna")
refuses(404, "NoSuchEntity", NOBODY, "create_login_profile", UserName="nobody", Password=PASSWORD)
refuses(404, "NoSuchEntity", NOBODY, "delete_login_profile", UserName="nobody")

# Access keys.

answers(listed("AccessKeyMetadata", []), "list_access_keys", UserName="anna")
key = {"UserName": "anna", "AccessKeyId": matching("AKIA[A-Z0-9]{16}"), "Status": "Active", "CreateDate": TIME}
made = answers({"AccessKey": key | {"SecretAccessKey": matching(".{40}")}}, "create_access_key", UserName="anna")
key["AccessKeyId"] = made["AccessKey"]["AccessKeyId"]
answers(listed("AccessKeyMetadata", [key]), "list_access_keys", UserName="anna")
answers({}, "update_access_key", UserName="anna", AccessKeyId=key["AccessKeyId"], Status="Inactive")
answers(listed("AccessKeyMetadata", [key | {"Status": "Inactive"}]), "list_access_keys", UserName="anna")
in_the_way = "Cannot delete entity, must delete access keys first."
refuses(409, "DeleteConflict", in_the_way, "delete_user", UserName="anna")
second = iam.create_access_key(UserName="anna")["AccessKey"]["AccessKeyId"]
too_many = "Cannot exceed quota for AccessKeysPerUser: 2"
refuses(409, "LimitExceeded", too_many, "create_access_key", UserName="anna")
iam.delete_access_key(UserName="anna", AccessKeyId=second)
absent = "The Access Key with id AKIAIOSFODNN7EXAMPLE cannot be found."
other = {"UserName": "anna", "AccessKeyId": "AKIAIOSFODNN7EXAMPLE"}
refuses(404, "NoSuchEntity", absent, "update_access_key", **other, Status="Active")
unknown = f"User: {ARN}:root is not authorized to perform iam:GetAccessKeyLastUsed on resource: access key {{}}"
other_key = other["AccessKeyId"]
refuses(403, "AccessDenied", unknown.format(other_key), "get_access_key_last_used", AccessKeyId=other_key)
unnamed = "Must specify userName when calling with non-User credentials"
refuses(400, "ValidationError", unnamed, "delete_access_key", AccessKeyId=key["AccessKeyId"])
answers({}, "delete_access_key", UserName="anna", AccessKeyId=key["AccessKeyId"])

# SSH keys.

private_key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
SSH = serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH
public_key = private_key.public_key().public_bytes(*SSH).decode()
answers(listed("SSHPublicKeys", []), "list_ssh_public_keys", UserName="anna")
brief = {"UserName": "anna", "SSHPublicKeyId": matching("APKA[A-Z0-9]{16,}"), "Status": "Active", "UploadDate": TIME}
whole = brief | {"Fingerprint": matching("([0-9a-f]{2}:){15}[0-9a-f]{2}"), "SSHPublicKeyBody": public_key}
made = answers({"SSHPublicKey": whole}, "upload_ssh_public_key", UserName="anna", SSHPublicKeyBody=public_key)
named = {"UserName": "anna", "SSHPublicKeyId": made["SSHPublicKey"]["SSHPublicKeyId"]}
answers({"SSHPublicKey": whole}, "get_ssh_public_key", **named, Encoding="SSH")
answers({}, "update_ssh_public_key", **named, Status="Inactive")
brief |= named | {"Status": "Inactive"}
answers(listed("SSHPublicKeys", [brief]), "list_ssh_public_keys", UserName="anna")
answers({}, "delete_ssh_public_key", **named)
absent = f"The Public Key with id {named['SSHPublicKeyId']} cannot be found."
refuses(404, "NoSuchEntity", absent, "get_ssh_public_key", **named, Encoding="SSH")
refuses(404, "NoSuchEntity", absent, "update_ssh_public_key", **named, Status="Active")
refuses(404, "NoSuchEntity", absent, "delete_ssh_public_key", **named)

# Signing certificates.


def certificate(name="example.com"):
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = x509.Name([x509.NameAttribute(x509.oid.NameOID.COMMON_NAME, name)])
    now = datetime.datetime.now(datetime.timezone.utc)
    builder = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
    builder = builder.not_valid_before(now).not_valid_after(now + datetime.timedelta(days=365))
    return builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM).decode()


body = certificate()
answers(listed("Certificates", []), "list_signing_certificates", UserName="anna")
shown = {
    "UserName": "anna",
    "CertificateId": matching("[A-Z0-9]{24,128}"),
    "CertificateBody": matching(re.escape(body.strip()) + r"\s*"),
    "Status": "Active",
    "UploadDate": TIME,
}
made = answers({"Certificate": shown}, "upload_signing_certificate", UserName="anna", CertificateBody=body)
named = {"UserName": "anna", "CertificateId": made["Certificate"]["CertificateId"]}
answers({}, "update_signing_certificate", **named, Status="Inactive")
shown |= named | {"Status": "Inactive"}
answers(listed("Certificates", [shown]), "list_signing_certificates", UserName="anna")
iam.upload_signing_certificate(UserName="anna", CertificateBody=certificate())
too_many = "Cannot exceed quota for CertificatesPerUser: 2"
refuses(409, "LimitExceeded", too_many, "upload_signing_certificate", UserName="anna", CertificateBody=certificate())
malformed = "Certificate no-certificate is malformed."
refuses(
    400,
    "MalformedCertificate",
    malformed,
    "upload_signing_certificate",
    UserName="bea",
    CertificateBody="no-certificate",
)
answers({}, "delete_signing_certificate", **named)
absent = f"The Certificate with id {named['CertificateId']} cannot be found."
refuses(404, "NoSuchEntity", absent, "update_signing_certificate", **named, Status="Active")
refuses(404, "NoSuchEntity", absent, "delete_signing_certificate", **named)
other = named | {"UserName": "nobody"}
refuses(404, "NoSuchEntity", NOBODY, "upload_signing_certificate", UserName="nobody", CertificateBody=body)
refuses(404, "NoSuchEntity", NOBODY, "list_signing_certificates", UserName="nobody")
refuses(404, "NoSuchEntity", NOBODY, "update_signing_certificate", **other, Status="Active")
refuses(404, "NoSuchEntity", NOBODY, "delete_signing_certificate", **other)
last = iam.list_signing_certificates(UserName="anna")["Certificates"][0]["CertificateId"]
iam.delete_signing_certificate(UserName="anna", CertificateId=last)

# Service-specific credentials.

SERVICE = "codecommit.amazonaws.com"
answers(listed("ServiceSpecificCredentials", []), "list_service_specific_credentials", UserName="anna")
brief = {
    "UserName": "anna",
    "ServiceName": SERVICE,
    "ServiceUserName": f"anna-at-{ACCOUNT}",
    "ServiceSpecificCredentialId": matching("ACCA[A-Z0-9]{16,}"),
    "Status": "Active",
    "CreateDate": TIME,
}
whole = {"ServiceSpecificCredential": brief | {"ServicePassword": TEXT}}
made = answers(whole, "create_service_specific_credential", UserName="anna", ServiceName=SERVICE)
named = {"UserName": "anna"}
named["ServiceSpecificCredentialId"] = made["ServiceSpecificCredential"]["ServiceSpecificCredentialId"]
answers({}, "update_service_specific_credential", **named, Status="Inactive")
brief |= named | {"Status": "Inactive"}
answers(listed("ServiceSpecificCredentials", [brief]), "list_service_specific_credentials", UserName="anna")
answers({"ServiceSpecificCredential": brief | {"ServicePassword": TEXT}}, "reset_service_specific_credential", **named)
INVALID = "1 validation error detected: Value at '{}' failed to satisfy constraint: Member must {}"
words = INVALID.format("status", "satisfy enum value set")
refuses(400, "ValidationError", words, "update_service_specific_credential", **named, Status="Perhaps")
in_the_way = "Cannot delete entity, must remove referenced objects first."
refuses(409, "DeleteConflict", in_the_way, "delete_user", UserName="anna")
for service in ["lambda.amazonaws.com", "no-service"]:
    words = f"No such service {service} is supported for Service Specific Credentials"
    refuses(404, "NoSuchEntity", words, "create_service_specific_credential", UserName="anna", ServiceName=service)
    refuses(404, "NoSuchEntity", words, "list_service_specific_credentials", UserName="anna", ServiceName=service)
for operation, more in [("update", {"Status": "Active"}), ("reset", {}), ("delete", {})]:
    operation += "_service_specific_credential"
    refuses(404, "NoSuchEntity", NOBODY, operation, **(named | {"UserName": "nobody"}), **more)
    other = {"UserName": "anna", "ServiceSpecificCredentialId": "wellformedbutnotthere"}
    refuses(404, "NoSuchEntity", "No such credential wellformedbutnotthere exists", operation, **other, **more)
    other["ServiceSpecificCredentialId"] = "not-well-formed-at-all"
    words = INVALID.format("serviceSpecificCredentialId", r"satisfy regular expression pattern: [\w]+")
    refuses(400, "ValidationError", words, operation, **other, **more)
answers({}, "delete_service_specific_credential", **named)

# Virtual MFA.


def codes(seed):
    """Two consecutive codes, of the step before this one and of this one."""
    found = []
    for step in [int(time.time()) // 30 - 1, int(time.time()) // 30]:
        digest = hmac.new(base64.b32decode(seed), struct.pack(">Q", step), hashlib.sha1).digest()
        number = struct.unpack(">I", digest[digest[-1] & 15 :][:4])[0] & 0x7FFFFFFF
        found.append(f"{number % 1_000_000:06}")
    return {"AuthenticationCode1": found[0], "AuthenticationCode2": found[1]}


answers(listed("VirtualMFADevices", []), "list_virtual_mfa_devices")
answers(listed("MFADevices", []), "list_mfa_devices", UserName="anna")
serial = f"{ARN}:mfa/phones/anna"
seed, picture = (
    Form("a seed", lambda it: len(base64.b32decode(it)) == 40),
    Form("a PNG", lambda it: it[:4] == b"\x89PNG"),
)
seeded = {"SerialNumber": serial, "Base32StringSeed": seed, "QRCodePNG": picture}
device = {"VirtualMFADeviceName": "anna", "Path": "/phones/"}
made = answers({"VirtualMFADevice": seeded}, "create_virtual_mfa_device", **device)
refuses(409, "EntityAlreadyExists", "MFA device already exists.", "create_virtual_mfa_device", **device)
form = (
    "The specified value for path is invalid. It must begin and end with / and contain only alphanumeric characters "
    "and/or / characters."
)
for path in ["phones/", "/phones"]:
    refuses(400, "ValidationError", form, "create_virtual_mfa_device", VirtualMFADeviceName="b", Path=path)
words = INVALID.format("path", "have length less than or equal to 512")
path = "/" + "a" * 512 + "/"
refuses(400, "ValidationError", words, "create_virtual_mfa_device", VirtualMFADeviceName="b", Path=path)
# The device of nobody has nothing but its number.
answers(listed("VirtualMFADevices", [{"SerialNumber": serial}]), "list_virtual_mfa_devices")
two = codes(made["VirtualMFADevice"]["Base32StringSeed"])
refuses(404, "NoSuchEntity", NOBODY, "enable_mfa_device", UserName="nobody", SerialNumber=serial, **two)
answers({}, "enable_mfa_device", UserName="anna", SerialNumber=serial, **two)
in_use = "MFA Device is already in use."
refuses(409, "EntityAlreadyExists", in_use, "enable_mfa_device", UserName="bea", SerialNumber=serial, **two)
enabled = {"UserName": "anna", "SerialNumber": serial, "EnableDate": TIME}
answers(listed("MFADevices", [enabled]), "list_mfa_devices", UserName="anna")
assigned = {"SerialNumber": serial, "EnableDate": TIME, "User": user}
answers(listed("VirtualMFADevices", [assigned]), "list_virtual_mfa_devices", AssignmentStatus="Assigned")
refuses(400, "ValidationError", "Invalid Marker.", "list_virtual_mfa_devices", Marker="no-marker")
in_the_way = "Cannot delete entity, must remove tokens from principal first."
refuses(409, "DeleteConflict", in_the_way, "delete_user", UserName="anna")
absent = f"MFA Device with serial number {ARN}:mfa/none does not exist."
refuses(404, "NoSuchEntity", absent, "deactivate_mfa_device", UserName="anna", SerialNumber=f"{ARN}:mfa/none")
refuses(404, "NoSuchEntity", absent, "delete_virtual_mfa_device", SerialNumber=f"{ARN}:mfa/none")
refuses(404, "NoSuchEntity", NOBODY, "deactivate_mfa_device", UserName="nobody", SerialNumber=serial)
answers({}, "deactivate_mfa_device", UserName="anna", SerialNumber=serial)
answers({}, "delete_virtual_mfa_device", SerialNumber=serial)

# Groups.

group = {
    "Path": "/",
    "GroupName": "readers",
    "GroupId": unique_id("AGPA"),
    "Arn": f"{ARN}:group/readers",
    "CreateDate": TIME,
}
answers(listed("Groups", []), "list_groups")
answers({"Group": group}, "create_group", GroupName="readers")
refuses(409, "EntityAlreadyExists", "Group with name readers already exists.", "create_group", GroupName="readers")
answers(listed("Groups", [group]), "list_groups")
answers({"Group": group, "Users": [], "IsTruncated": False}, "get_group", GroupName="readers")
answers({}, "add_user_to_group", GroupName="readers", UserName="anna")
answers({"Group": group, "Users": [user], "IsTruncated": False}, "get_group", GroupName="readers")
answers(listed("Groups", [group]), "list_groups_for_user", UserName="anna")
answers(listed("Groups", []), "list_groups_for_user", UserName="bea")
in_the_way = "Cannot delete entity, must remove user from groups first."
refuses(409, "DeleteConflict", in_the_way, "delete_user", UserName="anna")
NO_GROUP = "The group with name nothing cannot be found."
for operation in ["add_user_to_group", "remove_user_from_group"]:
    refuses(404, "NoSuchEntity", NO_GROUP, operation, GroupName="nothing", UserName="anna")
    refuses(404, "NoSuchEntity", NOBODY, operation, GroupName="readers", UserName="nobody")
for operation, more in [("get_group", {}), ("delete_group", {}), ("update_group", {"NewGroupName": "other"})]:
    refuses(404, "NoSuchEntity", NO_GROUP, operation, GroupName="nothing", **more)
iam.create_group(GroupName="writers")
taken = "Group with name writers already exists."
refuses(409, "EntityAlreadyExists", taken, "update_group", GroupName="readers", NewGroupName="writers")
answers({}, "update_group", GroupName="writers", NewGroupName="editors", NewPath="/desk/")
answers({}, "delete_group", GroupName="editors")
answers({}, "remove_user_from_group", GroupName="readers", UserName="anna")

# Inline policies.

for kind, name in [("user", "anna"), ("group", "readers")]:
    owner = {f"{kind.capitalize()}Name": name}
    answers(listed("PolicyNames", []), f"list_{kind}_policies", **owner)
    answers({}, f"put_{kind}_policy", **owner, PolicyName="in", PolicyDocument=text(DOCUMENT))
    answers(listed("PolicyNames", ["in"]), f"list_{kind}_policies", **owner)
    answers(owner | {"PolicyName": "in", "PolicyDocument": DOCUMENT}, f"get_{kind}_policy", **owner, PolicyName="in")
in_the_way = "Cannot delete entity, must delete policies first."
refuses(409, "DeleteConflict", in_the_way, "delete_user", UserName="anna")
for kind, name in [("user", "anna"), ("group", "readers")]:
    owner = {f"{kind.capitalize()}Name": name}
    answers({}, f"delete_{kind}_policy", **owner, PolicyName="in")
absent = "The group policy with name in cannot be found."
refuses(404, "NoSuchEntity", absent, "get_group_policy", GroupName="readers", PolicyName="in")

# Managed policies.

ours = f"{ARN}:policy/reports"
policy = {
    "PolicyName": "reports",
    "PolicyId": unique_id("ANPA"),
    "Arn": ours,
    "Path": "/",
    "DefaultVersionId": "v1",
    "AttachmentCount": 0,
    "PermissionsBoundaryUsageCount": 0,
    "IsAttachable": True,
    "CreateDate": TIME,
    "UpdateDate": TIME,
}
given = tags(zone="1", area="2", sort="3")
create = {"PolicyName": "reports", "PolicyDocument": text(DOCUMENT), "Description": "Reads reports.", "Tags": given}
# The answer has the tags as they were given, and no description.
answers({"Policy": policy | {"Tags": given}}, "create_policy", **create)
taken = "A policy called reports already exists. Duplicate names are not allowed."
refuses(409, "EntityAlreadyExists", taken, "create_policy", PolicyName="reports", PolicyDocument=text(DOCUMENT))
described = policy | {"Description": "Reads reports."}
iam.untag_policy(PolicyArn=ours, TagKeys=["zone", "sort"])
answers({"Policy": described | {"Tags": tags(area="2")}}, "get_policy", PolicyArn=ours)
answers(listed("Policies", [policy]), "list_policies", Scope="Local")
plain = policy | {"PolicyName": "plain", "Arn": f"{ARN}:policy/plain"}
answers({"Policy": plain}, "create_policy", PolicyName="plain", PolicyDocument=text(DOCUMENT))
answers({"Policy": plain | {"Tags": []}}, "get_policy", PolicyArn=plain["Arn"])
answers(listed("Tags", []), "list_policy_tags", PolicyArn=plain["Arn"])
for field, operation, more in [("Policies", "list_policies", {"Scope": "Local"}), ("Users", "list_users", {})]:
    first = getattr(iam, operation)(**more, MaxItems=1)
    assert first["IsTruncated"] and first["Marker"] and len(first[field]) == 1, first
    rest = getattr(iam, operation)(**more, Marker=first["Marker"])
    assert not rest["IsTruncated"] and "Marker" not in rest and len(rest[field]) == 1, rest

version = {"VersionId": "v2", "IsDefaultVersion": False, "CreateDate": TIME}
added = {"PolicyArn": ours, "PolicyDocument": text(DOCUMENT)}
answers({"PolicyVersion": version}, "create_policy_version", **added)
whole = {"PolicyVersion": version | {"Document": DOCUMENT}}
answers(whole, "get_policy_version", PolicyArn=ours, VersionId="v2")
answers({}, "set_default_policy_version", PolicyArn=ours, VersionId="v2")
first = version | {"VersionId": "v1"}
answers(listed("Versions", [version | {"IsDefaultVersion": True}, first]), "list_policy_versions", PolicyArn=ours)
default = "Cannot delete the default version of a policy."
refuses(409, "DeleteConflict", default, "delete_policy_version", PolicyArn=ours, VersionId="v2")
for _ in range(3):
    iam.create_policy_version(**added)
too_many = (
    "A managed policy can have up to 5 versions. Before you create a new version, you must delete an existing version."
)
refuses(409, "LimitExceeded", too_many, "create_policy_version", **added)
for operation in ["get_policy_version", "set_default_policy_version", "delete_policy_version"]:
    absent = f"Policy {ours} version v9 does not exist or is not attachable."
    refuses(404, "NoSuchEntity", absent, operation, PolicyArn=ours, VersionId="v9")
    words = INVALID.format("versionId", r"satisfy regular expression pattern: v[1-9][0-9]*(\.[A-Za-z0-9-]*)?")
    refuses(400, "ValidationError", words, operation, PolicyArn=ours, VersionId="nine")
for number in [1, 3, 4, 5]:
    answers({}, "delete_policy_version", PolicyArn=ours, VersionId=f"v{number}")
none = f"{ARN}:policy/none"
for operation in ["list_policy_versions", "delete_policy"]:
    refuses(404, "NoSuchEntity", f"Policy {none} was not found.", operation, PolicyArn=none)

# Those of AWS are not ours to change.
foreign = "Cannot {} outside your own account."
refuses(403, "AccessDenied", foreign.format("delete policies"), "delete_policy", PolicyArn=READ_ONLY)
of_aws = {"PolicyArn": READ_ONLY, "VersionId": "v1"}
refuses(403, "AccessDenied", foreign.format("update policies"), "set_default_policy_version", **of_aws)
words = foreign.format("delete policy versions for policies")
refuses(403, "AccessDenied", words, "delete_policy_version", **of_aws)

# Attachments.

attached = {"PolicyName": "reports", "PolicyArn": ours}
for kind, name in [("user", "anna"), ("group", "readers")]:
    owner = {f"{kind.capitalize()}Name": name}
    answers(listed("AttachedPolicies", []), f"list_attached_{kind}_policies", **owner)
    answers({}, f"attach_{kind}_policy", **owner, PolicyArn=ours)
    answers(listed("AttachedPolicies", [attached]), f"list_attached_{kind}_policies", **owner)
in_the_way = "Cannot delete a policy attached to entities."
refuses(409, "DeleteConflict", in_the_way, "delete_policy", PolicyArn=ours)
in_the_way = "Cannot delete entity, must detach all policies first."
refuses(409, "DeleteConflict", in_the_way, "delete_user", UserName="anna")
absent = f"Policy {none} does not exist or is not attachable."
refuses(404, "NoSuchEntity", absent, "attach_user_policy", UserName="anna", PolicyArn=none)
refuses(404, "NoSuchEntity", absent, "list_entities_for_policy", PolicyArn=none)
words = "ARN a-name-and-no-arn-at-all is not valid."
refuses(400, "ValidationError", words, "attach_user_policy", UserName="anna", PolicyArn="a-name-and-no-arn-at-all")
users = [{"UserName": "anna", "UserId": unique_id("AIDA")}]
groups = [{"GroupName": "readers", "GroupId": unique_id("AGPA")}]
entities = {"PolicyUsers": users, "PolicyGroups": groups, "PolicyRoles": [], "IsTruncated": False}
answers(entities, "list_entities_for_policy", PolicyArn=ours)
answers(entities | {"PolicyUsers": []}, "list_entities_for_policy", PolicyArn=ours, EntityFilter="Group")
answers(entities | {"PolicyGroups": []}, "list_entities_for_policy", PolicyArn=ours, EntityFilter="User")
bare = {"PolicyUsers": [], "PolicyGroups": [], "PolicyRoles": [], "IsTruncated": False}
answers(bare, "list_entities_for_policy", PolicyArn=plain["Arn"])
for kind, name in [("user", "anna"), ("group", "readers")]:
    owner = {f"{kind.capitalize()}Name": name, "PolicyArn": ours}
    answers({}, f"detach_{kind}_policy", **owner)
    refuses(404, "NoSuchEntity", f"Policy {ours} was not found.", f"detach_{kind}_policy", **owner)

# Boundaries.

boundary = {"PermissionsBoundaryType": "Policy", "PermissionsBoundaryArn": plain["Arn"]}
answers({}, "put_user_permissions_boundary", UserName="anna", PermissionsBoundary=plain["Arn"])
answers({"User": user | {"PermissionsBoundary": boundary}}, "get_user", UserName="anna")
answers({}, "delete_user_permissions_boundary", UserName="anna")
bounded = user | {"UserName": "carl", "Arn": f"{ARN}:user/carl", "PermissionsBoundary": boundary}
answers({"User": bounded}, "create_user", UserName="carl", PermissionsBoundary=plain["Arn"])
iam.delete_user(UserName="carl")

iam.create_policy(PolicyName="short", PolicyDocument=text(DOCUMENT))
answers({}, "delete_policy", PolicyArn=f"{ARN}:policy/short")

# Roles.

role = {
    "Path": "/",
    "RoleName": "builder",
    "RoleId": unique_id("AROA"),
    "Arn": f"{ARN}:role/builder",
    "CreateDate": TIME,
    "AssumeRolePolicyDocument": TRUST,
}
create = {"RoleName": "builder", "AssumeRolePolicyDocument": text(TRUST)}
answers(listed("Roles", []), "list_roles")
# The answer has neither the description nor the duration, which the others have.
answers({"Role": role}, "create_role", **create, Description="Builds.")
refuses(409, "EntityAlreadyExists", "Role with name builder already exists.", "create_role", **create)
shown = role | {"Description": "Builds.", "MaxSessionDuration": 3600}
answers({"Role": shown | {"RoleLastUsed": {}}}, "get_role", RoleName="builder")
answers(listed("Roles", [shown]), "list_roles")
answers({}, "update_role", RoleName="builder", MaxSessionDuration=7200)
shown |= {"MaxSessionDuration": 7200}
answers({"Role": shown | {"RoleLastUsed": {}}}, "get_role", RoleName="builder")
described = role | {"Description": "Tests."}
answers({"Role": described}, "update_role_description", RoleName="builder", Description="Tests.")
answers({}, "update_assume_role_policy", RoleName="builder", PolicyDocument=text(TRUST))
iam.update_role(RoleName="builder", Description="")

tagged = create | {"RoleName": "tagged", "Tags": tags(cost="7", team="ops"), "PermissionsBoundary": plain["Arn"]}
other = role | {"RoleName": "tagged", "Arn": f"{ARN}:role/tagged", "PermissionsBoundary": boundary}
other["Tags"] = tagged["Tags"]
answers({"Role": other}, "create_role", **tagged)
answers({"Role": other | {"MaxSessionDuration": 3600, "RoleLastUsed": {}}}, "get_role", RoleName="tagged")
answers(listed("Tags", tagged["Tags"]), "list_role_tags", RoleName="tagged")
answers({}, "untag_role", RoleName="tagged", TagKeys=["team"])
answers({}, "tag_role", RoleName="tagged", Tags=tags(cost=""))
answers(listed("Tags", tags(cost="")), "list_role_tags", RoleName="tagged")
answers(listed("Tags", []), "list_role_tags", RoleName="builder")

NO_ROLE = "The role with name nothing cannot be found."
for operation, more in [
    ("get_role", {}),
    ("delete_role", {}),
    ("update_role", {}),
    ("list_role_tags", {}),
    ("tag_role", {"Tags": tags(a="b")}),
    ("untag_role", {"TagKeys": ["a"]}),
    ("list_attached_role_policies", {}),
    ("put_role_policy", {"PolicyName": "in", "PolicyDocument": text(DOCUMENT)}),
    ("get_role_policy", {"PolicyName": "in"}),
    ("delete_role_policy", {"PolicyName": "in"}),
    ("put_role_permissions_boundary", {"PermissionsBoundary": plain["Arn"]}),
]:
    refuses(404, "NoSuchEntity", NO_ROLE, operation, RoleName="nothing", **more)

answers(listed("PolicyNames", []), "list_role_policies", RoleName="builder")
answers({}, "put_role_policy", RoleName="builder", PolicyName="in", PolicyDocument=text(DOCUMENT))
answers(listed("PolicyNames", ["in"]), "list_role_policies", RoleName="builder")
inline = {"RoleName": "builder", "PolicyName": "in", "PolicyDocument": DOCUMENT}
answers(inline, "get_role_policy", RoleName="builder", PolicyName="in")
in_the_way = "Cannot delete entity, must delete policies first."
refuses(409, "DeleteConflict", in_the_way, "delete_role", RoleName="builder")
answers({}, "delete_role_policy", RoleName="builder", PolicyName="in")
for operation in ["get_role_policy", "delete_role_policy"]:
    absent = "The role policy with name in cannot be found."
    refuses(404, "NoSuchEntity", absent, operation, RoleName="builder", PolicyName="in")

answers({}, "attach_role_policy", RoleName="builder", PolicyArn=ours)
answers(listed("AttachedPolicies", [attached]), "list_attached_role_policies", RoleName="builder")
in_the_way = "Cannot delete entity, must detach all policies first."
refuses(409, "DeleteConflict", in_the_way, "delete_role", RoleName="builder")
absent = f"Policy {none} does not exist or is not attachable."
refuses(404, "NoSuchEntity", absent, "attach_role_policy", RoleName="builder", PolicyArn=none)
roles = [{"RoleName": "builder", "RoleId": unique_id("AROA")}]
answers(bare | {"PolicyRoles": roles}, "list_entities_for_policy", PolicyArn=ours)
answers({}, "detach_role_policy", RoleName="builder", PolicyArn=ours)
refuses(404, "NoSuchEntity", f"Policy {ours} was not found.", "detach_role_policy", RoleName="builder", PolicyArn=ours)
answers(listed("AttachedPolicies", []), "list_attached_role_policies", RoleName="builder")

no_policy = f"{ARN}:not-a-policy/at-all"
for operation, more in [
    ("put_role_permissions_boundary", {"RoleName": "builder"}),
    ("create_role", create | {"RoleName": "c"}),
]:
    words = f"ARN {no_policy} is not valid."
    refuses(400, "InvalidInput", words, operation, **more, PermissionsBoundary=no_policy)
    words = f"Scope ARN: {none} does not exist or is not attachable."
    refuses(404, "NoSuchEntity", words, operation, **more, PermissionsBoundary=none)
answers({}, "put_role_permissions_boundary", RoleName="builder", PermissionsBoundary=plain["Arn"])
shown = role | {"MaxSessionDuration": 7200, "RoleLastUsed": {}, "PermissionsBoundary": boundary}
answers({"Role": shown}, "get_role", RoleName="builder")
answers({}, "delete_role_permissions_boundary", RoleName="builder")

# A principal that is an account is answered as it was sent where the role is made, and as root's ARN from then on.
SESSIONS = ["sts:AssumeRole", "sts:TagSession"]
of_account = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"AWS": ACCOUNT}, "Action": SESSIONS}],
}
own = role | {"RoleName": "own", "Arn": f"{ARN}:role/own", "AssumeRolePolicyDocument": of_account}
answers({"Role": own}, "create_role", RoleName="own", AssumeRolePolicyDocument=text(of_account))
as_root = json.loads(text(of_account).replace(f'"{ACCOUNT}"', f'"{ARN}:root"'))
shown = own | {"AssumeRolePolicyDocument": as_root, "MaxSessionDuration": 3600, "RoleLastUsed": {}}
answers({"Role": shown}, "get_role", RoleName="own")


def trust(**changes):
    return text(TRUST | {"Statement": [TRUST["Statement"][0] | changes]})


for operation, parameter in [
    ("create_role", "AssumeRolePolicyDocument"),
    ("update_assume_role_policy", "PolicyDocument"),
]:
    name = {"RoleName": "c" if operation == "create_role" else "builder"}
    for document, words in [
        ("no json at all", "This policy contains invalid Json"),
        (trust(Action="sts:NoSuchAction"), "AssumeRole policy may only specify STS AssumeRole actions."),
        (trust(Resource="arn:aws:s3:::reports"), "Has prohibited field Resource"),
    ]:
        refuses(400, "MalformedPolicyDocument", words, operation, **name, **{parameter: document})

answers({}, "delete_role", RoleName="builder")
refuses(404, "NoSuchEntity", "The role with name builder cannot be found.", "get_role", RoleName="builder")

# Roles of services.

LINKED = "AWSServiceRoleForBatch"
linked = {
    "Path": "/aws-service-role/batch.amazonaws.com/",
    "RoleName": LINKED,
    "RoleId": unique_id("AROA"),
    "Arn": f"{ARN}:role/aws-service-role/batch.amazonaws.com/{LINKED}",
    "CreateDate": TIME,
    "AssumeRolePolicyDocument": json.loads(text(TRUST).replace("ec2.", "batch.")),
}
answers({"Role": linked}, "create_service_linked_role", AWSServiceName="batch.amazonaws.com")
answers({"Role": linked | {"MaxSessionDuration": 3600, "RoleLastUsed": {}}}, "get_role", RoleName=LINKED)
attached_by_aws = {"PolicyName": "BatchServiceRolePolicy"}
attached_by_aws["PolicyArn"] = "arn:aws:iam::aws:policy/aws-service-role/BatchServiceRolePolicy"
answers(listed("AttachedPolicies", [attached_by_aws]), "list_attached_role_policies", RoleName=LINKED)
answers(listed("PolicyNames", []), "list_role_policies", RoleName=LINKED)
taken = f"Service role name {LINKED} has been taken in this account, please try a different suffix."
refuses(400, "InvalidInput", taken, "create_service_linked_role", AWSServiceName="batch.amazonaws.com")
for service in ["batch.amazonaws.com", "eks.amazonaws.com", "sso.amazonaws.com"]:
    words = f"Custom suffix is not allowed for {service}"
    refuses(400, "InvalidInput", words, "create_service_linked_role", AWSServiceName=service, CustomSuffix="x")
suffixed = iam.create_service_linked_role(AWSServiceName="lexv2.amazonaws.com", CustomSuffix="x")["Role"]
assert suffixed["RoleName"] == "AWSServiceRoleForLexV2Bots_x", suffixed
HEX = "[0-9a-f]"
task = f"task/aws-service-role/batch.amazonaws.com/{LINKED}/{HEX}{{8}}(-{HEX}{{4}}){{3}}-{HEX}{{12}}"
made = answers({"DeletionTaskId": matching(task)}, "delete_service_linked_role", RoleName=LINKED)
answers({"Status": "SUCCEEDED"}, "get_service_linked_role_deletion_status", DeletionTaskId=made["DeletionTaskId"])
absent = f"The role with name {LINKED} cannot be found."
refuses(404, "NoSuchEntity", absent, "delete_service_linked_role", RoleName=LINKED)
iam.delete_service_linked_role(RoleName="AWSServiceRoleForLexV2Bots_x")

# Instance profiles.

instance = {
    "Path": "/",
    "InstanceProfileName": "web",
    "InstanceProfileId": unique_id("AIPA"),
    "Arn": f"{ARN}:instance-profile/web",
    "CreateDate": TIME,
    "Roles": [],
}
answers(listed("InstanceProfiles", []), "list_instance_profiles_for_role", RoleName="own")
answers({"InstanceProfile": instance}, "create_instance_profile", InstanceProfileName="web")
answers({}, "tag_instance_profile", InstanceProfileName="web", Tags=tags(One="1", Two="2"))
answers(listed("Tags", tags(One="1", Two="2")), "list_instance_profile_tags", InstanceProfileName="web")
answers({}, "untag_instance_profile", InstanceProfileName="web", TagKeys=["One", "Two"])
answers(listed("Tags", []), "list_instance_profile_tags", InstanceProfileName="web")
answers({}, "delete_instance_profile", InstanceProfileName="web")

# Tags that are refused, by everything that has some.

KEY_PATTERN = r"satisfy regular expression pattern: [\p{L}\p{Z}\p{N}_.:/=+\-@]+"
twins = {
    "role": "Duplicate tag keys found. Please note that Tag keys are case insensitive.",
    "policy": "Duplicate tag keys found.",
}
for kind, owner, create in [
    ("role", {"RoleName": "own"}, {"RoleName": "d", "AssumeRolePolicyDocument": text(TRUST)}),
    ("policy", {"PolicyArn": ours}, {"PolicyName": "d", "PolicyDocument": text(DOCUMENT)}),
]:
    for operation, named in [(f"tag_{kind}", owner), (f"create_{kind}", create)]:
        many = [{"Key": str(number), "Value": ""} for number in range(51)]
        for given, parameter, constraint in [
            (many, "tags", "have length less than or equal to 50"),
            (tags(**{"k" * 129: ""}), "tags.1.member.key", "have length less than or equal to 128"),
            (tags(**{"!": ""}), "tags.1.member.key", KEY_PATTERN),
            (tags(k="v" * 257), "tags.1.member.value", "have length less than or equal to 256"),
        ]:
            refuses(400, "ValidationError", INVALID.format(parameter, constraint), operation, **named, Tags=given)
        same = [{"Key": "k", "Value": "1"}, {"Key": "k", "Value": "2"}]
        refuses(400, "InvalidInput", twins[kind], operation, **named, Tags=same)
    words = INVALID.format("tagKeys", "have length less than or equal to 50")
    refuses(400, "ValidationError", words, f"untag_{kind}", **owner, TagKeys=[str(number) for number in range(51)])
    length = "Member must have length less than or equal to 128, Member must have length greater than or equal to 1"
    # Which of the four a key breaks is not said.
    words = INVALID.format(
        "tagKeys", f"satisfy constraint: [{length}, Member must {KEY_PATTERN}, Member must not be null]"
    )
    for key in ["k" * 129, "!"]:
        refuses(400, "ValidationError", words, f"untag_{kind}", **owner, TagKeys=[key])
absent = f"Policy {none} was not found."
refuses(404, "NoSuchEntity", absent, "tag_policy", PolicyArn=none, Tags=tags(a="b"))
refuses(404, "NoSuchEntity", absent, "untag_policy", PolicyArn=none, TagKeys=["a"])
# Two keys that differ in case alone are two tags of a policy.
answers({}, "tag_policy", PolicyArn=ours, Tags=tags(a="1", A="2"))
answers({}, "untag_policy", PolicyArn=ours, TagKeys=["area"])
answers(listed("Tags", tags(A="2", a="1")), "list_policy_tags", PolicyArn=ours)

# Documents that are refused.

SYNTAX = "Syntax errors in policy."


def statement(**changes):
    merged = DOCUMENT["Statement"][0] | changes
    return DOCUMENT | {"Statement": [{key: value for key, value in merged.items() if value is not None}]}


for document, words in [
    ({}, SYNTAX),
    (DOCUMENT | {"Version": "2012-10-18"}, SYNTAX),
    (DOCUMENT | {"Version": "2008-10-17"}, "Policy document must be version 2012-10-17 or greater."),
    (DOCUMENT | {"Extra": "1"}, SYNTAX),
    (statement(Extra="1"), SYNTAX),
    (statement(Effect="Perhaps"), SYNTAX),
    (statement(Effect=None), SYNTAX),
    (statement(Effect="allow"), "The policy failed legacy parsing"),
    (statement(Action=None), "Policy statement must contain actions."),
    (statement(Resource=None), "Policy statement must contain resources."),
    (statement(Action="GetObject"), "Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc."),
    (statement(Action="s3:Get:Object"), "Actions/Condition can contain only one colon."),
    (statement(Action="a a:Get"), "Vendor a a is not valid"),
    (statement(Resource="reports"), 'Resource reports must be in ARN format or "*".'),
    (statement(Resource=""), 'Resource  must be in ARN format or "*".'),
    (statement(Resource="arn:b:s3:::reports"), 'Partition "b" is not valid for resource "arn:b:s3:::reports".'),
    (
        statement(Resource="arn:aws:s3:us-east-1::reports"),
        "Resource arn:aws:s3:us-east-1::reports can not contain region information.",
    ),
    (
        statement(Resource="arn:aws:iam:us-east-1::reports"),
        "IAM resource arn:aws:iam:us-east-1::reports cannot contain region information.",
    ),
    (
        statement(Resource="arn:aws:iam::123456789012:thing/reports"),
        'IAM resource path must either be "*", root, or start with user/, federated-user/, role/, group/, '
        "instance-profile/, mfa/, server-certificate/, policy/, sms-mfa/, saml-provider/, oidc-provider/, report/, "
        "access-report/.",
    ),
    (statement(Resource="arn:aws"), "Resource vendor must be fully qualified and cannot contain regexes."),
    (
        DOCUMENT | {"Statement": [DOCUMENT["Statement"][0] | {"Sid": "Twice"}] * 2},
        "Statement IDs (SID) in a single policy must be unique.",
    ),
]:
    refuses(400, "MalformedPolicyDocument", words, "create_policy", PolicyName="d", PolicyDocument=text(document))

# The account: alias, password policy, summary, credential report.

answers(listed("AccountAliases", []), "list_account_aliases")
answers({}, "create_account_alias", AccountAlias="acme-recorded")
answers(listed("AccountAliases", ["acme-recorded"]), "list_account_aliases")
answers({}, "delete_account_alias", AccountAlias="acme-recorded")

absent = f"The Password Policy with domain name {ACCOUNT} cannot be found."
refuses(404, "NoSuchEntity", absent, "get_account_password_policy")
absent = "The account policy with name PasswordPolicy cannot be found."
refuses(404, "NoSuchEntity", absent, "delete_account_password_policy")
answers({}, "update_account_password_policy")
least = {
    "MinimumPasswordLength": 6,
    "RequireSymbols": False,
    "RequireNumbers": False,
    "RequireUppercaseCharacters": False,
    "RequireLowercaseCharacters": False,
    "AllowUsersToChangePassword": False,
    "ExpirePasswords": False,
}
answers({"PasswordPolicy": least}, "get_account_password_policy")
most = {"MinimumPasswordLength": 10, "MaxPasswordAge": 90, "PasswordReusePrevention": 3, "HardExpiry": True}
answers({}, "update_account_password_policy", **most, RequireNumbers=True)
whole = least | most | {"RequireNumbers": True, "ExpirePasswords": True}
answers({"PasswordPolicy": whole}, "get_account_password_policy")
words = "; ".join(
    f"Value at '{parameter}' failed to satisfy constraint: Member must have value less than or equal to {most}"
    for parameter, most in [("minimumPasswordLength", 128), ("passwordReusePrevention", 24), ("maxPasswordAge", 1095)]
)
beyond = {"MinimumPasswordLength": 129, "PasswordReusePrevention": 25, "MaxPasswordAge": 1096}
refuses(400, "ValidationError", f"3 validation errors detected: {words}", "update_account_password_policy", **beyond)
answers({}, "delete_account_password_policy")

NUMBER = Form("a number", lambda it: isinstance(it, int))
COUNTED = """AccountAccessKeysPresent AccountMFAEnabled AccountPasswordPresent AccountSigningCertificatesPresent
    AccessKeysPerUserQuota AssumeRolePolicySizeQuota AttachedPoliciesPerGroupQuota AttachedPoliciesPerRoleQuota
    AttachedPoliciesPerUserQuota GlobalEndpointTokenVersion GroupPolicySizeQuota Groups GroupsPerUserQuota GroupsQuota
    InstanceProfiles InstanceProfilesQuota MFADevices MFADevicesInUse Policies PoliciesQuota PolicySizeQuota
    PolicyVersionsInUse PolicyVersionsInUseQuota Providers RolePolicySizeQuota Roles RolesQuota ServerCertificates
    ServerCertificatesQuota SigningCertificatesPerUserQuota UserPolicySizeQuota Users UsersQuota
    VersionsPerPolicyQuota""".split()
answers({"SummaryMap": dict.fromkeys(COUNTED, NUMBER)}, "get_account_summary")

# The refusal of a report that was never asked for has no words.
refuses(410, "ReportNotPresent", None, "get_credential_report")
started = {"State": "STARTED", "Description": "No report exists. Starting a new report generation task"}
answers(started, "generate_credential_report")
for _ in range(100):
    if iam.generate_credential_report()["State"] == "COMPLETE":
        break
    time.sleep(0.1)
answers({"State": "COMPLETE"}, "generate_credential_report")
report = {"Content": Form("bytes", lambda it: isinstance(it, bytes)), "ReportFormat": "text/csv", "GeneratedTime": TIME}
content = answers(report, "get_credential_report")["Content"].decode().splitlines()
assert content[0] == (
    "user,arn,user_creation_time,password_enabled,password_last_used,password_last_changed,password_next_rotation,"
    "mfa_active,access_key_1_active,access_key_1_last_rotated,access_key_1_last_used_date,access_key_1_last_used_region,"
    "access_key_1_last_used_service,access_key_2_active,access_key_2_last_rotated,access_key_2_last_used_date,"
    "access_key_2_last_used_region,access_key_2_last_used_service,cert_1_active,cert_1_last_rotated,cert_2_active,"
    "cert_2_last_rotated"
), content[0]

# All of an account in one call, by what is asked for.

iam.add_user_to_group(GroupName="readers", UserName="bea")
iam.put_user_policy(UserName="bea", PolicyName="in", PolicyDocument=text(DOCUMENT))
iam.put_group_policy(GroupName="readers", PolicyName="in", PolicyDocument=text(DOCUMENT))
iam.attach_group_policy(GroupName="readers", PolicyArn=ours)
inline = [{"PolicyName": "in", "PolicyDocument": DOCUMENT}]
nothing = {"UserDetailList": [], "GroupDetailList": [], "RoleDetailList": [], "Policies": [], "IsTruncated": False}
# A user without inline policies has no list of them; its other lists are there, if empty.
of_users = [
    user | {"GroupList": [], "AttachedManagedPolicies": [], "Tags": []},
    renamed
    | {"GroupList": ["readers"], "AttachedManagedPolicies": [], "Tags": tags(cost="8"), "UserPolicyList": inline},
]
details = "get_account_authorization_details"
answers(nothing | {"UserDetailList": of_users}, details, Filter=["User"])
of_groups = [group | {"AttachedManagedPolicies": [attached], "GroupPolicyList": inline}]
answers(nothing | {"GroupDetailList": of_groups}, details, Filter=["Group"])
bare = {"InstanceProfileList": [], "RolePolicyList": [], "AttachedManagedPolicies": [], "RoleLastUsed": {}, "Tags": []}
of_roles = [
    own | bare | {"AssumeRolePolicyDocument": as_root},
    other | bare | {"Tags": tags(cost="")},
]
answers(nothing | {"RoleDetailList": of_roles}, details, Filter=["Role"])
versions = [version | {"IsDefaultVersion": True, "Document": DOCUMENT}]
of_policies = [
    plain | {"PermissionsBoundaryUsageCount": 1, "PolicyVersionList": [versions[0] | {"VersionId": "v1"}]},
    policy | {"DefaultVersionId": "v2", "AttachmentCount": 1, "PolicyVersionList": versions},
]
answers(nothing | {"Policies": of_policies}, details, Filter=["LocalManagedPolicy"])

# OpenID Connect and SAML.

oidc = f"{ARN}:oidc-provider/id.example.com"
PRINT = "a" * 40
answers({"OpenIDConnectProviderList": []}, "list_open_id_connect_providers")
create = {"Url": "https://id.example.com", "ThumbprintList": [PRINT], "ClientIDList": ["one"]}
answers({"OpenIDConnectProviderArn": oidc}, "create_open_id_connect_provider", **create)
taken = "Provider with url https://id.example.com already exists."
refuses(409, "EntityAlreadyExists", taken, "create_open_id_connect_provider", **create)
answers({"OpenIDConnectProviderList": [{"Arn": oidc}]}, "list_open_id_connect_providers")
provider = {"Url": "id.example.com", "ClientIDList": ["one"], "ThumbprintList": [PRINT], "CreateDate": TIME, "Tags": []}
answers(provider, "get_open_id_connect_provider", OpenIDConnectProviderArn=oidc)
prints = {"ThumbprintList": ["c" * 40, "d" * 40]}
answers({}, "update_open_id_connect_provider_thumbprint", OpenIDConnectProviderArn=oidc, **prints)
answers(provider | prints, "get_open_id_connect_provider", OpenIDConnectProviderArn=oidc)
answers({}, "tag_open_id_connect_provider", OpenIDConnectProviderArn=oidc, Tags=tags(k1="v1", k2="v2"))
answers(listed("Tags", tags(k1="v1", k2="v2")), "list_open_id_connect_provider_tags", OpenIDConnectProviderArn=oidc)
answers({}, "untag_open_id_connect_provider", OpenIDConnectProviderArn=oidc, TagKeys=["k2"])
provider |= prints | {"Tags": tags(k1="v1")}
answers(provider, "get_open_id_connect_provider", OpenIDConnectProviderArn=oidc)
too_many = "The number of tags has reached the maximum limit."
more = [{"Key": str(number), "Value": ""} for number in range(50)]
refuses(409, "LimitExceeded", too_many, "tag_open_id_connect_provider", OpenIDConnectProviderArn=oidc, Tags=more)
made = {"OpenIDConnectProviderArn": oidc.replace("id.", "two."), "Tags": tags(a="b")}
second = {"Url": "https://two.example.com", "ThumbprintList": [PRINT], "Tags": tags(a="b")}
answers(made, "create_open_id_connect_provider", **second)
iam.delete_open_id_connect_provider(OpenIDConnectProviderArn=made["OpenIDConnectProviderArn"])
fresh = {"Url": "https://three.example.com"}
for status, code, words, more in [
    (
        400,
        "InvalidInput",
        "Thumbprint list must contain fewer than 5 entries.",
        {"ThumbprintList": [PRINT[1:] + str(number) for number in range(6)]},
    ),
    (
        409,
        "LimitExceeded",
        "Cannot exceed quota for ClientIdsPerOpenIdConnectProvider: 100",
        {"ClientIDList": [str(number) for number in range(101)]},
    ),
    (400, "ValidationError", "Invalid Open ID Connect Provider URL", {"Url": "three.example.com"}),
]:
    refuses(status, code, words, "create_open_id_connect_provider", **(fresh | {"ThumbprintList": [PRINT]} | more))
length = "Member must have length less than or equal to {0}, Member must have length greater than or equal to {1}"
words = (
    "3 validation errors detected: "
    f"Value at 'clientIDList' failed to satisfy constraint: Member must satisfy constraint: [{length.format(255, 1)}]; "
    f"Value at 'thumbprintList' failed to satisfy constraint: Member must satisfy constraint: [{length.format(40, 40)}]; "
    "Value at 'url' failed to satisfy constraint: Member must have length less than or equal to 255"
)
wrong = {"Url": "https://" + "a" * 248 + ".com", "ClientIDList": ["c" * 256], "ThumbprintList": ["p" * 41]}
refuses(400, "ValidationError", words, "create_open_id_connect_provider", **wrong)
answers({}, "delete_open_id_connect_provider", OpenIDConnectProviderArn=oidc)
absent = f"OpenIDConnect Provider not found for arn {oidc}"
refuses(404, "NoSuchEntity", absent, "get_open_id_connect_provider", OpenIDConnectProviderArn=oidc)
absent = f"OpenId connect Provider {oidc} cannot be found."
refuses(404, "NoSuchEntity", absent, "delete_open_id_connect_provider", OpenIDConnectProviderArn=oidc)

signed = "".join(certificate("saml.example.com").splitlines()[1:-1])
METADATA = (
    '<?xml version="1.0"?><md:EntityDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata" entityID="urn:acme">'
    '<md:IDPSSODescriptor protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol"><md:KeyDescriptor '
    'use="signing"><ds:KeyInfo xmlns:ds="http://www.w3.org/2000/09/xmldsig#"><ds:X509Data><ds:X509Certificate>'
    f"{signed}</ds:X509Certificate></ds:X509Data></ds:KeyInfo></md:KeyDescriptor><md:SingleSignOnService "
    'Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST" Location="https://saml.example.com/sso"/>'
    "</md:IDPSSODescriptor></md:EntityDescriptor>" + " " * 1000
)
saml = f"{ARN}:saml-provider/acme"
answers({"SAMLProviderList": []}, "list_saml_providers")
answers({"SAMLProviderArn": saml}, "create_saml_provider", Name="acme", SAMLMetadataDocument=METADATA)
answers({"SAMLProviderList": [{"Arn": saml, "CreateDate": TIME, "ValidUntil": TIME}]}, "list_saml_providers")
provider = {
    "SAMLMetadataDocument": METADATA,
    "SAMLProviderUUID": TEXT,
    "CreateDate": TIME,
    "ValidUntil": TIME,
    "Tags": [],
    "AssertionEncryptionMode": "Allowed",
    "PrivateKeyList": [],
}
answers(provider, "get_saml_provider", SAMLProviderArn=saml)
answers({"SAMLProviderArn": saml}, "update_saml_provider", SAMLProviderArn=saml, SAMLMetadataDocument=METADATA)
answers({}, "delete_saml_provider", SAMLProviderArn=saml)
for operation in ["get_saml_provider", "delete_saml_provider"]:
    refuses(404, "NoSuchEntity", f"Manifest not found for arn {saml}", operation, SAMLProviderArn=saml)

# Who calls, and sessions of roles.

made = iam.create_access_key(UserName="anna")["AccessKey"]
iam.put_user_policy(UserName="anna", PolicyName="in", PolicyDocument=text(statement(Action=SESSIONS)))
sts = client(ENFORCING, "sts", aws_access_key_id=made["AccessKeyId"], aws_secret_access_key=made["SecretAccessKey"])
anna = {"Account": ACCOUNT, "UserId": unique_id("AIDA"), "Arn": f"{ARN}:user/anna"}
answers(anna, "get_caller_identity", by=sts)
assume = {"RoleArn": f"{ARN}:role/own", "RoleSessionName": "once"}
session = {
    "Credentials": {
        "AccessKeyId": matching("ASIA[A-Z0-9]{16}"),
        "SecretAccessKey": matching(".{40}"),
        "SessionToken": TEXT,
        "Expiration": TIME,
    },
    "AssumedRoleUser": {
        "AssumedRoleId": matching("AROA[A-Z0-9]{17}:once"),
        "Arn": f"arn:aws:sts::{ACCOUNT}:assumed-role/own/once",
    },
}
made = answers(session, "assume_role", by=sts, **assume)["Credentials"]
with_policy = session | {"PackedPolicySize": Form("a share in percent", lambda it: 0 < it <= 100)}
answers(with_policy, "assume_role", by=sts, **assume, Policy=text(DOCUMENT))
assumed = client(
    ENFORCING,
    "sts",
    aws_access_key_id=made["AccessKeyId"],
    aws_secret_access_key=made["SecretAccessKey"],
    aws_session_token=made["SessionToken"],
)
of_session = {"Account": ACCOUNT, "UserId": matching("AROA[A-Z0-9]{17}:once"), "Arn": session["AssumedRoleUser"]["Arn"]}
answers(of_session, "get_caller_identity", by=assumed)
# Unlike IAM, STS says what it was given.
for name, constraint in [
    ("s" * 65, "have length less than or equal to 64"),
    ("a:b", r"satisfy regular expression pattern: [\w+=,.@-]*"),
]:
    words = INVALID.format("roleSessionName", constraint).replace("Value at", f"Value '{name}' at")
    refuses(400, "ValidationError", words, "assume_role", by=sts, **(assume | {"RoleSessionName": name}))
for arn in ["nothing-that-is-an-arn", "arn::b:::role/without-a-partition", "arn:a:a::without-a-resource:"]:
    refuses(400, "ValidationError", f"{arn} is invalid", "assume_role", by=sts, **(assume | {"RoleArn": arn}))
words = "Duplicate tag keys found. Please note that Tag keys are case insensitive."
twice = assume | {"Tags": tags(k="1", K="2")}
refuses(400, "InvalidParameterValue", words, "assume_role", by=sts, **twice)

print(f"{ANSWERS} answers and {REFUSALS} refusals of {len(OPERATIONS)} operations")
