//! Throttling, lag, failures and lost answers: a run converges in bounded time, with bounded retries.

use std::time::Duration;

use tokio::time::Instant;
use trueup_executor::RetryCause;
use trueup_sandbox::Faults;
use trueup_simulation::{
    account::Account,
    case::Case,
    check::{Tally, Verdict, check, directory, on_virtual_time},
    fulfil::is_fulfilled,
    random::Random,
    watch::{Came, Watched, is_converged, no_password_is_lost, no_write_is_refused, session, settings, sort_out},
};

/// How long a run may take in all. The deadline for throttled calls alone is 30 minutes.
const PATIENCE: Duration = Duration::from_secs(30 * 60);

/// How often a run is repeated where calls were left without any answer: five failures in a row are given up.
const RUNS: usize = 3;

fn percent(share: usize) -> f64 {
    f64::from(u32::try_from(share).unwrap_or(0)) / 100.0
}

/// Faults as bad as they are meant to be borne.
fn faults(case: &Case) -> Faults {
    let mut random = Random::of(case.seed, "faults");
    let mut faults = Faults {
        seed: case.seed,
        latency: Duration::from_millis(random.below(200) as u64),
        concurrent: random.percent(30),
        unmodifiable: u32::try_from(random.below(4)).unwrap_or(0),
        empty_pages: random.percent(30),
        page_size: std::num::NonZeroUsize::new(random.below(6)),
        ..Faults::default()
    };
    match random.below(5) {
        0 => faults.throttle = percent(random.between(1, 50)),
        1 => faults.rate = Some(f64::from(u32::try_from(random.between(2, 20)).unwrap_or(2))),
        2 => faults.server_error = percent(random.between(1, 20)),
        3 => faults.lost_answer = percent(random.between(1, 15)),
        _ => {
            faults.throttle = percent(random.between(0, 25));
            faults.server_error = percent(random.between(0, 10));
            faults.lost_answer = percent(random.between(0, 5));
        }
    }
    faults
}

fn is_borne(case: &Case, tally: &Tally) -> Verdict {
    on_virtual_time(case.seed, async {
        let watched = Watched::of(case);
        let faults = faults(case);
        watched.sandbox.set_faults(faults.clone());
        let wire = watched.wire();
        let session = session(&watched.sandbox, &wire);
        let directory = directory();
        let settings = trueup_simulation::reconcile::Settings {
            paced: true,
            ..settings(case, directory.path())
        };
        let begin = Instant::now();
        let mut last = Err("never run".to_owned());
        for run in 1..=RUNS {
            let through = match sort_out(session.reconcile(&case.desired, &settings).await) {
                Ok(Came::Through(run)) => run,
                Ok(Came::Refused(why)) => {
                    tally.note(why);
                    return Ok(());
                }
                Err(stop) => {
                    last = Err(stop);
                    continue;
                }
            };
            if let Some(report) = &through.report {
                let (calls, throttled) = (
                    report.calls.values().sum::<u64>(),
                    report.retries.get(&RetryCause::Throttled),
                );
                let rest: u64 = report.retries.values().sum::<u64>() - throttled.unwrap_or(&0);
                tally.add("retries", report.retries.values().sum());
                tally.add("requests of executors", calls);
                // Every action is sent five times at most where no answer comes; nothing else is settled for long here.
                let most = 12 * (1 + report.actions.len() as u64);
                if rest > most {
                    return Err(format!("{rest} retries for {} actions", report.actions.len()));
                }
            }
            last = is_converged(&through);
            if last.is_ok() {
                tally.note(&format!("converged in run {run}"));
                break;
            }
        }
        let took = begin.elapsed();
        tally.add("virtual seconds", took.as_secs());
        last.map_err(|broken| format!("{broken}\nunder {faults:?}"))?;
        if took > PATIENCE {
            return Err(format!("it takes {took:?} under {faults:?}"));
        }
        let after = Account::of(&watched.sandbox);
        is_fulfilled(&case.desired, &watched.before, &after)?;
        no_password_is_lost(&watched.before, &after, &wire.seen(), directory.path())
    })
}

fn lag_is_borne(case: &Case, tally: &Tally) -> Verdict {
    on_virtual_time(case.seed, async {
        let watched = Watched::of(case);
        let replica = watched.sandbox.fork();
        let mut random = Random::of(case.seed, "lag");
        let behind = Duration::from_millis(random.below(10_000) as u64);
        let wire = watched.wire().with_lag(random, behind, &replica);
        let session = session(&watched.sandbox, &wire);
        let directory = directory();
        let settings = trueup_simulation::reconcile::Settings {
            paced: true,
            ..settings(case, directory.path())
        };
        let begin = Instant::now();
        let run = match sort_out(session.reconcile(&case.desired, &settings).await)? {
            Came::Refused(why) => {
                tally.note(why);
                return Ok(());
            }
            Came::Through(run) => run,
        };
        tally.add("virtual seconds", begin.elapsed().as_secs());
        is_converged(&run).map_err(|broken| format!("{behind:?} behind: {broken}"))?;
        if begin.elapsed() > PATIENCE {
            return Err(format!(
                "it takes {:?} where reads are {behind:?} behind",
                begin.elapsed()
            ));
        }
        no_write_is_refused(&wire.seen())?;
        let after = Account::of(&watched.sandbox);
        is_fulfilled(&case.desired, &watched.before, &after)?;
        no_password_is_lost(&watched.before, &after, &wire.seen(), directory.path())
    })
}

#[test]
fn throttling_failures_and_lost_answers_are_borne() {
    check("faults", 600, &is_borne);
}

#[test]
fn reads_that_lag_behind_writes_are_borne() {
    check("lag", 300, &lag_is_borne);
}
