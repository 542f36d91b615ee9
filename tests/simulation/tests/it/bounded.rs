//! Whatever happens to the calls, and from whichever call on, everything that crosses the wire comes to an end in
//! bounded time.

use std::time::Duration;

use tokio::time::{Instant, timeout};
use trueup_executor::{MfaDevices, MfaError};
use trueup_model::live::{CredentialNeeds, Needs};
use trueup_sandbox::Faults;
use trueup_simulation::{
    case::Case,
    check::{Tally, Verdict, check, directory, on_virtual_time},
    random::Random,
    reconcile::{Session, Settings},
    watch::{Watched, session, settings},
    wire::Wire,
};

/// The executor gives up on throttled calls after half an hour; what it still reads then, and the reads before it, are
/// each tried twenty times at thirty seconds.
const BOUND: Duration = Duration::from_secs(60 * 60);

/// For how long a throttled call about an MFA device is sent again.
const THROTTLED: Duration = Duration::from_secs(30 * 60);

/// Something that never gets better.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fault {
    Throttled,
    ServerErrors,
    LostAnswers,
    Silence,
    Slow,
    NothingSettles,
    NothingIsSeen,
    Refused,
    Garbage,
    Circle,
}

const FAULTS: [Fault; 10] = [
    Fault::Throttled,
    Fault::ServerErrors,
    Fault::LostAnswers,
    Fault::Silence,
    Fault::Slow,
    Fault::NothingSettles,
    Fault::NothingIsSeen,
    Fault::Refused,
    Fault::Garbage,
    Fault::Circle,
];

/// What the commands do with an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Road {
    /// `whoami`
    Identity,
    /// `snapshot`, `export`, `audit`
    Everything,
    /// `plan`, `drift`
    Plan,
    /// `apply`
    Apply,
    /// `mfa enroll`, `mfa resync`, `mfa reset`
    Mfa,
}

const ROADS: [Road; 8] = [
    Road::Identity,
    Road::Everything,
    Road::Plan,
    Road::Apply,
    Road::Apply,
    Road::Apply,
    Road::Mfa,
    Road::Mfa,
];

fn with_fault(fault: Fault, from: usize, watched: &Watched) -> Wire {
    let wire = watched.wire();
    let sandbox = watched.sandbox.clone();
    let faults = match fault {
        Fault::Throttled => Faults {
            throttle: 1.0,
            ..Faults::default()
        },
        Fault::ServerErrors => Faults {
            server_error: 1.0,
            ..Faults::default()
        },
        Fault::LostAnswers => Faults {
            lost_answer: 1.0,
            ..Faults::default()
        },
        Fault::Slow => Faults {
            latency: Duration::from_secs(29),
            ..Faults::default()
        },
        Fault::NothingSettles => Faults {
            unmodifiable: u32::MAX,
            concurrent: true,
            latency: Duration::from_millis(100),
            ..Faults::default()
        },
        Fault::NothingIsSeen => Faults {
            stale_reads: u32::MAX,
            stale_writes: u32::MAX,
            ..Faults::default()
        },
        Fault::Silence => return wire.silent_from(from),
        Fault::Refused => return wire.answering_from(from, 403, &error("AccessDenied")),
        Fault::Garbage => return wire.answering_from(from, 200, "<html>not IAM</html>"),
        Fault::Circle => {
            let page = "<ListVirtualMFADevicesResponse><ListVirtualMFADevicesResult><VirtualMFADevices/>\
                <IsTruncated>true</IsTruncated><Marker>again</Marker></ListVirtualMFADevicesResult>\
                </ListVirtualMFADevicesResponse>";
            return wire.answering("ListVirtualMFADevices", 200, page);
        }
    };
    wire.before_each(move |call, _| {
        if call == from {
            sandbox.set_faults(faults.clone());
        }
    })
}

fn error(code: &str) -> String {
    format!("<ErrorResponse><Error><Type>Sender</Type><Code>{code}</Code><Message>no</Message></Error></ErrorResponse>")
}

