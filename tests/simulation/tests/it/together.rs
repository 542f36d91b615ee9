//! Two runs at once, and somebody else who writes meanwhile: a run converges, or stops and says why.

use std::time::Duration;

use tokio::time::Instant;
use trueup_executor::{Because, Outcome};
use trueup_planner::PlanError;
use trueup_sandbox::Sandbox;
use trueup_simulation::{
    account::Account,
    case::Case,
    check::{Tally, Verdict, check, directory, on_virtual_time},
    fulfil::is_fulfilled,
    random::Random,
    reconcile::{Run, Stop},
    watch::{Came, Watched, is_converged, no_password_is_lost, refusal, session, settings, sort_out},
    wire::Wire,
};

/// How long anything may take here: nothing is throttled, so that only waits for what does not settle take long.
const PATIENCE: Duration = Duration::from_secs(20 * 60);

/// What somebody else can bring about that a manifest does not mean to decide.
const IN_THE_WAY: [&str; 2] = ["are both in the account", "outside the scope"];

fn slow(wire: Wire, case: &Case, who: &str) -> Wire {
    wire.with_latency(Random::of(case.seed, who), Duration::from_millis(60))
}

/// Whether a run converged; if not, that it says why.
fn says_why(outcome: Result<Run, Stop>, tally: &Tally) -> Verdict {
    let run = match outcome {
        Ok(run) => run,
        Err(stop) => {
            tally.note("stopped before any write");
            return if stop.to_string().is_empty() {
                Err("it stops without a word".to_owned())
            } else {
                Ok(())
            };
        }
    };
    if run.is_converged() {
        tally.note("converged");
        return Ok(());
    }
    tally.note("stopped with a reason");
    let Some(report) = &run.report else {
        return Err("nothing was done, and something is left".to_owned());
    };
    let told = report.actions.iter().all(|action| match &action.outcome {
        Outcome::Failed { error } => !error.message.is_empty(),
        Outcome::NotAttempted {
            because: Because::Stopped(reason),
        } => !reason.is_empty(),
        _ => true,
    });
    let anything = !report.is_complete() || run.left.is_some();
    if told && anything {
        Ok(())
    } else {
        Err(format!("it does not say why: {report:#?}"))
    }
}

/// A quiet run afterwards makes everything right.
async fn ends_well(case: &Case, sandbox: &Sandbox, directory: &std::path::Path, tally: &Tally) -> Verdict {
    let last = Watched::over(sandbox.clone());
    let wire = last.wire();
    let session = session(sandbox, &wire);
    let outcome = session.reconcile(&case.desired, &settings(case, directory)).await;
    let is_in_the_way = |message: &str| IN_THE_WAY.iter().any(|words| message.contains(words));
    if let Err(Stop::Plan(PlanError::Impossible(problems))) = &outcome
        && problems.iter().any(|problem| is_in_the_way(&problem.message))
        && problems
            .iter()
            .all(|problem| is_in_the_way(&problem.message) || refusal(&problem.message).is_some())
    {
        tally.note("what somebody else made is in the way, and is told");
        return Ok(());
    }
    match sort_out(outcome)? {
        Came::Refused(why) => {
            tally.note(why);
            Ok(())
        }
        Came::Through(run) => {
            is_converged(&run)?;
            is_fulfilled(&case.desired, &last.before, &Account::of(sandbox))
        }
    }
}

fn two_at_once(case: &Case, tally: &Tally) -> Verdict {
    on_virtual_time(case.seed, async {
        let watched = Watched::of(case);
        let directory = directory();
        let (one, other) = (slow(watched.wire(), case, "one"), slow(watched.wire(), case, "other"));
        let (first, second) = (session(&watched.sandbox, &one), session(&watched.sandbox, &other));
        let settings = settings(case, directory.path());
        let begin = Instant::now();
        let outcomes = tokio::join!(
            first.reconcile(&case.desired, &settings),
            second.reconcile(&case.desired, &settings)
        );
        if begin.elapsed() > PATIENCE {
            return Err(format!("it takes {:?}", begin.elapsed()));
        }
        says_why(outcomes.0, tally)?;
        says_why(outcomes.1, tally)?;
        let after = Account::of(&watched.sandbox);
        let calls: Vec<_> = one.seen().into_iter().chain(other.seen()).collect();
        no_password_is_lost(&watched.before, &after, &calls, directory.path())?;
        ends_well(case, &watched.sandbox, directory.path(), tally).await
    })
}

