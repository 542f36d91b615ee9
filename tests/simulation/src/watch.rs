//! A run under watch: the account before it, after every write, and at its end, with the judgements that hold for
//! every run.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use trueup_model::{Live, live::Credentials};
use trueup_sandbox::Sandbox;

use crate::{
    access::{Everyone, Universe},
    account::{Account, User},
    case::Case,
    check::Verdict,
    generate::aws_documents,
    reconcile::{Clock, Run, Session, Settings, Stop},
    wire::{Seen, Wire},
};

/// A write, and the account after it.
pub type Step = (String, Arc<Account>);

/// An account of the sandbox, and what happens to it.
#[derive(Debug)]
pub struct Watched {
    /// The account.
    pub sandbox: Sandbox,
    /// The account before the run.
    pub before: Account,
    steps: Arc<Mutex<Vec<Step>>>,
}

impl Watched {
    /// The account of a case.
    ///
    /// # Panics
    ///
    /// Where the case is no account that IAM could hold.
    pub fn of(case: &Case) -> Self {
        let sandbox = Sandbox::from_live(&case.live).expect("cases are closed");
        Self::over(sandbox)
    }

    /// An account as it is now.
    pub fn over(sandbox: Sandbox) -> Self {
        Self {
            before: Account::of(&sandbox),
            sandbox,
            steps: Arc::default(),
        }
    }

    /// A wire on which every write that took effect is followed by a look at the account.
    pub fn wire(&self) -> Wire {
        let (sandbox, steps) = (self.sandbox.clone(), Arc::clone(&self.steps));
        Wire::to(&self.sandbox).after_each(move |_, seen| {
            // What is answered with an error of the server may have happened all the same.
            if seen.is_write() {
                let mut steps = steps.lock().unwrap_or_else(PoisonError::into_inner);
                steps.push((seen.describe(), Arc::new(Account::of(&sandbox))));
            }
        })
    }

