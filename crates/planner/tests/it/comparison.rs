//! What is told of each thing that differs, and what each call waits for.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::json;
use trueup_model::{
    Live, Path, Unmanaged,
    desired::{BoundaryWish, PolicyRef},
    live::PolicyMetadata,
    quota::TAGS_PER_RESOURCE,
};
use trueup_planner::{Action, Call, Change, Plan};

use crate::build::{
    Declare, actions, admin_arn, arn, changes, desired, document, group, inline, live_of, plan, policy, try_plan, user,
};

fn change<'a>(plan: &'a Plan, resource: &str) -> &'a Change {
    let found = plan
        .changes
        .iter()
        .find(|change| change.resource.to_string() == resource);
    found.unwrap_or_else(|| panic!("no change of {resource} in {:?}", changes(plan)))
}

/// `path: before -> after` for every field of the change of a resource.
fn fields(plan: &Plan, resource: &str) -> Vec<String> {
    let fields = change(plan, resource).fields.iter();
    fields
        .map(|field| format!("{}: {} -> {}", field.path, field.before, field.after))
        .collect()
}

/// The one action of an operation.
fn action<'a>(plan: &'a Plan, operation: &str) -> &'a Action {
    let mut found = plan
        .actions
        .iter()
        .filter(|action| action.call.operation() == operation);
    let first = found
        .next()
        .unwrap_or_else(|| panic!("no {operation} in {:?}", actions(plan)));
    assert!(found.next().is_none(), "more than one {operation}");
    first
}

/// Whether the call of an operation waits, of itself or by others, for that of another.
fn waits(plan: &Plan, later: &str, earlier: &str) -> bool {
    let earlier = action(plan, earlier).id;
    let mut before = action(plan, later).after.clone();
    let mut seen = BTreeSet::new();
    while let Some(id) = before.pop() {
        if seen.insert(id) {
            before.extend(&plan.actions[id.0 as usize - 1].after);
        }
    }
    seen.contains(&earlier)
}

fn path(path: &str) -> Option<Path> {
    Some(Path::new(path).unwrap())
}

#[test]
fn what_is_lost_for_good_is_destructive_and_what_can_be_put_back_is_not() {
    let mut before = desired();
    before.policy("base", &["allow s3:a"]);
    let team = before.group("team");
    team.managed_policies.insert(PolicyRef::Declared(policy("base")));
    team.inline_policies.insert(inline("own"), document(&["allow s3:b"]));
    before.group("gone");
    before.user("leaves");
    before.policy("old", &["allow s3:c"]);
    before.user("stays").groups.insert(group("team"));
    let live = live_of(&before);
    let mut wanted = before.clone();
    let team = wanted.group("team");
    team.managed_policies.clear();
    team.inline_policies.clear();
    wanted.user("stays").groups.clear();
    wanted.users.remove(&user("leaves"));
    wanted.groups.remove(&group("gone"));
    wanted.policies.remove(&policy("old"));
    for scope in [
        &mut wanted.scope.users,
        &mut wanted.scope.groups,
        &mut wanted.scope.policies,
    ] {
        scope.unmanaged = Unmanaged::Delete;
    }
    let made = plan(&wanted, &live);
    let told: BTreeMap<String, bool> = made
        .changes
        .iter()
        .map(|change| (change.resource.to_string(), change.destructive))
        .collect();
    let expected = [
        ("group/gone", true),
        ("group/team/inline-policy/own", false),
        ("group/team/managed-policy/arn:aws:iam::123456789012:policy/base", false),
        ("group/team/member/stays", false),
        ("policy/old", true),
        ("user/leaves", true),
    ];
    assert_eq!(told, expected.map(|(name, lost)| (name.to_owned(), lost)).into());
}

