//! Reads the live IAM of an account.
//!
//! This crate never writes: the SDK clients live behind `ReadOnly`, which has no method that
//! builds a writing request, so that no other module here can reach one. It decides nothing either: what has to be
//! read beyond the bulk read is the planner's to say ([`Needs`](trueup_model::live::Needs)), and what differs is the planner's to find.
//!
//! The order of calls is [`Reader::identity`], [`Reader::read`], then [`Reader::details`] with what the plan needs, or
//! [`Reader::everything`] for a snapshot.
//!
//! Throttling, server errors and time-outs are retried by the SDK client that the caller configures, since a read can
//! always be sent again. The caller also sets the connect and attempt time-outs; nothing here waits without a bound.

mod aws_policies;
mod bulk;
mod call;
mod convert;
mod credentials;
mod details;
mod error;
mod mfa;
mod read_only;

use std::{collections::BTreeMap, sync::Mutex};

use aws_sdk_iam::error::{ProvideErrorMetadata, SdkError};
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use trueup_model::{AccountId, Arn};

pub use error::{During, ReadError};
pub use mfa::{MfaDevice, MfaKind, MfaState};

use crate::{call::code_of, read_only::ReadOnly};

/// How many calls are in flight at once where calls do not depend on each other. IAM's buckets for reads are small
/// (15 to 20 a second at best), so that more would only be throttled.
const CONCURRENCY: usize = 8;

/// Every operation of IAM that the reader can call, for example `GetLoginProfile`. `sts:GetCallerIdentity` is not among
/// them, since it needs no permission.
pub fn operations() -> impl Iterator<Item = &'static str> {
    read_only::operations()
}

/// Who is calling, as `sts:GetCallerIdentity` tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// The account of the credentials.
    pub account: AccountId,
    /// The caller's ARN.
    pub arn: Arn,
    /// The partition of that ARN, for example `aws`.
    pub partition: String,
}

/// Reads one account through one set of credentials.
#[derive(Debug)]
pub struct Reader {
    api: ReadOnly,
    answered: Mutex<BTreeMap<String, u64>>,
}

impl Reader {
    /// A reader over two configured clients. Their retry and time-out settings bound every call.
    pub fn new(iam: aws_sdk_iam::Client, sts: aws_sdk_sts::Client) -> Self {
        Self {
            api: ReadOnly::new(iam, sts),
            answered: Mutex::default(),
        }
    }

    /// Asks STS whose credentials these are: the first of all calls, so that a wrong account is noticed before
    /// anything of it is read.
    ///
    /// # Errors
    ///
    /// [`ReadError`], most often [`ReadError::Credentials`].
    pub async fn identity(&self) -> Result<Identity, ReadError> {
        let during = During::sts("GetCallerIdentity");
        let answer = self.answer(&during, self.api.get_caller_identity().send()).await?;
        let arn = Arn::from_live(convert::required(&during, "Arn", answer.arn)?);
        let account = AccountId::new(convert::required(&during, "Account", answer.account)?)
            .map_err(|_| ReadError::unexpected(&during, "the answer names no twelve-digit account"))?;
        let partition = arn.partition().to_owned();
        Ok(Identity {
            account,
            arn,
            partition,
        })
    }

    /// Waits for one call and counts it if it was answered, whatever the answer.
    async fn answer<T, E>(
        &self,
        during: &During,
        call: impl Future<Output = Result<T, SdkError<E, HttpResponse>>>,
    ) -> Result<T, ReadError>
    where
        E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
    {
        self.raw(during, call)
            .await
            .map_err(|error| ReadError::from_sdk(during, &error))
    }

    /// As [`Self::answer`], with `None` where the answer is that there is no such thing.
    async fn answer_if_any<T, E>(
        &self,
        during: &During,
        call: impl Future<Output = Result<T, SdkError<E, HttpResponse>>>,
    ) -> Result<Option<T>, ReadError>
    where
        E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
    {
        match self.raw(during, call).await {
            Ok(answer) => Ok(Some(answer)),
            Err(error) if code_of(&error) == Some("NoSuchEntity") => Ok(None),
            Err(error) => Err(ReadError::from_sdk(during, &error)),
        }
    }

    async fn raw<T, E>(
        &self,
        during: &During,
        call: impl Future<Output = Result<T, SdkError<E, HttpResponse>>>,
    ) -> Result<T, SdkError<E, HttpResponse>> {
        let result = call.await;
        if result.is_ok() || matches!(result, Err(SdkError::ServiceError(_) | SdkError::ResponseError(_))) {
            self.count(during.operation());
        }
        result
    }

    fn count(&self, operation: &str) {
        let mut answered = self.answered.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        *answered.entry(operation.to_owned()).or_default() += 1;
    }

    /// Moves what was counted so far to `reads`, so that every answer is counted in exactly one place.
    fn move_counts_to(&self, reads: &mut BTreeMap<String, u64>) {
        let mut answered = self.answered.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        for (operation, count) in std::mem::take(&mut *answered) {
            *reads.entry(operation).or_default() += count;
        }
    }
}
