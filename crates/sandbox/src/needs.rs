//! What an operation needs to be allowed: actions, resources, and the values of condition keys.

use std::collections::BTreeMap;

use crate::{
    caller::Caller,
    ops,
    state::{Kind, State, Tags, fold},
    wire::Request,
};

/// One thing that has to be allowed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Need {
    pub(crate) action: String,
    pub(crate) resource: String,
    pub(crate) context: BTreeMap<String, Vec<String>>,
}

/// The operations on a user's credentials that mean the caller where they name nobody.
const OF_THE_CALLER: [&str; 18] = [
    "ChangePassword",
    "CreateAccessKey",
    "CreateLoginProfile",
    "DeactivateMFADevice",
    "DeleteAccessKey",
    "DeleteLoginProfile",
    "DeleteServiceSpecificCredential",
    "DeleteSigningCertificate",
    "GetLoginProfile",
    "GetUser",
    "ListAccessKeys",
    "ListMFADevices",
    "ListSSHPublicKeys",
    "ListServiceSpecificCredentials",
    "ListSigningCertificates",
    "UpdateAccessKey",
    "UpdateSigningCertificate",
    "UploadSigningCertificate",
];

/// Everything that has to be allowed for a request.
pub(crate) fn of(state: &State, request: &Request) -> Vec<Need> {
    let service = if request.is_sts() { "sts" } else { "iam" };
    let action = format!("{service}:{}", request.action);
    let context = context(state, request);
    let need = |action: &str, resource: String| Need {
        action: action.to_owned(),
        resource,
        context: context.clone(),
    };
    let mut needs = vec![need(&action, resource(state, request))];
    match request.action.as_str() {
        // A rename has to be allowed under both names.
        "UpdateUser" => needs.push(need(&action, renamed(state, request, Kind::User))),
        "UpdateGroup" => needs.push(need(&action, renamed(state, request, Kind::Group))),
        "AddRoleToInstanceProfile" => {
            let role = request.parameter("RoleName").unwrap_or_default();
            let mut pass = need("iam:PassRole", entity_arn(state, Kind::Role, role));
            pass.context
                .insert("iam:PassedToService".to_owned(), vec!["ec2.amazonaws.com".to_owned()]);
            needs.push(pass);
        }
        "AssumeRole" if !request_tags(request).is_empty() => {
            needs.push(need("sts:TagSession", resource(state, request)));
        }
        _ => {}
    }
    needs.dedup();
    needs
}

/// The resource that an operation is about, as refusals name it.
fn resource(state: &State, request: &Request) -> String {
    let text = |name: &str| request.parameter(name);
    let path = |name: &str| text(name).unwrap_or("/");
    let named =
        |kind: &str, name: &str, path_name: &str| state.arn(kind, path(path_name), text(name).unwrap_or_default());
    match request.action.as_str() {
        "AssumeRole" => path("RoleArn").to_owned(),
        "CreateUser" => named("user", "UserName", "Path"),
        "CreateGroup" => named("group", "GroupName", "Path"),
        "CreateRole" => named("role", "RoleName", "Path"),
        "CreatePolicy" => named("policy", "PolicyName", "Path"),
        "CreateInstanceProfile" => named("instance-profile", "InstanceProfileName", "Path"),
        "CreateVirtualMFADevice" => named("mfa", "VirtualMFADeviceName", "Path"),
        "CreateSAMLProvider" => named("saml-provider", "Name", "-"),
        "CreateOpenIDConnectProvider" => {
            let url = text("Url").unwrap_or_default();
            state.arn("oidc-provider", "/", url.strip_prefix("https://").unwrap_or(url))
        }
        "CreateServiceLinkedRole" => {
            let service = text("AWSServiceName").unwrap_or_default();
            state.arn("role", &format!("/aws-service-role/{service}/"), "")
        }
        "ListUsers" => state.arn("user", path("PathPrefix"), ""),
        "ListGroups" => state.arn("group", path("PathPrefix"), ""),
        "ListRoles" => state.arn("role", path("PathPrefix"), ""),
        "ListInstanceProfiles" => state.arn("instance-profile", path("PathPrefix"), ""),
        "ListPolicies" => format!("policy path {}", path("PathPrefix")),
        "GetAccessKeyLastUsed" => {
            let key = text("AccessKeyId").unwrap_or_default();
            let owner = state.users.values().find(|user| user.access_keys.contains_key(key));
            owner.map_or_else(|| "*".to_owned(), |user| state.entity_arn(Kind::User, &user.entity))
        }
        // The group is what a membership changes.
        "AddUserToGroup" | "RemoveUserFromGroup" => {
            entity_arn(state, Kind::Group, text("GroupName").unwrap_or_default())
        }
        action => {
            let is_callers = text("UserName").is_none() && OF_THE_CALLER.contains(&action);
            let own = request.caller.user_name().filter(|_| is_callers);
            own.map(|name| entity_arn(state, Kind::User, name))
                .or_else(|| by_parameter(state, request))
                .unwrap_or_else(|| "*".to_owned())
        }
    }
}

