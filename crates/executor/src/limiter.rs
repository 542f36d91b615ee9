//! One rate limit for all requests of a run: a token bucket whose rate grows with every answer and shrinks when IAM
//! throttles (additive increase, multiplicative decrease).
//!
//! AWS publishes no limits for IAM; it throttles per account and operation. The rate falls at most once a second and
//! never below a floor, so that an endpoint that throttles at random, whatever the rate, does not bring a run to a
//! halt: the back-off of the single requests is what spares such an endpoint.

use std::{
    collections::VecDeque,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::time::{Instant, sleep};

/// The bounds of the shared rate limit, in requests a second.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rate {
    /// The rate at the start of a run.
    pub start: f64,
    /// The rate that throttling does not push it below.
    pub lowest: f64,
    /// The rate that success does not raise it above.
    pub highest: f64,
}

impl Rate {
    /// For AWS: starts well below what is known to pass and finds the account's own limit.
    pub const AWS: Self = Self {
        start: 20.0,
        lowest: 4.0,
        highest: 50.0,
    };

    /// For an endpoint of one's own, such as the sandbox: as fast as it answers.
    pub const LOCAL: Self = Self {
        start: 10_000.0,
        lowest: 500.0,
        highest: 10_000.0,
    };
}

/// What one answered request adds to the rate.
const INCREASE: f64 = 0.2;
/// What is left of the rate after throttling.
const DECREASE: f64 = 0.8;
/// The time over which the rate is measured, and within which it falls once.
const WINDOW: Duration = Duration::from_secs(1);

#[derive(Debug)]
pub(crate) struct Limiter {
    bounds: Rate,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    rate: f64,
    /// Below zero, it is the debt of those that already wait.
    tokens: f64,
    refilled: Instant,
    last_cut: Option<Instant>,
    sent: VecDeque<Instant>,
}

impl State {
    fn forget_before(&mut self, now: Instant) {
        while self.sent.front().is_some_and(|sent| now.duration_since(*sent) > WINDOW) {
            self.sent.pop_front();
        }
    }
}

impl Limiter {
    pub(crate) fn new(bounds: Rate) -> Self {
        Self {
            bounds,
            state: Mutex::new(State {
                rate: bounds.start,
                tokens: bounds.start.min(10.0),
                refilled: Instant::now(),
                last_cut: None,
                sent: VecDeque::new(),
            }),
        }
    }

    /// Waits for leave to send one request.
    pub(crate) async fn acquire(&self) {
        let wait = {
            let mut state = self.state();
            let now = Instant::now();
            let elapsed = now.duration_since(state.refilled).as_secs_f64();
            state.refilled = now;
            // At most a second's worth is saved up.
            state.tokens = (state.tokens + elapsed * state.rate).min(state.rate.max(1.0)) - 1.0;
            let wait = Duration::from_secs_f64((-state.tokens).max(0.0) / state.rate);
            state.forget_before(now);
            state.sent.push_back(now + wait);
            wait
        };
        if !wait.is_zero() {
            sleep(wait).await;
        }
    }

    /// Notes that a request was answered without throttling.
    pub(crate) fn passed(&self) {
        let mut state = self.state();
        state.rate = (state.rate + INCREASE).min(self.bounds.highest);
    }

    /// Notes that a request was throttled.
    pub(crate) fn throttled(&self) {
        let mut state = self.state();
        let now = Instant::now();
        if state.last_cut.is_some_and(|cut| now.duration_since(cut) < WINDOW) {
            return;
        }
        state.last_cut = Some(now);
        while state
            .sent
            .front()
            .is_some_and(|sent| now.duration_since(*sent) > WINDOW)
        {
            state.sent.pop_front();
        }
        // The rate that was used, not the one that was allowed, is what proved too high.
        let used = state.sent.iter().filter(|sent| **sent <= now).count();
        let used = f64::from(u32::try_from(used).unwrap_or(u32::MAX));
        state.rate = (state.rate.min(used) * DECREASE).max(self.bounds.lowest);
        state.tokens = state.tokens.min(0.0);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Sends as fast as the limiter lets pass against a bucket of `per_second`, and says how many of 1,000 requests
    /// were turned away and how long it took.
    async fn against_bucket(per_second: f64) -> (u32, Duration) {
        let limiter = Limiter::new(Rate::AWS);
        let begin = Instant::now();
        let (mut tokens, mut refilled, mut refused, mut done) = (per_second, begin, 0, 0);
        while done < 1000 {
            limiter.acquire().await;
            let now = Instant::now();
            tokens = (tokens + now.duration_since(refilled).as_secs_f64() * per_second).min(per_second);
            refilled = now;
            if tokens >= 1.0 {
                tokens -= 1.0;
                done += 1;
                limiter.passed();
            } else {
                refused += 1;
                limiter.throttled();
            }
        }
        (refused, begin.elapsed())
    }

    #[tokio::test(start_paused = true)]
    async fn it_finds_the_rate_of_a_token_bucket() {
        for per_second in [6.0, 15.0, 30.0] {
            let (refused, took) = against_bucket(per_second).await;
            let ideal = 1000.0 / per_second;
            assert!(took.as_secs_f64() < ideal * 1.3, "{per_second}/s took {took:?}");
            assert!(refused < 400, "{per_second}/s: {refused} turned away");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn random_throttling_does_not_bring_it_to_a_halt() {
        let limiter = Limiter::new(Rate::AWS);
        let begin = Instant::now();
        for request in 0..360 {
            limiter.acquire().await;
            if request % 2 == 0 {
                limiter.throttled();
            } else {
                limiter.passed();
            }
        }
        assert!(begin.elapsed() < Duration::from_secs(120), "{:?}", begin.elapsed());
    }

    #[tokio::test(start_paused = true)]
    async fn it_never_lets_more_pass_than_its_rate() {
        let limiter = Limiter::new(Rate {
            start: 10.0,
            lowest: 1.0,
            highest: 10.0,
        });
        let begin = Instant::now();
        for _ in 0..110 {
            limiter.acquire().await;
        }
        assert!(begin.elapsed() >= Duration::from_secs(10));
    }
}