    /// The account after every write so far.
    pub fn steps(&self) -> Vec<Step> {
        self.steps.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// The ways in which a run is made in most properties.
pub fn settings(case: &Case, directory: &Path) -> Settings {
    Settings {
        seed: case.seed,
        expected_digest: None,
        directory: directory.to_owned(),
        paced: false,
        deadline: Duration::from_secs(30 * 60),
    }
}

/// Sets the sandbox's clock, and makes a session over a wire.
pub fn session(sandbox: &Sandbox, wire: &Wire) -> Session {
    let clock = Clock::start();
    sandbox.set_clock(move || clock.now());
    Session::over(wire, clock)
}

/// Nobody could do at any moment what they could do neither before the run nor after it. Who has no credentials can do
/// nothing, which a run counts on only where it made the user or has read that there are none: `read` is the account as
/// the run read it.
///
/// # Errors
///
/// Who could do what after which call.
pub fn nobody_gains_in_between(case: &Case, read: &Live, before: &Account, steps: &[Step], after: &Account) -> Verdict {
    let mut universe = universe(case);
    let known = read.users.values().filter(|user| has_none(&user.credentials));
    let nobodies: BTreeSet<&str> = known.map(|user| user.id.as_str()).collect();
    let is_nobody = |id: &str, account: &Account| {
        (nobodies.contains(id) || !before.users.contains_key(id))
            && account.users.get(id).is_some_and(has_no_credential)
    };
    let (at_first, at_last) = (universe.everyone(before), universe.everyone(after));
    for (call, account) in steps {
        let now = universe.everyone(account);
        let now = now.into_iter().filter(|(id, _)| !is_nobody(id, account)).collect();
        within(&universe, account, &now, [&at_first, &at_last]).map_err(|broken| format!("after {call}: {broken}"))?;
    }
    Ok(())
}

fn within(universe: &Universe, account: &Account, now: &Everyone, sides: [&Everyone; 2]) -> Verdict {
    for (id, allowed) in now {
        let sides = sides.map(|side| side.get(id).map(AsRef::as_ref));
        if let Some(request) = universe.excess(allowed, &sides) {
            let user = account.users.get(id).map(|user| &user.own.name);
            let name = user.or_else(|| account.roles.get(id).map(|role| &role.own.name));
            return Err(format!(
                "`{}` may do `{request}`, and could neither before nor will after",
                name.map_or("", String::as_str)
            ));
        }
    }
    Ok(())
}

/// Whether there is nothing that a user could sign in or sign with.
fn has_no_credential(user: &User) -> bool {
    !user.password && user.keys.values().all(|active| !active) && user.other_credentials == 0
}

/// Whether that was read of a user.
fn has_none(credentials: &Credentials) -> bool {
    let no_password = matches!(credentials.login_profile, Some(None));
    let lists = [
        credentials.access_keys.as_ref().map(BTreeMap::len),
        credentials.ssh_public_keys.as_ref().map(BTreeMap::len),
        credentials.signing_certificates.as_ref().map(BTreeMap::len),
        credentials.service_specific_credentials.as_ref().map(BTreeMap::len),
    ];
    no_password && lists.iter().all(|list| *list == Some(0))
}

fn universe(case: &Case) -> Universe {
    let documents: Vec<&str> = case.documents().map(trueup_model::PolicyDocument::as_text).collect();
    let names = case
        .live
        .users
        .keys()
        .chain(case.desired.users.keys())
        .map(ToString::to_string);
    let spellings = case.desired.users.values().map(|user| user.name.to_string());
    let tags = case.live.users.values().flat_map(|user| user.tags.values().cloned());
    let tags = tags.chain(case.desired.users.values().flat_map(|user| user.tags.values().cloned()));
    // A variable's value matters only where a document has a variable.
    let values: BTreeSet<String> = if documents.iter().any(|text| text.contains("${")) {
        names
            .chain(spellings)
            .chain(tags.filter(|value| value.len() < 20))
            .collect()
    } else {
        BTreeSet::new()
    };
    let named = case.aws_policies();
    let of_aws = aws_documents().iter().filter(|(arn, _)| named.contains(arn.as_str()));
    let of_aws = of_aws.map(|(arn, text)| (arn.clone(), text.clone())).collect();
    Universe::new(documents, of_aws, &values)
}

/// No write was refused: with an account that never fails, only a wrong order or a wrong plan can be refused.
///
/// # Errors
///
/// Which call was refused, and how.
pub fn no_write_is_refused(seen: &[Seen]) -> Verdict {
    match seen.iter().find(|call| call.is_write() && call.refused.is_some()) {
        Some(call) => Err(format!("refused: {}", call.describe())),
        None => Ok(()),
    }
}

/// The run did everything and found the account as the manifest says.
///
/// # Errors
///
/// What failed or what is left.
pub fn is_converged(run: &Run) -> Verdict {
    if run.is_converged() {
        return Ok(());
    }
    let failures = run.report.iter().flat_map(|report| report.failures());
    let failures: Vec<String> = failures
        .map(|(action, failure)| format!("{} {}: {}", action.operation, action.resource, failure.message))
        .collect();
    let left = run.left.iter().flat_map(|plan| &plan.changes);
    let left: Vec<String> = left
        .map(|change| format!("{:?} {}", change.change, change.resource))
        .collect();
    let stopped = run.report.as_ref().and_then(|report| report.stopped.clone());
    Err(format!(
        "not converged: stopped {stopped:?}, failed {failures:#?}, left {left:#?}"
    ))
}

/// What a run came to, where a plan that is impossible is nobody's fault.
pub enum Came {
    /// It ran.
    Through(Box<Run>),
    /// It was refused for a reason that such cases can have, told by its kind.
    Refused(&'static str),
}

/// Sorts out runs that were refused for good reasons.
///
/// # Errors
///
/// Every other reason to stop.
pub fn sort_out(outcome: Result<Run, Stop>) -> Result<Came, String> {
    match outcome {
        Ok(run) => Ok(Came::Through(Box::new(run))),
        Err(Stop::Plan(trueup_planner::PlanError::Impossible(problems))) => {
            let kinds: Vec<Option<&'static str>> = problems.iter().map(|problem| refusal(&problem.message)).collect();
            match kinds.iter().position(Option::is_none) {
                Some(at) => Err(format!("the plan is impossible: {}", problems[at].message)),
                None => Ok(Came::Refused(
                    kinds.first().copied().flatten().unwrap_or("without a reason"),
                )),
            }
        }
        Err(stop) => Err(format!("stopped: {stop}")),
    }
}

/// The reasons for which a plan of a random account may be impossible.
pub fn refusal(message: &str) -> Option<&'static str> {
    let kinds = [
        ("no order of calls changes", "refused: no order of calls"),
        ("has to come before something else goes", "refused: no room in between"),
        ("its member", "refused: a dying group has an ignored member"),
        ("would be in", "refused: too many groups with those that are ignored"),
        ("still hold it", "refused: a dying policy is in use"),
        ("would be locked out", "refused: a first sign-in is locked out"),
    ];
    kinds
        .iter()
        .find(|(words, _)| message.contains(words))
        .map(|(_, kind)| *kind)
}

/// Every password that took effect and is still in force stands in a file.
///
/// # Errors
///
/// Whose password is lost.
pub fn no_password_is_lost(before: &Account, after: &Account, seen: &[Seen], directory: &Path) -> Verdict {
    let files = credential_files(directory);
    let mut passwords: BTreeMap<String, &str> = BTreeMap::new();
    for call in seen {
        // A lost answer does not tell whether it happened: the last password that was sent is the one in question.
        let took_effect = call
            .refused
            .as_deref()
            .is_none_or(|code| code == "ConnectionLost" || code == "ServiceFailure");
        if let ("CreateLoginProfile", Some(user), Some(password), true) = (
            call.operation.as_str(),
            call.parameter("UserName"),
            call.parameter("Password"),
            took_effect,
        ) {
            passwords.insert(user.to_ascii_lowercase(), password);
        }
    }
    for (id, user) in &after.users {
        let had_one = before.users.get(id).is_some_and(|before| before.password);
        if !user.password || had_one {
            continue;
        }
        let password = passwords.get(&user.own.name.to_ascii_lowercase());
        let password = password.ok_or_else(|| format!("nobody made the password of {}", user.own.name))?;
        if !files.values().any(|text| text.contains(password)) {
            return Err(format!("the password of {} is in no file", user.own.name));
        }
    }
    no_key_is_lost(before, after, &files)
}

/// Every access key that came stands in a file with its secret.
fn no_key_is_lost(before: &Account, after: &Account, files: &BTreeMap<PathBuf, String>) -> Verdict {
    for (name, user) in after.whole["users"].as_object().into_iter().flatten() {
        let known = user["entity"]["id"].as_str().and_then(|id| before.users.get(id));
        for (id, key) in user["access_keys"].as_object().into_iter().flatten() {
            if known.is_some_and(|known| known.keys.contains_key(id)) {
                continue;
            }
            let secret = key["secret"].as_str().unwrap_or("no secret");
            if !files.values().any(|text| text.contains(id) && text.contains(secret)) {
                return Err(format!("the secret of {name}'s key {id} is in no file"));
            }
        }
    }
    Ok(())
}

/// The texts of all credential files of a run's directory.
pub fn credential_files(directory: &Path) -> BTreeMap<PathBuf, String> {
    let entries = fs::read_dir(directory.join("credentials")).into_iter().flatten();
    entries
        .filter_map(Result::ok)
        .map(|entry| (entry.path(), fs::read_to_string(entry.path()).expect("a text file")))
        .collect()
}
