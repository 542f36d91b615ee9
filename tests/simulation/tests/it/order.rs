//! The same input in another order of files, keys and pages gives the same bytes and the same digest, and one seed gives
//! the same run.

use std::{num::NonZeroUsize, time::Duration};

use trueup_planner::Plan;
use trueup_report::plan_json;
use trueup_sandbox::Faults;
use trueup_simulation::{
    case::Case,
    check::{Tally, Verdict, check, directory, on_virtual_time},
    manifest::{self, Shuffle},
    random::Random,
    watch::{Watched, session, settings, sort_out},
};

/// The plan document without the number of calls, which pages change.
fn bytes(plan: &Plan) -> String {
    let mut plan = plan.clone();
    plan.reads = trueup_planner::Reads::default();
    plan_json(&plan).expect("a plan can be written")
}

fn is_the_same(case: &Case, tally: &Tally) -> Verdict {
    let mut random = Random::of(case.seed, "order");
    let one = manifest::parse(&manifest::one_file(&case.desired))?;
    if one != case.desired {
        return Err(format!(
            "the manifest means something else:\n{one:#?}\n{:#?}",
            case.desired
        ));
    }
    let files = manifest::shuffled(&case.desired, Shuffle::AllButDocuments, &mut random);
    let other = manifest::parse(&files)?;
    let files_and_documents = manifest::shuffled(&case.desired, Shuffle::Everything, &mut random);
    let third = manifest::parse(&files_and_documents)?;
    let pages = Faults {
        page_size: NonZeroUsize::new(random.between(1, 5)),
        empty_pages: random.percent(50),
        ..Faults::default()
    };
    on_virtual_time(case.seed, async {
        let watched = Watched::of(case);
        let wire = watched.wire();
        let session = session(&watched.sandbox, &wire);
        let first = match session.plan(&one).await {
            Ok((plan, _)) => plan,
            Err(stop) => {
                let words = stop.to_string();
                let again = session.plan(&other).await.map(drop).map_err(|stop| stop.to_string());
                tally.note("the same refusal");
                return match again == Err(words) {
                    true => sort_out(Err(stop)).map(drop),
                    false => Err("it is refused in other words".to_owned()),
                };
            }
        };
        watched.sandbox.set_faults(pages.clone());
        let (second, _) = session.plan(&other).await.map_err(|stop| stop.to_string())?;
        tally.note("the same plan");
        let (third, _) = session.plan(&third).await.map_err(|stop| stop.to_string())?;
        if third.digest != first.digest {
            return Err(format!("two digests, {pages:?}, {files_and_documents:#?}"));
        }
        let (first, second) = (bytes(&first), bytes(&second));
        match first.lines().zip(second.lines()).find(|(one, other)| one != other) {
            None if first.len() == second.len() => Ok(()),
            differs => Err(format!("two plans, {differs:?}, {pages:?}, {files:#?}")),
        }
    })
}

/// What happens in a run, passwords aside, since nobody may be able to repeat these.
fn happenings(case: &Case) -> Vec<String> {
    on_virtual_time(case.seed, async {
        let watched = Watched::of(case);
        watched.sandbox.set_faults(Faults {
            seed: case.seed,
            throttle: 0.2,
            server_error: 0.1,
            ..Faults::default()
        });
        let wire = watched
            .wire()
            .with_latency(Random::of(case.seed, "latency"), Duration::from_millis(80));
        let session = session(&watched.sandbox, &wire);
        let directory = directory();
        let _ = session
            .reconcile(&case.desired, &settings(case, directory.path()))
            .await;
        wire.seen()
            .iter()
            .map(trueup_simulation::wire::Seen::describe)
            .collect()
    })
}

fn can_be_repeated(case: &Case, tally: &Tally) -> Verdict {
    let first = happenings(case);
    // Nor may it matter who listens.
    let listener = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::DEBUG)
        .with_writer(std::io::sink)
        .finish();
    let second = tracing::subscriber::with_default(listener, || happenings(case));
    tally.add("calls", first.len() as u64);
    let same = first
        .iter()
        .zip(&second)
        .take_while(|(one, other)| one == other)
        .count();
    if same == first.len() && same == second.len() {
        return Ok(());
    }
    let around = |calls: &[String]| {
        calls
            .iter()
            .skip(same.saturating_sub(5))
            .take(10)
            .cloned()
            .collect::<Vec<_>>()
    };
    Err(format!(
        "two runs of one seed, {} and {} calls, differ from call {same} on:\n{:#?}\n{:#?}",
        first.len(),
        second.len(),
        around(&first),
        around(&second)
    ))
}

#[test]
fn another_order_of_files_keys_and_pages_gives_the_same_bytes() {
    check("order", 1000, &is_the_same);
}

#[test]
fn one_seed_gives_one_run() {
    check("repeated", 100, &can_be_repeated);
}
