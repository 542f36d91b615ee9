//! A live account as a manifest: parsed and planned against the same account, it changes nothing.
//!
//! What a manifest cannot express is named in it as external or ignored, and told in a note; nothing is left out
//! without a word. Credentials are not exported: a manifest manages them only where it names them.

mod document;
mod express;

use std::collections::{BTreeMap, BTreeSet};

use trueup_model::{
    Alias, GroupName, Live, PasswordPolicy, Path, PolicyArn, PolicyName,
    live::{LiveGroup, LivePolicy, LiveUser},
};

use crate::{
    diagnostic::quoted,
    yaml::write::{Out, write_entries},
};

/// What to export.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ExportOptions {
    /// Only users, groups and policies at or below these paths, and nothing of the account as a whole. Empty:
    /// everything.
    pub paths: BTreeSet<Path>,
}

/// A manifest made of a live account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exported {
    /// Text by file name.
    pub files: BTreeMap<String, String>,
    /// What a reader should know: above all what is not managed, and why.
    pub notes: Vec<String>,
}

/// Writes a manifest of a live account. Its answer is the same for the same account and options.
pub fn export(live: &Live, options: &ExportOptions) -> Exported {
    let mut export = Export::new(live, options);
    export.sort_out();
    let text = export.text();
    Exported {
        files: BTreeMap::from([("trueup.yaml".to_owned(), text)]),
        notes: export.notes,
    }
}

struct Export<'l> {
    live: &'l Live,
    /// The paths that are owned; at least one.
    paths: BTreeSet<Path>,
    whole_account: bool,
    policies: BTreeMap<&'l PolicyName, &'l LivePolicy>,
    groups: BTreeMap<&'l GroupName, &'l LiveGroup>,
    users: Vec<&'l LiveUser>,
    external_groups: BTreeSet<GroupName>,
    external_policies: BTreeSet<PolicyArn>,
    /// Kind, name and reason.
    ignored: Vec<(&'static str, String, String)>,
    notes: Vec<String>,
}

impl<'l> Export<'l> {
    fn new(live: &'l Live, options: &ExportOptions) -> Self {
        let whole_account = options.paths.is_empty();
        Self {
            live,
            paths: if whole_account {
                BTreeSet::from([Path::root()])
            } else {
                options.paths.clone()
            },
            whole_account,
            policies: BTreeMap::new(),
            groups: BTreeMap::new(),
            users: Vec::new(),
            external_groups: BTreeSet::new(),
            external_policies: BTreeSet::new(),
            ignored: Vec::new(),
            notes: Vec::new(),
        }
    }

    fn owns(&self, path: &Path) -> bool {
        !path.is_reserved() && self.paths.iter().any(|owned| path.is_under(owned))
    }

    /// Decides for every entity whether it is declared, external or ignored. Policies come first and users last,
    /// because each names the former.
    fn sort_out(&mut self) {
        let live = self.live;
        let kept = trueup_model::require_mfa(&live.account.partition, &live.account.id);
        for policy in live.policies.values() {
            if !self.owns(&policy.path) {
                continue;
            }
            match express::policy(policy) {
                Ok(()) => {
                    self.policies.insert(&policy.name, policy);
                }
                Err(reason) => self.leave_policy(policy, &reason),
            }
        }
        for group in live.groups.values() {
            if !self.owns(&group.path) {
                continue;
            }
            let attached = group.managed_policies.iter();
            match express::group(group, &kept).and_then(|()| self.attachable(attached)) {
                Ok(()) => {
                    self.groups.insert(&group.name, group);
                }
                Err(reason) => self.leave_group(group, &reason),
            }
        }
        for user in live.users.values() {
            if !self.owns(&user.path) {
                continue;
            }
            let attached = user.managed_policies.iter().chain(&user.permissions_boundary);
            let expressed = express::user(user, &kept)
                .and_then(|()| self.attachable(attached))
                .and_then(|()| self.joinable(&user.groups));
            match expressed {
                Ok(()) => self.users.push(user),
                Err(reason) => self.ignore("user", user.name.as_str(), &reason),
            }
        }
        self.keep_other_members();
        self.name_external();
        if self.policies.values().any(|policy| policy.metadata.is_none()) {
            let note = "tags and descriptions of some policies were not read, and are missing in the manifest";
            self.notes.push(note.to_owned());
        }
    }

    /// Membership of a declared group is the whole truth about it, so that members from outside of the exported paths
    /// would be taken out of it.
    fn keep_other_members(&mut self) {
        let live = self.live;
        for user in live.users.values() {
            if self.owns(&user.path) {
                continue;
            }
            if let Some(group) = user.groups.iter().find(|group| self.groups.contains_key(*group)) {
                let reason = format!(
                    "it is a member of group {} and outside of the exported paths",
                    quoted(group.as_str())
                );
                self.ignore("user", user.name.as_str(), &reason);
            }
        }
    }