fn by_parameter(state: &State, request: &Request) -> Option<String> {
    let text = |name: &str| request.parameter(name);
    let entity = |kind: Kind, parameter: &str| text(parameter).map(|name| entity_arn(state, kind, name));
    let profile = || {
        let name = text("InstanceProfileName")?;
        let found = state.instance_profiles.get(&fold(name));
        let (path, name) = found.map_or(("/", name), |profile| (profile.path.as_str(), profile.name.as_str()));
        Some(state.arn("instance-profile", path, name))
    };
    let itself = |parameter: &str| text(parameter).map(str::to_owned);
    profile()
        .or_else(|| entity(Kind::User, "UserName"))
        .or_else(|| entity(Kind::Group, "GroupName"))
        .or_else(|| entity(Kind::Role, "RoleName"))
        .or_else(|| itself("PolicyArn"))
        .or_else(|| itself("OpenIDConnectProviderArn"))
        .or_else(|| itself("SAMLProviderArn"))
        .or_else(|| itself("SerialNumber"))
}

fn entity_arn(state: &State, kind: Kind, name: &str) -> String {
    match state.entity(kind, name) {
        Ok(entity) => state.entity_arn(kind, entity),
        Err(_) => state.arn(kind.word(), "/", name),
    }
}

fn renamed(state: &State, request: &Request, kind: Kind) -> String {
    let (old, new) = match kind {
        Kind::Group => ("GroupName", "NewGroupName"),
        _ => ("UserName", "NewUserName"),
    };
    let old = request.parameter(old).unwrap_or_default();
    let entity = state.entity(kind, old).ok();
    let path = request
        .parameter("NewPath")
        .or(entity.map(|entity| entity.path.as_str()));
    let name = request.parameter(new).or(entity.map(|entity| entity.name.as_str()));
    state.arn(kind.word(), path.unwrap_or("/"), name.unwrap_or(old))
}

fn request_tags(request: &Request) -> Vec<(&str, &str)> {
    let field = |index: usize, name: &str| request.parameter(&format!("Tags.member.{index}.{name}"));
    (1..)
        .map_while(|index| Some((field(index, "Key")?, field(index, "Value").unwrap_or_default())))
        .collect()
}

