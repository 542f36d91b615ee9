//! What a plan changes in what principals may do: everyone whose policies change is compared before and after, by what
//! they hold altogether.
//!
//! It never says that nothing is gained where a document was not read, and never looks at who is not touched.

mod change;
mod lines;
mod people;
pub(crate) mod sides;
mod undo;

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

pub use change::{
    AccessCause, AccessChange, AccessLine, AccessSource, AdministratorChange, EscalationLine, EscalationPermission,
};
use trueup_access::{
    Actions, Cause, Decision, Effect, Engine, Finding, Holdings, IamData, Judgement, Origin, Request, Verdict,
};
use trueup_model::{PolicyArn, PolicyDocument, Resource, document::Statement};

use self::{people::People, sides::Side};
pub(crate) use self::{sides::resource, undo::undoing};
use crate::{
    draft::Draft,
    resolve::Resolved,
    world::{Access, Principal, World},
};

/// The comparison of a plan's two sides, for what the plan says and for its guardrails.
pub(crate) struct Comparison<'a> {
    engine: Engine<'static>,
    people: People<'a>,
    before: &'a World,
    after: &'a World,
    /// Everyone whom some step affects.
    pub(crate) touched: BTreeSet<Principal>,
    administrators: BTreeMap<Administration, bool>,
    administrator_roles: Option<Rc<[(Resource, String)]>>,
}

/// Everything that decides whether somebody is an administrator: what is held, what of it was not read, and who it is
/// where statements ask for that.
type Administration = (Access, BTreeSet<PolicyArn>, bool, Option<(Principal, bool)>);

impl<'a> Comparison<'a> {
    pub(crate) fn new(resolved: &'a Resolved<'a>, draft: &'a Draft, before: &'a World, after: &'a World) -> Self {
        let effects = draft.steps.iter().filter_map(|step| step.effect.as_ref());
        let touched = effects
            .flat_map(|effect| {
                let mut principals = before.affected(effect);
                principals.extend(after.affected(effect));
                principals
            })
            .collect();
        Self {
            engine: Engine::new(IamData::embedded()),
            people: People::new(resolved, draft),
            before,
            after,
            touched,
            administrators: BTreeMap::new(),
            administrator_roles: None,
        }
    }

    /// What changes, for everyone who holds something else than before.
    pub(crate) fn changes(&mut self) -> Vec<AccessChange> {
        let touched = self.touched.iter();
        let changed: Vec<Principal> = touched.filter(|who| self.differs(who)).cloned().collect();
        let mut changes: Vec<AccessChange> = changed.iter().map(|principal| self.change(principal)).collect();
        changes.sort_by(|a, b| a.principal.cmp(&b.principal));
        changes
    }

    /// Whether a principal holds other statements afterwards, or the same ones that mean something else.
    fn differs(&self, principal: &Principal) -> bool {
        if self.is_deleted(principal) {
            return !self.before.held(principal).is_empty();
        }
        self.before.access(principal) != self.after.access(principal)
            || self.before.unread(principal) != self.after.unread(principal)
    }

    fn is_deleted(&self, principal: &Principal) -> bool {
        matches!(principal, Principal::User(name) if self.people.is_deleted(name))
    }

    fn old_side(&self, principal: &Principal) -> Side {
        let (facts, _) = self.people.facts(principal);
        let is_new = matches!(principal, Principal::User(name) if self.people.live(name).is_none());
        if is_new {
            Side::nothing(facts)
        } else {
            Side::of(self.before, principal, facts)
        }
    }

    fn new_side(&self, principal: &Principal) -> Side {
        let (_, facts) = self.people.facts(principal);
        if self.is_deleted(principal) {
            Side::nothing(facts)
        } else {
            Side::of(self.after, principal, facts)
        }
    }

    fn change(&mut self, principal: &Principal) -> AccessChange {
        let (before, after) = (self.old_side(principal), self.new_side(principal));
        let found = self.engine.compare(&before.holdings, &after.holdings);
        let gained = lines::lines(&mut self.engine, &found.gained, &after, &before);
        let lost = lines::lines(&mut self.engine, &found.lost, &before, &after);
        let administrator = match (self.was_administrator(principal), self.will_be_administrator(principal)) {
            (false, true) => Some(AdministratorChange::Made),
            (true, false) => Some(AdministratorChange::Unmade),
            _ => None,
        };
        // Who can do everything needs no path to it.
        let has_paths = !found.verdict.is_no_new_access() && administrator != Some(AdministratorChange::Made);
        let escalation = if has_paths {
            let roles = self.administrator_roles();
            lines::escalations(&mut self.engine, &before, &after, &roles)
        } else {
            Vec::new()
        };
        AccessChange {
            principal: resource(principal),
            verdict: found.verdict,
            gained,
            lost,
            administrator,
            escalation,
            unknown: unknown(found.verdict, found.unknown, &before, &after),
            assumptions: found.assumptions.into_iter().map(str::to_owned).collect(),
        }
    }