    /// Whether policies can be named in a manifest of this account.
    fn attachable<'p>(&self, policies: impl Iterator<Item = &'p PolicyArn>) -> Result<(), String> {
        for arn in policies {
            express::policy_arn(arn, &self.live.account.id)?;
        }
        Ok(())
    }

    fn joinable(&self, groups: &BTreeSet<GroupName>) -> Result<(), String> {
        groups.iter().try_for_each(express::group_name)
    }

    fn leave_policy(&mut self, policy: &LivePolicy, reason: &str) {
        match express::policy_arn(&policy.arn, &self.live.account.id) {
            Ok(()) => {
                self.external_policies.insert(policy.arn.clone());
                let name = quoted(policy.name.as_str());
                self.notes.push(format!("policy {name} is external, because {reason}"));
            }
            Err(_) => self.ignore("policy", policy.name.as_str(), reason),
        }
    }

    fn leave_group(&mut self, group: &LiveGroup, reason: &str) {
        match express::group_name(&group.name) {
            Ok(()) => {
                self.external_groups.insert(group.name.clone());
                let name = quoted(group.name.as_str());
                self.notes.push(format!("group {name} is external, because {reason}"));
            }
            Err(_) => self.ignore("group", group.name.as_str(), reason),
        }
    }

    fn ignore(&mut self, kind: &'static str, name: &str, reason: &str) {
        self.notes
            .push(format!("{kind} {} is ignored, because {reason}", quoted(name)));
        self.ignored.push((kind, name.to_owned(), reason.to_owned()));
    }

    /// What is named by what is declared, and not declared itself.
    fn name_external(&mut self) {
        let mut policies: BTreeSet<&PolicyArn> = BTreeSet::new();
        for group in self.groups.values() {
            policies.extend(&group.managed_policies);
        }
        for user in &self.users {
            policies.extend(user.managed_policies.iter().chain(&user.permissions_boundary));
            for group in &user.groups {
                if !self.groups.contains_key(group) {
                    self.external_groups.insert(group.clone());
                }
            }
        }
        for arn in policies {
            if !arn.is_aws_managed() && self.declared(arn).is_none() {
                self.external_policies.insert(arn.clone());
            }
        }
    }

    fn declared(&self, arn: &PolicyArn) -> Option<&'l PolicyName> {
        let (name, policy) = self.policies.get_key_value(&arn.policy_name())?;
        (policy.arn == *arn).then_some(*name)
    }

    fn text(&mut self) -> String {
        let account = self.account();
        let sections = [
            ("version", Some(Out::Integer(1))),
            ("account", Some(account)),
            ("scope", Some(self.scope())),
            ("external", non_empty(self.external())),
            ("policies", non_empty(self.policies_out())),
            ("groups", non_empty(self.groups_out())),
            ("users", non_empty(self.users_out())),
        ];
        let mut text = format!("# The IAM of account {} as it was found.\n", self.live.account.id);
        for note in &self.notes {
            text.push_str("# Note: ");
            text.extend(note.chars().map(|c| if c.is_control() { ' ' } else { c }));
            text.push('\n');
        }
        for (name, section) in sections {
            let Some(section) = section else { continue };
            if name != "version" {
                text.push('\n');
            }
            write_entries(&[(name.to_owned(), section)], 0, &mut text);
        }
        text
    }

    fn account(&mut self) -> Out {
        let live = &self.live.account;
        let declares_anything = !(self.policies.is_empty() && self.groups.is_empty() && self.users.is_empty());
        // A manifest that declares nothing is refused, so that one of an empty path still says something.
        let of_the_account = self.whole_account || !declares_anything;
        let alias = live.alias.as_ref().filter(|_| self.whole_account);
        let alias = alias.and_then(|alias| match Alias::new(alias.as_str()) {
            Ok(alias) => Some(Out::text(alias.as_str())),
            Err(error) => {
                self.notes.push(format!("the alias is not exported, because {error}"));
                None
            }
        });
        Out::map([
            ("id", Some(Out::text(live.id.as_str()))),
            ("alias", alias),
            (
                "password_policy",
                of_the_account.then(|| match &live.password_policy {
                    Some(policy) => password_policy(policy),
                    None => Out::text("aws-default"),
                }),
            ),
        ])
    }

    fn scope(&self) -> Out {
        let paths: Vec<Out> = self.paths.iter().map(|path| Out::text(path.as_str())).collect();
        let kind = || Some(Out::short(Out::map([("paths", Some(Out::List(paths.clone())))])));
        let ignore = self.ignored.iter().map(|(kind, name, reason)| {
            Out::short(Out::map([
                (*kind, Some(Out::text(name.as_str()))),
                ("reason", Some(Out::text(reason.as_str()))),
            ]))
        });
        Out::map([
            ("users", kind()),
            ("groups", kind()),
            ("policies", kind()),
            ("ignore", non_empty(Out::List(ignore.collect()))),
        ])
    }

    fn external(&self) -> Out {
        let groups = self
            .external_groups
            .iter()
            .map(|name| Out::text(name.as_str()))
            .collect();
        let policies = self
            .external_policies
            .iter()
            .map(|arn| Out::text(arn.as_str()))
            .collect();
        Out::map([
            ("groups", non_empty(Out::List(groups))),
            ("policies", non_empty(Out::List(policies))),
        ])
    }

    fn policies_out(&self) -> Out {
        Out::map(self.policies.values().map(|policy| {
            let metadata = policy.metadata.as_ref();
            let description = metadata.and_then(|metadata| metadata.description.as_ref());
            let body = Out::map([
                ("path", path(&policy.path)),
                (
                    "description",
                    description
                        .filter(|text| !text.is_empty())
                        .map(|text| Out::text(text.as_str())),
                ),
                ("tags", metadata.and_then(|metadata| tags(&metadata.tags))),
                ("document", policy.document().and_then(document::to_out)),
            ]);
            (policy.name.as_str(), Some(body))
        }))
    }

    fn groups_out(&self) -> Out {
        Out::map(self.groups.values().map(|group| {
            let body = Out::map([
                ("path", path(&group.path)),
                ("managed_policies", self.attachments(&group.managed_policies)),
                ("inline_policies", inline_policies(&group.inline_policies)),
                ("mfa", enforced(&group.inline_policies)),
            ]);
            (group.name.as_str(), Some(body))
        }))
    }

    fn users_out(&self) -> Out {
        Out::map(self.users.iter().map(|user| {
            let groups = user.groups.iter().map(|group| {
                // The declared spelling, where the group is declared.
                let declared = self.groups.get_key_value(group).map_or(group, |(name, _)| *name);
                Out::text(declared.as_str())
            });
            let body = Out::map([
                ("path", path(&user.path)),
                ("tags", tags(&user.tags)),
                ("groups", non_empty(Out::List(groups.collect())).map(Out::short)),
                ("managed_policies", self.attachments(&user.managed_policies)),
                ("inline_policies", inline_policies(&user.inline_policies)),
                (
                    "permissions_boundary",
                    user.permissions_boundary.as_ref().map(|arn| self.policy_name(arn)),
                ),
                ("mfa", enforced(&user.inline_policies)),
            ]);
            (user.name.as_str(), Some(body))
        }))
    }

    fn policy_name(&self, arn: &PolicyArn) -> Out {
        match self.declared(arn) {
            Some(name) => Out::text(name.as_str()),
            None => Out::text(arn.as_str()),
        }
    }

    fn attachments(&self, policies: &BTreeSet<PolicyArn>) -> Option<Out> {
        non_empty(Out::List(policies.iter().map(|arn| self.policy_name(arn)).collect())).map(Out::short)
    }
}

