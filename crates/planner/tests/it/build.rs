//! Accounts in a few words. The desired state is built first, the live one is derived from it and then changed: what a
//! test changes is what its plan must show.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{Timestamp, civil::Date};
use trueup_model::{
    AccountId, Arn, Desired, GroupName, InlinePolicyName, KindScope, Live, Path, PolicyArn, PolicyDocument, PolicyName,
    Scope, Tags, UserName,
    desired::{
        Absent, BoundaryWish, DesiredAccount, DesiredGroup, DesiredPolicy, DesiredUser, External, Guardrails,
        LoginProfileWish, PolicyRef, RootRequirements,
    },
    live::{Credentials, LiveAccount, LiveGroup, LivePolicy, LiveUser, LoginProfile, PolicyMetadata, PolicyVersion},
};
use trueup_planner::{Options, Plan, PlanError};

pub(crate) const ACCOUNT: &str = "123456789012";

pub(crate) fn user(name: &str) -> UserName {
    UserName::new(name).unwrap()
}

pub(crate) fn group(name: &str) -> GroupName {
    GroupName::new(name).unwrap()
}

pub(crate) fn policy(name: &str) -> PolicyName {
    PolicyName::new(name).unwrap()
}

pub(crate) fn inline(name: &str) -> InlinePolicyName {
    InlinePolicyName::new(name).unwrap()
}

pub(crate) fn arn(name: &str) -> PolicyArn {
    PolicyArn::new(format!("arn:aws:iam::{ACCOUNT}:policy/{name}")).unwrap()
}

pub(crate) fn admin_arn() -> PolicyArn {
    PolicyArn::new("arn:aws:iam::aws:policy/AdministratorAccess").unwrap()
}

pub(crate) fn date(text: &str) -> Date {
    text.parse().unwrap()
}

/// A document of statements such as `allow s3:Get*` or `deny iam:*`. `home` is a folder named after the user, `team` what
/// only the red team may do.
pub(crate) fn document(statements: &[&str]) -> PolicyDocument {
    let statements: Vec<_> = statements
        .iter()
        .map(|statement| {
            let (effect, action) = statement.split_once(' ').unwrap();
            let effect = if effect == "allow" { "Allow" } else { "Deny" };
            match action {
                "home" => serde_json::json!({
                    "Effect": effect,
                    "Action": "s3:home",
                    "Resource": "arn:aws:s3:::home/${aws:username}",
                }),
                "team" => serde_json::json!({
                    "Effect": effect,
                    "Action": "s3:team",
                    "Resource": "*",
                    "Condition": {"StringEquals": {"aws:PrincipalTag/team": "red"}},
                }),
                action => serde_json::json!({"Effect": effect, "Action": action, "Resource": "*"}),
            }
        })
        .collect();
    let text = serde_json::json!({"Version": "2012-10-17", "Statement": statements}).to_string();
    PolicyDocument::parse(&text).unwrap()
}

/// A desired state that declares nothing and owns everything.
pub(crate) fn desired() -> Desired {
    let everything = KindScope::implied(true);
    Desired {
        account: DesiredAccount {
            id: AccountId::new(ACCOUNT).unwrap(),
            alias: None,
            password_policy: None,
            root: RootRequirements::default(),
        },
        scope: Scope {
            users: everything.clone(),
            groups: everything.clone(),
            policies: everything,
            ignore_tags: BTreeSet::new(),
            ignore: Vec::new(),
        },
        external: External::default(),
        guardrails: Guardrails::default(),
        hold: Vec::new(),
        policies: BTreeMap::new(),
        groups: BTreeMap::new(),
        users: BTreeMap::new(),
        absent: Absent::default(),
    }
}

pub(crate) trait Declare {
    fn user(&mut self, name: &str) -> &mut DesiredUser;
    fn group(&mut self, name: &str) -> &mut DesiredGroup;
    fn policy(&mut self, name: &str, statements: &[&str]) -> &mut DesiredPolicy;
}

impl Declare for Desired {
    fn user(&mut self, name: &str) -> &mut DesiredUser {
        let name = user(name);
        self.users.entry(name.clone()).or_insert_with(|| DesiredUser {
            name,
            path: None,
            previously: Vec::new(),
            tags: Tags::new(),
            groups: BTreeSet::new(),
            managed_policies: BTreeSet::new(),
            inline_policies: BTreeMap::new(),
            permissions_boundary: BoundaryWish::Keep,
            login_profile: None,
            reset_password: None,
            access_keys: None,
            mfa: None,
            expires: None,
            deliver_to: Vec::new(),
        })
    }

    fn group(&mut self, name: &str) -> &mut DesiredGroup {
        let name = group(name);
        self.groups.entry(name.clone()).or_insert_with(|| DesiredGroup {
            name,
            path: None,
            previously: Vec::new(),
            managed_policies: BTreeSet::new(),
            inline_policies: BTreeMap::new(),
            mfa: None,
        })
    }

