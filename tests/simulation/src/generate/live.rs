//! Random live accounts.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use trueup_model::{
    AccountId, Alias, Arn, GroupName, InlinePolicyName, Live, PasswordPolicy, Path, PolicyArn, PolicyDocument,
    PolicyName, RoleName, Tags, UserName,
    live::{
        AccessKey, Credentials, LiveAccount, LiveGroup, LivePolicy, LiveRole, LiveUser, LoginProfile, PolicyMetadata,
        PolicyVersion, VirtualMfaDevice,
    },
};

use super::{Profile, documents, names};
use crate::random::Random;

/// The account of all simulations.
pub const ACCOUNT: &str = "123456789012";

pub(super) fn account_id() -> AccountId {
    AccountId::new(ACCOUNT).expect("twelve digits")
}

pub(super) fn aws(place: usize) -> PolicyArn {
    PolicyArn::from_live(names::AWS[place])
}

pub(super) fn own(path: &Path, name: &PolicyName) -> PolicyArn {
    PolicyArn::customer("aws", &account_id(), path, name)
}

fn created() -> Timestamp {
    "2026-01-02T03:04:05Z".parse().expect("a time")
}

/// One account.
pub(super) fn live(random: &mut Random, profile: &Profile) -> Live {
    let mut live = Live {
        account: LiveAccount {
            id: account_id(),
            partition: "aws".to_owned(),
            alias: random.percent(50).then(|| alias(random)),
            password_policy: random.percent(50).then(|| password_policy(random)),
            summary: BTreeMap::new(),
        },
        caller: Arn::from_live(format!("arn:aws:iam::{ACCOUNT}:root")),
        users: BTreeMap::new(),
        groups: BTreeMap::new(),
        policies: BTreeMap::new(),
        aws_policies: BTreeMap::new(),
        missing_aws_policies: BTreeSet::new(),
        roles: BTreeMap::new(),
        virtual_mfa_devices: Some(Vec::new()),
        reads: BTreeMap::new(),
        notes: Vec::new(),
    };
    if random.percent(15) {
        live.account
            .summary
            .insert("AttachedPoliciesPerUserQuota".to_owned(), 12);
    }
    if random.percent(30) {
        live.account.summary.insert("AccountMFAEnabled".to_owned(), 1);
    }
    for name in random.some(&names::POLICIES[..profile.policies], 0, profile.policies) {
        let name = PolicyName::from_live(spelt(random, name));
        live.policies.insert(name.clone(), policy(random, profile, name));
    }
    for name in random.some(&names::GROUPS[..profile.groups], profile.groups / 2, profile.groups) {
        let name = GroupName::from_live(spelt(random, name));
        let group = group(random, profile, &live, name.clone());
        live.groups.insert(name, group);
    }
    for name in random.some(&names::USERS, profile.users / 2, profile.users) {
        let name = UserName::from_live(spelt(random, name));
        let user = user(random, profile, &mut live, name.clone());
        live.users.insert(name, user);
    }
    for place in 0..random.below(3) {
        let name = RoleName::from_live(format!("role-{place}"));
        let role = role(random, profile, &live, name.clone());
        live.roles.insert(name, role);
    }
    if random.percent(20) {
        let device = VirtualMfaDevice {
            serial: format!("arn:aws:iam::{ACCOUNT}:mfa/unassigned"),
            user: None,
            root: false,
        };
        live.virtual_mfa_devices.get_or_insert_default().push(device);
    }
    live
}

/// Now and then in another letter case, which is the same name to IAM.
pub(super) fn spelt(random: &mut Random, name: &str) -> String {
    match random.below(12) {
        0 => name.to_ascii_uppercase(),
        1 => name
            .char_indices()
            .map(|(at, c)| if at == 0 { c.to_ascii_uppercase() } else { c })
            .collect(),
        _ => name.to_owned(),
    }
}

pub(super) fn alias(random: &mut Random) -> Alias {
    Alias::from_live(*random.pick(&["acme-prod", "acme-test", "a1b"]))
}

