//! SDK clients for AWS and for what speaks like it, with the time-outs and retries that trueup relies on.

use std::{
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

use aws_config::{
    BehaviorVersion, Region, SdkConfig,
    environment::EnvironmentVariableRegionProvider,
    identity::IdentityCache,
    meta::region::RegionProviderChain,
    profile::{ProfileFileCredentialsProvider, ProfileFileRegionProvider},
    provider_config::ProviderConfig,
    retry::RetryConfig,
    sts::AssumeRoleProvider,
    timeout::TimeoutConfig,
};
use aws_credential_types::{credential_feature::AwsCredentialFeature, provider::ProvideCredentials as _};
use aws_sdk_iam::config::{
    SharedCredentialsProvider,
    retry::{ClassifyRetry, RetryAction, RetryPartition, TokenBucket},
};
use aws_smithy_runtime_api::client::{
    interceptors::context::InterceptorContext, retries::classifiers::RetryClassifierPriority,
};

use crate::{answers::Answers, args::AwsArgs, environment, exit::CliError, remote_lock, telemetry};

/// How long a connection may take to be made, and one attempt to be answered.
const CONNECT: Duration = Duration::from_secs(5);
const ATTEMPT: Duration = Duration::from_secs(30);

/// How long the credential chain may take: a sign-in by `credential_process` or SSO needs more than the SDK's 5 s.
const CREDENTIALS: Duration = Duration::from_secs(30);

/// How often a read is sent at most, unless `AWS_MAX_ATTEMPTS` says otherwise. With half of all calls throttled, one
/// in a million then fails; on an endpoint that throttles everything it gives up within a minute.
///
/// The SDK's adaptive mode is not used: where throttling does not depend on the rate, it slows down without end (200
/// reads at 20 % took three minutes, at 50 % seven; these settings took 5 seconds and 35).
const ATTEMPTS: u32 = 20;

/// The first and the longest pause between two attempts.
const FIRST_BACKOFF: Duration = Duration::from_millis(200);
const LONGEST_BACKOFF: Duration = Duration::from_secs(3);

/// How often in a row it may be impossible to connect: nobody waits a minute to read that a name is misspelt.
const FAILED_CONNECTIONS: u32 = 4;

/// The clients of a run, over one set of credentials. Their retries are for reads; the executor switches them off.
#[derive(Debug, Clone)]
pub(crate) struct Clients {
    pub(crate) iam: aws_sdk_iam::Client,
    pub(crate) sts: aws_sdk_sts::Client,
    /// Where IAM is, if a flag says so.
    pub(crate) endpoint: Option<String>,
    /// What has been answered so far.
    pub(crate) answers: Answers,
    credentials: Option<SharedCredentialsProvider>,
}

impl Clients {
    /// Whether IAM is one of this machine's own, such as a test server.
    pub(crate) fn are_local(&self) -> bool {
        self.endpoint.as_deref().is_some_and(is_local)
    }

    /// Where the credentials come from, in the SDK's words; `None` where it does not tell.
    pub(crate) async fn credentials_from(&self) -> Option<String> {
        let credentials = self.credentials.as_ref()?.provide_credentials().await.ok()?;
        let features = credentials.get_property::<Vec<AwsCredentialFeature>>()?;
        // From the outermost step, such as an assumed role, to where the chain began.
        let words: Vec<&str> = features.iter().filter_map(found_by).collect();
        (!words.is_empty()).then(|| words.join(", "))
    }
}

/// Whether a URL leads to this machine.
fn is_local(url: &str) -> bool {
    let authority = url
        .split_once("://")
        .and_then(|(_, rest)| rest.split(['/', '?', '#']).next());
    let host = authority.map(|authority| match authority.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|b| b.is_ascii_digit()) => host,
        _ => authority,
    });
    matches!(host, Some("localhost" | "127.0.0.1" | "[::1]"))
}

