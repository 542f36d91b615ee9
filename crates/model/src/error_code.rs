//! What the error codes of AWS mean that any call may answer with.
//!
//! Sources: the common errors of the IAM and STS API references, and the codes that the SDKs take for throttling.

/// Whether a code says that too much was asked in too short a time: the same call may succeed later.
///
/// A full quota (`LimitExceeded`) is none of these.
pub fn is_throttling(code: &str) -> bool {
    matches!(
        code,
        "Throttling"
            | "ThrottlingException"
            | "ThrottledException"
            | "RequestThrottled"
            | "RequestThrottledException"
            | "RequestLimitExceeded"
            | "TooManyRequestsException"
            | "SlowDown"
            | "PriorRequestNotComplete"
            | "BandwidthLimitExceeded"
    )
}

/// Whether a code says that the credentials themselves are refused: every other call would fail in the same way.
pub fn is_credentials_refused(code: &str) -> bool {
    matches!(
        code,
        "InvalidClientTokenId"
            | "UnrecognizedClientException"
            | "ExpiredToken"
            | "ExpiredTokenException"
            | "InvalidToken"
            | "RequestExpired"
            | "SignatureDoesNotMatch"
            | "InvalidSignatureException"
            | "IncompleteSignature"
            | "MissingAuthenticationToken"
            | "MissingAuthenticationTokenException"
            | "InvalidAccessKeyId"
            | "AuthFailure"
            | "OptInRequired"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_quota_is_no_throttling_and_a_denial_is_no_matter_of_credentials() {
        for code in ["Throttling", "ThrottlingException", "RequestLimitExceeded", "SlowDown"] {
            assert!(is_throttling(code) && !is_credentials_refused(code), "{code}");
        }
        for code in [
            "ExpiredToken",
            "InvalidClientTokenId",
            "SignatureDoesNotMatch",
            "IncompleteSignature",
        ] {
            assert!(is_credentials_refused(code) && !is_throttling(code), "{code}");
        }
        for code in ["LimitExceeded", "NoSuchEntity", "AccessDenied", ""] {
            assert!(!is_throttling(code) && !is_credentials_refused(code), "{code}");
        }
    }
}
