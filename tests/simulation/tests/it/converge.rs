//! A run converges, rests, leaves alone what it does not own, and lets nobody do more in between.

use trueup_simulation::{
    account::Account,
    case::Case,
    check::{Tally, Verdict, check, directory, on_virtual_time},
    fulfil::is_fulfilled,
    watch::{
        Came, Watched, is_converged, no_password_is_lost, no_write_is_refused, nobody_gains_in_between, session,
        settings, sort_out,
    },
};

fn converges(case: &Case, tally: &Tally) -> Verdict {
    on_virtual_time(case.seed, async {
        let watched = Watched::of(case);
        let wire = watched.wire();
        let session = session(&watched.sandbox, &wire);
        let directory = directory();
        let outcome = session
            .reconcile(&case.desired, &settings(case, directory.path()))
            .await;
        let run = match sort_out(outcome)? {
            Came::Refused(why) => {
                tally.note(why);
                return match watched.steps().is_empty() {
                    true => Ok(()),
                    false => Err("something was written although there is no plan".to_owned()),
                };
            }
            Came::Through(run) => run,
        };
        let after = Account::of(&watched.sandbox);
        let steps = watched.steps();
        tally.add("writes", steps.len() as u64);
        tally.add("calls", wire.seen().len() as u64);
        no_write_is_refused(&wire.seen())?;
        is_converged(&run)?;
        tally.note("converged");
        is_fulfilled(&case.desired, &watched.before, &after)?;
        nobody_gains_in_between(case, &run.live, &watched.before, &steps, &after)?;
        no_password_is_lost(&watched.before, &after, &wire.seen(), directory.path())
    })
}

#[test]
fn every_run_converges_and_lets_nobody_do_more_in_between() {
    // A third of random manifests cannot be had in one run, and their plans say so. 3,000 that can are looked for.
    let tally = check("converges", 4600, &converges);
    tally.require_count("converged", 3000);
}
