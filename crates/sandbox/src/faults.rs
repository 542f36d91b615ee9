//! Faults on purpose: what a client of the real IAM has to live with. Seeded, all off by default. Decides what goes
//! wrong and when, never what an operation means.

use std::{collections::BTreeMap, fmt, num::NonZeroUsize, str::FromStr, time::Duration};

use tokio::time::Instant;

use crate::{
    errors::ApiError,
    ids::Random,
    paging::PageShape,
    state::{Kind, State},
    trust,
    wire::Request,
};

/// Which faults a sandbox has. Parsed from text such as `throttle=0.2,seed=7,latency-ms=20`.
///
/// ```
/// let faults: trueup_sandbox::Faults = "throttle=0.2,seed=7,stale-reads=2".parse()?;
/// assert_eq!(faults.stale_reads, 2);
/// # Ok::<(), trueup_sandbox::FaultsError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Faults {
    /// `seed`: what all chances are drawn from.
    pub seed: u64,
    /// `throttle`: the share of calls that are answered `Throttling`, without effect.
    pub throttle: f64,
    /// `rate`: calls per second that are let through, with a burst of as many; those above are throttled.
    pub rate: Option<f64>,
    /// `server-error`: the share of calls that are answered `ServiceFailure`, without effect.
    pub server_error: f64,
    /// `lost-answer`: the share of calls that take effect and are then answered 500, or not at all.
    pub lost_answer: f64,
    /// `lost-request`: the share of calls whose connection breaks before they have any effect.
    pub lost_request: f64,
    /// `latency-ms`: how long every call takes.
    pub latency: Duration,
    /// `page-size`: pages hold at most so many items, whatever was asked for.
    pub page_size: Option<NonZeroUsize>,
    /// `empty-pages`: every page is preceded by an empty one that is truncated.
    pub empty_pages: bool,
    /// `stale-reads`: how many reads after a write still see the account as it was before it.
    pub stale_reads: u32,
    /// `stale-seconds`: for how long reads do not see a write.
    pub stale_for: Duration,
    /// `stale-writes`: how many writes after a create still fail to find what it made.
    pub stale_writes: u32,
    /// `unmodifiable`: how many calls that change a login profile or enable an MFA device after
    /// `CreateLoginProfile` are answered `EntityTemporarilyUnmodifiable`.
    pub unmodifiable: u32,
    /// `unknown-principal-seconds`: for how long after its creation a user or role is answered to be no principal where a
    /// trust policy names it.
    pub unknown_principal_for: Duration,
    /// `foreign-change`: before the call of this number, counted from when the faults were set, somebody else changes
    /// the account.
    pub foreign_change: Option<NonZeroUsize>,
    /// `concurrent`: writes of one principal that overlap in time are answered `ConcurrentModification`; needs
    /// `latency-ms` to make calls take time.
    pub concurrent: bool,
}

/// Why a text does not describe faults.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FaultsError {
    /// Not `key=value`.
    #[error("`{0}` is not of the form `fault=value`")]
    Form(String),
    /// No such fault.
    #[error("there is no fault `{found}`; there are {}", KEYS.join(", "))]
    Unknown {
        /// What was given.
        found: String,
    },
    /// The same fault twice.
    #[error("`{0}` is given twice")]
    Twice(String),
    /// A value that the fault cannot have.
    #[error("`{key}` has to be {expected}, not `{found}`")]
    Value {
        /// The fault.
        key: &'static str,
        /// What is expected.
        expected: &'static str,
        /// What was given.
        found: String,
    },
}

const KEYS: [&str; 16] = [
    "throttle",
    "rate",
    "server-error",
    "lost-answer",
    "lost-request",
    "latency-ms",
    "page-size",
    "empty-pages",
    "stale-reads",
    "stale-seconds",
    "stale-writes",
    "unmodifiable",
    "unknown-principal-seconds",
    "foreign-change",
    "concurrent",
    "seed",
];

const SHARE: &str = "a number from 0 to 1";
const COUNT: &str = "a whole number";
const ABOVE_ZERO: &str = "a whole number above 0";

