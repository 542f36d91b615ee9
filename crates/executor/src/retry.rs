//! What an error means for the call that it answers, and how long to be patient about it.
//!
//! Judged by the raw error code and the operation, and by what this run did before. Only where IAM gives nothing else
//! to go by is a message looked at.

use std::time::Duration;

use rand::{Rng, RngExt};
use trueup_model::error_code::{is_credentials_refused, is_throttling};
use trueup_planner::Call;

use crate::{
    failure::{CallError, Reach},
    target,
};

/// How long something may take to become visible, or to settle, after this run changed it.
pub(crate) const SETTLING: Duration = Duration::from_secs(120);
/// How often a request is sent in all where no answer comes.
pub(crate) const TRIES_WITHOUT_ANSWER: u32 = 5;

/// What to make of an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Turned away for now: try again until the run's deadline.
    Throttled,
    /// The request may have taken effect: try again a few times, with care.
    NoAnswer,
    /// The request never left: try again a few times.
    Unreachable,
    /// Something that this run did is not visible everywhere yet: try again for [`SETTLING`].
    NotSettled,
    /// What is to be removed is not there.
    Gone,
    /// What is to be made is there.
    Exists,
    /// The credentials are refused, so that every other call would fail too.
    CredentialsRefused,
    /// Trying again would not help.
    Final,
}

/// What this run did before a call.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Before {
    /// It made, renamed or gave a new version to something that the call names.
    pub(crate) made_what_is_named: bool,
    /// It removed something that the call waited for.
    pub(crate) removed_what_was_in_the_way: bool,
    /// It deleted an entity of the name that the call makes one of.
    pub(crate) deleted_the_namesake: bool,
}

/// Judges an error.
pub(crate) fn judge(error: &CallError, call: &Call, before: Before) -> Verdict {
    match error.reach {
        Reach::NoCredentials => return Verdict::CredentialsRefused,
        Reach::NotSent => return Verdict::Unreachable,
        Reach::Unknown | Reach::Refused => {}
    }
    let code = error.code.as_deref().unwrap_or_default();
    if is_throttling(code) {
        return Verdict::Throttled;
    }
    if error.reach == Reach::Unknown {
        return Verdict::NoAnswer;
    }
    match code {
        "NoSuchEntity" if before.made_what_is_named => Verdict::NotSettled,
        "NoSuchEntity" if target::is_removal(call) => Verdict::Gone,
        "EntityAlreadyExists" if before.deleted_the_namesake => Verdict::NotSettled,
        "EntityAlreadyExists" if target::is_creation(call) => Verdict::Exists,
        // A policy made a moment ago that cannot be a boundary yet.
        "InvalidInput"
            if before.made_what_is_named && error.message.contains("does not exist or is not attachable") =>
        {
            Verdict::NotSettled
        }
        "EntityTemporarilyUnmodifiable" | "ConcurrentModification" => Verdict::NotSettled,
        "DeleteConflict" if before.removed_what_was_in_the_way => Verdict::NotSettled,
        code if is_credentials_refused(code) => Verdict::CredentialsRefused,
        _ => Verdict::Final,
    }
}

/// How long to wait before the attempt that follows `failed` failed ones, counted by their kind.
///
/// Throttled requests wait anywhere between nothing and an exponential bound (full jitter), since the shared rate
/// limit spaces them already. The rest waits at least half of the bound, so that time really passes.
pub(crate) fn pause(verdict: Verdict, failed: u32, rng: &mut impl Rng) -> Duration {
    let (base, cap) = match verdict {
        Verdict::Throttled => (0.1, 5.0),
        Verdict::NotSettled => (0.5, 5.0),
        _ => (0.25, 8.0),
    };
    let exponent = i32::try_from(failed.saturating_sub(1).min(16)).unwrap_or(16);
    let bound: f64 = f64::min(cap, base * 2_f64.powi(exponent));
    let least = if verdict == Verdict::Throttled {
        0.0
    } else {
        bound / 2.0
    };
    Duration::from_secs_f64(rng.random_range(least..=bound))
}

#[cfg(test)]
mod tests {
    use rand::{SeedableRng, rngs::Xoshiro256PlusPlus};
    use trueup_model::{GroupName, Path, PolicyArn, UserName};

    use super::*;

    fn refused(code: &str, message: &str) -> CallError {
        CallError {
            code: Some(code.to_owned()),
            message: message.to_owned(),
            request_id: None,
            reach: Reach::Refused,
        }
    }

    fn create_user() -> Call {
        Call::CreateUser {
            user_name: UserName::from_live("alice"),
            path: Path::root(),
            permissions_boundary: None,
            tags: trueup_model::Tags::new(),
        }
    }