/// The condition keys of a request.
fn context(state: &State, request: &Request) -> BTreeMap<String, Vec<String>> {
    let mut context: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut set = |key: &str, value: String| {
        context.insert(key.to_owned(), vec![value]);
    };
    set("aws:PrincipalAccount", state.account_id.clone());
    set("aws:PrincipalIsAWSService", "false".to_owned());
    set("aws:ViaAWSService", "false".to_owned());
    set("aws:SecureTransport", "false".to_owned());
    set("aws:SourceIp", "127.0.0.1".to_owned());
    set("aws:RequestedRegion", "us-east-1".to_owned());
    set("aws:CurrentTime", request.now.to_string());
    set("aws:EpochTime", request.now.as_second().to_string());
    match &request.caller {
        Caller::Root => {}
        Caller::User { name, id } => {
            set("aws:PrincipalArn", entity_arn(state, Kind::User, name));
            set("aws:PrincipalType", "User".to_owned());
            set("aws:username", name.clone());
            set("aws:userid", id.clone());
            // Long-term keys know nothing of MFA, except where a code comes with the call.
            if request.action == "AssumeRole" && ops::has_valid_code(state, request) {
                set("aws:MultiFactorAuthPresent", "true".to_owned());
                set("aws:MultiFactorAuthAge", "0".to_owned());
            }
            if let Ok(user) = state.user(name) {
                principal_tags(&mut set, &user.tags);
            }
        }
        Caller::Session { role, role_id, session } => {
            set("aws:PrincipalArn", entity_arn(state, Kind::Role, role));
            set("aws:PrincipalType", "AssumedRole".to_owned());
            set("aws:userid", format!("{role_id}:{session}"));
            if let Ok(role) = state.role(role) {
                principal_tags(&mut set, &role.tags);
            }
            if let Some(session) = &request.session {
                principal_tags(&mut set, &session.tags);
                set("aws:TokenIssueTime", session.begun.to_string());
                set("aws:MultiFactorAuthPresent", session.mfa.to_string());
                if session.mfa {
                    let age = request.now.duration_since(session.begun).as_secs();
                    set("aws:MultiFactorAuthAge", age.to_string());
                }
            }
        }
    }
    for (parameter, key) in [
        ("PolicyArn", "iam:PolicyARN"),
        ("AWSServiceName", "iam:AWSServiceName"),
        ("ExternalId", "sts:ExternalId"),
        ("RoleSessionName", "sts:RoleSessionName"),
    ] {
        if let Some(value) = request.parameter(parameter) {
            set(key, value.to_owned());
        }
    }
    let target = target(state, request);
    // What is asked for at creation, what is there later.
    let boundary = request
        .parameter("PermissionsBoundary")
        .or(target.as_ref().and_then(|target| target.boundary));
    if let Some(boundary) = boundary {
        set("iam:PermissionsBoundary", boundary.to_owned());
    }
    if let Some(target) = target {
        for tag in target.tags.values() {
            set(&format!("aws:ResourceTag/{}", tag.key), tag.value.clone());
            set(&format!("iam:ResourceTag/{}", tag.key), tag.value.clone());
        }
    }
    let tags = request_tags(request);
    let removed = request.list("TagKeys").unwrap_or_default();
    for (key, value) in &tags {
        set(&format!("aws:RequestTag/{key}"), (*value).to_owned());
    }
    let keys: Vec<String> = tags
        .iter()
        .map(|(key, _)| *key)
        .chain(removed)
        .map(str::to_owned)
        .collect();
    if !keys.is_empty() {
        context.insert("aws:TagKeys".to_owned(), keys);
    }
    context
}

fn principal_tags(set: &mut impl FnMut(&str, String), tags: &Tags) {
    for tag in tags.values() {
        set(&format!("aws:PrincipalTag/{}", tag.key), tag.value.clone());
    }
}

/// What is known of the user, role or policy that a request is about.
struct Target<'s> {
    boundary: Option<&'s str>,
    tags: &'s Tags,
}

fn target<'s>(state: &'s State, request: &Request) -> Option<Target<'s>> {
    let text = |name: &str| request.parameter(name);
    if let Some(user) = text("UserName").and_then(|name| state.user(name).ok()) {
        return Some(Target {
            boundary: user.boundary.as_deref(),
            tags: &user.tags,
        });
    }
    let by_arn = text("RoleArn").and_then(|arn| arn.rsplit('/').next());
    if let Some(role) = text("RoleName").or(by_arn).and_then(|name| state.role(name).ok()) {
        return Some(Target {
            boundary: role.boundary.as_deref(),
            tags: &role.tags,
        });
    }
    let policy = text("PolicyArn").and_then(|arn| state.customer_policy(arn));
    policy.map(|policy| Target {
        boundary: None,
        tags: &policy.tags,
    })
}
