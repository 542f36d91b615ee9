//! A failing case with everything taken away that the failure does not need.

#![expect(
    clippy::unnecessary_to_owned,
    reason = "edits outlive the case that they were listed for"
)]

use trueup_model::{Desired, InlinePolicyName, Live, PolicyDocument, desired::BoundaryWish, live::Credentials};

use crate::case::Case;

/// How many smaller cases are tried at most.
const TRIES: usize = 600;

/// Takes things away as long as `fails` says that the rest still fails.
pub fn shrink(case: Case, fails: impl Fn(&Case) -> bool) -> Case {
    let mut smallest = case;
    let mut tries = 0;
    loop {
        let mut progress = false;
        let mut next = 0;
        // After a success the same place holds the next thing to be taken away.
        while let Some(edit) = edits(&smallest).into_iter().nth(next) {
            let mut smaller = smallest.clone();
            edit(&mut smaller);
            let smaller = smaller.close();
            tries += 1;
            if tries > TRIES {
                return smallest;
            }
            if smaller != smallest && fails(&smaller) {
                smallest = smaller;
                progress = true;
            } else {
                next += 1;
            }
        }
        if !progress {
            return smallest;
        }
    }
}

type Edit = Box<dyn FnOnce(&mut Case)>;

fn edit(change: impl FnOnce(&mut Case) + 'static) -> Edit {
    Box::new(change)
}

/// Everything that can be taken away, the largest things first.
fn edits(case: &Case) -> Vec<Edit> {
    let mut edits: Vec<Edit> = Vec::new();
    let Live {
        users,
        groups,
        policies,
        roles,
        ..
    } = &case.live;
    for name in users.keys().cloned() {
        edits.push(edit(move |case| drop(case.live.users.remove(&name))));
    }
    for name in case.desired.users.keys().cloned() {
        edits.push(edit(move |case| drop(case.desired.users.remove(&name))));
    }
    for name in roles.keys().cloned() {
        edits.push(edit(move |case| drop(case.live.roles.remove(&name))));
    }
    for name in groups.keys().cloned() {
        edits.push(edit(move |case| drop(case.live.groups.remove(&name))));
    }
    for name in case.desired.groups.keys().cloned() {
        edits.push(edit(move |case| drop(case.desired.groups.remove(&name))));
    }
    for name in policies.keys().cloned() {
        edits.push(edit(move |case| drop(case.live.policies.remove(&name))));
    }
    for name in case.desired.policies.keys().cloned() {
        edits.push(edit(move |case| drop(case.desired.policies.remove(&name))));
    }
    account(case, &mut edits);
    live(case, &mut edits);
    desired(case, &mut edits);
    edits
}

fn account(case: &Case, edits: &mut Vec<Edit>) {
    edits.push(edit(|case| case.live.account.alias = None));
    edits.push(edit(|case| case.live.account.password_policy = None));
    edits.push(edit(|case| case.live.account.summary.clear()));
    edits.push(edit(|case| case.live.virtual_mfa_devices = Some(Vec::new())));
    edits.push(edit(|case| case.desired.account.alias = None));
    edits.push(edit(|case| case.desired.account.password_policy = None));
    edits.push(edit(|case| case.desired.account.root = Default::default()));
    edits.push(edit(|case| case.desired.scope.ignore_tags.clear()));
    edits.push(edit(|case| case.desired.external.groups.clear()));
    edits.push(edit(|case| case.desired.external.policies.clear()));
    for at in 0..case.desired.scope.ignore.len() {
        edits.push(edit(move |case| drop(case.desired.scope.ignore.remove(at))));
    }
    for name in case.desired.absent.users.keys().cloned() {
        edits.push(edit(move |case| drop(case.desired.absent.users.remove(&name))));
    }
    for name in case.desired.absent.groups.keys().cloned() {
        edits.push(edit(move |case| drop(case.desired.absent.groups.remove(&name))));
    }
    for name in case.desired.absent.policies.keys().cloned() {
        edits.push(edit(move |case| drop(case.desired.absent.policies.remove(&name))));
    }
}

/// One edit for each member of a set or map field of one entity.
macro_rules! each {
    ($edits:ident, $side:ident . $kind:ident, $entity:ident, $($field:ident).+, $keys:expr) => {
        for key in $keys {
            let name = $entity.clone();
            $edits.push(edit(move |case| {
                if let Some(found) = case.$side.$kind.get_mut(&name) {
                    found.$($field).+.remove(&key);
                }
            }));
        }
    };
}

/// One edit that sets a field of one entity.
macro_rules! set {
    ($edits:ident, $side:ident . $kind:ident, $entity:ident, $field:ident = $value:expr) => {{
        let name = $entity.clone();
        $edits.push(edit(move |case| {
            if let Some(found) = case.$side.$kind.get_mut(&name) {
                found.$field = $value;
            }
        }));
    }};
}

/// Edits that make single documents smaller.
macro_rules! documents {
    ($edits:ident, $side:ident . $kind:ident, $entity:ident, $documents:expr) => {
        for (policy, smaller) in smaller_documents($documents) {
            let name = $entity.clone();
            $edits.push(edit(move |case| {
                if let Some(found) = case.$side.$kind.get_mut(&name) {
                    found.inline_policies.insert(policy, smaller);
                }
            }));
        }
    };
}

