//! A run that dies at any call, whether or not the call took effect, is simply run again.

use std::{collections::BTreeMap, time::Duration};

use trueup_model::{Live, PolicyDocument};
use trueup_simulation::{
    account::Account,
    case::Case,
    check::{Tally, Verdict, check, directory, on_virtual_time},
    fulfil::is_fulfilled,
    random::Random,
    watch::{
        Came, Watched, is_converged, no_password_is_lost, no_write_is_refused, nobody_gains_in_between, session,
        settings, sort_out,
    },
    wire::{Cut, Seen, Wire},
};

fn slow(wire: Wire, case: &Case) -> Wire {
    wire.with_latency(Random::of(case.seed, "latency"), Duration::from_millis(40))
}

/// The calls of a run that nothing happens to, and the account as it read it; `None` where there is no plan.
async fn undisturbed(case: &Case) -> Result<Option<(Vec<Seen>, Live)>, String> {
    let watched = Watched::of(case);
    let wire = slow(watched.wire(), case);
    let directory = directory();
    let session = session(&watched.sandbox, &wire);
    match sort_out(
        session
            .reconcile(&case.desired, &settings(case, directory.path()))
            .await,
    )? {
        Came::Through(run) => is_converged(&run).map(|()| Some((wire.seen(), run.live))),
        Came::Refused(_) => Ok(None),
    }
}

async fn survives(case: &Case, read: &Live, cut: Cut) -> Verdict {
    let watched = Watched::of(case);
    let directory = directory();
    let settings = settings(case, directory.path());

    let wire = slow(watched.wire(), case).cut_at(cut);
    let first_session = session(&watched.sandbox, &wire);
    tokio::select! {
        biased;
        () = wire.is_cut() => {}
        run = first_session.reconcile(&case.desired, &settings) => {
            return Err(format!("the run came to its end: {run:?}"));
        }
    }
    let (first_calls, first_steps) = (wire.seen(), watched.steps());

    let again = Watched::over(watched.sandbox.clone());
    let wire = slow(again.wire(), case);
    let second_session = session(&again.sandbox, &wire);
    let run = match sort_out(second_session.reconcile(&case.desired, &settings).await)? {
        Came::Through(run) => run,
        Came::Refused(why) => return Err(format!("the second run is {why}")),
    };
    let after = Account::of(&again.sandbox);
    is_converged(&run)?;
    no_write_is_refused(&wire.seen())?;
    is_fulfilled(&case.desired, &watched.before, &after)?;
    nothing_twice(&watched.before, &after)?;
    nobody_gains_in_between(case, read, &watched.before, &first_steps, &after)?;
    nobody_gains_in_between(case, &run.live, &again.before, &again.steps(), &after)?;
    let calls: Vec<Seen> = first_calls.into_iter().chain(wire.seen()).collect();
    no_password_is_lost(&watched.before, &after, &calls, directory.path())
}

/// A version is the one thing that can be made twice: everything else has a name.
fn nothing_twice(before: &Account, after: &Account) -> Verdict {
    for (arn, policy) in &after.policies {
        let known = before.policies.get(arn).map(|policy| &policy.versions);
        let mut seen: BTreeMap<String, u64> = BTreeMap::new();
        for (version, text) in &policy.versions {
            let is_new = known.is_none_or(|known| !known.contains_key(version));
            let document = PolicyDocument::from_live(text.as_str()).canonical_text().to_owned();
            match seen.insert(document, *version) {
                Some(first) if is_new => return Err(format!("{arn} has {version} and {first}, which say the same")),
                _ => {}
            }
        }
    }
    Ok(())
}

fn every_cut_is_survived(case: &Case, tally: &Tally) -> Verdict {
    let Some((calls, read)) = on_virtual_time(case.seed, undisturbed(case))? else {
        tally.note("refused");
        return Ok(());
    };
    for (call, seen) in calls.iter().enumerate() {
        for takes_effect in [false, true] {
            // A read has no effect, so that its answer cannot be lost in any way that matters.
            if takes_effect && !seen.is_write() {
                continue;
            }
            tally.note(if seen.is_write() {
                "crashes at a write"
            } else {
                "crashes at a read"
            });
            let cut = Cut { call, takes_effect };
            on_virtual_time(case.seed, survives(case, &read, cut))
                .map_err(|broken| format!("cut at call {call}, effective: {takes_effect}: {broken}"))?;
        }
    }
    Ok(())
}

#[test]
fn a_run_that_dies_at_any_call_is_simply_run_again() {
    // All 100 plans that are meant to hold have 6,927 such calls and take ten minutes by themselves, on two cores.
    check("crash", 20, &every_cut_is_survived);
}