#[test]
fn who_gets_a_new_policy_waits_for_it() {
    let mut wanted = desired();
    wanted.policy("new", &["allow s3:a"]);
    let new = || PolicyRef::Declared(policy("new"));
    let mut before = wanted.clone();
    before.policies.clear();
    before.user("alice");
    before.group("team");
    let live = live_of(&before);

    let mut attached = wanted.clone();
    attached.user("alice").managed_policies.insert(new());
    attached.group("team").managed_policies.insert(new());
    let made = plan(&attached, &live);
    assert!(waits(&made, "AttachUserPolicy", "CreatePolicy"));
    assert!(waits(&made, "AttachGroupPolicy", "CreatePolicy"));

    let mut bounded = wanted.clone();
    bounded.group("team");
    bounded.user("alice").permissions_boundary = BoundaryWish::Present(new());
    let made = plan(&bounded, &live);
    assert!(waits(&made, "PutUserPermissionsBoundary", "CreatePolicy"));

    let mut hired = bounded;
    hired.user("bob").permissions_boundary = BoundaryWish::Present(new());
    hired.user("alice").permissions_boundary = BoundaryWish::Keep;
    let made = plan(&hired, &live);
    assert!(waits(&made, "CreateUser", "CreatePolicy"));
}

#[test]
fn who_is_new_is_there_before_anything_is_done_to_it() {
    let mut wanted = desired();
    wanted
        .group("team")
        .inline_policies
        .insert(inline("own"), document(&["allow s3:a"]));
    let alice = wanted.user("alice");
    alice.groups.insert(group("team"));
    alice.managed_policies.insert(PolicyRef::Arn(admin_arn()));
    let made = plan(&wanted, &live_of(&desired()));
    assert!(waits(&made, "PutGroupPolicy", "CreateGroup"));
    assert!(waits(&made, "AddUserToGroup", "CreateGroup"));
    assert!(waits(&made, "AddUserToGroup", "CreateUser"));
    assert!(waits(&made, "AttachUserPolicy", "CreateUser"));
}

