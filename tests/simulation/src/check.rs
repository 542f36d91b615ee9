//! Running a property over many cases, and telling of the one that fails: its seed, and the smallest case like it.

use std::{
    any::Any,
    cell::Cell,
    collections::BTreeMap,
    fmt::Write as _,
    panic::{AssertUnwindSafe, catch_unwind},
    path::Path,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread,
    time::Instant,
};

use tempfile::TempDir;

use crate::{case::Case, manifest, shrink::shrink};

/// Counts of what happened, so that a property that never meets what it is about is noticed.
#[derive(Debug, Default)]
pub struct Tally(Mutex<BTreeMap<String, u64>>);

impl Tally {
    /// Counts one of these.
    pub fn note(&self, what: &str) {
        self.add(what, 1);
    }

    /// Counts so many of these.
    pub fn add(&self, what: &str, count: u64) {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *counts.entry(what.to_owned()).or_default() += count;
    }

    /// Keeps the largest of these numbers.
    pub fn most(&self, what: &str, number: u64) {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let kept = counts.entry(what.to_owned()).or_default();
        *kept = number.max(*kept);
    }

    /// How many there were.
    pub fn count(&self, what: &str) -> u64 {
        let counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        counts.get(what).copied().unwrap_or(0)
    }

    /// Insists that there was one of these at least, since a property that never meets what it is about proves nothing.
    /// A few cases, or a single one that is repeated, may lack it.
    ///
    /// # Panics
    ///
    /// Where there was none.
    pub fn require(&self, what: &str) {
        self.require_count(what, 1);
    }

    /// Insists that there were so many of these.
    ///
    /// # Panics
    ///
    /// Where there were fewer.
    pub fn require_count(&self, what: &str, least: u64) {
        let switches = ["SEED", "FROM", "CASES"].map(|name| variable(&format!("TRUEUP_SIMULATION_{name}")));
        let count = self.count(what);
        let as_daily = switches.iter().all(Option::is_none);
        assert!(
            !as_daily || count >= least,
            "it came to this {count} times only: {what}"
        );
    }

    fn lines(&self) -> String {
        let counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut lines = String::new();
        for (what, count) in counts.iter() {
            let _ = writeln!(lines, "  {count:>9} {what}");
        }
        lines
    }
}

/// What a property says of a case: nothing, or how it is broken.
pub type Verdict = Result<(), String>;

/// A property of a case. What it notes is printed and can be asked for afterwards.
pub type Property = dyn Fn(&Case, &Tally) -> Verdict + Sync;

fn variable(name: &str) -> Option<u64> {
    #[expect(
        clippy::disallowed_methods,
        reason = "the simulation's own switches, not the product's"
    )]
    let text = std::env::var(name).ok()?;
    Some(
        text.parse()
            .unwrap_or_else(|_| panic!("{name} is a number, not {text}")),
    )
}

/// How many cases are run where so many are meant for every day: `TRUEUP_SIMULATION_CASES`, in the proportion in which
/// properties stand to one another, is for the long run.
pub fn daily(daily: u64) -> u64 {
    const DAILY: u64 = 3000;
    variable("TRUEUP_SIMULATION_CASES").map_or(daily, |cases| (cases * daily).div_ceil(DAILY).max(1))
}

/// Checks a property on the cases of the seeds from 0 (or from `TRUEUP_SIMULATION_FROM`), or on the one of
/// `TRUEUP_SIMULATION_SEED`.
///
/// # Panics
///
/// When the property is broken, with the seed, and with the smallest case that breaks it.
pub fn check(name: &str, daily: u64, property: &Property) -> Tally {
    let tally = Tally::default();
    let seeds = match variable("TRUEUP_SIMULATION_SEED") {
        Some(seed) => seed..seed + 1,
        None => {
            let first = variable("TRUEUP_SIMULATION_FROM").unwrap_or(0);
            first..first + self::daily(daily)
        }
    };
    let begin = Instant::now();
    let next = AtomicU64::new(seeds.start);
    let stop = AtomicBool::new(false);
    let failures: Mutex<BTreeMap<u64, String>> = Mutex::default();
    let threads = thread::available_parallelism().map_or(2, usize::from);
    thread::scope(|scope| {
        for _ in 0..threads {
            spacious(scope, || {
                while !stop.load(Ordering::Relaxed) {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= seeds.end {
                        return;
                    }
                    if let Err(broken) = guarded(&Case::of(seed), &tally, property) {
                        stop.store(true, Ordering::Relaxed);
                        failures
                            .lock()
                            .unwrap_or_else(PoisonError::into_inner)
                            .insert(seed, broken);
                    }
                }
            });
        }
    });
    let failures = failures.into_inner().unwrap_or_else(PoisonError::into_inner);
    if let Some((seed, broken)) = failures.into_iter().next() {
        // Looking for a smaller case takes minutes: what is known is said first.
        println!("{name}: TRUEUP_SIMULATION_SEED={seed}: {broken}");
        let told = thread::scope(|scope| spacious(scope, || tell(name, seed, &broken, property)).join());
        panic!("{}", told.expect("failures are told"));
    }
    let cases = seeds.end - seeds.start;
    let seconds = begin.elapsed().as_secs_f64();
    println!("{name}: {cases} cases in {seconds:.1} s\n{}", tally.lines());
    tally
}

