//! What the sandbox answers when it refuses, by IAM's own codes and HTTP statuses, and what can go wrong with the
//! sandbox itself.

use std::{io, path::PathBuf};

/// What can go wrong with a sandbox, as opposed to what an IAM call can be refused with.
#[derive(Debug, thiserror::Error)]
pub enum SandboxError {
    /// The account id is not twelve digits.
    #[error("`{0}` cannot be the id of a sandbox account")]
    AccountId(String, #[source] trueup_model::AccountIdError),
    /// There is no such partition of AWS.
    #[error("`{0}` is no partition of AWS, such as aws, aws-cn or aws-us-gov")]
    Partition(String),
    /// The sandbox file could not be read.
    #[error("cannot read the sandbox file {}", .path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The sandbox file could not be written.
    #[error("cannot write the sandbox file {}", .path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The file holds something else than a sandbox account.
    #[error("{} is not a sandbox account", .path.display())]
    Format {
        /// The file.
        path: PathBuf,
        /// Why.
        source: serde_json::Error,
    },
    /// The file was written by another version of the sandbox.
    #[error("{} has format {found}, this version reads format {known}", .path.display())]
    FormatVersion {
        /// The file.
        path: PathBuf,
        /// The format found.
        found: u32,
        /// The format that this version reads.
        known: u32,
    },
    /// The sandbox is served on loopback only, since it lets everybody in as root.
    #[error("the sandbox is served on loopback addresses only, not on {0}")]
    NotLoopback(std::net::SocketAddr),
    /// The listener failed.
    #[error("cannot serve the sandbox")]
    Serve(#[source] io::Error),
    /// A live account holds something that no IAM account can hold.
    #[error("the live account cannot be put into a sandbox: {0}")]
    Live(String),
}

/// A refusal, as IAM words it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ApiError {
    pub(crate) status: u16,
    pub(crate) code: &'static str,
    /// Empty where the answer has no message.
    pub(crate) message: String,
}

macro_rules! refusals {
    ($($(#[$doc:meta])* $name:ident = $status:literal $code:literal;)*) => {
        impl ApiError {
            $($(#[$doc])* pub(crate) fn $name(message: impl Into<String>) -> Self {
                Self { status: $status, code: $code, message: message.into() }
            })*
        }
    };
}

refusals! {
    no_such_entity = 404 "NoSuchEntity";
    already_exists = 409 "EntityAlreadyExists";
    delete_conflict = 409 "DeleteConflict";
    limit_exceeded = 409 "LimitExceeded";
    concurrent_modification = 409 "ConcurrentModification";
    temporarily_unmodifiable = 409 "EntityTemporarilyUnmodifiable";
    unmodifiable = 400 "UnmodifiableEntity";
    invalid_input = 400 "InvalidInput";
    invalid_parameter_value = 400 "InvalidParameterValue";
    validation = 400 "ValidationError";
    malformed_policy = 400 "MalformedPolicyDocument";
    password_violation = 400 "PasswordPolicyViolation";
    not_attachable = 400 "PolicyNotAttachable";
    invalid_code = 403 "InvalidAuthenticationCode";
    access_denied = 403 "AccessDenied";
    malformed_certificate = 400 "MalformedCertificate";
    duplicate_certificate = 409 "DuplicateCertificate";
    duplicate_ssh_key = 400 "DuplicateSSHPublicKey";
    invalid_public_key = 400 "InvalidPublicKey";
    unrecognized_key_encoding = 400 "UnrecognizedPublicKeyEncoding";
    invalid_action = 400 "InvalidAction";
    missing_token = 403 "MissingAuthenticationToken";
    throttling = 400 "Throttling";
    idp_communication = 400 "OpenIdIdpCommunicationError";
    invalid_user_type = 400 "InvalidUserType";
    report_not_present = 410 "ReportNotPresent";
    report_expired = 410 "ReportExpired";
    report_in_progress = 404 "ReportInProgress";
    invalid_token = 403 "InvalidClientTokenId";
    wrong_signature = 403 "SignatureDoesNotMatch";
    incomplete_signature = 400 "IncompleteSignature";
    expired_token = 403 "ExpiredToken";
    packed_policy_too_large = 400 "PackedPolicyTooLarge";
    service_failure = 500 "ServiceFailure";
    internal_failure = 500 "InternalFailure";
}

impl ApiError {
    /// A quota reached, worded as recorded from real accounts.
    pub(crate) fn quota(what: &str, limit: usize) -> Self {
        Self::limit_exceeded(format!("Cannot exceed quota for {what}: {limit}"))
    }

    /// Whether the fault is the caller's, as the `Type` of an error answer tells.
    pub(crate) fn is_senders(&self) -> bool {
        self.status < 500
    }
}