fn non_empty(out: Out) -> Option<Out> {
    match &out {
        Out::Map(entries) if entries.is_empty() => None,
        Out::List(items) if items.is_empty() => None,
        _ => Some(out),
    }
}

/// `/` is what is meant where no path is named.
fn path(path: &Path) -> Option<Out> {
    (path.as_str() != "/").then(|| Out::text(path.as_str()))
}

fn tags(tags: &trueup_model::Tags) -> Option<Out> {
    let own = tags.iter().filter(|(key, _)| !trueup_model::is_reserved_tag_key(key));
    non_empty(Out::map(
        own.map(|(key, value)| (key.as_str(), Some(Out::text(value.as_str())))),
    ))
    .map(Out::short)
}

/// The policy that stands for `mfa: enforced` is written as what it stands for.
fn enforced(policies: &BTreeMap<trueup_model::InlinePolicyName, trueup_model::PolicyDocument>) -> Option<Out> {
    let kept = policies
        .keys()
        .any(|name| name.as_str().eq_ignore_ascii_case(trueup_model::REQUIRE_MFA_POLICY));
    kept.then(|| Out::text("enforced"))
}

fn inline_policies(policies: &BTreeMap<trueup_model::InlinePolicyName, trueup_model::PolicyDocument>) -> Option<Out> {
    non_empty(Out::map(
        policies
            .iter()
            .filter(|(name, _)| !trueup_model::is_reserved_policy_name(name.as_str()))
            .map(|(name, document)| (name.as_str(), document::to_out(document))),
    ))
}

fn password_policy(policy: &PasswordPolicy) -> Out {
    let PasswordPolicy {
        minimum_password_length,
        require_symbols,
        require_numbers,
        require_uppercase_characters,
        require_lowercase_characters,
        allow_users_to_change_password,
        max_password_age,
        password_reuse_prevention,
        hard_expiry,
    } = policy;
    let number = |number: u32| Some(Out::Integer(u64::from(number)));
    let flag = |flag: &bool| Some(Out::Boolean(*flag));
    Out::map([
        ("minimum_password_length", number(*minimum_password_length)),
        ("require_symbols", flag(require_symbols)),
        ("require_numbers", flag(require_numbers)),
        ("require_uppercase_characters", flag(require_uppercase_characters)),
        ("require_lowercase_characters", flag(require_lowercase_characters)),
        ("allow_users_to_change_password", flag(allow_users_to_change_password)),
        ("max_password_age", max_password_age.and_then(number)),
        ("password_reuse_prevention", password_reuse_prevention.and_then(number)),
        ("hard_expiry", flag(hard_expiry)),
    ])
}