pub(super) fn password_policy(random: &mut Random) -> PasswordPolicy {
    PasswordPolicy {
        minimum_password_length: u32::try_from(random.between(6, 30)).unwrap_or(6),
        require_symbols: random.percent(50),
        require_numbers: random.percent(50),
        require_uppercase_characters: random.percent(50),
        require_lowercase_characters: random.percent(50),
        allow_users_to_change_password: random.percent(50),
        max_password_age: random.percent(50).then_some(90),
        password_reuse_prevention: random.percent(50).then_some(24),
        hard_expiry: random.percent(20),
    }
}

pub(super) fn path(random: &mut Random) -> Path {
    Path::from_live(*random.pick(&names::PATHS))
}

pub(super) fn tags(random: &mut Random) -> Tags {
    let keys = random.some(&names::TAG_KEYS, 0, 3);
    let mut tags = Tags::new();
    for key in keys {
        tags.insert(key.to_owned(), tag_value(random));
    }
    tags
}

pub(super) fn tag_value(random: &mut Random) -> String {
    match random.below(20) {
        0 => "v".repeat(256),
        _ => (*random.pick(&names::TAG_VALUES)).to_owned(),
    }
}

fn live_tags(random: &mut Random) -> Tags {
    let mut tags = tags(random);
    if random.percent(20) {
        tags.insert((*random.pick(&names::SPECIAL_TAG_KEYS)).to_owned(), tag_value(random));
    }
    if random.percent(3) {
        tags.insert("aws:cloudformation:stack-name".to_owned(), "stack".to_owned());
    }
    tags
}

/// Inline policies whose sizes together come near to `quota` where the account is crowded.
pub(super) fn inline(
    random: &mut Random,
    profile: &Profile,
    quota: usize,
) -> BTreeMap<InlinePolicyName, PolicyDocument> {
    let names = random.some(&names::INLINE, 0, profile.inline);
    let padding = if profile.crowded {
        quota * 7 / 10 / names.len().max(1)
    } else {
        0
    };
    names
        .into_iter()
        .map(|name| {
            let name = InlinePolicyName::from_live(spelt(random, name));
            (name, documents::document(random, profile.style, padding))
        })
        .collect()
}

fn attached(random: &mut Random, profile: &Profile, live: &Live) -> BTreeSet<PolicyArn> {
    let own: Vec<PolicyArn> = live.policies.values().map(|policy| policy.arn.clone()).collect();
    let all: Vec<PolicyArn> = (0..names::AWS.len()).map(aws).chain(own).collect();
    let least = if profile.crowded { all.len().min(8) } else { 0 };
    random.some(&all, least, profile.attachments).into_iter().collect()
}

fn policy(random: &mut Random, profile: &Profile, name: PolicyName) -> LivePolicy {
    let path = Path::from_live(*random.pick(&["/", "/", "/platform/"]));
    let style = documents::Style {
        managed: true,
        ..profile.style
    };
    let count = if random.percent(60) { 1 } else { random.between(2, 5) };
    // Version numbers are never used again, so that they can have gaps.
    let mut number = random.between(1, 3);
    let mut versions = BTreeMap::new();
    for _ in 0..count {
        let version = PolicyVersion {
            created: created(),
            document: documents::document(random, style, 0),
        };
        versions.insert(format!("v{number}"), version);
        number += random.between(1, 4);
    }
    let ids: Vec<String> = versions.keys().cloned().collect();
    LivePolicy {
        id: String::new(),
        arn: own(&path, &name),
        name,
        path,
        created: created(),
        default_version: random.pick(&ids).clone(),
        versions,
        attachment_count: 0,
        boundary_count: 0,
        metadata: Some(PolicyMetadata {
            tags: live_tags(random),
            description: random.percent(40).then(|| "what a team may do".to_owned()),
        }),
    }
}

fn group(random: &mut Random, profile: &Profile, live: &Live, name: GroupName) -> LiveGroup {
    let path = path(random);
    LiveGroup {
        id: String::new(),
        arn: Arn::from_live(format!("arn:aws:iam::{ACCOUNT}:group{path}{name}")),
        name,
        path,
        created: created(),
        managed_policies: attached(random, profile, live),
        inline_policies: inline(random, profile, 5120),
    }
}