/// A step of the credential chain in words.
fn found_by(feature: &AwsCredentialFeature) -> Option<&'static str> {
    use AwsCredentialFeature as Found;
    Some(match feature {
        Found::CredentialsEnvVars => "environment variables",
        Found::CredentialsEnvVarsStsWebIdToken | Found::CredentialsStsAssumeRoleWebId => "a web identity token",
        Found::CredentialsStsAssumeRole => "an assumed role",
        Found::CredentialsProfile => "a profile with static keys",
        Found::CredentialsProfileSourceProfile => "a profile with a source profile",
        Found::CredentialsProfileNamedProvider => "a profile with a named source",
        Found::CredentialsProfileStsWebIdToken => "a profile with a web identity token",
        Found::CredentialsProfileSso => "a profile with single sign-on",
        Found::CredentialsSso => "single sign-on",
        Found::CredentialsProfileProcess => "a profile with a credential process",
        Found::CredentialsProcess => "a credential process",
        Found::CredentialsHttp => "the container's metadata service",
        Found::CredentialsImds => "the instance metadata service",
        Found::CredentialsProfileLogin => "a profile with `aws login`",
        Found::CredentialsLogin => "`aws login`",
        _ => return None,
    })
}

/// Clients for AWS itself, by the SDK's own configuration chain.
pub(crate) async fn clients(args: &AwsArgs) -> Result<Clients, CliError> {
    let config = load(args).await?;
    let endpoint = given(args.endpoint_url.as_deref());
    let sts_endpoint = endpoint.filter(|_| !environment::names_sts_endpoint());
    let credentials = match given(args.role_arn.as_deref()) {
        Some(role) => Some(assume(&config, role, sts_endpoint).await),
        None => config.credentials_provider(),
    };
    let mut iam = aws_sdk_iam::config::Builder::from(&config);
    iam.set_credentials_provider(credentials.clone());
    if let Some(url) = endpoint {
        iam = iam.endpoint_url(url);
    }
    let mut sts = aws_sdk_sts::config::Builder::from(&config);
    sts.set_credentials_provider(credentials.clone());
    if let Some(url) = sts_endpoint {
        sts = sts.endpoint_url(url);
    }
    let clients = assemble(iam, sts)?;
    Ok(Clients {
        endpoint: endpoint.map(str::to_owned),
        credentials,
        ..clients
    })
}

/// How S3 is reached: with the credentials that IAM is, and by the SDK's own configuration.
pub(crate) async fn s3(args: &AwsArgs) -> Result<remote_lock::Access, CliError> {
    let config = load(args).await?;
    let sts_endpoint = given(args.endpoint_url.as_deref()).filter(|_| !environment::names_sts_endpoint());
    let credentials = match given(args.role_arn.as_deref()) {
        Some(role) => Some(assume(&config, role, sts_endpoint).await),
        None => config.credentials_provider(),
    };
    Ok(remote_lock::Access {
        credentials,
        region: config.region().map_or("us-east-1", Region::as_ref).to_owned(),
        endpoint: environment::s3_endpoint().or_else(|| config.endpoint_url().map(str::to_owned)),
    })
}

/// Clients from two configurations.
pub(crate) fn assemble(
    iam: aws_sdk_iam::config::Builder,
    sts: aws_sdk_sts::config::Builder,
) -> Result<Clients, CliError> {
    let retries = retries()?;
    let answers = Answers::default();
    // The SDK's own bucket of retry tokens runs dry after a hundred throttled calls, whatever the attempts.
    let partition = RetryPartition::custom("reads")
        .token_bucket(TokenBucket::unlimited())
        .build();
    let iam = iam
        .retry_config(retries.clone())
        .retry_partition(partition.clone())
        .retry_classifier(NobodyThere::default())
        .interceptor(answers.clone())
        .interceptor(telemetry::Calls)
        .build();
    let sts = sts
        .retry_config(retries)
        .retry_partition(partition)
        .retry_classifier(NobodyThere::default())
        .interceptor(answers.clone())
        .interceptor(telemetry::Calls)
        .build();
    Ok(Clients {
        iam: aws_sdk_iam::Client::from_conf(iam),
        sts: aws_sdk_sts::Client::from_conf(sts),
        endpoint: None,
        answers,
        credentials: None,
    })
}

/// A flag's value; an empty one, as pipelines often pass, counts as not given.
fn given(value: Option<&str>) -> Option<&str> {
    value.filter(|value| !value.is_empty())
}

