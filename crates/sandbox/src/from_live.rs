//! A sandbox account that equals a live one, as far as a reader can tell: tests and rehearsals begin from it.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use trueup_model::{InlinePolicyName, Live, PolicyArn, PolicyDocument, Tags, fold_tag_key, live};

use crate::{
    Sandbox,
    engine::Engine,
    errors::SandboxError,
    ids::IdSource,
    state::{
        AccessKey, Assignment, Entity, Group, InlinePolicy, LoginProfile, ManagedPolicy, MfaDevice, PolicyVersion,
        Role, RootFacts, ServiceCredential, State, Tag, Upload, User, fold,
    },
};

/// The trust policy that a role gets whose own was not read.
const CLOSED_TRUST: &str =
    r#"{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Principal":"*","Action":"sts:AssumeRole"}]}"#;

impl Sandbox {
    /// An account that is kept in memory and equals a live one: ids, dates and documents are taken over. Credentials
    /// that were not read do not exist in it, and of those that were, the secrets are not known: nobody can pass their
    /// MFA, and any next password is new.
    ///
    /// # Errors
    ///
    /// [`SandboxError::Live`] where the live account holds what no IAM account can hold, for example a user in a group
    /// that there is not.
    pub fn from_live(live: &Live) -> Result<Self, SandboxError> {
        Ok(Self::with_engine(Engine::new(account(live)?, None)))
    }
}

fn account(live: &Live) -> Result<State, SandboxError> {
    let account = &live.account;
    let created = live
        .users
        .values()
        .map(|user| user.created)
        .min()
        .unwrap_or(Timestamp::UNIX_EPOCH);
    let mut state = State::new(account.id.as_str(), &account.partition, created);
    state.alias = account.alias.as_ref().map(ToString::to_string);
    state.password_policy.clone_from(&account.password_policy);
    state.root = root(live);
    for (key, limit) in &account.summary {
        if let Ok(limit) = usize::try_from(*limit) {
            state.quotas.set(key, limit);
        }
    }
    for group in live.groups.values() {
        let entity = entity(
            &mut state.ids,
            "AGPA",
            &group.id,
            group.name.as_str(),
            group.path.as_str(),
            group.created,
        );
        let entity = holding(entity, &group.managed_policies, &group.inline_policies);
        state.groups.insert(fold(&entity.name), Group { entity });
    }
    for user in live.users.values() {
        let user = take_user(&mut state, user)?;
        state.users.insert(fold(&user.entity.name), user);
    }
    for role in live.roles.values() {
        let entity = entity(
            &mut state.ids,
            "AROA",
            &role.id,
            role.name.as_str(),
            role.path.as_str(),
            created,
        );
        let role = Role {
            entity: holding(entity, &role.managed_policies, &role.inline_policies),
            trust: CLOSED_TRUST.to_owned(),
            description: None,
            max_session_duration: 3600,
            used: None,
            boundary: role.permissions_boundary.as_ref().map(ToString::to_string),
            tags: tags(&role.tags, fold_tag_key),
        };
        state.roles.insert(fold(&role.entity.name), role);
    }
    for policy in live.policies.values() {
        let policy = take_policy(&mut state, policy)?;
        state.policies.insert(fold(&policy.name), policy);
    }
    for (arn, document) in &live.aws_policies {
        let known = state
            .aws_policy(arn.as_str())
            .map(|policy| PolicyDocument::from_live(policy.document));
        if known.as_ref() != Some(document) {
            state
                .aws_policies
                .insert(arn.to_string(), document.as_text().to_owned());
        }
    }
    take_devices(&mut state, live)?;
    check_references(&state)?;
    Ok(state)
}

fn root(live: &Live) -> RootFacts {
    let fact = |key: &str| live.account.summary.get(key).copied();
    let has_device = live.virtual_mfa_devices.iter().flatten().any(|device| device.root);
    RootFacts {
        mfa: has_device || fact("AccountMFAEnabled") == Some(1),
        // An account that does not tell has a password.
        password: fact("AccountPasswordPresent") != Some(0),
        access_keys: u8::from(fact("AccountAccessKeysPresent") == Some(1)),
        signing_certificates: u8::from(fact("AccountSigningCertificatesPresent") == Some(1)),
    }
}

/// What kinds of entities have in common. An id that was not read is made up.
fn entity(ids: &mut IdSource, prefix: &str, id: &str, name: &str, path: &str, created: Timestamp) -> Entity {
    Entity {
        id: if id.is_empty() {
            ids.unique_id(prefix)
        } else {
            id.to_owned()
        },
        name: name.to_owned(),
        path: path.to_owned(),
        created,
        attached: BTreeSet::new(),
        inline: BTreeMap::new(),
    }
}

fn holding(
    entity: Entity,
    attached: &BTreeSet<PolicyArn>,
    inline: &BTreeMap<InlinePolicyName, PolicyDocument>,
) -> Entity {
    let inline = inline.iter().map(|(name, document)| {
        let policy = InlinePolicy {
            name: name.to_string(),
            document: document.as_text().to_owned(),
        };
        (fold(name.as_str()), policy)
    });
    Entity {
        attached: attached.iter().map(ToString::to_string).collect(),
        inline: inline.collect(),
        ..entity
    }
}

fn tags(tags: &Tags, key: impl Fn(&str) -> String) -> BTreeMap<String, Tag> {
    tags.iter()
        .map(|(name, value)| {
            (
                key(name),
                Tag {
                    key: name.clone(),
                    value: value.clone(),
                },
            )
        })
        .collect()
}