impl FromStr for Faults {
    type Err = FaultsError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut faults = Self::default();
        let mut seen = BTreeMap::new();
        for part in text.split(',').map(str::trim).filter(|part| !part.is_empty()) {
            let (key, value) = part.split_once('=').ok_or_else(|| FaultsError::Form(part.to_owned()))?;
            let (key, value) = (key.trim(), value.trim());
            let key = *KEYS
                .iter()
                .find(|known| **known == key)
                .ok_or_else(|| FaultsError::Unknown { found: key.to_owned() })?;
            if seen.insert(key, ()).is_some() {
                return Err(FaultsError::Twice(key.to_owned()));
            }
            match key {
                "throttle" => faults.throttle = share(key, value)?,
                "server-error" => faults.server_error = share(key, value)?,
                "lost-answer" => faults.lost_answer = share(key, value)?,
                "lost-request" => faults.lost_request = share(key, value)?,
                "rate" => {
                    faults.rate = Some(parse(key, value, "a number above 0", |rate: &f64| {
                        *rate > 0.0 && rate.is_finite()
                    })?)
                }
                "latency-ms" => faults.latency = Duration::from_millis(parse(key, value, COUNT, |_| true)?),
                "page-size" => faults.page_size = Some(parse(key, value, ABOVE_ZERO, |_| true)?),
                "empty-pages" => faults.empty_pages = parse(key, value, "true or false", |_| true)?,
                "stale-reads" => faults.stale_reads = parse(key, value, COUNT, |_| true)?,
                "stale-seconds" => faults.stale_for = seconds(key, value)?,
                "unknown-principal-seconds" => faults.unknown_principal_for = seconds(key, value)?,
                "foreign-change" => faults.foreign_change = Some(parse(key, value, ABOVE_ZERO, |_| true)?),
                "stale-writes" => faults.stale_writes = parse(key, value, COUNT, |_| true)?,
                "unmodifiable" => faults.unmodifiable = parse(key, value, COUNT, |_| true)?,
                "concurrent" => faults.concurrent = parse(key, value, "true or false", |_| true)?,
                _ => faults.seed = parse(key, value, COUNT, |_| true)?,
            }
        }
        Ok(faults)
    }
}

fn share(key: &'static str, value: &str) -> Result<f64, FaultsError> {
    parse(key, value, SHARE, |share: &f64| (0.0..=1.0).contains(share))
}

fn seconds(key: &'static str, value: &str) -> Result<Duration, FaultsError> {
    parse(key, value, COUNT, |_| true).map(Duration::from_secs)
}

fn parse<T: FromStr>(
    key: &'static str,
    value: &str,
    expected: &'static str,
    allowed: impl Fn(&T) -> bool,
) -> Result<T, FaultsError> {
    let parsed = value.parse().ok().filter(allowed);
    parsed.ok_or_else(|| FaultsError::Value {
        key,
        expected,
        found: value.to_owned(),
    })
}

impl Faults {
    pub(crate) fn page_shape(&self) -> PageShape {
        PageShape {
            cap: self.page_size.map(NonZeroUsize::get),
            empty_first: self.empty_pages,
        }
    }
}

/// What befalls one call apart from its own outcome.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fate {
    /// It runs and its answer arrives.
    Answered,
    /// It is refused before it has any effect.
    Throttled,
    /// It fails before it has any effect.
    Failed,
    /// The connection breaks before it has any effect.
    RequestDropped,
    /// It runs, then the answer is a 500.
    AnswerReplaced,
    /// It runs, then the connection breaks.
    AnswerDropped,
}

impl Fate {
    pub(crate) fn refusal(self) -> Option<ApiError> {
        match self {
            Self::Throttled => Some(ApiError::throttling("Rate exceeded")),
            Self::Failed | Self::AnswerReplaced => Some(ApiError::service_failure(
                "The request processing has failed because of an unknown error.",
            )),
            Self::Answered | Self::AnswerDropped | Self::RequestDropped => None,
        }
    }

    /// Whether the operation never runs.
    pub(crate) fn is_before_effect(self) -> bool {
        matches!(self, Self::Throttled | Self::Failed | Self::RequestDropped)
    }
}