async fn go(road: Road, session: &Session, case: &Case, settings: &Settings) {
    let everything = |live: &trueup_model::Live| {
        let everything = CredentialNeeds {
            everything: true,
            ..CredentialNeeds::default()
        };
        Needs {
            users: live.users.keys().map(|name| (name.clone(), everything)).collect(),
            policies: live.policies.keys().cloned().collect(),
            virtual_mfa_devices: true,
            ..Needs::default()
        }
    };
    // How it ends is another matter.
    match road {
        Road::Identity => drop(session.identity().await),
        Road::Everything => drop(session.read_with(everything).await),
        Road::Plan => drop(session.plan(&case.desired).await),
        Road::Apply => drop(session.reconcile(&case.desired, settings).await),
        Road::Mfa => drop(mfa(session, case).await),
    }
}

/// The calls about a device, one after the other, up to the first that fails for good.
async fn mfa(session: &Session, case: &Case) -> Result<(), MfaError> {
    let Ok(identity) = session.identity().await else {
        return Ok(());
    };
    let Some(user) = case.live.users.keys().next() else {
        return Ok(());
    };
    let devices = MfaDevices::new(session.iam(), THROTTLED);
    let waiting = |_, _| {};
    // What IAM answers is well and good: the codes are wrong.
    let answered = |result: Result<(), MfaError>| match result {
        Err(error @ MfaError::Failed { .. }) => Err(error),
        _ => Ok(()),
    };
    let serial = format!("arn:aws:iam::{}:mfa/bounded", identity.account);
    answered(devices.create(&serial, "bounded", &waiting).await.map(drop))?;
    let codes = ("000000", "000001");
    answered(devices.enable(user, &serial, codes, &waiting).await)?;
    answered(devices.resync(user, &serial, codes, &waiting).await)?;
    answered(devices.deactivate(user, &serial, &waiting).await)?;
    answered(devices.delete(&serial, &waiting).await)
}

fn comes_to_an_end(case: &Case, tally: &Tally) -> Verdict {
    let mut random = Random::of(case.seed, "bounded");
    let fault = *random.pick(&FAULTS);
    let road = *random.pick(&ROADS);
    // Half of them from the first call on, the rest from the midst of reading or writing. A device is a matter of five
    // calls, after the one that asks who calls.
    let from = match (road, random.below(2)) {
        (Road::Mfa, _) => 1 + random.below(5),
        (_, 0) => 0,
        _ => random.below(40),
    };
    on_virtual_time(case.seed, async {
        let watched = Watched::of(case);
        let wire = with_fault(fault, from, &watched);
        let session = session(&watched.sandbox, &wire);
        let directory = directory();
        let settings = Settings {
            paced: true,
            ..settings(case, directory.path())
        };
        let begin = Instant::now();
        let ended = timeout(BOUND, go(road, &session, case, &settings)).await;
        tally.note(&format!("{fault:?}"));
        tally.note(&format!("{road:?}"));
        // Every call before was made, and one about a device was the first that met the fault.
        if road == Road::Mfa && !case.live.users.is_empty() && wire.seen().len() >= from {
            tally.note(&format!("{road:?} {fault:?}"));
        }
        tally.most(&format!("seconds at most, {fault:?}"), begin.elapsed().as_secs());
        ended.map_err(|_| format!("{road:?} does not end within {BOUND:?} where from call {from} on: {fault:?}"))
    })
}

#[test]
fn everything_comes_to_an_end_whatever_happens() {
    let tally = check("bounded", 600, &comes_to_an_end);
    for fault in FAULTS {
        tally.require(&format!("{fault:?}"));
        // Nothing of a device is a list, so nothing of it can go round in circles.
        if fault != Fault::Circle {
            tally.require(&format!("{:?} {fault:?}", Road::Mfa));
        }
    }
    for road in ROADS {
        tally.require(&format!("{road:?}"));
    }
}