fn boundary(random: &mut Random, live: &Live) -> Option<PolicyArn> {
    let own: Vec<PolicyArn> = live.policies.values().map(|policy| policy.arn.clone()).collect();
    match random.below(10) {
        0..=1 if !own.is_empty() => Some(random.pick(&own).clone()),
        2 => Some(aws(random.below(3))),
        _ => None,
    }
}

fn user(random: &mut Random, profile: &Profile, live: &mut Live, name: UserName) -> LiveUser {
    let path = path(random);
    let groups: Vec<GroupName> = live.groups.keys().cloned().collect();
    let least = if profile.crowded { groups.len().min(10) } else { 0 };
    let credentials = credentials(random, live, &name);
    LiveUser {
        id: String::new(),
        arn: Arn::from_live(format!("arn:aws:iam::{ACCOUNT}:user{path}{name}")),
        path,
        created: created(),
        tags: live_tags(random),
        groups: random.some(&groups, least, profile.memberships).into_iter().collect(),
        managed_policies: attached(random, profile, live),
        inline_policies: inline(random, profile, 2048),
        permissions_boundary: boundary(random, live),
        credentials,
        name,
    }
}

fn credentials(random: &mut Random, live: &mut Live, name: &UserName) -> Credentials {
    // Ids tell nothing about their owner, so any that are distinct will do.
    let mut id = |prefix: &str, length: usize| {
        let letters = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
        let tail = (0..length).map(|_| char::from(*random.pick(letters)));
        format!("{prefix}{}", tail.collect::<String>())
    };
    let mut key = || format!("{}EXAMPLE", id("AKIA", 9));
    let keys = [key(), key()];
    let ssh = id("APKA", 16);
    let (certificate, service) = (id("", 24), id("ACCA", 17));
    let mut credentials = Credentials {
        login_profile: Some(random.percent(40).then(|| LoginProfile {
            created: created(),
            password_reset_required: false,
        })),
        access_keys: Some(BTreeMap::new()),
        mfa_devices: Some(BTreeSet::new()),
        ssh_public_keys: Some(BTreeMap::new()),
        signing_certificates: Some(BTreeMap::new()),
        service_specific_credentials: Some(BTreeMap::new()),
    };
    for key in random.some(&keys, 0, 2) {
        let key_state = AccessKey {
            active: random.percent(70),
            created: created(),
            last_used: None,
        };
        credentials.access_keys.get_or_insert_default().insert(key, key_state);
    }
    if random.percent(12) {
        credentials.ssh_public_keys.get_or_insert_default().insert(ssh, true);
    }
    if random.percent(10) {
        credentials
            .signing_certificates
            .get_or_insert_default()
            .insert(certificate, true);
    }
    if random.percent(10) {
        credentials
            .service_specific_credentials
            .get_or_insert_default()
            .insert(service, true);
    }
    if random.percent(35) {
        let device = format!("arn:aws:iam::{ACCOUNT}:mfa/{name}-phone");
        credentials.mfa_devices.get_or_insert_default().insert(device.clone());
        live.virtual_mfa_devices.get_or_insert_default().push(VirtualMfaDevice {
            serial: device,
            user: Some(name.clone()),
            root: false,
        });
    }
    if random.percent(8) {
        let device = format!("GAHT{:08}", random.below(100_000_000));
        credentials.mfa_devices.get_or_insert_default().insert(device);
    }
    credentials
}

fn role(random: &mut Random, profile: &Profile, live: &Live, name: RoleName) -> LiveRole {
    let path = Path::from_live(*random.pick(&["/", "/platform/", "/service-role/"]));
    LiveRole {
        id: String::new(),
        arn: Arn::from_live(format!("arn:aws:iam::{ACCOUNT}:role{path}{name}")),
        name,
        path,
        tags: tags(random),
        managed_policies: attached(random, profile, live).into_iter().take(3).collect(),
        inline_policies: inline(random, profile, 10_240),
        permissions_boundary: boundary(random, live),
    }
}
