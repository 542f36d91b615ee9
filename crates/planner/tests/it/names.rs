//! Names that IAM takes for the same although they are spelt differently, and entities that cannot be what is asked.

use std::collections::BTreeSet;

use trueup_model::Path;
use trueup_planner::PlanError;

use crate::build::{Declare, changes, desired, document, group, inline, live_of, plan, try_plan, user};

#[test]
fn the_letter_case_of_an_inline_policys_name_is_reported_and_left() {
    let mut wanted = desired();
    for (name, spelling) in [("same", "Audit"), ("edited", "Audit")] {
        wanted
            .user(name)
            .inline_policies
            .insert(inline(spelling), document(&["allow s3:Get*"]));
    }
    wanted
        .group("team")
        .inline_policies
        .insert(inline("Audit"), document(&["allow s3:Get*"]));
    let mut live = live_of(&wanted);
    let respelt = |policies: &mut std::collections::BTreeMap<_, _>, document| {
        policies.clear();
        policies.insert(inline("audit"), document);
    };
    let same = document(&["allow s3:Get*"]);
    respelt(
        &mut live.users.get_mut(&user("same")).unwrap().inline_policies,
        same.clone(),
    );
    respelt(
        &mut live.users.get_mut(&user("edited")).unwrap().inline_policies,
        document(&["allow s3:Put*"]),
    );
    respelt(&mut live.groups.get_mut(&group("team")).unwrap().inline_policies, same);
    let plan = plan(&wanted, &live);
    assert_eq!(changes(&plan), ["~ user/edited/inline-policy/Audit"]);
    let notes: Vec<(String, &str)> = plan
        .notes
        .iter()
        .map(|note| (note.resource.as_ref().unwrap().to_string(), note.message.as_str()))
        .collect();
    let message = "the manifest spells it `Audit`; IAM keeps the first spelling of an inline policy's name";
    assert_eq!(
        notes,
        [
            ("group/team/inline-policy/audit".to_owned(), message),
            ("user/edited/inline-policy/audit".to_owned(), message),
            ("user/same/inline-policy/audit".to_owned(), message),
        ]
    );
}

/// IAM has no two such tags on one user; emulators and edited snapshots do.
#[test]
fn live_tags_that_differ_in_case_alone_are_counted_and_removed() {
    let mut wanted = desired();
    wanted.user("alice");
    let mut live = live_of(&wanted);
    let alice = live.users.get_mut(&user("alice")).unwrap();
    alice.tags.insert("Owner".into(), "a".into());
    alice.tags.insert("owner".into(), "b".into());
    assert_eq!(changes(&plan(&wanted, &live)), ["~ user/alice"]);
}

fn problem(error: PlanError) -> (String, String) {
    match error {
        PlanError::Impossible(problems) => {
            assert_eq!(problems.len(), 1, "{problems:?}");
            (
                problems[0].message.clone(),
                problems[0].hint.clone().unwrap_or_default(),
            )
        }
        PlanError::WrongAccount { .. } => panic!("{error}"),
    }
}

#[test]
fn what_is_absent_and_out_of_reach_is_called_absent() {
    let mut before = desired();
    before.user("carol").path = Some(Path::new("/elsewhere/").unwrap());
    let live = live_of(&before);
    let mut wanted = desired();
    wanted.scope.users.paths = BTreeSet::from([Path::new("/platform/").unwrap()]);
    wanted.absent.users.insert(user("carol"), "left".into());
    let (message, hint) = problem(try_plan(&wanted, &live).unwrap_err());
    assert_eq!(
        message,
        "user `carol` is declared absent, but lives at path /elsewhere/, outside the scope"
    );
    assert_eq!(hint, "add /elsewhere/ to `scope`, or take the entry out");
}

#[test]
fn a_user_outside_the_scope_is_not_pulled_into_it() {
    let mut before = desired();
    before.user("alice").path = Some(Path::new("/elsewhere/").unwrap());
    let live = live_of(&before);
    let mut wanted = before.clone();
    wanted.user("alice").path = Some(Path::new("/platform/").unwrap());
    wanted.scope.users.paths = BTreeSet::from([Path::new("/platform/").unwrap()]);
    let (_, hint) = problem(try_plan(&wanted, &live).unwrap_err());
    assert_eq!(hint, "add /elsewhere/ to `scope`, or take the entry out");
}
