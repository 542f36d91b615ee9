//! Virtual MFA devices: made, enabled, brought back in step, and taken away, one call at a time.
//!
//! A plan cannot enrol anybody, since a device is its owner's to hold: the calls here are made for a person who is
//! there. Nothing here asks or prints, and the seed leaves only as a [`Secret`].

use std::time::Duration;

use aws_sdk_iam::{Client, config::retry::RetryConfig};
use rand::{SeedableRng, rngs::Xoshiro256PlusPlus};
use tokio::time::{Instant, sleep};
use tracing::{Dispatch, instrument::WithSubscriber};
use trueup_model::{UserName, error_code::is_throttling};
use zeroize::Zeroizing;

use crate::{
    failure::{CallError, Reach},
    report::RetryCause,
    retry::{self, SETTLING, TRIES_WITHOUT_ANSWER, Verdict},
    secret::Secret,
};

/// Writes what belongs to virtual MFA devices.
#[derive(Debug)]
pub struct MfaDevices {
    iam: Client,
    deadline: Duration,
}

/// A device that was made just now, and is assigned to nobody.
pub struct NewDevice {
    /// Its serial, an ARN.
    pub serial: String,
    /// Its seed, in base 32. IAM never tells it again.
    pub seed: Secret,
}

/// Why a call about a device came to nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MfaError {
    /// The codes are not those of the device, not consecutive, or used already.
    #[error("the codes are not accepted")]
    Codes,
    /// There is a device of that name.
    #[error("there is an MFA device of that name already")]
    Exists,
    /// The device cannot be deleted while it is assigned.
    #[error("the MFA device is assigned")]
    Assigned,
    /// There is no such user or device.
    #[error("{0}")]
    Missing(String),
    /// Anything else, in IAM's words.
    #[error("{operation} failed: {message}")]
    Failed {
        /// The operation.
        operation: &'static str,
        /// What IAM said, or what went wrong on the way.
        message: String,
    },
}

/// Told of each pause before a call is sent again.
pub type Waiting<'a> = &'a (dyn Fn(RetryCause, Duration) + Sync);

/// The last answer, and whether an earlier attempt may have taken effect.
struct Settled<T> {
    result: Result<T, CallError>,
    may_have_happened: bool,
}

impl MfaDevices {
    /// Writes through this client. Throttled calls are sent again for as long as `deadline`.
    pub fn new(iam: &Client, deadline: Duration) -> Self {
        // As in a run: nothing below this crate sends a request twice.
        let config = iam.config().to_builder().retry_config(RetryConfig::disabled()).build();
        Self {
            iam: Client::from_conf(config),
            deadline,
        }
    }

    /// Makes a device. Where an answer is lost, so is the seed, and the device that it told of is deleted and made
    /// again.
    ///
    /// # Errors
    ///
    /// [`MfaError`], most often [`MfaError::Exists`].
    pub async fn create(&self, serial: &str, name: &str, waiting: Waiting<'_>) -> Result<NewDevice, MfaError> {
        let settled = self.create_once(name, waiting).await;
        match settled.result {
            Err(error) if error.is("EntityAlreadyExists") && settled.may_have_happened => {
                self.delete(serial, waiting).await?;
                self.create_once(name, waiting).await.result
            }
            result => result,
        }
        .map_err(|error| failed("CreateVirtualMFADevice", error))
    }

    async fn create_once(&self, name: &str, waiting: Waiting<'_>) -> Settled<NewDevice> {
        self.patiently(waiting, async || {
            let request = self.iam.create_virtual_mfa_device().virtual_mfa_device_name(name);
            // The SDK traces its answers; the one that holds a seed is kept out of every log as a whole.
            let answer = async { request.send().await.map_err(CallError::from_sdk) };
            let answer = answer.with_subscriber(Dispatch::none()).await?;
            let device = answer.virtual_mfa_device;
            let seed = device.as_ref().and_then(|device| device.base32_string_seed.clone());
            let seed = seed.map(|seed| Zeroizing::new(seed.into_inner()));
            let text = seed.as_deref().and_then(|seed| std::str::from_utf8(seed).ok());
            match (device, text) {
                (Some(device), Some(text)) if !text.is_empty() => Ok(NewDevice {
                    serial: device.serial_number,
                    seed: Secret::from(text.to_owned()),
                }),
                _ => Err(CallError::unusable("the answer holds no seed")),
            }
        })
        .await
    }

    /// Assigns a device to a user, given two consecutive codes of it, the older first.
    ///
    /// # Errors
    ///
    /// [`MfaError`], most often [`MfaError::Codes`].
    pub async fn enable(
        &self,
        user: &UserName,
        serial: &str,
        codes: (&str, &str),
        waiting: Waiting<'_>,
    ) -> Result<(), MfaError> {
        let settled = self
            .patiently(waiting, async || {
                let request = self
                    .iam
                    .enable_mfa_device()
                    .user_name(user.as_str())
                    .serial_number(serial)
                    .authentication_code1(codes.0)
                    .authentication_code2(codes.1);
                let answer = async { request.send().await.map_err(CallError::from_sdk) };
                answer.with_subscriber(Dispatch::none()).await.map(drop)
            })
            .await;
        match settled.result {
            // The attempt whose answer was lost did it. A device of another user has another message.
            Err(error)
                if settled.may_have_happened
                    && error.is("EntityAlreadyExists")
                    && !error.message.contains("already in use") =>
            {
                Ok(())
            }
            result => result.map_err(|error| failed("EnableMFADevice", error)),
        }
    }