    /// The roles that are administrators after the plan, with their ARNs.
    fn administrator_roles(&mut self) -> Rc<[(Resource, String)]> {
        if let Some(known) = &self.administrator_roles {
            return Rc::clone(known);
        }
        let roles: Vec<(Principal, String)> = self.people.roles().collect();
        let found: Rc<[(Resource, String)]> = roles
            .into_iter()
            .filter(|(role, _)| self.will_be_administrator(role))
            .map(|(role, arn)| (resource(&role), arn))
            .collect();
        self.administrator_roles = Some(Rc::clone(&found));
        found
    }

    /// Whether a principal is an administrator before the plan.
    pub(crate) fn was_administrator(&mut self, principal: &Principal) -> bool {
        self.is_administrator(principal, false)
    }

    /// Whether a principal is an administrator after the plan.
    pub(crate) fn will_be_administrator(&mut self, principal: &Principal) -> bool {
        !self.is_deleted(principal) && self.is_administrator(principal, true)
    }

    fn is_administrator(&mut self, principal: &Principal, after: bool) -> bool {
        let world = if after { self.after } else { self.before };
        let access = world.access(principal);
        if !world.may_administer(&access) {
            return false;
        }
        let who = world.is_personal(&access).then(|| (principal.clone(), after));
        let is_user = matches!(principal, Principal::User(_));
        let question = (access, world.unread(principal), is_user, who);
        if let Some(known) = self.administrators.get(&question) {
            return *known;
        }
        let side = if after {
            self.new_side(principal)
        } else {
            self.old_side(principal)
        };
        let answer = self.engine.is_administrator(&side.holdings);
        self.administrators.insert(question, answer);
        answer
    }

    /// How what a principal may do changes as far as some requests go, pairs of an action and a resource.
    pub(crate) fn judge_on(&mut self, principal: &Principal, requests: &[(String, String)]) -> Judgement {
        let (before, after) = (self.old_side(principal), self.new_side(principal));
        self.engine.verdict_on(&before.holdings, &after.holdings, requests)
    }

    /// How what a permissions boundary lets through changes.
    pub(crate) fn judge_boundary(&mut self, before: &PolicyDocument, after: &PolicyDocument) -> Judgement {
        let through = |document: &PolicyDocument| Holdings::of_document("boundary", document.clone());
        self.engine.verdict(&through(before), &through(after))
    }

    /// What becomes of an action of a principal on itself after the plan, in a session with MFA or without.
    pub(crate) fn decide_on_oneself(&mut self, principal: &Principal, action: &str, mfa: bool) -> OnOneself {
        let side = self.new_side(principal);
        let own = side.holdings.facts.arn().unwrap_or("*").to_owned();
        let mfa = if mfa { "true" } else { "false" };
        let request = Request::new(action, own).with("aws:MultiFactorAuthPresent", mfa);
        let Decision { effect, statements, .. } = self.engine.decide(&side.holdings, &request);
        let mut by: Vec<String> = statements
            .iter()
            .filter_map(|statement| side.places.get(&statement.origin.policy))
            .map(|place| format!("`{place}`"))
            .collect();
        by.dedup();
        OnOneself { effect, by }
    }

    /// A request without MFA that is newly allowed since denies of a kind went away.
    pub(crate) fn gained_without_mfa(
        &mut self,
        principal: &Principal,
        is_of_the_kind: fn(&Statement) -> bool,
    ) -> Option<Request> {
        let (mut before, mut after) = (self.old_side(principal), self.new_side(principal));
        for side in [&mut before, &mut after] {
            side.holdings.facts.set("aws:MultiFactorAuthPresent", Some("false"));
        }
        let statement = |origin: &Origin, index: usize| -> Option<&Statement> {
            let holdings = &before.holdings;
            let mut policies = holdings.policies.iter().chain(&holdings.boundary);
            let (_, document) = policies.find(|(known, _)| known == origin)?;
            document.statements().get(index)
        };
        let is_cause = |finding: &&Finding| match &finding.cause {
            Cause::Deny(statements) => statements
                .iter()
                .any(|found| statement(&found.origin, found.index).is_some_and(is_of_the_kind)),
            Cause::Allow(_) | Cause::NoBoundary => false,
        };
        let found = self.engine.compare(&before.holdings, &after.holdings);
        let mut gained: Vec<&Finding> = found.gained.iter().filter(is_cause).collect();
        // A name that AWS knows says more than one that it may have some day.
        gained.sort_by_key(|finding| {
            (
                matches!(finding.actions, Actions::Unlisted(_)),
                !finding.is_of_a_known_type,
            )
        });
        gained.first().map(|finding| finding.example.clone())
    }
}

/// What becomes of a request, and the policies that decide, by where they are held.
pub(crate) struct OnOneself {
    pub(crate) effect: Effect,
    pub(crate) by: Vec<String>,
}

/// Why a verdict is unknown. A policy that was not read is named once, not by all that could follow from it.
fn unknown(verdict: Verdict, causes: Vec<String>, before: &Side, after: &Side) -> Vec<String> {
    if verdict != Verdict::Unknown {
        return Vec::new();
    }
    let unread: BTreeSet<&PolicyArn> = before.unread.union(&after.unread).collect();
    if unread.is_empty() {
        return causes;
    }
    unread
        .into_iter()
        .map(|arn| format!("the document of `{arn}` was not read"))
        .collect()
}