    fn delete_user() -> Call {
        Call::DeleteUser {
            user_name: UserName::from_live("alice"),
        }
    }

    fn add_to_group() -> Call {
        Call::AddUserToGroup {
            group_name: GroupName::from_live("team"),
            user_name: UserName::from_live("alice"),
        }
    }

    const MADE: Before = Before {
        made_what_is_named: true,
        removed_what_was_in_the_way: false,
        deleted_the_namesake: false,
    };
    const REMOVED: Before = Before {
        made_what_is_named: false,
        removed_what_was_in_the_way: true,
        deleted_the_namesake: false,
    };
    const DELETED: Before = Before {
        made_what_is_named: false,
        removed_what_was_in_the_way: true,
        deleted_the_namesake: true,
    };

    #[test]
    fn codes_mean_what_the_operation_and_the_run_make_of_them() {
        let nothing = Before::default();
        let boundary = Call::PutUserPermissionsBoundary {
            user_name: UserName::from_live("alice"),
            permissions_boundary: PolicyArn::from_live("arn:aws:iam::123456789012:policy/base"),
        };
        let scope = "Scope ARN: arn:aws:iam::123456789012:policy/base does not exist or is not attachable.";
        let table = [
            ("Throttling", "", create_user(), nothing, Verdict::Throttled),
            ("RequestLimitExceeded", "", delete_user(), nothing, Verdict::Throttled),
            ("NoSuchEntity", "", add_to_group(), nothing, Verdict::Final),
            ("NoSuchEntity", "", add_to_group(), MADE, Verdict::NotSettled),
            ("NoSuchEntity", "", delete_user(), nothing, Verdict::Gone),
            ("NoSuchEntity", "", delete_user(), MADE, Verdict::NotSettled),
            ("EntityAlreadyExists", "", create_user(), nothing, Verdict::Exists),
            ("EntityAlreadyExists", "", create_user(), REMOVED, Verdict::Exists),
            ("EntityAlreadyExists", "", create_user(), DELETED, Verdict::NotSettled),
            ("EntityAlreadyExists", "", add_to_group(), nothing, Verdict::Final),
            (
                "EntityTemporarilyUnmodifiable",
                "",
                delete_user(),
                nothing,
                Verdict::NotSettled,
            ),
            (
                "ConcurrentModification",
                "",
                add_to_group(),
                nothing,
                Verdict::NotSettled,
            ),
            ("DeleteConflict", "", delete_user(), nothing, Verdict::Final),
            ("DeleteConflict", "", delete_user(), REMOVED, Verdict::NotSettled),
            ("InvalidInput", scope, boundary.clone(), MADE, Verdict::NotSettled),
            ("InvalidInput", scope, boundary.clone(), nothing, Verdict::Final),
            ("InvalidInput", "other", boundary, MADE, Verdict::Final),
            ("ExpiredToken", "", create_user(), nothing, Verdict::CredentialsRefused),
        ];
        for (code, message, call, before, expected) in table {
            let verdict = judge(&refused(code, message), &call, before);
            assert_eq!(verdict, expected, "{code} to {}", call.operation());
        }
        for code in [
            "LimitExceeded",
            "PasswordPolicyViolation",
            "MalformedPolicyDocument",
            "InvalidInput",
            "ValidationError",
            "UnmodifiableEntity",
            "PolicyNotAttachable",
            "AccessDenied",
        ] {
            assert_eq!(
                judge(&refused(code, ""), &create_user(), MADE),
                Verdict::Final,
                "{code}"
            );
        }
    }

    #[test]
    fn a_throttled_answer_with_a_server_error_is_throttling_all_the_same() {
        let error = CallError {
            reach: Reach::Unknown,
            ..refused("Throttling", "Rate exceeded")
        };
        assert_eq!(judge(&error, &create_user(), Before::default()), Verdict::Throttled);
    }

    #[test]
    fn pauses_grow_to_their_cap_and_no_further() {
        let mut rng = Xoshiro256PlusPlus::seed_from_u64(7);
        for failed in 1..100 {
            let throttled = pause(Verdict::Throttled, failed, &mut rng);
            let unsettled = pause(Verdict::NotSettled, failed, &mut rng);
            assert!(throttled <= Duration::from_secs(5));
            assert!(unsettled >= Duration::from_millis(250) && unsettled <= Duration::from_secs(5));
        }
        assert!(pause(Verdict::NotSettled, 50, &mut rng) >= Duration::from_millis(2500));
    }
}