/// The faults of a running sandbox.
#[derive(Clone)]
pub(crate) struct FaultState {
    faults: Faults,
    random: Random,
    /// Calls that the rate still lets through, and when that was reckoned.
    bucket: Option<(f64, Instant)>,
    /// By user id: how many calls are still answered `EntityTemporarilyUnmodifiable`.
    unmodifiable: BTreeMap<String, u32>,
    /// By id: when users and roles were made, while trust policies cannot name them yet.
    unknown_principals: BTreeMap<String, Instant>,
    /// How many calls there were.
    seen: usize,
    /// Writes on their way, by the principal that they change.
    in_flight: BTreeMap<String, usize>,
}

impl fmt::Debug for FaultState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.faults.fmt(f)
    }
}

impl FaultState {
    pub(crate) fn new(faults: Faults) -> Self {
        let random = Random::new(faults.seed);
        Self {
            faults,
            random,
            bucket: None,
            unmodifiable: BTreeMap::new(),
            unknown_principals: BTreeMap::new(),
            seen: 0,
            in_flight: BTreeMap::new(),
        }
    }

    pub(crate) fn faults(&self) -> &Faults {
        &self.faults
    }

    /// Decides what befalls the next call.
    pub(crate) fn next_fate(&mut self) -> Fate {
        if self.over_rate() || self.random.chance(self.faults.throttle) {
            Fate::Throttled
        } else if self.random.chance(self.faults.server_error) {
            Fate::Failed
        } else if self.faults.lost_request > 0.0 && self.random.chance(self.faults.lost_request) {
            Fate::RequestDropped
        } else if self.random.chance(self.faults.lost_answer) {
            if self.random.chance(0.5) {
                Fate::AnswerReplaced
            } else {
                Fate::AnswerDropped
            }
        } else {
            Fate::Answered
        }
    }

    /// Counts a call; whether somebody else changes the account before it.
    pub(crate) fn is_somebody_elses_turn(&mut self) -> bool {
        self.seen += 1;
        self.faults.foreign_change.is_some_and(|turn| turn.get() == self.seen)
    }

    /// A number drawn from the seed.
    pub(crate) fn draw(&mut self) -> u64 {
        self.random.next()
    }

    /// Notes the principal that a write made.
    pub(crate) fn principal_created(&mut self, state: &State, request: &Request) {
        if self.faults.unknown_principal_for.is_zero() {
            return;
        }
        let named = |parameter: &str| request.parameter(parameter).unwrap_or_default();
        let made = match request.action.as_str() {
            "CreateUser" => state.entity(Kind::User, named("UserName")),
            "CreateRole" => state.entity(Kind::Role, named("RoleName")),
            _ => return,
        };
        if let Ok(entity) = made {
            self.unknown_principals.insert(entity.id.clone(), Instant::now());
        }
    }

    /// Refuses a trust policy that names somebody whom not all of IAM has heard of yet.
    pub(crate) fn check_principals(&mut self, state: &State, request: &Request) -> Result<(), ApiError> {
        let lag = self.faults.unknown_principal_for;
        self.unknown_principals.retain(|_, since| since.elapsed() < lag);
        let parameter = match request.action.as_str() {
            "CreateRole" => "AssumeRolePolicyDocument",
            "UpdateAssumeRolePolicy" => "PolicyDocument",
            _ => return Ok(()),
        };
        let named = trust::principals(request.parameter(parameter).unwrap_or_default());
        let unknown = named.iter().find(|named| {
            let id = trust::id_of(state, &named.text);
            id.is_some_and(|id| self.unknown_principals.contains_key(&id))
        });
        unknown.map_or(Ok(()), |named| Err(trust::invalid("AWS", &named.text)))
    }

    /// A token bucket on tokio's clock, which tests can stop.
    fn over_rate(&mut self) -> bool {
        let Some(rate) = self.faults.rate else { return false };
        let now = Instant::now();
        let burst = rate.max(1.0);
        let (tokens, since) = self.bucket.unwrap_or((burst, now));
        let tokens = (tokens + now.duration_since(since).as_secs_f64() * rate).min(burst);
        let over = tokens < 1.0;
        self.bucket = Some((if over { tokens } else { tokens - 1.0 }, now));
        over
    }

    /// Notes that a login profile was made just now.
    pub(crate) fn login_profile_created(&mut self, user_id: &str) {
        if self.faults.unmodifiable > 0 {
            self.unmodifiable.insert(user_id.to_owned(), self.faults.unmodifiable);
        }
    }

