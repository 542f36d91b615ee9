//! A generated password stands in its credential file and nowhere else, whatever happens to its call.

use std::{
    fs,
    io::{self, Write},
    panic::{AssertUnwindSafe, catch_unwind},
    path::Path,
    sync::{Arc, Mutex, PoisonError},
};

use trueup_model::desired::LoginProfileWish;
use trueup_report::{TextOptions, Verbosity, plan_json, render_plan_text, to_json};
use trueup_sandbox::Faults;
use trueup_simulation::{
    case::Case,
    check::{Tally, Verdict, check, directory, on_virtual_time},
    random::Random,
    reconcile::{Run, Stop},
    watch::{Watched, session, settings},
};

/// Everything that is logged, at the most talkative level.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Log {
    fn text(&self) -> String {
        String::from_utf8_lossy(&self.0.lock().unwrap_or_else(PoisonError::into_inner)).into_owned()
    }

    fn collect<T>(&self, work: impl FnOnce() -> T) -> T {
        let log = self.clone();
        let subscriber = tracing_subscriber::fmt()
            .with_max_level(tracing::Level::TRACE)
            .with_writer(move || log.clone())
            .with_ansi(false)
            .finish();
        tracing::subscriber::with_default(subscriber, work)
    }
}

/// What befalls the call that carries the password.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Accident {
    None,
    Faults,
    /// IAM repeats the password in a refusal, as its validation messages once did.
    Echo,
    /// The process falls over.
    Panic,
}

/// Everything that can be shown of a run.
fn shown(outcome: &Result<Run, Stop>) -> String {
    let run = match outcome {
        Ok(run) => run,
        Err(stop) => return format!("{stop} {stop:?}"),
    };
    let mut shown = format!("{run:?}");
    for verbosity in [Verbosity::Quiet, Verbosity::Normal, Verbosity::Verbose] {
        let options = TextOptions {
            verbosity,
            ..TextOptions::default()
        };
        shown.push_str(&render_plan_text(&run.plan, &options));
    }
    shown.push_str(&plan_json(&run.plan).expect("a plan can be written"));
    shown.push_str(&to_json(&run.report).expect("a report can be written"));
    shown
}

/// Everything that a run leaves behind but its credential files.
fn left_behind(directory: &Path) -> String {
    let entries = fs::read_dir(directory.join("journal")).into_iter().flatten();
    let texts = entries
        .filter_map(Result::ok)
        .map(|entry| fs::read_to_string(entry.path()).unwrap_or_default());
    texts.collect()
}

fn stays_secret(case: &Case, tally: &Tally) -> Verdict {
    let mut case = case.clone();
    for user in case.desired.users.values_mut() {
        user.login_profile.get_or_insert(LoginProfileWish::Present {
            password_reset_required: true,
        });
    }
    let accident =
        *Random::of(case.seed, "accident").pick(&[Accident::None, Accident::Faults, Accident::Echo, Accident::Panic]);
    let watched = Watched::of(&case);
    let mut wire = watched.wire();
    match accident {
        Accident::None => {}
        Accident::Faults => watched.sandbox.set_faults(Faults {
            seed: case.seed,
            lost_answer: 0.2,
            server_error: 0.2,
            unmodifiable: 2,
            ..Faults::default()
        }),
        Accident::Echo => wire = wire.repeating_passwords(),
        Accident::Panic => {
            wire = wire.before_each(|_, seen| {
                assert!(seen.operation != "CreateLoginProfile", "the process falls over");
            });
        }
    }
    let (log, directory) = (Log::default(), directory());
    let settings = settings(&case, directory.path());
    let outcome = log.collect(|| {
        catch_unwind(AssertUnwindSafe(|| {
            on_virtual_time(case.seed, async {
                session(&watched.sandbox, &wire)
                    .reconcile(&case.desired, &settings)
                    .await
            })
        }))
    });
    let panicked = outcome.as_ref().err().map(|panic| {
        let text = panic.downcast_ref::<String>().cloned();
        text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()))
            .unwrap_or_default()
    });
    let places = [
        ("the log", log.text()),
        ("the output", outcome.as_ref().map(shown).unwrap_or_default()),
        ("the journal", left_behind(directory.path())),
        ("the panic", panicked.unwrap_or_default()),
        ("the account's export", format!("{:?}", watched.sandbox)),
    ];
    for password in wire.passwords() {
        tally.note(&format!("passwords, accident: {accident:?}"));
        for (place, text) in &places {
            if text.contains(&password) {
                return Err(format!("a password stands in {place} ({accident:?})"));
            }
        }
    }
    tally.add("characters of logs", log.text().len() as u64);
    Ok(())
}

#[test]
fn a_password_stands_in_its_file_and_nowhere_else() {
    let tally = check("secrets", 120, &stays_secret);
    tally.require("characters of logs");
    for accident in ["None", "Faults", "Echo", "Panic"] {
        tally.require(&format!("passwords, accident: {accident}"));
    }
}