fn take_user(state: &mut State, user: &live::LiveUser) -> Result<User, SandboxError> {
    let groups = user
        .groups
        .iter()
        .map(|group| match state.groups.get(&fold(group.as_str())) {
            Some(group) => Ok(group.entity.id.clone()),
            None => Err(SandboxError::Live(format!(
                "user {} is in group {group}, which does not exist",
                user.name
            ))),
        });
    let groups = groups.collect::<Result<_, _>>()?;
    let entity = entity(
        &mut state.ids,
        "AIDA",
        &user.id,
        user.name.as_str(),
        user.path.as_str(),
        user.created,
    );
    let credentials = &user.credentials;
    let uploads = |ids: &Option<BTreeMap<String, bool>>| -> BTreeMap<String, Upload> {
        let upload = |active: bool| Upload {
            uploaded: user.created,
            active,
            body: String::new(),
        };
        let ids = ids.iter().flatten();
        ids.map(|(id, active)| (id.clone(), upload(*active))).collect()
    };
    let login_profile = credentials
        .login_profile
        .as_ref()
        .and_then(Option::as_ref)
        .map(|profile| LoginProfile {
            created: profile.created,
            changed: None,
            reset_required: profile.password_reset_required,
            digests: Vec::new(),
        });
    let access_keys = credentials.access_keys.iter().flatten();
    let service_credential = ServiceCredential {
        created: user.created,
        active: true,
        service: "codecommit.amazonaws.com".to_owned(),
        login: format!("{}-at-{}", user.name, state.account_id),
        expires: None,
    };
    let service_credentials = credentials.service_specific_credentials.iter().flatten();
    Ok(User {
        entity: holding(entity, &user.managed_policies, &user.inline_policies),
        boundary: user.permissions_boundary.as_ref().map(ToString::to_string),
        tags: tags(&user.tags, fold_tag_key),
        groups,
        login_profile,
        access_keys: access_keys
            .map(|(id, key)| {
                (
                    id.clone(),
                    AccessKey {
                        created: key.created,
                        active: key.active,
                        secret: None,
                        used: None,
                    },
                )
            })
            .collect(),
        ssh_keys: uploads(&credentials.ssh_public_keys),
        certificates: uploads(&credentials.signing_certificates),
        service_credentials: service_credentials
            .map(|(id, active)| {
                let credential = ServiceCredential {
                    active: *active,
                    ..service_credential.clone()
                };
                (id.clone(), credential)
            })
            .collect(),
    })
}

fn take_policy(state: &mut State, policy: &live::LivePolicy) -> Result<ManagedPolicy, SandboxError> {
    let number = |version: &str| {
        let number = version.strip_prefix('v').and_then(|digits| digits.parse::<u32>().ok());
        number.ok_or_else(|| SandboxError::Live(format!("policy {} has a version {version}", policy.name)))
    };
    let versions = policy
        .versions
        .iter()
        .map(|(id, version)| {
            let version = PolicyVersion {
                created: version.created,
                document: version.document.as_text().to_owned(),
            };
            Ok((number(id)?, version))
        })
        .collect::<Result<BTreeMap<_, _>, SandboxError>>()?;
    let default_version = number(&policy.default_version)?;
    if !versions.contains_key(&default_version) {
        return Err(SandboxError::Live(format!(
            "policy {} lacks its default version",
            policy.name
        )));
    }
    let metadata = policy.metadata.as_ref();
    Ok(ManagedPolicy {
        id: if policy.id.is_empty() {
            state.ids.unique_id("ANPA")
        } else {
            policy.id.clone()
        },
        name: policy.name.to_string(),
        path: policy.path.to_string(),
        description: metadata.and_then(|metadata| metadata.description.clone()),
        created: policy.created,
        updated: versions
            .values()
            .map(|version| version.created)
            .max()
            .unwrap_or(policy.created),
        tags: metadata
            .map(|metadata| tags(&metadata.tags, str::to_owned))
            .unwrap_or_default(),
        default_version,
        next_version: versions.keys().next_back().map_or(1, |newest| newest + 1),
        versions,
    })
}

/// Virtual devices from their own list, devices of other kinds from their users.
fn take_devices(state: &mut State, live: &Live) -> Result<(), SandboxError> {
    for device in live.virtual_mfa_devices.iter().flatten().filter(|device| !device.root) {
        let assigned = match &device.user {
            Some(name) => {
                let user = state.users.get(&fold(name.as_str()));
                let absent = || format!("MFA device {} belongs to {name}, who does not exist", device.serial);
                let user = user.ok_or_else(|| SandboxError::Live(absent()))?;
                Some(Assignment {
                    owner: user.entity.id.clone(),
                    since: user.entity.created,
                })
            }
            None => None,
        };
        let device_kept = MfaDevice {
            seed: None,
            is_virtual: true,
            assigned,
            last_step: None,
            tags: BTreeMap::new(),
        };
        state.mfa_devices.insert(device.serial.clone(), device_kept);
    }
    for user in live.users.values() {
        let Some(kept) = state.users.get(&fold(user.name.as_str())) else {
            continue;
        };
        let assigned = Assignment {
            owner: kept.entity.id.clone(),
            since: user.created,
        };
        for serial in user.credentials.mfa_devices.iter().flatten() {
            let is_virtual = serial.contains(":mfa/");
            let device = MfaDevice {
                seed: None,
                is_virtual,
                assigned: Some(assigned.clone()),
                last_step: None,
                tags: BTreeMap::new(),
            };
            state.mfa_devices.entry(serial.clone()).or_insert(device);
        }
    }
    Ok(())
}

/// Nothing can be attached, and nothing be a boundary, that does not exist.
fn check_references(state: &State) -> Result<(), SandboxError> {
    match state.usage().keys().find(|arn| !state.has_policy(arn)) {
        Some(arn) => Err(SandboxError::Live(format!("policy {arn} is in use and does not exist"))),
        None => Ok(()),
    }
}