    fn policy(&mut self, name: &str, statements: &[&str]) -> &mut DesiredPolicy {
        let name = policy(name);
        self.policies.entry(name.clone()).or_insert_with(|| DesiredPolicy {
            name,
            path: None,
            description: None,
            tags: Tags::new(),
            document: document(statements),
        })
    }
}

pub(crate) fn created() -> Timestamp {
    "2026-01-01T00:00:00Z".parse().unwrap()
}

/// The live account that needs no plan.
pub(crate) fn live_of(desired: &Desired) -> Live {
    let account = &desired.account.id;
    let reference = |reference: &PolicyRef| match reference {
        PolicyRef::Arn(arn) => arn.clone(),
        PolicyRef::Declared(name) => arn(name.as_str()),
    };
    let path = |path: &Option<Path>| path.clone().unwrap_or_else(Path::root);
    Live {
        account: LiveAccount {
            id: account.clone(),
            partition: "aws".to_owned(),
            alias: None,
            password_policy: None,
            summary: BTreeMap::new(),
        },
        caller: Arn::from_live(format!("arn:aws:iam::{account}:root")),
        users: desired
            .users
            .values()
            .map(|user| {
                let live = LiveUser {
                    name: user.name.clone(),
                    id: format!("AIDA{}", user.name),
                    arn: Arn::from_live(format!("arn:aws:iam::{account}:user/{}", user.name)),
                    path: path(&user.path),
                    created: created(),
                    tags: user.tags.clone(),
                    groups: user.groups.clone(),
                    managed_policies: user.managed_policies.iter().map(reference).collect(),
                    inline_policies: user.inline_policies.clone(),
                    permissions_boundary: match &user.permissions_boundary {
                        BoundaryWish::Present(boundary) => Some(reference(boundary)),
                        BoundaryWish::Keep | BoundaryWish::Absent => None,
                    },
                    credentials: Credentials {
                        login_profile: user.login_profile.map(|wish| match wish {
                            LoginProfileWish::Absent => None,
                            LoginProfileWish::Present {
                                password_reset_required,
                            } => Some(LoginProfile {
                                created: created(),
                                password_reset_required,
                            }),
                        }),
                        ..Credentials::default()
                    },
                };
                (user.name.clone(), live)
            })
            .collect(),
        groups: desired
            .groups
            .values()
            .map(|group| {
                let live = LiveGroup {
                    name: group.name.clone(),
                    id: format!("AGPA{}", group.name),
                    arn: Arn::from_live(format!("arn:aws:iam::{account}:group/{}", group.name)),
                    path: path(&group.path),
                    created: created(),
                    managed_policies: group.managed_policies.iter().map(reference).collect(),
                    inline_policies: group.inline_policies.clone(),
                };
                (group.name.clone(), live)
            })
            .collect(),
        policies: desired
            .policies
            .values()
            .map(|policy| {
                (
                    policy.name.clone(),
                    live_policy(policy.name.as_str(), &policy.document, &policy.tags),
                )
            })
            .collect(),
        aws_policies: BTreeMap::from([(admin_arn(), document(&["allow *"]))]),
        missing_aws_policies: BTreeSet::new(),
        roles: BTreeMap::new(),
        virtual_mfa_devices: Some(Vec::new()),
        reads: BTreeMap::new(),
        notes: Vec::new(),
    }
}

pub(crate) fn live_policy(name: &str, document: &PolicyDocument, tags: &Tags) -> LivePolicy {
    LivePolicy {
        name: policy(name),
        id: format!("ANPA{name}"),
        arn: arn(name),
        path: Path::root(),
        created: created(),
        default_version: "v1".to_owned(),
        versions: BTreeMap::from([(
            "v1".to_owned(),
            PolicyVersion {
                created: created(),
                document: document.clone(),
            },
        )]),
        attachment_count: 0,
        boundary_count: 0,
        metadata: Some(PolicyMetadata {
            tags: tags.clone(),
            description: None,
        }),
    }
}

pub(crate) fn options() -> Options {
    Options {
        as_of: date("2026-11-22"),
        allow: BTreeSet::new(),
        tool_version: "0.0.0".to_owned(),
    }
}

pub(crate) fn try_plan(desired: &Desired, live: &Live) -> Result<Plan, PlanError> {
    trueup_planner::plan(desired, live, &options())
}

pub(crate) fn plan(desired: &Desired, live: &Live) -> Plan {
    try_plan(desired, live).unwrap()
}

/// `+ user/alice`, `~ …`, `- …`, `r …` for every change.
pub(crate) fn changes(plan: &Plan) -> Vec<String> {
    plan.changes
        .iter()
        .map(|change| {
            let symbol = match change.change {
                trueup_planner::ChangeKind::Create => '+',
                trueup_planner::ChangeKind::Update => '~',
                trueup_planner::ChangeKind::Delete => '-',
                trueup_planner::ChangeKind::Rename => 'r',
            };
            format!("{symbol} {}", change.resource)
        })
        .collect()
}

/// `CreateUser user/alice` for every action, in order.
pub(crate) fn actions(plan: &Plan) -> Vec<String> {
    plan.actions
        .iter()
        .map(|action| format!("{} {}", action.call.operation(), action.resource))
        .collect()
}