async fn load(args: &AwsArgs) -> Result<SdkConfig, CliError> {
    let profile = given(args.profile.as_deref());
    let mut of_profile = ProfileFileRegionProvider::builder();
    if let Some(name) = profile {
        of_profile = of_profile.profile_name(name);
    }
    // IAM is global: where no region is set, any of the partition will do. The metadata service is not asked, since
    // it is slow to be missing.
    let region = given(args.region.as_deref()).map(|region| Region::new(region.to_owned()));
    let region = RegionProviderChain::first_try(region)
        .or_else(EnvironmentVariableRegionProvider::new())
        .or_else(of_profile.build())
        .or_else(Region::new("us-east-1"))
        .region()
        .await;
    let mut loader = aws_config::defaults(BehaviorVersion::latest())
        .region(region.clone())
        .retry_config(retries()?)
        .timeout_config(timeouts())
        .identity_cache(IdentityCache::lazy().load_timeout(CREDENTIALS).build());
    if let Some(name) = profile {
        // The SDK's chain looks at AWS_ACCESS_KEY_ID before it looks at the profile. A profile that was named here is
        // meant, as with the AWS CLI: anything else could be another account.
        let config = ProviderConfig::without_region()
            .with_region(region)
            .with_behavior_version(Some(BehaviorVersion::latest()))
            .with_retry_config(retries()?)
            .with_timeout_config(timeouts());
        let provider = ProfileFileCredentialsProvider::builder()
            .configure(&config)
            .profile_name(name)
            .build();
        loader = loader.profile_name(name).credentials_provider(provider);
    }
    Ok(loader.load().await)
}

pub(crate) fn timeouts() -> TimeoutConfig {
    TimeoutConfig::builder()
        .connect_timeout(CONNECT)
        .operation_attempt_timeout(ATTEMPT)
        .build()
}

/// `AWS_MAX_ATTEMPTS` is read here, since the SDK panics where it makes no sense.
fn retries() -> Result<RetryConfig, CliError> {
    let attempts = match environment::aws_max_attempts() {
        None => ATTEMPTS,
        Some(text) => text
            .parse()
            .ok()
            .filter(|attempts| (1..=1000).contains(attempts))
            .ok_or_else(|| {
                CliError::Usage(format!(
                    "AWS_MAX_ATTEMPTS is `{text}`, expected a number from 1 to 1000"
                ))
            })?,
    };
    Ok(RetryConfig::standard()
        .with_max_attempts(attempts)
        .with_initial_backoff(FIRST_BACKOFF)
        .with_max_backoff(LONGEST_BACKOFF))
}

async fn assume(config: &SdkConfig, role: &str, sts_endpoint: Option<&str>) -> SharedCredentialsProvider {
    let config = match sts_endpoint {
        Some(url) => config.to_builder().endpoint_url(url).build(),
        None => config.clone(),
    };
    let provider = AssumeRoleProvider::builder(role)
        .session_name("trueup")
        .configure(&config)
        .build()
        .await;
    SharedCredentialsProvider::new(provider)
}

/// Gives up early where there is nobody to connect to: at once where the connection is refused, after a few attempts
/// where a name is unknown or nothing answers.
#[derive(Debug, Default)]
struct NobodyThere {
    in_a_row: AtomicU32,
}

impl ClassifyRetry for NobodyThere {
    fn classify_retry(&self, context: &InterceptorContext) -> RetryAction {
        let failed = context.output_or_error().and_then(Result::err);
        let Some(error) = failed.and_then(|error| error.as_connector_error()) else {
            self.in_a_row.store(0, Ordering::Relaxed);
            return RetryAction::NoActionIndicated;
        };
        let in_a_row = self.in_a_row.fetch_add(1, Ordering::Relaxed) + 1;
        let first = Some(error as &(dyn std::error::Error + 'static));
        let refused = std::iter::successors(first, |error| error.source()).any(|cause| {
            cause
                .downcast_ref::<std::io::Error>()
                .is_some_and(|error| error.kind() == std::io::ErrorKind::ConnectionRefused)
        });
        if refused || in_a_row >= FAILED_CONNECTIONS {
            RetryAction::RetryForbidden
        } else {
            RetryAction::NoActionIndicated
        }
    }

    fn name(&self) -> &'static str {
        "nobody there"
    }

    fn priority(&self) -> RetryClassifierPriority {
        RetryClassifierPriority::run_after(RetryClassifierPriority::transient_error_classifier())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_this_machine_is_local() {
        for local in [
            "http://127.0.0.1:5000",
            "http://localhost/",
            "https://[::1]:1/x",
            "http://[::1]",
        ] {
            assert!(is_local(local), "{local}");
        }
        for remote in [
            "https://iam.amazonaws.com",
            "http://localhost.example.com:80",
            "http://example.com/127.0.0.1",
            "http://localhost@example.com",
            "localhost",
        ] {
            assert!(!is_local(remote), "{remote}");
        }
    }
}