fn live(case: &Case, edits: &mut Vec<Edit>) {
    let Live {
        users,
        groups,
        policies,
        roles,
        ..
    } = &case.live;
    for (name, user) in users {
        each!(edits, live.users, name, groups, user.groups.clone());
        each!(edits, live.users, name, managed_policies, user.managed_policies.clone());
        each!(
            edits,
            live.users,
            name,
            inline_policies,
            user.inline_policies.keys().cloned().collect::<Vec<_>>()
        );
        each!(
            edits,
            live.users,
            name,
            tags,
            user.tags.keys().cloned().collect::<Vec<_>>()
        );
        set!(edits, live.users, name, permissions_boundary = None);
        set!(edits, live.users, name, credentials = no_credentials());
        documents!(edits, live.users, name, &user.inline_policies);
    }
    for (name, group) in groups {
        each!(
            edits,
            live.groups,
            name,
            managed_policies,
            group.managed_policies.clone()
        );
        each!(
            edits,
            live.groups,
            name,
            inline_policies,
            group.inline_policies.keys().cloned().collect::<Vec<_>>()
        );
        documents!(edits, live.groups, name, &group.inline_policies);
    }
    for (name, role) in roles {
        each!(edits, live.roles, name, managed_policies, role.managed_policies.clone());
        each!(
            edits,
            live.roles,
            name,
            inline_policies,
            role.inline_policies.keys().cloned().collect::<Vec<_>>()
        );
        set!(edits, live.roles, name, permissions_boundary = None);
    }
    for (name, policy) in policies {
        let spare = policy
            .versions
            .keys()
            .filter(|version| **version != policy.default_version);
        each!(edits, live.policies, name, versions, spare.cloned().collect::<Vec<_>>());
        set!(edits, live.policies, name, metadata = Some(Default::default()));
        for (version, found) in &policy.versions {
            for smaller in smaller_document(&found.document) {
                let (name, version) = (name.clone(), version.clone());
                edits.push(edit(move |case| {
                    let found = case
                        .live
                        .policies
                        .get_mut(&name)
                        .and_then(|found| found.versions.get_mut(&version));
                    if let Some(found) = found {
                        found.document = smaller;
                    }
                }));
            }
        }
    }
}

fn no_credentials() -> Credentials {
    Credentials {
        login_profile: Some(None),
        access_keys: Some(Default::default()),
        mfa_devices: Some(Default::default()),
        ssh_public_keys: Some(Default::default()),
        signing_certificates: Some(Default::default()),
        service_specific_credentials: Some(Default::default()),
    }
}

fn desired(case: &Case, edits: &mut Vec<Edit>) {
    let Desired {
        users,
        groups,
        policies,
        ..
    } = &case.desired;
    for (name, user) in users {
        each!(edits, desired.users, name, groups, user.groups.clone());
        each!(
            edits,
            desired.users,
            name,
            managed_policies,
            user.managed_policies.clone()
        );
        each!(
            edits,
            desired.users,
            name,
            inline_policies,
            user.inline_policies.keys().cloned().collect::<Vec<_>>()
        );
        each!(
            edits,
            desired.users,
            name,
            tags,
            user.tags.keys().cloned().collect::<Vec<_>>()
        );
        set!(edits, desired.users, name, previously = Vec::new());
        set!(edits, desired.users, name, path = None);
        set!(edits, desired.users, name, permissions_boundary = BoundaryWish::Keep);
        set!(edits, desired.users, name, login_profile = None);
        set!(edits, desired.users, name, mfa = None);
        set!(edits, desired.users, name, access_keys = None);
        set!(edits, desired.users, name, expires = None);
        documents!(edits, desired.users, name, &user.inline_policies);
    }
    for (name, group) in groups {
        each!(
            edits,
            desired.groups,
            name,
            managed_policies,
            group.managed_policies.clone()
        );
        each!(
            edits,
            desired.groups,
            name,
            inline_policies,
            group.inline_policies.keys().cloned().collect::<Vec<_>>()
        );
        set!(edits, desired.groups, name, previously = Vec::new());
        set!(edits, desired.groups, name, path = None);
        set!(edits, desired.groups, name, mfa = None);
        documents!(edits, desired.groups, name, &group.inline_policies);
    }
    for (name, policy) in policies {
        each!(
            edits,
            desired.policies,
            name,
            tags,
            policy.tags.keys().cloned().collect::<Vec<_>>()
        );
        set!(edits, desired.policies, name, path = None);
        set!(edits, desired.policies, name, description = None);
        for smaller in smaller_document(&policy.document) {
            set!(edits, desired.policies, name, document = smaller);
        }
    }
}

fn smaller_documents<'a>(
    documents: impl IntoIterator<Item = (&'a InlinePolicyName, &'a PolicyDocument)>,
) -> Vec<(InlinePolicyName, PolicyDocument)> {
    let all = documents.into_iter();
    all.flat_map(|(name, document)| {
        smaller_document(document)
            .into_iter()
            .map(|smaller| (name.clone(), smaller))
    })
    .collect()
}

/// The document without each of its statements.
fn smaller_document(document: &PolicyDocument) -> Vec<PolicyDocument> {
    let statements = document.statements();
    if statements.len() < 2 {
        return Vec::new();
    }
    (0..statements.len())
        .map(|gone| {
            let mut left = statements.to_vec();
            left.remove(gone);
            PolicyDocument::from_statements(document.version(), &left)
        })
        .collect()
}
