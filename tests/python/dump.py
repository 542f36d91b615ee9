"""Prints everything that users, groups and policies of an account are, as boto3 sees it: JSON with sorted keys.

Only single-entity calls and paginators are used, never the bulk call that trueup reads with.
"""

import json

import boto3

iam = boto3.client("iam")


def pages(operation, result, **arguments):
    for page in iam.get_paginator(operation).paginate(**arguments):
        yield from page[result]


def tags(listed):
    return {tag["Key"]: tag["Value"] for tag in listed}


def has_login_profile(name):
    try:
        iam.get_login_profile(UserName=name)
    except iam.exceptions.NoSuchEntityException:
        return False
    return True


def user(listed):
    name = listed["UserName"]
    details = iam.get_user(UserName=name)["User"]
    return {
        "path": details["Path"],
        "tags": tags(details.get("Tags", [])),
        "permissions_boundary": details.get("PermissionsBoundary", {}).get("PermissionsBoundaryArn"),
        "groups": sorted(group["GroupName"] for group in pages("list_groups_for_user", "Groups", UserName=name)),
        "managed_policies": sorted(
            policy["PolicyArn"] for policy in pages("list_attached_user_policies", "AttachedPolicies", UserName=name)
        ),
        "inline_policies": {
            policy: iam.get_user_policy(UserName=name, PolicyName=policy)["PolicyDocument"]
            for policy in pages("list_user_policies", "PolicyNames", UserName=name)
        },
        "login_profile": has_login_profile(name),
        "access_keys": sum(1 for _ in pages("list_access_keys", "AccessKeyMetadata", UserName=name)),
    }


def group(listed):
    name = listed["GroupName"]
    return {
        "path": listed["Path"],
        "members": sorted(member["UserName"] for member in pages("get_group", "Users", GroupName=name)),
        "managed_policies": sorted(
            policy["PolicyArn"] for policy in pages("list_attached_group_policies", "AttachedPolicies", GroupName=name)
        ),
        "inline_policies": {
            policy: iam.get_group_policy(GroupName=name, PolicyName=policy)["PolicyDocument"]
            for policy in pages("list_group_policies", "PolicyNames", GroupName=name)
        },
    }


def policy(listed):
    arn = listed["Arn"]
    version = iam.get_policy_version(PolicyArn=arn, VersionId=listed["DefaultVersionId"])
    return {
        "path": listed["Path"],
        "tags": tags(iam.list_policy_tags(PolicyArn=arn)["Tags"]),
        "versions": len(list(pages("list_policy_versions", "Versions", PolicyArn=arn))),
        "document": version["PolicyVersion"]["Document"],
    }


def password_policy():
    try:
        found = iam.get_account_password_policy()["PasswordPolicy"]
    except iam.exceptions.NoSuchEntityException:
        return None
    # Whether it expires follows from the age, and false and absent are the same.
    return {key: value for key, value in found.items() if value and key != "ExpirePasswords"}


print(
    json.dumps(
        {
            "alias": next(pages("list_account_aliases", "AccountAliases"), None),
            "password_policy": password_policy(),
            "users": {listed["UserName"]: user(listed) for listed in pages("list_users", "Users")},
            "groups": {listed["GroupName"]: group(listed) for listed in pages("list_groups", "Groups")},
            "policies": {
                listed["PolicyName"]: policy(listed) for listed in pages("list_policies", "Policies", Scope="Local")
            },
        },
        sort_keys=True,
    )
)
