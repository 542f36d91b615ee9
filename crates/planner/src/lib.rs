//! Desired and live state in, one ordered plan out.
//!
//! This crate is pure: it never reads the clock, the disk, the network or the environment, and the same input gives
//! the same bytes. It never leaves a choice for apply time, and it never holds a secret.

mod access;
mod access_keys;
mod account;
mod assemble;
mod baseline;
mod call;
mod credentials;
mod digest;
mod draft;
mod enforced;
mod facts;
mod groups;
mod guardrails;
mod holdings;
mod identity;
mod memory;
mod needs;
mod orphans;
mod partial;
mod passwords;
pub mod permissions;
mod plan;
mod policies;
mod quarantine;
mod quotas;
mod references;
mod requirements;
mod resolve;
mod transition;
mod users;
mod world;

pub use access::{
    AccessCause, AccessChange, AccessLine, AccessSource, AdministratorChange, EscalationLine, EscalationPermission,
};
pub use baseline::{Applied, Only, Origin, asked, carried_forward};
pub use call::{ActionId, Authorised, Call, KeyStatus, NewKeyTag, VersionRef};
pub use facts::ABSENT_FACT;
pub use plan::{
    Action, Change, ChangeKind, FORMAT_VERSION, Field, GuardrailFinding, Held, Ignored, Left, Listed, Note, Overview,
    Plan, Reads, Requirement, Summary,
};
pub use requirements::mfa_of as mfa_requirement;
pub use trueup_model::guardrail::GuardrailCode;

use std::collections::BTreeSet;

use jiff::civil::Date;
use trueup_access::IamData;
use trueup_model::{Desired, Live, Resource, UserName, live::Needs};

use crate::{
    access::Comparison,
    baseline::Since,
    digest::Neutral,
    draft::Draft,
    facts::Facts,
    resolve::{Fate, Resolved},
    world::World,
};

/// What a plan depends on beside the two states.
#[derive(Debug, Clone)]
pub struct Options {
    /// The day that `expires` and `until` are compared with, UTC.
    pub as_of: Date,
    /// The guardrails that `--allow` lets pass.
    pub allow: BTreeSet<GuardrailCode>,
    /// The version of trueup.
    pub tool_version: String,
}

/// Why no plan can be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PlanError {
    /// The live account is not the manifest's.
    #[error("this is account {live}, the manifest is for {desired}")]
    WrongAccount {
        /// The account of the credentials.
        live: String,
        /// The account of the manifest.
        desired: String,
    },
    /// The manifest and the live account cannot be brought together; every reason is listed.
    #[error("{}", .0.iter().map(|problem| problem.message.as_str()).collect::<Vec<_>>().join("\n"))]
    Impossible(Vec<Problem>),
}

/// One reason why a plan is impossible.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Problem {
    /// What is wrong, with names.
    pub message: String,
    /// The way out.
    pub hint: Option<String>,
    /// Users for whom no order of calls is safe, by their live names, where that is what is wrong.
    pub in_the_way: BTreeSet<UserName>,
}

/// What has to be read before [`plan`] can be called and is not known yet.
///
/// Decided from what was read so far. What is read can raise another question (somebody has no MFA device: do they
/// have a password?), so a caller asks until the answer is empty; three rounds are enough for every account.
pub fn needs(desired: &Desired, live: &Live, options: &Options) -> Needs {
    needs::missing(&Resolved::new(desired, live, options.as_of))
}

/// What is worth reading where [`plan`] says that no order of calls is safe: the credentials of those who are in the
/// way, as far as they are not known. Whoever has none can do nothing, whatever the order, and the plan may be possible
/// when that is known.
///
/// Empty where there is another reason, or nothing more to learn.
pub fn needs_of_refused(error: &PlanError, live: &Live) -> Needs {
    needs::of_refused(error, live)
}

/// Makes the plan.
///
/// # Errors
///
/// [`PlanError`] where the account is another one, or where quotas, renames or references make it impossible.
pub fn plan(desired: &Desired, live: &Live, options: &Options) -> Result<Plan, PlanError> {
    make(desired, live, options, None)
}

/// Makes the plan, and says of every change whether it drifted since an apply that is known or is pending since.
///
/// Where `only` asks for it, the plan is of these changes alone: they are checked, guarded and ordered as a plan of their
/// own, and [`Plan::left`] says what is not in it.
///
/// # Errors
///
/// As [`plan`].
pub fn plan_since(
    desired: &Desired,
    live: &Live,
    options: &Options,
    applied: &Applied<'_>,
    only: Option<Only>,
) -> Result<Plan, PlanError> {
    make(desired, live, options, Some((applied, only)))
}