/// A thread with room for the SDK's futures, which are large where nothing is optimised.
fn spacious<'scope, T: Send + 'scope>(
    scope: &'scope thread::Scope<'scope, '_>,
    work: impl FnOnce() -> T + Send + 'scope,
) -> thread::ScopedJoinHandle<'scope, T> {
    let thread = thread::Builder::new().stack_size(64 << 20);
    thread.spawn_scoped(scope, work).expect("a thread")
}

/// A panic of the product is a failure of the case.
fn guarded(case: &Case, tally: &Tally, property: &Property) -> Verdict {
    catch_unwind(AssertUnwindSafe(|| property(case, tally)))
        .unwrap_or_else(|panic| Err(format!("it panics: {}", words(panic.as_ref()))))
}

fn words(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied())
        .unwrap_or("without words")
}

fn tell(name: &str, seed: u64, broken: &str, property: &Property) -> String {
    let ignored = Tally::default();
    let kind = kind(broken);
    let small = shrink(Case::of(seed), |case| {
        guarded(case, &ignored, property).is_err_and(|other| self::kind(&other) == kind)
    });
    let of_small = match guarded(&small, &ignored, property) {
        Err(broken) => format!("the smallest case like it says: {broken}"),
        Ok(()) => "it does not happen every time: something else than the seed decides".to_owned(),
    };
    format!(
        "\n{name}: TRUEUP_SIMULATION_SEED={seed} repeats this\n\n{broken}\n\n{of_small}\n\n{}",
        show(&small)
    )
}

/// What a failure says but for names, numbers and calls: a smaller case has to fail for the same reason.
fn kind(broken: &str) -> Vec<String> {
    let first = broken.lines().next().unwrap_or_default();
    let spoken = first.split('`').step_by(2).collect::<Vec<_>>().join(" ");
    let words = spoken.split_whitespace().map(|word| word.trim_matches([',', ':', '.']));
    words
        .filter(|word| !word.is_empty() && word.chars().all(|c| c.is_ascii_lowercase()))
        .map(str::to_owned)
        .collect()
}

/// A case for people: the live account as JSON, and the manifest.
pub fn show(case: &Case) -> String {
    let live = serde_json::to_string_pretty(&case.live).expect("an account can be written");
    let files = manifest::one_file(&case.desired);
    let manifest: Vec<&str> = files.values().map(String::as_str).collect();
    format!("live account:\n{live}\n\nmanifest:\n{}\n", manifest.join("\n"))
}

thread_local! {
    /// The seed of what this thread runs.
    static SEED: Cell<u64> = const { Cell::new(0) };
}

/// Runs something on a clock of its own that stands still until nothing else is left to do, with all chance of the SDK
/// drawn from the seed.
///
/// # Panics
///
/// Where no runtime can be made.
pub fn on_virtual_time<T>(seed: u64, future: impl Future<Output = T>) -> T {
    SEED.set(seed);
    reseed(0);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .start_paused(true)
        .build()
        .expect("a runtime");
    runtime.block_on(future)
}

/// Has the SDK draw the jitter of its next retry from the seed and this number, whatever else it has drawn before: it
/// draws an id for each operation where somebody listens to its spans, on whatever thread.
pub(crate) fn reseed(number: usize) {
    fastrand::seed(SEED.get() ^ (number as u64).rotate_left(32));
}

/// A directory for one run, in memory where there is such a place: journals are synced line by line.
///
/// # Panics
///
/// Where none can be made.
pub fn directory() -> TempDir {
    let memory = Path::new("/dev/shm");
    let mut builder = tempfile::Builder::new();
    builder.prefix("trueup-simulation-");
    let made = if memory.is_dir() {
        builder.tempdir_in(memory)
    } else {
        builder.tempdir()
    };
    made.expect("a temporary directory")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failures_of_one_kind_differ_in_names_and_numbers_alone() {
        let one = "after PutUserPolicy UserName=bob: `bob` may do `s3:get on *` with MFA, and could neither before";
        let same = "after DetachUserPolicy UserName=zoe: `zoe` may do `iam: on a` with MFA, and could neither before";
        let another = "refused: DeleteGroup GroupName=team -> DeleteConflict";
        assert_eq!(kind(one), kind(same));
        assert_ne!(kind(one), kind(another));
    }
}