    /// Brings a device back in step with IAM's clock, given two consecutive codes of it, the older first.
    ///
    /// # Errors
    ///
    /// [`MfaError`], most often [`MfaError::Codes`].
    pub async fn resync(
        &self,
        user: &UserName,
        serial: &str,
        codes: (&str, &str),
        waiting: Waiting<'_>,
    ) -> Result<(), MfaError> {
        let settled = self
            .patiently(waiting, async || {
                let request = self
                    .iam
                    .resync_mfa_device()
                    .user_name(user.as_str())
                    .serial_number(serial)
                    .authentication_code1(codes.0)
                    .authentication_code2(codes.1);
                let answer = async { request.send().await.map_err(CallError::from_sdk) };
                answer.with_subscriber(Dispatch::none()).await.map(drop)
            })
            .await;
        settled.result.map_err(|error| failed("ResyncMFADevice", error))
    }

    /// Takes a device away from a user. What is no virtual device is gone with that.
    ///
    /// # Errors
    ///
    /// [`MfaError`].
    pub async fn deactivate(&self, user: &UserName, serial: &str, waiting: Waiting<'_>) -> Result<(), MfaError> {
        let settled = self
            .patiently(waiting, async || {
                let request = self.iam.deactivate_mfa_device();
                let request = request.user_name(user.as_str()).serial_number(serial);
                request.send().await.map(drop).map_err(CallError::from_sdk)
            })
            .await;
        match settled.result {
            Err(error) if settled.may_have_happened && error.is("NoSuchEntity") => Ok(()),
            result => result.map_err(|error| failed("DeactivateMFADevice", error)),
        }
    }

    /// Deletes a virtual device that is assigned to nobody. One that is gone is no error.
    ///
    /// # Errors
    ///
    /// [`MfaError`], most often [`MfaError::Assigned`].
    pub async fn delete(&self, serial: &str, waiting: Waiting<'_>) -> Result<(), MfaError> {
        let settled = self
            .patiently(waiting, async || {
                let request = self.iam.delete_virtual_mfa_device().serial_number(serial);
                request.send().await.map(drop).map_err(CallError::from_sdk)
            })
            .await;
        match settled.result {
            Err(error) if error.is("NoSuchEntity") => Ok(()),
            result => result.map_err(|error| failed("DeleteVirtualMFADevice", error)),
        }
    }

    /// Sends a call until its answer is one that stays: throttled, until the deadline; while IAM settles, as after a
    /// new password, for two minutes; without an answer, a few times.
    async fn patiently<T>(&self, waiting: Waiting<'_>, attempt: impl AsyncFn() -> Result<T, CallError>) -> Settled<T> {
        let begin = Instant::now();
        let mut rng = Xoshiro256PlusPlus::seed_from_u64(rand::random());
        let (mut throttled, mut unsettled, mut unanswered) = (0, 0, 0);
        let mut may_have_happened = false;
        loop {
            let error = match attempt().await {
                Ok(answer) => {
                    return Settled {
                        result: Ok(answer),
                        may_have_happened,
                    };
                }
                Err(error) => error,
            };
            let code = error.code.as_deref().unwrap_or_default();
            let (verdict, cause, failed, is_over) = if is_throttling(code) {
                throttled += 1;
                let is_over = begin.elapsed() >= self.deadline;
                (Verdict::Throttled, RetryCause::Throttled, throttled, is_over)
            } else if error.reach == Reach::Unknown || error.reach == Reach::NotSent {
                may_have_happened |= error.reach == Reach::Unknown;
                unanswered += 1;
                let is_over = unanswered >= TRIES_WITHOUT_ANSWER;
                (Verdict::NoAnswer, RetryCause::NoAnswer, unanswered, is_over)
            } else if matches!(code, "EntityTemporarilyUnmodifiable" | "ConcurrentModification") {
                unsettled += 1;
                let is_over = begin.elapsed() >= SETTLING;
                (Verdict::NotSettled, RetryCause::NotSettled, unsettled, is_over)
            } else {
                return Settled {
                    result: Err(error),
                    may_have_happened,
                };
            };
            tracing::debug!(?verdict, error = error.text(), "attempt failed");
            if is_over {
                return Settled {
                    result: Err(error),
                    may_have_happened,
                };
            }
            let pause = retry::pause(verdict, failed, &mut rng);
            waiting(cause, pause);
            sleep(pause).await;
        }
    }
}

fn failed(operation: &'static str, error: CallError) -> MfaError {
    match error.code.as_deref() {
        Some("InvalidAuthenticationCode") => MfaError::Codes,
        Some("EntityAlreadyExists") => MfaError::Exists,
        Some("DeleteConflict") => MfaError::Assigned,
        Some("NoSuchEntity") => MfaError::Missing(error.message),
        _ => MfaError::Failed {
            operation,
            message: match error.request_id.clone() {
                Some(id) => format!("{} (request {id})", error.text()),
                None => error.text(),
            },
        },
    }
}
