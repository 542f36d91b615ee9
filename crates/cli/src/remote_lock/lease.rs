//! What a lock says of its holder, and how long that holds.

use std::{
    fmt,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tokio::time::Instant;

/// The version of the lock's object. Minor versions add, major versions break.
const FORMAT_VERSION: &str = "1.0";

/// The object that is the lock. Its age is what S3 says of it: no clock of a holder decides anything.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Lease {
    format_version: String,
    /// What `force-unlock` asks for.
    pub(super) id: String,
    pub(super) account: String,
    pub(super) owner: Owner,
    /// When the run began, by its own clock: for people.
    pub(super) since: Timestamp,
    /// How long after its last writing the lock is anybody's.
    pub(super) lease_seconds: u64,
    /// How often it was renewed; two renewals are never the same bytes.
    pub(super) renewals: u64,
}

/// Who holds a lock.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Owner {
    pub(crate) caller: String,
    pub(crate) host: String,
    pub(crate) pid: u32,
    pub(crate) program: String,
}

impl Owner {
    /// This process.
    pub(crate) fn this(caller: String) -> Self {
        Self {
            caller,
            host: rustix::system::uname().nodename().to_string_lossy().into_owned(),
            pid: std::process::id(),
            program: format!("trueup {}", env!("CARGO_PKG_VERSION")),
        }
    }
}

impl Lease {
    pub(super) fn new(id: String, account: String, owner: Owner, lease: Duration) -> Self {
        Self {
            format_version: FORMAT_VERSION.to_owned(),
            id,
            account,
            owner,
            since: Timestamp::now(),
            lease_seconds: lease.as_secs(),
            renewals: 0,
        }
    }

    pub(super) fn read(body: &[u8]) -> Result<Self, serde_json::Error> {
        serde_json::from_slice(body)
    }

    pub(super) fn to_bytes(&self) -> Vec<u8> {
        let mut text = serde_json::to_vec_pretty(self).unwrap_or_default();
        text.push(b'\n');
        text
    }

    pub(super) fn is_over(&self, age: Duration) -> bool {
        age > Duration::from_secs(self.lease_seconds)
    }
}

impl fmt::Display for Lease {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Owner {
            caller,
            host,
            pid,
            program: _,
        } = &self.owner;
        let since = self.since.strftime("%Y-%m-%dT%H:%M:%SZ");
        write!(f, "{caller} on {host}, process {pid}, since {since}")
    }
}

/// How long this process may count on its lease: from the moment before the last write that S3 has acknowledged.
#[derive(Debug)]
pub(super) struct Validity {
    for_as_long_as: Duration,
    written: Mutex<(Instant, Timestamp)>,
    lost: std::sync::atomic::AtomicBool,
}

impl Validity {
    pub(super) fn new(lease: Duration, written: (Instant, Timestamp)) -> Self {
        Self {
            // What is in flight at the end still has to arrive.
            for_as_long_as: lease.mul_f64(0.8),
            written: Mutex::new(written),
            lost: std::sync::atomic::AtomicBool::new(false),
        }
    }

    pub(super) fn now() -> (Instant, Timestamp) {
        (Instant::now(), Timestamp::now())
    }

    pub(super) fn renew(&self, written: (Instant, Timestamp)) {
        *self.written.lock().unwrap_or_else(PoisonError::into_inner) = written;
    }

    pub(super) fn lose(&self) {
        self.lost.store(true, std::sync::atomic::Ordering::SeqCst);
    }

    pub(super) fn holds(&self) -> bool {
        let (instant, time) = *self.written.lock().unwrap_or_else(PoisonError::into_inner);
        // One clock stands still while the machine sleeps, the other one can be set.
        let slept = Duration::try_from(Timestamp::now().duration_since(time)).unwrap_or_default();
        !self.lost.load(std::sync::atomic::Ordering::SeqCst) && instant.elapsed().max(slept) < self.for_as_long_as
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lease_is_over_by_the_age_of_its_object() {
        let owner = Owner::this("arn:aws:iam::123456789012:user/alice".to_owned());
        let lease = Lease::new(
            "x".to_owned(),
            "123456789012".to_owned(),
            owner,
            Duration::from_secs(60),
        );
        assert!(!lease.is_over(Duration::from_secs(60)));
        assert!(lease.is_over(Duration::from_secs(61)));
        let read = Lease::read(&lease.to_bytes()).unwrap();
        assert_eq!((read.id, read.lease_seconds), ("x".to_owned(), 60));
    }

    #[tokio::test(start_paused = true)]
    async fn nobody_counts_on_a_lease_up_to_its_last_second() {
        let validity = Validity::new(Duration::from_secs(100), Validity::now());
        tokio::time::advance(Duration::from_secs(79)).await;
        assert!(validity.holds());
        tokio::time::advance(Duration::from_secs(2)).await;
        assert!(!validity.holds());
        validity.renew(Validity::now());
        assert!(validity.holds());
        validity.lose();
        assert!(!validity.holds());
    }

    #[test]
    fn a_machine_that_slept_holds_nothing() {
        let (instant, time) = Validity::now();
        let before = time - jiff::SignedDuration::from_secs(600);
        assert!(!Validity::new(Duration::from_secs(300), (instant, before)).holds());
    }
}
