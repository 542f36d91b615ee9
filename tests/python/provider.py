"""Lives with accounts as Terraform's AWS provider does, and relies on each answer for what the provider relies on.

The facts (which calls a resource makes when it is created, read, updated and deleted, in which order and with which
parameters, which fields of the answers it keeps, which codes it takes for gone and which it retries) are those of
`internal/service/iam` in hashicorp/terraform-provider-aws, with the tagging that its resources share in
`internal/provider/sdkv2`, and of hashicorp/aws-sdk-go-base for what is asked first. They are as of version 6, but for
groups, the groups of a user, attachments to groups, login profiles, access keys and the password policy, whose sources
were read as of version 5. The resources are those of `tests/terraform`, and so are their two stages; the code and the
words are our own.

Everything is created, read as the next plan would, changed, read, deleted, looked for, and deleted once more. What is
read has to be what was written, or the provider would plan to change it. In between, other people do what the
configuration does not know of.

Not held: the provider's waits where nothing is asked, its encryption of secrets, and its imports.
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
import urllib.parse

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError
from botocore.handlers import json_decode_policies
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa

(ENDPOINT,) = sys.argv[1:]
CALLS = 0
# How long the provider waits for what was written to be seen everywhere, in seconds.
PROPAGATION = 120
# What is retried: a code, and words of the message where the code does not tell.
CONCURRENT = ("ConcurrentModification", "")
CREATING = ("EntityTemporarilyUnmodifiable", "")
PRINCIPAL = ("MalformedPolicyDocument", "Invalid principal in policy")
CONFLICT = ("DeleteConflict", "")
# What is asked for and cannot be read back, or is a matter of the provider's alone.
UNREADABLE = {"Password", "force_destroy", "delay"}
DEVICES, SPECIFIC = "VirtualMFADevices", "ServiceSpecificCredential"


def client(service):
    # Nothing is checked or repeated on this side.
    config = Config(parameter_validation=False, retries={"max_attempts": 0})
    return boto3.client(service, endpoint_url=ENDPOINT, config=config)


iam, sts = client("iam"), client("sts")
# Documents come as they are on the wire.
iam.meta.events.unregister("after-call.iam", json_decode_policies)


def call(operation, by=iam, **arguments):
    global CALLS
    CALLS += 1
    return getattr(by, operation)(**arguments)


def pages(operation, items, **arguments):
    found, marker = [], {}
    while True:
        answer = call(operation, **arguments, **marker)
        found += answer[items]
        if not answer["IsTruncated"]:
            return found
        marker = {"Marker": answer["Marker"]}


def code(refusal):
    return refusal.response["Error"]["Code"]


def gone(problem):
    return isinstance(problem, LookupError) or code(problem) == "NoSuchEntity"


def patiently(ask, waits):
    end = time.monotonic() + PROPAGATION
    while True:
        try:
            return ask()
        except (LookupError, ClientError) as problem:
            if not waits(problem) or time.monotonic() > end:
                raise
            time.sleep(0.2)


def retried(reasons, operation, **arguments):
    def known(refusal):
        message = refusal.response["Error"]["Message"]
        return any(code(refusal) == reason and words in message for reason, words in reasons)

    return patiently(lambda: call(operation, **arguments), known)


def sought(find, new=False):
    """What was only just made is looked for again and again; anything else is gone if it is not found."""
    try:
        return patiently(find, lambda problem: new and gone(problem))
    except (LookupError, ClientError) as problem:
        if new or not gone(problem):
            raise


def removed(operation, *reasons, **arguments):
    """What is gone already needs no removal. Says whether it was there."""
    return bool(sought(lambda: retried(reasons, operation, **arguments)))


def only(items):
    assert len(items) < 2, f"one was expected: {items}"
    return items[0]


def normal(document):
    """JSON as Go writes it: without white space, the keys in order, and what HTML would read escaped."""
    text = json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return text.replace("&", r"\u0026").replace("<", r"\u003c").replace(">", r"\u003e")


def legacy(document):
    """The same with the version first: of inline policies."""
    return '{"Version":"2012-10-17",' + normal({"Statement": document["Statement"]})[1:]


def parsed(encoded):
    # As Go reads a query, where a plus sign is a blank.
    return json.loads(urllib.parse.unquote_plus(encoded))


def allow(**fields):
    return {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", **fields}]}


def given(tags=None, **arguments):
    """Zero values are not sent, nor is a list without tags."""
    listed = [{"Key": key, "Value": value} for key, value in (tags or {}).items()]
    return {name: value for name, value in {"Tags": listed, **arguments}.items() if value}


def kept(item, fields):
    """Of an answer, fields that have to be there, and those that may be: the boundary, the tags, the description."""
    bound = item.get("PermissionsBoundary", {}).get("PermissionsBoundaryArn", "")
    tags = {tag["Key"]: tag["Value"] for tag in item.get("Tags", [])}
    may = {"PermissionsBoundary": bound, "Tags": tags, "Description": item.get("Description", "")}
    return may | {field: item[field] for field in fields.split()}


class Resource:
    # What cannot be changed in place; what is read, and kept of it; how it is deleted, and when that is tried again.
    fixed, kind, fields, deletion, reasons = (), None, None, None, ()

    def __init__(self, **want):
        self.one = self.two = want

    def then(self, **changes):
        self.two = self.one | changes
        return self

    def make(self, want):
        self.want = want
        self.state = self.create(**want) or sought(self.find, new=True)
        self.hold()

    def change(self, want):
        before, self.want = self.state, want
        self.update(before, **want)
        self.refresh()
        for key in ("UserId", "GroupId", "PolicyId", "RoleId", "CreateDate"):
            assert before.get(key) == self.state.get(key), f"{self} was {before} and is {self.state}"

    def find(self):
        words = re.sub("(?=[A-Z])", "_", self.kind).lower()
        return kept(call(f"get{words}", **self.named)[self.kind], self.fields)

    def update(self, before, **want):
        """Nothing can change in place."""

    def delete(self, state):
        removed(self.deletion, *self.reasons, **self.named)

    def move(self, before, name, path):
        # Both are sent, whichever is new.
        if (before[f"{self.kind}Name"], before["Path"]) != (name, path):
            renamed = {f"New{self.kind}Name": name, "NewPath": path}
            call(f"update_{self.kind.lower()}", **renamed, **self.named)
            self.named = {f"{self.kind}Name": name}

    def retag(self, kind, before, tags):
        """Comes before any other change: first the tags that go, then those that are new or have another value."""
        if gone := [key for key in before["Tags"] if key not in tags]:
            call(f"untag_{kind}", TagKeys=gone, **self.named)
        if come := {key: value for key, value in tags.items() if before["Tags"].get(key) != value}:
            call(f"tag_{kind}", **given(come), **self.named)

    def rebound(self, kind, before, boundary):
        if boundary and boundary != before["PermissionsBoundary"]:
            call(f"put_{kind}_permissions_boundary", PermissionsBoundary=boundary, **self.named)
        elif boundary != before["PermissionsBoundary"]:
            call(f"delete_{kind}_permissions_boundary", **self.named)

    def refresh(self):
        self.state = sought(self.find)
        self.hold()

    def hold(self):
        assert self.state, f"{self} is gone"
        for key, value in self.want.items():
            if key not in UNREADABLE:
                assert self.state[key] == value, f"{self} is {self.state}"

    def destroy(self):
        for _ in range(2):
            self.delete(self.state)
            assert not sought(self.find), f"{self} is still there"

    def __str__(self):
        return f"{type(self).__name__} {self.want}"


class User(Resource):
    kind, fields, deletion = "User", "Arn UserName Path UserId", "delete_user"

    def create(self, UserName, Path, Tags, PermissionsBoundary, force_destroy):
        more = given(Tags, PermissionsBoundary=PermissionsBoundary)
        made = retried([CONCURRENT], "create_user", Path=Path, UserName=UserName, **more)
        self.named = {"UserName": made["User"]["UserName"]}

    def update(self, before, UserName, Path, Tags, PermissionsBoundary, force_destroy):
        self.retag("user", before, Tags)
        self.move(before, UserName, Path)
        self.rebound("user", before, PermissionsBoundary)

    def delete(self, state):
        for group in sought(lambda: pages("list_groups_for_user", "Groups", **self.named)) or []:
            removed("remove_user_from_group", GroupName=group["GroupName"], **self.named)
        if self.want["force_destroy"]:
            for step in OWNED:
                sought(lambda: self.empty(*step))
        super().delete(state)

    def empty(self, listing, items, key, *deletions):
        if not listing:
            return removed(*deletions, CREATING, **self.named)
        whose = {"AssignmentStatus": "Assigned"} if items == DEVICES else self.named
        for item in pages(listing, items, **whose):
            # The provider crashes where an assigned device does not say whose it is. That of root has no name.
            if items == DEVICES and item["User"].get("UserName") != self.named["UserName"]:
                continue
            for deletion in deletions:
                who = {} if deletion == "delete_virtual_mfa_device" else self.named
                reasons = [CONCURRENT] if deletion == "detach_user_policy" else []
                retried(reasons, deletion, **who, **{key: item if items == "PolicyNames" else item[key]})


# What a user is rid of first, in this order.
OWNED = [
    ("list_user_policies", "PolicyNames", "PolicyName", "delete_user_policy"),
    ("list_attached_user_policies", "AttachedPolicies", "PolicyArn", "detach_user_policy"),
    ("list_access_keys", "AccessKeyMetadata", "AccessKeyId", "delete_access_key"),
    ("list_ssh_public_keys", "SSHPublicKeys", "SSHPublicKeyId", "delete_ssh_public_key"),
    ("list_virtual_mfa_devices", DEVICES, "SerialNumber", "deactivate_mfa_device", "delete_virtual_mfa_device"),
    ("list_mfa_devices", "MFADevices", "SerialNumber", "deactivate_mfa_device"),
    (None, None, None, "delete_login_profile"),
    ("list_signing_certificates", "Certificates", "CertificateId", "delete_signing_certificate"),
    ("list_service_specific_credentials", f"{SPECIFIC}s", f"{SPECIFIC}Id", "delete_service_specific_credential"),
]


class Group(Resource):
    kind, fields, deletion = "Group", "Arn GroupName Path GroupId", "delete_group"

    def create(self, GroupName, Path):
        self.named = {"GroupName": call("create_group", GroupName=GroupName, Path=Path)["Group"]["GroupName"]}
        sought(self.find, new=True)

    def update(self, before, GroupName, Path):
        self.move(before, GroupName, Path)


class Policy(Resource):
    fixed, deletion = ("PolicyName", "Path", "Description"), "delete_policy"

    def create(self, document, Tags, delay=0, **sent):
        # The description is sent even if it is empty.
        made = call("create_policy", PolicyDocument=normal(document), **sent, **given(Tags))
        self.named = {"PolicyArn": made["Policy"]["Arn"]}

    def find(self):
        policy = call("get_policy", **self.named)["Policy"]
        version = call("get_policy_version", VersionId=policy["DefaultVersionId"], **self.named)["PolicyVersion"]
        found = kept(policy, "Arn AttachmentCount PolicyName Path PolicyId")
        return found | {"document": parsed(version["Document"])}

    def versions(self):
        return pages("list_policy_versions", "Versions", **self.named)

    def update(self, before, document, Tags, delay=0, **_):
        self.retag("policy", before, Tags)
        if before["document"] == document:
            return
        if len(versions := self.versions()) >= 5:
            # Of those that are of one second, the first in the list.
            old = min((it for it in versions if not it["IsDefaultVersion"]), key=lambda it: it["CreateDate"])
            call("delete_policy_version", VersionId=old["VersionId"], **self.named)
        default = {} if delay else {"SetAsDefault": True}
        made = call("create_policy_version", PolicyDocument=normal(document), **default, **self.named)
        if delay:
            call("set_default_policy_version", VersionId=made["PolicyVersion"]["VersionId"], **self.named)

    def delete(self, state):
        for version in sought(self.versions) or []:
            if not version["IsDefaultVersion"]:
                call("delete_policy_version", VersionId=version["VersionId"], **self.named)
        super().delete(state)


class Role(Resource):
    fixed, deletion, reasons = ("RoleName", "Path"), "delete_role", [CONFLICT]

    def create(self, RoleName, Path, trust, Tags, **more):
        sent = {"AssumeRolePolicyDocument": normal(trust), "Path": Path, "RoleName": RoleName}
        made = retried([PRINCIPAL, CONCURRENT], "create_role", **sent, **given(Tags, **more))
        self.named = {"RoleName": made["Role"]["RoleName"]}

    def find(self):
        role = call("get_role", **self.named)["Role"]
        # An id in its place would be waited out.
        assert role["Arn"].startswith("arn:"), role
        for name in pages("list_role_policies", "PolicyNames", **self.named):
            parsed(call("get_role_policy", PolicyName=name, **self.named)["PolicyDocument"])
        found = kept(role, "Arn CreateDate MaxSessionDuration RoleName Path RoleId")
        return found | {"trust": parsed(role["AssumeRolePolicyDocument"]), "attached": self.attached()}

    def attached(self):
        return [one["PolicyArn"] for one in pages("list_attached_role_policies", "AttachedPolicies", **self.named)]

    def update(self, before, trust, Description, MaxSessionDuration, PermissionsBoundary, Tags, **_):
        self.retag("role", before, Tags)
        if before["trust"] != trust:
            retried([PRINCIPAL], "update_assume_role_policy", PolicyDocument=normal(trust), **self.named)
        if before["Description"] != Description:
            call("update_role_description", Description=Description, **self.named)
        if before["MaxSessionDuration"] != MaxSessionDuration:
            # The description, which is not sent, has to stay.
            call("update_role", MaxSessionDuration=MaxSessionDuration, **self.named)
        self.rebound("role", before, PermissionsBoundary)

    def delete(self, state):
        listing = lambda: pages("list_instance_profiles_for_role", "InstanceProfiles", **self.named)
        for profile in sought(listing) or []:
            name = profile["InstanceProfileName"]
            removed("remove_role_from_instance_profile", InstanceProfileName=name, **self.named)
        # If it was last seen with any, although they are resources of their own.
        for policy in state["attached"] and sought(self.attached) or []:
            removed("detach_role_policy", PolicyArn=policy, **self.named)
        super().delete(state)


class GroupMembership(Resource):
    """All users of a group."""

    fixed = ("group",)
    listing, items, other = "get_group", "Users", "UserName"

    def __init__(self, group, members):
        super().__init__(members=members)
        self.named = {"GroupName": group}

    def create(self, members):
        for member in members:
            call("add_user_to_group", **{self.other: member}, **self.named)

    def find(self):
        found = {item[self.other] for item in pages(self.listing, self.items, **self.named)}
        return {"members": found} if found else None

    def update(self, before, members):
        self.delete({"members": before["members"] - members})
        self.create(members - before["members"])

    def delete(self, state):
        # Who has another name by now is not found, and needs no removal.
        for member in state["members"]:
            removed("remove_user_from_group", **{self.other: member}, **self.named)


class UserGroupMembership(GroupMembership):
    """Some groups of a user; those that are not named do not matter."""

    listing, items, other = "list_groups_for_user", "Groups", "GroupName"

    def __init__(self, user, members):
        super().__init__(None, members)
        self.named = {"UserName": user}

    def find(self):
        found = (super().find() or {"members": set()})["members"] & self.want["members"]
        return {"members": found} if found else None


class Attachment(Resource):
    fixed = ("PolicyArn",)

    def __init__(self, kind, name, arn):
        super().__init__(PolicyArn=arn)
        self.kind, self.named = kind, {f"{kind.capitalize()}Name": name}

    def create(self, PolicyArn):
        retried([CONCURRENT], f"attach_{self.kind}_policy", PolicyArn=PolicyArn, **self.named)

    def find(self):
        attached = pages(f"list_attached_{self.kind}_policies", "AttachedPolicies", **self.named)
        return kept(only([one for one in attached if one["PolicyArn"] == self.want["PolicyArn"]]), "PolicyArn")

    def delete(self, state):
        removed(f"detach_{self.kind}_policy", CONCURRENT, PolicyArn=self.want["PolicyArn"], **self.named)


class InlinePolicy(Resource):
    def __init__(self, kind, name, policy, document):
        super().__init__(document=document)
        self.kind, self.deletion = kind, f"delete_{kind}_policy"
        self.named = {f"{kind.capitalize()}Name": name, "PolicyName": policy}

    def create(self, document):
        self.update(None, document)
        sought(self.find, new=True)

    def find(self):
        return {"document": parsed(call(f"get_{self.kind}_policy", **self.named)["PolicyDocument"])}

    def update(self, before, document):
        if before != {"document": document}:
            call(f"put_{self.kind}_policy", PolicyDocument=legacy(document), **self.named)


class LoginProfile(Resource):
    kind, deletion, reasons = "LoginProfile", "delete_login_profile", [CREATING]
    fields = "UserName PasswordResetRequired"

    def create(self, UserName, Password, PasswordResetRequired):
        sent = {"UserName": UserName, "Password": Password, **given(PasswordResetRequired=PasswordResetRequired)}
        self.named = {"UserName": call("create_login_profile", **sent)["LoginProfile"]["UserName"]}


class AccessKey(Resource):
    deletion = "delete_access_key"

    def create(self, UserName, Status):
        key = call("create_access_key", UserName=UserName)["AccessKey"]
        self.named = {"UserName": UserName, "AccessKeyId": key["AccessKeyId"]}
        assert key["SecretAccessKey"], "a key has no secret"
        # The next plan is the first to read it.
        return kept(key, "UserName Status CreateDate")

    def find(self):
        keys = pages("list_access_keys", "AccessKeyMetadata", UserName=self.named["UserName"])
        key = only([key for key in keys if key["AccessKeyId"] == self.named["AccessKeyId"]])
        return kept(key, "UserName Status CreateDate")

    def update(self, before, UserName, Status):
        if before["Status"] != Status:
            call("update_access_key", Status=Status, **self.named)


class PasswordPolicy(Resource):
    deletion, named = "delete_account_password_policy", {}

    def create(self, **want):
        call("update_account_password_policy", **given(**want))

    def find(self):
        policy = call("get_account_password_policy")["PasswordPolicy"]
        assert policy["ExpirePasswords"] == bool(self.want["MaxPasswordAge"]), policy
        # What is not there is nothing.
        return {key: policy.get(key, type(value)()) for key, value in self.want.items()}

    def update(self, before, **want):
        if before != want:
            self.create(**want)


class AccountAlias(Resource):
    fixed, deletion = ("AccountAlias",), "delete_account_alias"

    def create(self, **want):
        self.named = want
        call("create_account_alias", **want)
        return want

    def find(self):
        return {"AccountAlias": only(pages("list_account_aliases", "AccountAliases"))}


class VirtualMfaDevice(Resource):
    def create(self, name, Path, Tags):
        made = call("create_virtual_mfa_device", VirtualMFADeviceName=name, Path=Path, **given(Tags))
        made = made["VirtualMFADevice"]
        self.named, self.seed = {"SerialNumber": made["SerialNumber"]}, made["Base32StringSeed"]
        # No other answer has these.
        assert re.fullmatch(b"[A-Z2-7]+", self.seed) and made["QRCodePNG"].startswith(b"\x89PNG"), made["SerialNumber"]

    def find(self):
        devices = pages("list_virtual_mfa_devices", DEVICES)
        device = only([device for device in devices if device["SerialNumber"] == self.named["SerialNumber"]])
        form = r"mfa(/|/[!-~]+/)([0-9A-Za-z_+=,.@-]+)"
        path, name = re.fullmatch(form, device["SerialNumber"].split(":", 5)[5]).groups()
        found = kept({"Tags": pages("list_mfa_device_tags", "Tags", **self.named)}, "")
        user = device.get("User", {}).get("UserName")
        return found | {"name": name, "Path": path, "user": user, "enabled": device.get("EnableDate")}

    def update(self, before, Tags, **_):
        self.retag("mfa_device", before, Tags)

    def delete(self, state):
        if not state["user"] or removed("deactivate_mfa_device", UserName=state["user"], **self.named):
            removed("delete_virtual_mfa_device", **self.named)


# Asked first: whose account this is, and in which partition. Where credentials are not validated, GetUser is asked.
WHO = call("get_caller_identity", by=sts)["Arn"]
assert call("get_user")["User"]["Arn"] == WHO
ARN = WHO.rsplit(":", 1)[0]
assert re.fullmatch(r"arn:aws[a-z-]*:iam::\d{12}", ARN), ARN
READING, WRITING = f"{ARN}:policy/staff/reading", f"{ARN}:policy/staff/writing"
READ_ONLY = re.sub(r"\d+$", "aws:policy/ReadOnlyAccess", ARN)
# The marks that encodings trip over.
ODD = allow(
    Action=["s3:GetObject", "s3:ListBucket"],
    Condition={"StringEquals": {"aws:PrincipalTag/Team": "R&D <1+1=2>"}},
    Resource=["arn:aws:s3:::reports", "arn:aws:s3:::reports/a+b c%20d/${aws:username}/*"],
)


def reads(bucket):
    return allow(Action=["s3:GetObject"], Resource=[f"arn:aws:s3:::{bucket}/*"])


def trusts(**principal):
    return allow(Action="sts:AssumeRole", Principal=principal)


# The resources of tests/terraform, each after those that it needs.
reading = Policy(PolicyName="reading", Path="/staff/", Description="What staff read", document=reads("one"), Tags={})
writing = Policy(PolicyName="writing", Path="/staff/", Description="", document=ODD, Tags={"Team": "Core", "Cost": ""})
staff = {"Path": "/staff/", "PermissionsBoundary": READING}
leaver = User(UserName="leaver", Tags={"Team": "Core", "Since": "2020"}, force_destroy=True, **staff)
member = User(UserName="member", Tags={}, force_destroy=False, **staff)
device = VirtualMfaDevice(name="member", Path="/staff/", Tags={"Team": "Core", "team": "core"})
about = {"Description": "Delivers", "MaxSessionDuration": 3600, "PermissionsBoundary": "", "Tags": {"Team": "Core"}}
role = Role(RoleName="pipeline", Path="/staff/", trust=trusts(Service="ec2.amazonaws.com"), **about)
changed = {"Description": "Delivers & deploys", "MaxSessionDuration": 7200, "PermissionsBoundary": WRITING}
required = [f"Require{kind}" for kind in ("Symbols", "Numbers", "UppercaseCharacters", "LowercaseCharacters")]
strict = dict.fromkeys([*required, "AllowUsersToChangePassword", "HardExpiry"], True)
strict |= {"MinimumPasswordLength": 14, "MaxPasswordAge": 90, "PasswordReusePrevention": 5}
lax = {"MinimumPasswordLength": 16, "MaxPasswordAge": 0, "PasswordReusePrevention": 3}
lax |= {"RequireSymbols": False, "HardExpiry": False}
RESOURCES = [
    PasswordPolicy(**strict).then(**lax),
    AccountAlias(AccountAlias="trueup-before").then(AccountAlias="trueup-after"),
    Group(GroupName="readers", Path="/").then(GroupName="viewers"),
    Group(GroupName="writers", Path="/").then(Path="/staff/"),
    Group(GroupName="operators", Path="/staff/"),
    Group(GroupName="auditors", Path="/staff/"),
    reading.then(document=ODD, Tags={"Team": "Platform"}),
    writing.then(document=reads("two"), Tags={"Cost": "7", "cost": "8"}, delay=5000),
    leaver.then(UserName="left", Path="/former/", Tags={"Team": "None", "Left": ""}, PermissionsBoundary=WRITING),
    member.then(Path="/staff/platform/", Tags={"Team": "Platform"}, PermissionsBoundary=""),
    UserGroupMembership("member", {"writers"}).then(members={"operators"}),
    GroupMembership("auditors", {"leaver"}).then(members={"left", "member"}),
    Attachment("user", "member", READING).then(PolicyArn=WRITING),
    Attachment("group", "writers", READ_ONLY),
    InlinePolicy("user", "member", "own", reads("one")).then(document=ODD),
    InlinePolicy("group", "writers", "shared", ODD).then(document=reads("one")),
    LoginProfile(UserName="member", Password="Correct-horse-7-battery", PasswordResetRequired=True),
    AccessKey(UserName="member", Status="Active").then(Status="Inactive"),
    device.then(Tags={"Team": "Platform"}),
    role.then(trust=trusts(AWS=f"{ARN}:root"), Tags={"Team": "Platform"}, **changed),
    Attachment("role", "pipeline", READING).then(PolicyArn=WRITING),
]


def everything():
    listed = "users groups roles policies instance_profiles virtual_mfa_devices account_aliases".split()
    ours = {"policies": {"Scope": "Local"}}
    found = {name: call(f"list_{name}", **ours.get(name, {})) for name in listed}
    found["password policy"] = sought(lambda: call("get_account_password_policy"))
    return {name: answer and {**answer, "ResponseMetadata": None} for name, answer in found.items()}


def refresh():
    for resource in RESOURCES:
        resource.refresh()


empty = everything()
for resource in RESOURCES:
    resource.make(resource.one)
refresh()
# What is replaced goes before anything that it refers to changes.
replaced = [it for it in RESOURCES if any(it.one[key] != it.two[key] for key in it.fixed if key in it.one)]
for resource in reversed(replaced):
    resource.destroy()
for resource in RESOURCES:
    (resource.make if resource in replaced else resource.change)(resource.two)
refresh()

# At the limit of five, a version goes before one comes, whichever way it becomes the default.
for number in range(8):
    policy = (reading, writing)[number % 2]
    policy.change(policy.two | {"document": reads(f"version-{number}")})
assert [len(policy.versions()) for policy in (reading, writing)] == [5, 5]

# Whoever trusts somebody who is not there yet is told so, in words that are waited out.
early = {"RoleName": "late", "AssumeRolePolicyDocument": normal(trusts(AWS=f"{ARN}:user/new"))}
try:
    raise AssertionError(call("create_role", **early))
except ClientError as refusal:
    assert code(refusal) == PRINCIPAL[0] and PRINCIPAL[1] in refusal.response["Error"]["Message"], refusal.response
new = {"UserName": "new", "Path": "/", "Tags": {}, "PermissionsBoundary": "", "force_destroy": False}
late = {"RoleName": "late", "Path": "/", "trust": trusts(AWS=f"{ARN}:user/new"), **about}
for resource in [User(**new), Role(**late)]:
    resource.make(resource.one)
    RESOURCES.append(resource)


def enable(user, serial, seed):
    codes = []
    for step in (int(time.time()) // 30 - 1, int(time.time()) // 30):
        digest = hmac.new(base64.b32decode(seed), struct.pack(">q", step), hashlib.sha1).digest()
        start = digest[-1] & 15
        codes.append(f"{(struct.unpack('>I', digest[start:start + 4])[0] & 0x7FFFFFFF) % 10**6:06}")
    both = {"AuthenticationCode1": codes[0], "AuthenticationCode2": codes[1]}
    retried([CREATING], "enable_mfa_device", UserName=user, SerialNumber=serial, **both)


# What others do: a role gets an instance profile, a device is enabled, and a user gets all that there is.
call("create_instance_profile", InstanceProfileName="others")
call("add_role_to_instance_profile", InstanceProfileName="others", RoleName="pipeline")
key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
body = key.public_key().public_bytes(serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH).decode()
now = datetime.datetime.now(datetime.timezone.utc)
certificate = x509.CertificateBuilder(x509.Name([]), x509.Name([]), key.public_key(), x509.random_serial_number())
certificate = certificate.not_valid_before(now).not_valid_after(now + datetime.timedelta(days=9))
certificate = certificate.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM).decode()
made = call("create_virtual_mfa_device", VirtualMFADeviceName="others")["VirtualMFADevice"]
enable("left", made["SerialNumber"], made["Base32StringSeed"])
enable("member", device.named["SerialNumber"], device.seed)
for operation, arguments in {
    "put_user_policy": {"PolicyName": "others", "PolicyDocument": normal(ODD)},
    "attach_user_policy": {"PolicyArn": READ_ONLY},
    "add_user_to_group": {"GroupName": "operators"},
    "create_access_key": {},
    "upload_ssh_public_key": {"SSHPublicKeyBody": body},
    "create_login_profile": {"Password": "Correct-horse-7-battery"},
    "upload_signing_certificate": {"CertificateBody": certificate},
    "create_service_specific_credential": {"ServiceName": "codecommit.amazonaws.com"},
}.items():
    call(operation, UserName="left", **arguments)
refresh()
assert device.state["user"] == "member" and device.state["enabled"], device.state

for resource in reversed(RESOURCES):
    resource.destroy()
call("delete_instance_profile", InstanceProfileName="others")
assert everything() == empty, "something is left"
kinds = {type(resource) for resource in RESOURCES}
print(f"{len(RESOURCES)} resources of {len(kinds)} kinds lived through {CALLS} calls")