/// Writes this and that from outside, whether it succeeds or not.
async fn meddle(case: &Case, sandbox: &Sandbox) {
    let mut random = Random::of(case.seed, "meddler");
    let iam = sandbox.iam_client();
    let users: Vec<String> = case
        .desired
        .users
        .keys()
        .chain(case.live.users.keys())
        .map(ToString::to_string)
        .collect();
    let groups: Vec<String> = case
        .desired
        .groups
        .keys()
        .chain(case.live.groups.keys())
        .map(ToString::to_string)
        .collect();
    let policies: Vec<String> = case
        .live
        .policies
        .values()
        .map(|policy| policy.arn.to_string())
        .collect();
    let document = r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"sqs:*","Resource":"*"}}"#;
    for _ in 0..random.between(1, 6) {
        tokio::time::sleep(Duration::from_millis(random.below(1500) as u64)).await;
        let nobody = "nobody".to_owned();
        let user = if users.is_empty() { &nobody } else { random.pick(&users) }.as_str();
        let group = if groups.is_empty() {
            &nobody
        } else {
            random.pick(&groups)
        }
        .as_str();
        let policy = policies
            .first()
            .map_or("arn:aws:iam::aws:policy/ReadOnlyAccess", String::as_str);
        // What becomes of it is of no interest.
        match random.below(12) {
            0 => drop(iam.create_user().user_name(user).send().await),
            1 => drop(iam.delete_login_profile().user_name(user).send().await),
            2 => drop(iam.add_user_to_group().user_name(user).group_name(group).send().await),
            3 => drop(
                iam.remove_user_from_group()
                    .user_name(user)
                    .group_name(group)
                    .send()
                    .await,
            ),
            4 => drop(
                iam.put_user_policy()
                    .user_name(user)
                    .policy_name("work")
                    .policy_document(document)
                    .send()
                    .await,
            ),
            5 => drop(
                iam.attach_group_policy()
                    .group_name(group)
                    .policy_arn(policy)
                    .send()
                    .await,
            ),
            6 => drop(iam.detach_user_policy().user_name(user).policy_arn(policy).send().await),
            7 => drop(iam.create_group().group_name(group).send().await),
            8 => drop(iam.create_access_key().user_name(user).send().await),
            9 => drop(
                iam.create_policy_version()
                    .policy_arn(policy)
                    .policy_document(document)
                    .set_as_default(random.percent(50))
                    .send()
                    .await,
            ),
            10 => drop(iam.create_account_alias().account_alias("somebody-elses").send().await),
            _ => drop(
                iam.create_login_profile()
                    .user_name(user)
                    .password("Somebody-else's-1")
                    .send()
                    .await,
            ),
        }
    }
}

fn somebody_else_writes(case: &Case, tally: &Tally) -> Verdict {
    on_virtual_time(case.seed, async {
        let watched = Watched::of(case);
        let directory = directory();
        let wire = slow(watched.wire(), case, "run");
        let session = session(&watched.sandbox, &wire);
        let settings = settings(case, directory.path());
        let begin = Instant::now();
        let (outcome, ()) = tokio::join!(
            session.reconcile(&case.desired, &settings),
            meddle(case, &watched.sandbox)
        );
        if begin.elapsed() > PATIENCE {
            return Err(format!("it takes {:?}", begin.elapsed()));
        }
        says_why(outcome, tally)?;
        ends_well(case, &watched.sandbox, directory.path(), tally).await
    })
}

#[test]
fn two_runs_at_once_converge_or_say_why() {
    check("two at once", 400, &two_at_once);
}

#[test]
fn a_run_converges_or_says_why_although_somebody_else_writes() {
    check("somebody else writes", 600, &somebody_else_writes);
}