    /// The refusal of a call on a user whose login profile is still being made, if it is.
    pub(crate) fn still_unmodifiable(&mut self, action: &str, user_id: &str, user_name: &str) -> Option<ApiError> {
        let message = match action {
            "UpdateLoginProfile" | "DeleteLoginProfile" => {
                format!("Login Profile for User {user_name} cannot be modified while login profile is being created.")
            }
            "EnableMFADevice" => {
                format!("MFA cannot be enabled while the Login Profile for principal {user_name} is being created.")
            }
            _ => return None,
        };
        let left = self.unmodifiable.get_mut(user_id)?;
        *left -= 1;
        if *left == 0 {
            self.unmodifiable.remove(user_id);
        }
        Some(ApiError::temporarily_unmodifiable(message))
    }

    /// Notes that a write sets out; false where another one of the same principal is on its way.
    pub(crate) fn set_out(&mut self, principal: &str) -> bool {
        let writes = self.in_flight.entry(principal.to_owned()).or_default();
        *writes += 1;
        *writes == 1 || !self.faults.concurrent
    }

    /// Notes that a write has arrived, or was given up.
    pub(crate) fn arrive(&mut self, principal: &str) {
        if let Some(writes) = self.in_flight.get_mut(principal) {
            *writes -= 1;
            if *writes == 0 {
                self.in_flight.remove(principal);
            }
        }
    }
}

/// The principal or policy that a request is about.
pub(crate) fn subject(request: &Request) -> Option<String> {
    ["UserName", "GroupName", "RoleName", "PolicyArn", "PolicyName"]
        .iter()
        .find_map(|parameter| {
            request
                .parameter(parameter)
                .map(|name| format!("{parameter}={}", name.to_ascii_lowercase()))
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_faults_are_off_by_default() {
        assert_eq!("".parse(), Ok(Faults::default()));
        let mut state = FaultState::new(Faults::default());
        assert!((0..1000).all(|_| state.next_fate() == Fate::Answered));
    }

    #[test]
    fn every_fault_can_be_named() {
        let text = "throttle=0.2, rate=5,server-error=0.1,lost-answer=0.05,latency-ms=20,page-size=3,empty-pages=true,\
                    stale-reads=2,stale-seconds=9,lost-request=0.1,unknown-principal-seconds=8,foreign-change=3,stale-writes=1,unmodifiable=4,concurrent=true,seed=7";
        let faults: Faults = text.parse().unwrap();
        assert_eq!(faults.seed, 7);
        assert_eq!(
            faults.page_shape(),
            PageShape {
                cap: Some(3),
                empty_first: true
            }
        );
        assert_eq!(
            (faults.stale_reads, faults.stale_writes, faults.unmodifiable),
            (2, 1, 4)
        );
        assert_eq!(text.split(',').count(), KEYS.len());
    }

    #[test]
    fn errors_say_what_is_wrong() {
        let error = |text: &str| text.parse::<Faults>().unwrap_err().to_string();
        assert_eq!(error("throttle"), "`throttle` is not of the form `fault=value`");
        assert_eq!(
            error("throttle=2"),
            "`throttle` has to be a number from 0 to 1, not `2`"
        );
        assert_eq!(
            error("page-size=0"),
            "`page-size` has to be a whole number above 0, not `0`"
        );
        assert_eq!(
            error("empty-pages=yes"),
            "`empty-pages` has to be true or false, not `yes`"
        );
        assert_eq!(error("seed=1,seed=2"), "`seed` is given twice");
        assert!(error("trottle=0.2").starts_with("there is no fault `trottle`; there are throttle, rate, "));
    }

    #[test]
    fn the_same_seed_gives_the_same_fates() {
        let fates = |seed: u64| -> Vec<Fate> {
            let mut state = FaultState::new(Faults {
                seed,
                throttle: 0.2,
                server_error: 0.1,
                lost_answer: 0.2,
                lost_request: 0.1,
                ..Faults::default()
            });
            (0..200).map(|_| state.next_fate()).collect()
        };
        assert_eq!(fates(7), fates(7));
        assert_ne!(fates(7), fates(8));
        for fate in [
            Fate::Answered,
            Fate::Throttled,
            Fate::Failed,
            Fate::RequestDropped,
            Fate::AnswerReplaced,
            Fate::AnswerDropped,
        ] {
            assert!(fates(7).contains(&fate), "{fate:?}");
        }
    }
}