#[test]
fn a_user_that_moves_and_is_tagged_and_bounded_tells_each_field() {
    let mut before = desired();
    before.policy("limit", &["allow s3:*"]);
    let alice = before.user("alice");
    alice.path = path("/old/");
    alice.tags = [("Team", "red"), ("gone", "1"), ("same", "x")]
        .map(|(key, value)| (key.to_owned(), value.to_owned()))
        .into();
    let live = live_of(&before);
    let mut wanted = before.clone();
    let mut alice = wanted.users.remove(&user("alice")).unwrap();
    alice.name = user("alicia");
    alice.previously = vec![user("alice")];
    alice.path = path("/new/");
    alice.tags = [("team", "red"), ("same", "y"), ("more", "")]
        .map(|(key, value)| (key.to_owned(), value.to_owned()))
        .into();
    alice.permissions_boundary = BoundaryWish::Present(PolicyRef::Declared(policy("limit")));
    wanted.users.insert(user("alicia"), alice);
    let made = plan(&wanted, &live);
    assert_eq!(changes(&made), ["r user/alicia"]);
    assert_eq!(
        fields(&made, "user/alicia"),
        [
            r#"name: "alice" -> "alicia""#,
            r#"path: "/old/" -> "/new/""#,
            r#"tags.gone: "1" -> null"#,
            r#"tags.more: null -> """#,
            r#"tags.same: "x" -> "y""#,
            r#"tags.team: "Team=red" -> "team=red""#,
            r#"permissions_boundary: null -> "arn:aws:iam::123456789012:policy/limit""#,
        ]
    );
    assert!(waits(&made, "TagUser", "UntagUser"));

    // The boundary goes.
    let mut bounded = before.clone();
    bounded.user("alice").permissions_boundary = BoundaryWish::Present(PolicyRef::Declared(policy("limit")));
    let live = live_of(&bounded);
    bounded.user("alice").permissions_boundary = BoundaryWish::Absent;
    let made = plan(&bounded, &live);
    assert_eq!(
        fields(&made, "user/alice"),
        [r#"permissions_boundary: "arn:aws:iam::123456789012:policy/limit" -> null"#]
    );
    assert_eq!(actions(&made), ["DeleteUserPermissionsBoundary user/alice"]);
}

#[test]
fn what_trueup_remembers_is_told_in_the_one_change_of_a_user() {
    let mut wanted = desired();
    wanted.user("alice");
    let mut live = live_of(&wanted);
    let alice = live.users.get_mut(&user("alice")).unwrap();
    alice.tags.insert("trueup:quarantine".into(), "2026-11-01".into());
    let released = r#"in_quarantine_since: "2026-11-01" -> null"#;
    let made = plan(&wanted, &live);
    assert_eq!(changes(&made), ["~ user/alice"]);
    assert_eq!(fields(&made, "user/alice"), [released]);
    // Somebody else's change is not amended, and hers is not made twice.
    wanted.user("adam");
    wanted.user("alice").tags.insert("team".into(), "red".into());
    let made = plan(&wanted, &live);
    assert_eq!(changes(&made), ["+ user/adam", "~ user/alice"]);
    assert_eq!(fields(&made, "user/alice"), [r#"tags.team: null -> "red""#, released]);
}

#[test]
fn a_new_user_without_a_boundary_has_none() {
    for wish in [BoundaryWish::Keep, BoundaryWish::Absent] {
        let mut wanted = desired();
        wanted.user("alice").permissions_boundary = wish;
        wanted.user("alice").tags.insert("team".into(), "red".into());
        let made = plan(&wanted, &live_of(&desired()));
        assert_eq!(
            fields(&made, "user/alice"),
            [r#"path: null -> "/""#, r#"tags.team: null -> "red""#]
        );
    }
}

#[test]
fn what_comes_and_goes_says_in_whose_entry_it_stands_or_does_not() {
    let mut before = desired();
    let alice = before.user("alice");
    alice.managed_policies.insert(PolicyRef::Arn(admin_arn()));
    before
        .group("team")
        .inline_policies
        .insert(inline("old"), document(&["allow s3:a"]));
    let live = live_of(&before);
    let mut wanted = desired();
    wanted
        .user("alice")
        .inline_policies
        .insert(inline("own"), document(&["allow s3:b"]));
    wanted
        .group("team")
        .managed_policies
        .insert(PolicyRef::Arn(admin_arn()));
    let made = plan(&wanted, &live);
    let reasons: Vec<String> = made
        .changes
        .iter()
        .map(|change| format!("{}: {}", change.resource.kind(), change.reason))
        .collect();
    assert_eq!(
        reasons,
        [
            "inline-policy: not in the manifest's entry for `team`",
            "managed-policy: in the manifest's entry for `team`",
            "inline-policy: in the manifest's entry for `alice`",
            "managed-policy: not in the manifest's entry for `alice`",
        ]
    );
}

/// Nothing here waits for anything, so the order is that in which people expect to read it.
#[test]
fn calls_that_wait_for_nothing_come_in_the_order_of_their_kinds() {
    let mut before = desired();
    before.user("alice");
    before.user("zoe");
    before.group("team");
    let live = live_of(&before);
    let mut wanted = before;
    wanted
        .user("alice")
        .managed_policies
        .insert(PolicyRef::Arn(admin_arn()));
    wanted.user("zoe").tags.insert("team".into(), "red".into());
    wanted
        .group("team")
        .inline_policies
        .insert(inline("own"), document(&["allow s3:a"]));
    wanted.policy("new", &["allow s3:b"]);
    wanted.group("crew");
    assert_eq!(
        actions(&plan(&wanted, &live)),
        [
            "CreatePolicy policy/new",
            "CreateGroup group/crew",
            "PutGroupPolicy group/team/inline-policy/own",
            "TagUser user/zoe",
            "AttachUserPolicy user/alice/managed-policy/arn:aws:iam::aws:policy/AdministratorAccess",
        ]
    );
}

#[test]
fn a_group_tells_its_new_name_and_path() {
    let mut before = desired();
    before.group("team").path = path("/old/");
    let live = live_of(&before);
    let mut wanted = desired();
    let crew = wanted.group("crew");
    crew.previously = vec![group("team")];
    crew.path = path("/new/");
    let made = plan(&wanted, &live);
    assert_eq!(changes(&made), ["r group/crew"]);
    assert_eq!(
        fields(&made, "group/crew"),
        [r#"name: "team" -> "crew""#, r#"path: "/old/" -> "/new/""#]
    );
    assert!(change(&made, "group/crew").destructive);

    let mut moved = before;
    moved.group("team").path = path("/new/");
    let made = plan(&moved, &live);
    assert_eq!(changes(&made), ["~ group/team"]);
    assert_eq!(fields(&made, "group/team"), [r#"path: "/old/" -> "/new/""#]);
    assert_eq!(actions(&made), ["UpdateGroup group/team"]);
}

#[test]
fn a_new_policy_tells_all_that_it_is() {
    let mut wanted = desired();
    let base = wanted.policy("base", &["allow s3:a"]);
    base.description = Some("what all need".to_owned());
    base.tags.insert("owner".into(), "x".into());
    base.path = path("/shared/");
    let made = plan(&wanted, &live_of(&desired()));
    let told = fields(&made, "policy/base");
    assert_eq!(
        told[..3],
        [
            r#"path: null -> "/shared/""#,
            r#"description: null -> "what all need""#,
            r#"tags.owner: null -> "x""#,
        ]
    );
    assert!(
        told.len() > 3 && told[3..].iter().all(|field| field.contains("null -> ")),
        "{told:?}"
    );
}

/// An account with one policy whose tags and description are as given.
fn with_metadata(tags: &[(&str, &str)], description: Option<&str>) -> Live {
    let mut declared = desired();
    declared.policy("base", &["allow s3:a"]);
    let mut live = live_of(&declared);
    live.policies.get_mut(&policy("base")).unwrap().metadata = Some(PolicyMetadata {
        tags: tags
            .iter()
            .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
            .collect(),
        description: description.map(str::to_owned),
    });
    live
}

#[test]
fn a_description_that_differs_is_told_and_left() {
    let mut wanted = desired();
    wanted.policy("base", &["allow s3:a"]).description = Some("new".to_owned());
    let told = |live: &Live, wanted: &trueup_model::Desired| {
        let made = plan(wanted, live);
        assert_eq!(actions(&made), [""; 0]);
        made.notes.len()
    };
    assert_eq!(told(&with_metadata(&[], Some("old")), &wanted), 1);
    assert_eq!(told(&with_metadata(&[], None), &wanted), 1);
    assert_eq!(told(&with_metadata(&[], Some("new")), &wanted), 0);
    // None is what IAM has for an empty one.
    wanted.policy("base", &[]).description = Some(String::new());
    assert_eq!(told(&with_metadata(&[], None), &wanted), 0);
    wanted.policy("base", &[]).description = None;
    assert_eq!(told(&with_metadata(&[], Some("old")), &wanted), 0);
}

#[test]
fn tags_of_a_policy_go_and_come_and_ignored_ones_stay() {
    let mut wanted = desired();
    wanted.policy("base", &["allow s3:a"]).tags = [("same", "x"), ("other", "new"), ("comes", "1")]
        .map(|(key, value)| (key.to_owned(), value.to_owned()))
        .into();
    wanted.scope.ignore_tags.insert("cost".into());
    let live = with_metadata(&[("same", "x"), ("other", "old"), ("goes", "1"), ("cost", "7")], None);
    let made = plan(&wanted, &live);
    assert_eq!(
        fields(&made, "policy/base"),
        [
            r#"tags.comes: null -> "1""#,
            r#"tags.goes: "1" -> null"#,
            r#"tags.other: "old" -> "new""#,
        ]
    );
    let Call::UntagPolicy { tag_keys, .. } = &action(&made, "UntagPolicy").call else {
        panic!("another call")
    };
    assert_eq!(*tag_keys, ["goes"]);
    let Call::TagPolicy { tags, .. } = &action(&made, "TagPolicy").call else {
        panic!("another call")
    };
    assert_eq!(json!(tags), json!({"comes": "1", "other": "new"}));
    assert!(waits(&made, "TagPolicy", "UntagPolicy"));
    // What was not read is not compared.
    let mut unread = live;
    unread.policies.get_mut(&policy("base")).unwrap().metadata = None;
    assert_eq!(changes(&plan(&wanted, &unread)), [""; 0]);
}

#[test]
fn tags_are_counted_with_those_that_are_ignored() {
    let keys = |from: usize, to: usize| (from..to).map(|number| (format!("k{number}"), "v".to_owned()));
    let mut wanted = desired();
    wanted.scope.ignore_tags.insert("ignored".into());
    wanted.user("alice").tags = keys(1, TAGS_PER_RESOURCE).collect();
    wanted.policy("base", &["allow s3:a"]).tags = keys(1, TAGS_PER_RESOURCE).collect();
    // All but one are there under other keys, and there is one that is ignored.
    let mut live = live_of(&wanted);
    let there = || {
        let ignored = [("ignored".to_owned(), "v".to_owned())];
        keys(1000, 1000 + TAGS_PER_RESOURCE - 1).chain(ignored).collect()
    };
    live.users.get_mut(&user("alice")).unwrap().tags = there();
    live.policies
        .get_mut(&policy("base"))
        .unwrap()
        .metadata
        .as_mut()
        .unwrap()
        .tags = there();
    assert!(try_plan(&wanted, &live).is_ok());

    wanted.user("alice").tags.insert("k0".into(), "v".into());
    let refused = try_plan(&wanted, &live).unwrap_err().to_string();
    assert!(
        refused.contains("user `alice` would have 51 tags with those that are ignored, IAM allows 50"),
        "{refused}"
    );
    wanted.user("alice").tags.remove("k0");
    wanted.policy("base", &[]).tags.insert("k0".into(), "v".into());
    let refused = try_plan(&wanted, &live).unwrap_err().to_string();
    assert!(
        refused.contains("policy `base` would have 51 tags with those that are ignored, IAM allows 50"),
        "{refused}"
    );
    // A key that is there already takes no more room.
    let same = live_of(&wanted);
    let mut again = wanted.clone();
    again.policy("base", &[]).tags = keys(0, TAGS_PER_RESOURCE)
        .map(|(key, _)| (key, "w".to_owned()))
        .collect();
    again.user("alice").tags = keys(1, TAGS_PER_RESOURCE)
        .map(|(key, _)| (key, "w".to_owned()))
        .collect();
    assert!(try_plan(&again, &same).is_ok());
}

#[test]
fn a_group_with_an_ignored_member_is_kept_or_its_deletion_is_a_problem() {
    use trueup_model::{IgnoreRule, IgnoreTarget};
    let mut before = desired();
    before.group("old");
    before.user("tf-1").groups.insert(group("old"));
    let live = live_of(&before);
    let mut wanted = desired();
    wanted.scope.groups.unmanaged = Unmanaged::Delete;
    wanted.scope.ignore = vec![IgnoreRule {
        target: IgnoreTarget::User("tf-*".to_owned()),
        reason: "terraform".to_owned(),
        until: None,
    }];
    let made = plan(&wanted, &live);
    assert_eq!(actions(&made), [""; 0]);
    let listed: Vec<String> = made
        .unmanaged
        .iter()
        .map(|listed| format!("{}: {}", listed.resource, listed.reason))
        .collect();
    assert_eq!(
        listed,
        ["group/old: not in the manifest, and kept since its member `tf-1` is ignored"]
    );
    wanted.absent.groups.insert(group("old"), "merged".into());
    let refused = try_plan(&wanted, &live).unwrap_err().to_string();
    assert!(
        refused.contains("group `old` cannot be deleted: its member `tf-1` is ignored by a rule"),
        "{refused}"
    );

    // Without the rule it goes, and so where the ignored one is in another group.
    wanted.scope.ignore.clear();
    wanted.scope.users.unmanaged = Unmanaged::Delete;
    assert!(actions(&plan(&wanted, &live)).contains(&"DeleteGroup group/old".to_owned()));
}

#[test]
fn what_hangs_off_a_group_goes_once_its_members_have_left() {
    let mut before = desired();
    let old = before.group("old");
    old.inline_policies.insert(inline("own"), document(&["deny s3:b"]));
    old.managed_policies.insert(PolicyRef::Arn(admin_arn()));
    before.user("alice").groups.insert(group("old"));
    before
        .group("other")
        .inline_policies
        .insert(inline("own"), document(&["allow s3:b"]));
    before.user("bob").groups.insert(group("other"));
    let live = live_of(&before);
    let mut wanted = before.clone();
    wanted.groups.remove(&group("old"));
    wanted.absent.groups.insert(group("old"), "merged".into());
    wanted.user("alice").groups.clear();
    let made = plan(&wanted, &live);
    for stripped in ["DetachGroupPolicy", "DeleteGroupPolicy"] {
        assert!(waits(&made, stripped, "RemoveUserFromGroup"), "{stripped}");
        assert!(waits(&made, "DeleteGroup", stripped), "{stripped}");
    }
    assert!(change(&made, "group/old").fields.is_empty());

    // Nobody leaves the one where another loses a member.
    let mut elsewhere = before.clone();
    elsewhere.groups.remove(&group("old"));
    elsewhere.absent.groups.insert(group("old"), "merged".into());
    elsewhere.user("alice").groups.clear();
    elsewhere.user("bob").groups.clear();
    let made = plan(&elsewhere, &live);
    let last = action(&made, "DeleteGroup");
    let before: Vec<String> = last
        .after
        .iter()
        .map(|id| made.actions[id.0 as usize - 1].resource.to_string())
        .collect();
    assert!(before.contains(&"group/old/member/alice".to_owned()), "{before:?}");
    assert!(!before.contains(&"group/other/member/bob".to_owned()), "{before:?}");
}

#[test]
fn a_policy_that_goes_shows_its_document_and_loses_its_versions_first() {
    let mut before = desired();
    before.policy("old", &["allow s3:a"]);
    let mut live = live_of(&before);
    let old = live.policies.get_mut(&policy("old")).unwrap();
    let version = old.versions["v1"].clone();
    for id in ["v2", "v10"] {
        old.versions.insert(id.to_owned(), version.clone());
    }
    old.default_version = "v2".to_owned();
    let mut wanted = desired();
    wanted.scope.policies.unmanaged = Unmanaged::Delete;
    let made = plan(&wanted, &live);
    assert_eq!(
        actions(&made),
        [
            "DeletePolicyVersion policy/old/version/v1",
            "DeletePolicyVersion policy/old/version/v10",
            "DeletePolicy policy/old",
        ]
    );
    assert!(
        fields(&made, "policy/old")
            .iter()
            .all(|field| field.ends_with("-> null"))
    );
    assert!(!fields(&made, "policy/old").is_empty());
}

#[test]
fn a_document_that_says_the_same_in_other_words_is_no_change() {
    let mut wanted = desired();
    wanted.policy("base", &["allow s3:a"]);
    let mut live = live_of(&wanted);
    let text = r#"{"Version":"2012-10-17","Statement":{"Resource":["*"],"Action":["s3:a"],"Effect":"Allow"}}"#;
    let same = trueup_model::PolicyDocument::parse(text).unwrap();
    let live_policy = live.policies.get_mut(&policy("base")).unwrap();
    live_policy.versions.get_mut("v1").unwrap().document = same;
    assert_eq!(changes(&plan(&wanted, &live)), [""; 0]);
}

#[test]
fn a_boundary_on_the_same_policy_is_not_let_go_of() {
    let base = || PolicyRef::Declared(policy("base"));
    let mut before = desired();
    before.policy("base", &["allow s3:a"]);
    before.user("alice").permissions_boundary = BoundaryWish::Present(base());
    let mut live = live_of(&before);
    let mut wanted = desired();
    wanted.scope.policies.unmanaged = Unmanaged::Delete;
    wanted.user("alice");
    let kept = plan(&wanted, &live);
    assert_eq!(actions(&kept), [""; 0]);
    assert_eq!(
        kept.unmanaged[0].reason,
        "not in the manifest, and kept since user/alice hold it"
    );
    live.users.get_mut(&user("alice")).unwrap().permissions_boundary = None;
    assert_eq!(actions(&plan(&wanted, &live)), ["DeletePolicy policy/base"]);
    live.users
        .get_mut(&user("alice"))
        .unwrap()
        .managed_policies
        .insert(arn("base"));
    let let_go = plan(&wanted, &live);
    assert!(waits(&let_go, "DeletePolicy", "DetachUserPolicy"));
}