fn make(
    desired: &Desired,
    live: &Live,
    options: &Options,
    since: Option<(&Applied<'_>, Option<Only>)>,
) -> Result<Plan, PlanError> {
    if live.account.id != desired.account.id {
        return Err(PlanError::WrongAccount {
            live: live.account.id.to_string(),
            desired: desired.account.id.to_string(),
        });
    }
    let enforced = enforced::with_policies(desired, &live.account.partition);
    let desired = enforced.as_ref().unwrap_or(desired);
    let mut resolved = Resolved::new(desired, live, options.as_of);
    references::check(&mut resolved);
    groups::keep_those_of_ignored_members(&mut resolved);

    let mut draft = Draft::default();
    account::alias(&resolved, &mut draft);
    let password_policy = account::password_policy(&resolved, &mut draft);
    policies::declared(&resolved, &mut draft);
    groups::declared(&resolved, &mut draft);
    let ignored_memberships = users::plan(&resolved, password_policy, &mut draft);
    groups::deletions(&resolved, &mut draft);
    policies::deletions(&mut resolved, &mut draft);
    orphans::plan(&resolved, &mut draft);
    let neutral = Neutral::of(live);
    let meaning = digest::meaning(desired);
    let facts = Facts::of(&resolved, &meaning, &neutral);
    let held = held(desired, options.as_of, &draft.changes);
    let overview = overview(&resolved, &draft.changes);
    // By the names that the manifest has, whatever a limited plan leaves.
    let requirements = requirements::check(&resolved);
    let mut left = Vec::new();
    let mut only = None;
    if let Some((applied, limit)) = since {
        let since = Since::new(applied, &facts.own, &resolved);
        since.tell(&mut draft.changes);
        if let Some(Only::Drift) = limit {
            left = partial::keep_drift(&mut draft, &held, |change| since.is_due(change));
            only = limit;
            let (users, groups) = draft.renamed();
            resolved.keep_renames(&users, &groups);
        }
    }

    let before = World::of_live(live, &resolved.user_names, &resolved.group_names);
    let mut after = before.clone();
    for effect in draft.steps.iter().filter_map(|step| step.effect.as_ref()) {
        after.apply(effect);
    }
    quotas::check(&resolved, &after, &mut draft);
    let mut comparison = Comparison::new(&resolved, &draft, &before, &after);
    let access = comparison.changes();
    let view = guardrails::View {
        resolved: &resolved,
        draft: &draft,
        before: &before,
        after: &after,
        deleted: draft.deleted_users(),
        access: &access,
    };
    let (guardrails, guardrail_notes) = guardrails::check(&view, &mut comparison, &options.allow);
    let (sign_in_notes, locked_out) = passwords::first_sign_in(&resolved, &mut comparison, &draft);
    draft.notes.extend(sign_in_notes);
    draft
        .problems
        .extend(locked_out.into_iter().map(|problem| (None, problem)));
    transition::order(&resolved, &before, &after, &mut draft);
    passwords::last(&resolved, &mut draft);

    let Draft {
        mut changes,
        steps,
        notes,
        problems,
        ..
    } = draft;
    let mut all_problems = resolved.problems.clone();
    all_problems.extend(problems.into_iter().map(|(_, problem)| problem));
    if !all_problems.is_empty() {
        return Err(PlanError::Impossible(all_problems));
    }
    let Some(actions) = assemble::actions(steps) else {
        return Err(PlanError::Impossible(vec![Problem {
            message: "the steps of this plan wait for each other; this is a bug of trueup, please report it".to_owned(),
            ..Problem::default()
        }]));
    };
    changes.sort_by(|a, b| a.resource.cmp(&b.resource));
    let digest = digest::digest(&resolved, &meaning, &facts, &actions);
    let transition_digest = digest::transition_digest(&resolved, &neutral, &facts, &actions);
    let mut all_notes = needs::notes(&resolved);
    all_notes.extend(resolved.notes.clone());
    all_notes.extend(notes);
    all_notes.extend(guardrail_notes);
    all_notes.extend(
        desired
            .hold
            .iter()
            .enumerate()
            .filter(|(_, hold)| hold.lapsed(options.as_of))
            .map(|(index, hold)| Note {
                strict: true,
                resource: Some(Resource::manifest_key(&format!("hold[{index}]"))),
                message: format!(
                    "the hold of `{}` lapsed after {} ({}); nightly runs correct it again, renew or remove it",
                    hold.target, hold.until, hold.reason
                ),
            }),
    );
    all_notes.extend(live.notes.iter().map(|note| Note {
        strict: false,
        resource: None,
        message: note.clone(),
    }));
    let count = |kinds: &[ChangeKind]| changes.iter().filter(|change| kinds.contains(&change.change)).count() as u64;
    Ok(Plan {
        format_version: FORMAT_VERSION.to_owned(),
        tool_version: options.tool_version.clone(),
        account_id: live.account.id.clone(),
        as_of: options.as_of,
        digest,
        transition_digest,
        overview,
        summary: Summary {
            create: count(&[ChangeKind::Create]),
            update: count(&[ChangeKind::Update, ChangeKind::Rename]),
            delete: count(&[ChangeKind::Delete]),
            actions: actions.len() as u64,
        },
        requirements,
        access,
        action_data: IamData::embedded().date().to_owned(),
        unmanaged: {
            let mut unmanaged = resolved.unmanaged.clone();
            unmanaged.sort_by(|a, b| a.resource.cmp(&b.resource));
            unmanaged
        },
        ignored: {
            let users = resolved.ignored_users.values();
            let rest = resolved
                .ignored_groups
                .values()
                .chain(resolved.ignored_policies.values());
            let mut ignored: Vec<Ignored> = users.chain(rest).cloned().chain(ignored_memberships).collect();
            ignored.sort_by(|a, b| a.resource.cmp(&b.resource));
            ignored
        },
        held,
        only,
        left,
        guardrails,
        notes: all_notes,
        facts: facts.own,
        reads: Reads {
            total: live.reads.values().sum(),
            by_operation: live.reads.clone(),
        },
        changes,
        actions,
        cloudtrail_query: None,
    })
}

/// The changes that nightly runs leave as they are. A membership is its user's and its group's.
fn held(desired: &Desired, as_of: Date, changes: &[Change]) -> Vec<Held> {
    let holds: Vec<_> = desired.hold.iter().filter(|hold| !hold.lapsed(as_of)).collect();
    let held = changes.iter().filter_map(|change| {
        let member = change.resource.member_user();
        let entity = change.resource.entity();
        let hold = holds
            .iter()
            .find(|hold| hold.covers(&entity) || member.as_ref().is_some_and(|user| hold.covers(user)))?;
        Some(Held {
            resource: change.resource.clone(),
            reason: hold.reason.clone(),
            until: hold.until,
            change: Some(change.change),
        })
    });
    held.collect()
}

fn overview(resolved: &Resolved<'_>, changes: &[Change]) -> Overview {
    let scope = &resolved.desired.scope;
    let kinds = [
        ("users", &scope.users),
        ("groups", &scope.groups),
        ("policies", &scope.policies),
    ];
    let mut changed: BTreeSet<Resource> = changes.iter().map(|change| change.resource.entity()).collect();
    // A membership is declared on the user, so it is a change of the user as much as of the group.
    changed.extend(changes.iter().filter_map(|change| change.resource.member_user()));
    fn live<D, L>(fate: &Fate<'_, D, L>) -> bool {
        matches!(fate, Fate::Declared { live: Some(_), .. })
    }
    let users = resolved
        .users
        .iter()
        .filter(|(_, fate)| live(fate))
        .map(|(name, _)| Resource::user(name));
    let groups = resolved
        .groups
        .iter()
        .filter(|(_, fate)| live(fate))
        .map(|(name, _)| Resource::group(name));
    let policies = resolved
        .policies
        .iter()
        .filter(|(_, fate)| live(fate))
        .map(|(name, _)| Resource::policy(name));
    let managed: Vec<Resource> = users.chain(groups).chain(policies).collect();
    Overview {
        alias: resolved
            .live
            .account
            .alias
            .as_ref()
            .map(|alias| alias.as_str().to_owned()),
        scope: kinds
            .into_iter()
            .map(|(kind, scope)| {
                (
                    kind.to_owned(),
                    scope.paths.iter().map(|path| path.as_str().to_owned()).collect(),
                )
            })
            .collect(),
        unchanged: managed.iter().filter(|resource| !changed.contains(*resource)).count() as u64,
        managed: managed.len() as u64,
        untouchable: resolved.untouchable,
    }
}
