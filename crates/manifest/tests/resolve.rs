//! What declarations mean: each rule of the manifest, one by one.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::collections::BTreeSet;

use trueup_manifest::{Files, FilesError, MemoryFiles, Parsed, Severity, parse, render};
use trueup_model::{
    Desired, GroupName, IgnoreTarget, Path, PolicyArn, PolicyName, Unmanaged, UserName,
    desired::{
        AfterExpiry, AliasWish, BoundaryWish, DeletionLimit, DesiredUser, LoginProfileWish, MfaLevel,
        PasswordPolicyWish, PolicyRef,
    },
};

const HEAD: &str = "version: 1\naccount: {id: \"123456789012\"}\n";
const DOCUMENT: &str = "{Version: 2012-10-17, Statement: [{Effect: Allow, Action: \"s3:*\", Resource: \"*\"}]}";

fn desired_of(files: &dyn Files) -> Desired {
    let parsed = parse(files);
    assert!(
        parsed
            .diagnostics
            .iter()
            .all(|diagnostic| diagnostic.severity == Severity::Warning),
        "{}",
        render(&parsed.diagnostics, false)
    );
    parsed.desired.unwrap()
}

fn desired(body: &str) -> Desired {
    desired_of(&MemoryFiles::single(format!(
        "{HEAD}{}",
        body.replace("DOCUMENT", DOCUMENT)
    )))
}

fn codes(text: &str) -> Vec<&'static str> {
    let parsed = parse(&MemoryFiles::single(format!(
        "{HEAD}{}",
        text.replace("DOCUMENT", DOCUMENT)
    )));
    parsed.diagnostics.iter().map(|diagnostic| diagnostic.code).collect()
}

fn user<'d>(desired: &'d Desired, name: &str) -> &'d DesiredUser {
    &desired.users[&UserName::from_live(name)]
}

fn groups(names: &[&str]) -> BTreeSet<GroupName> {
    names.iter().map(|name| GroupName::from_live(*name)).collect()
}

fn paths(paths: &[&str]) -> BTreeSet<Path> {
    paths.iter().map(|path| Path::from_live(*path)).collect()
}

#[test]
fn a_field_of_the_password_policy_that_is_not_named_takes_the_apis_default() {
    let desired = desired_of(&MemoryFiles::single(
        "version: 1\naccount: {id: \"123456789012\", password_policy: {require_numbers: true, max_password_age: 90}}",
    ));
    let Some(PasswordPolicyWish::Custom(policy)) = desired.account.password_policy else {
        panic!("no policy")
    };
    assert!(policy.require_numbers && !policy.require_symbols && !policy.allow_users_to_change_password);
    assert_eq!(policy.minimum_password_length, 6);
    assert_eq!(
        (policy.max_password_age, policy.password_reuse_prevention),
        (Some(90), None)
    );
}

#[test]
fn what_is_left_out_of_the_account_is_not_managed() {
    let desired = desired("users: {alice: {}}");
    assert_eq!((desired.account.alias, desired.account.password_policy), (None, None));
    assert!(!desired.account.root.mfa_required && !desired.account.root.access_keys_forbidden);
    let desired = desired_of(&MemoryFiles::single(
        "version: 1\naccount: {id: \"123456789012\", alias: \"\", root: {mfa: required}}",
    ));
    assert_eq!(desired.account.alias, Some(AliasWish::Absent));
    assert!(desired.account.root.mfa_required && !desired.account.root.access_keys_forbidden);
}

#[test]
fn a_kind_that_is_not_named_is_owned_if_any_of_it_is_declared() {
    let scope = desired("users: {alice: {}}").scope;
    assert_eq!(scope.users.paths, paths(&["/"]));
    assert_eq!(scope.users.unmanaged, Unmanaged::Report);
    assert_eq!((scope.groups.paths, scope.policies.paths), (paths(&[]), paths(&[])));
    // What must not exist has to be owned to be deleted.
    let scope = desired("absent: {groups: {old: {reason: gone}}}").scope;
    assert_eq!((scope.users.paths, scope.groups.paths), (paths(&[]), paths(&["/"])));
    let scope = desired("users: {alice: {}}\nscope: {users: {unmanaged: delete}, groups: {paths: [/a/]}}").scope;
    assert_eq!(
        (scope.users.paths, scope.users.unmanaged),
        (paths(&["/"]), Unmanaged::Delete)
    );
    assert_eq!(scope.groups.paths, paths(&["/a/"]));
}

#[test]
fn ignore_rules_keep_their_order_and_days() {
    let scope = desired(
        "users: {alice: {}}\nscope: {ignore_tags: [\"aws:*\"], ignore: [{user: \"legacy-*\", reason: a, until: 2027-03-31}, \
         {tag: {managed-by: terraform}, reason: b}, {group: g, reason: c}, {policy: p, reason: d}]}",
    )
    .scope;
    assert_eq!(scope.ignore[0].target, IgnoreTarget::User("legacy-*".to_owned()));
    assert_eq!(scope.ignore[0].until.unwrap().to_string(), "2027-03-31");
    let tag = IgnoreTarget::Tag {
        key: "managed-by".to_owned(),
        value: "terraform".to_owned(),
    };
    assert_eq!((&scope.ignore[1].target, scope.ignore[1].reason.as_str()), (&tag, "b"));
    assert_eq!(scope.ignore.len(), 4);
    assert!(scope.ignores_tag("AWS:x") && !scope.ignores_tag("owner"));
}

#[test]
fn guardrails_have_defaults() {
    let guardrails = desired("users: {alice: {}}").guardrails;
    assert_eq!(guardrails.max_deletions, DeletionLimit::Percent(25));
    assert_eq!(
        (guardrails.minimum_administrators, guardrails.break_glass.len()),
        (1, 0)
    );
    let guardrails =
        desired("users: {alice: {}}\nguardrails: {max_deletions: 7, minimum_administrators: 2, break_glass: [root-1]}")
            .guardrails;
    assert_eq!(guardrails.max_deletions, DeletionLimit::Count(7));
    assert_eq!(guardrails.minimum_administrators, 2);
    // A break-glass user need not be declared.
    assert!(guardrails.break_glass.contains(&UserName::from_live("ROOT-1")));
}

#[test]
fn a_type_gives_what_the_user_does_not_say() {
    let desired = desired(
        "user_types:\n  person: {login_profile: {}, mfa: required, permissions_boundary: base, groups: [people], path: /people/, \
         tags: {kind: person}}\n\
         policies: {base: {document: DOCUMENT}}\ngroups: {people: {}}\n\
         users:\n  alice: {type: person, expires: 2027-06-30}\n  bob: {path: /people/}\n",
    );
    let alice = user(&desired, "alice");
    assert_eq!(
        alice.login_profile,
        Some(LoginProfileWish::Present {
            password_reset_required: true
        })
    );
    assert_eq!(alice.mfa.unwrap().level, MfaLevel::Required);
    let base = BoundaryWish::Present(PolicyRef::Declared(PolicyName::from_live("base")));
    assert_eq!(alice.permissions_boundary, base);
    assert_eq!(alice.groups, groups(&["people"]));
    assert_eq!(alice.path, Some(Path::from_live("/people/")));
    assert_eq!(alice.tags["kind"], "person");
    let expires = alice.expires.unwrap();
    assert_eq!(
        (expires.on.to_string().as_str(), expires.then),
        ("2027-06-30", AfterExpiry::Disable)
    );
    let bob = user(&desired, "bob");
    assert_eq!((bob.login_profile, bob.mfa, bob.expires), (None, None, None));
    assert_eq!(bob.permissions_boundary, BoundaryWish::Keep);
}

#[test]
fn a_user_cannot_repeat_a_key_of_its_type_and_sets_what_the_type_requires() {
    let types = "user_types: {person: {mfa: required, require: [expires]}}\n";
    assert_eq!(
        codes(&format!(
            "{types}users: {{a: {{type: person, mfa: required, expires: 2027-01-01}}}}"
        )),
        ["user-type"]
    );
    assert_eq!(codes(&format!("{types}users: {{a: {{type: person}}}}")), ["user-type"]);
    assert_eq!(
        codes(&format!("{types}users: {{a: {{type: person, expires: 2027-01-01}}}}")),
        [""; 0]
    );
}

#[test]
fn the_same_permissions_are_those_of_the_other_user_and_the_own_ones() {
    let desired = desired(
        "user_types: {person: {groups: [people]}}\n\
         policies: {base: {document: DOCUMENT}, more: {document: DOCUMENT}}\n\
         groups: {people: {}, admins: {}, own: {}}\n\
         users:\n\
         \x20 alice: {type: person, managed_policies: [more], permissions_boundary: base, inline_policies: {a: DOCUMENT}, tags: {x: z}, path: /a/}\n\
         \x20 bob: {same_permissions_as: ALICE, groups: [own], inline_policies: {b: DOCUMENT}}\n",
    );
    let bob = user(&desired, "bob");
    assert_eq!(bob.groups, groups(&["own", "people"]));
    assert_eq!(bob.managed_policies, user(&desired, "alice").managed_policies);
    assert_eq!(bob.inline_policies.len(), 2);
    assert_eq!(bob.permissions_boundary, user(&desired, "alice").permissions_boundary);
    // Nothing else is copied.
    assert_eq!((bob.path.clone(), bob.tags.len()), (None, 0));
    // The one that is copied stays as it is.
    assert_eq!(user(&desired, "alice").groups, groups(&["people"]));
}

#[test]
fn names_and_arns_of_own_policies_are_the_same_thing() {
    let desired = desired(
        "policies: {base: {path: /team/, document: DOCUMENT}, free: {document: DOCUMENT}}\n\
         external: {policies: [\"arn:aws:iam::123456789012:policy/x/theirs\"]}\n\
         users:\n\
         \x20 a: {managed_policies: [Base, \"arn:aws:iam::123456789012:policy/anywhere/free\"]}\n\
         \x20 b: {managed_policies: [\"arn:aws:iam::123456789012:policy/x/theirs\", \"arn:aws:iam::aws:policy/ReadOnlyAccess\"]}\n\
         \x20 c: {permissions_boundary: \"\"}\n",
    );
    let declared = |name: &str| PolicyRef::Declared(PolicyName::from_live(name));
    assert_eq!(
        user(&desired, "a").managed_policies,
        BTreeSet::from([declared("base"), declared("free")])
    );
    let arn = |text: &str| PolicyRef::Arn(PolicyArn::from_live(text));
    let expected = [
        arn("arn:aws:iam::123456789012:policy/x/theirs"),
        arn("arn:aws:iam::aws:policy/ReadOnlyAccess"),
    ];
    assert_eq!(user(&desired, "b").managed_policies, BTreeSet::from(expected));
    assert_eq!(user(&desired, "c").permissions_boundary, BoundaryWish::Absent);
}

#[test]
fn long_and_short_forms_say_the_same() {
    let desired = desired(
        "users:\n\
         \x20 a: {mfa: exempt, expires: {on: 2027-06-30, then: delete}, login_profile: none}\n\
         \x20 b: {mfa: {level: required, grace_days: 7}, login_profile: {password_reset_required: false}, previously: [b.old, b.older]}\n",
    );
    let (a, b) = (user(&desired, "a"), user(&desired, "b"));
    assert_eq!((a.mfa.unwrap().level, a.mfa.unwrap().grace_days), (MfaLevel::Exempt, 0));
    assert_eq!(
        (b.mfa.unwrap().level, b.mfa.unwrap().grace_days),
        (MfaLevel::Required, 7)
    );
    assert_eq!(a.expires.unwrap().then, AfterExpiry::Delete);
    assert_eq!(a.login_profile, Some(LoginProfileWish::Absent));
    assert_eq!(
        b.login_profile,
        Some(LoginProfileWish::Present {
            password_reset_required: false
        })
    );
    assert_eq!(
        b.previously,
        [UserName::from_live("b.old"), UserName::from_live("b.older")]
    );
}

#[test]
fn absent_entries_keep_their_reason() {
    let desired = desired(
        "absent:\n  users: {carol: {reason: left on 2026-11-20}}\n  groups: {old: {reason: merged}}\n  policies: {p: {reason: unused}}",
    );
    assert_eq!(
        desired.absent.users[&UserName::from_live("carol")].reason,
        "left on 2026-11-20"
    );
    assert_eq!(desired.absent.groups[&GroupName::from_live("old")], "merged");
    assert_eq!(desired.absent.policies[&PolicyName::from_live("p")], "unused");
}

#[test]
fn documents_are_the_same_in_yaml_and_in_a_file() {
    let text = format!("{HEAD}policies:\n  a: {{document: {DOCUMENT}}}\n  b: {{document: {{file: ./docs/b.json}}}}\n");
    let json = "{\"Statement\": {\"Resource\": \"*\", \"Action\": [\"S3:*\"], \"Effect\": \"Allow\"}, \"Version\": \"2012-10-17\"}";
    let desired = desired_of(&MemoryFiles::new([
        ("trueup.yaml", text.as_str()),
        ("docs/b.json", json),
    ]));
    let document = |name: &str| desired.policies[&PolicyName::from_live(name)].document.clone();
    assert_eq!(document("a"), document("b"));
    assert_eq!(
        document("a").as_text(),
        r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"*"}]}"#
    );
}

#[test]
fn a_manifest_that_declares_nothing_is_refused() {
    for body in [
        "",
        "users: {}\nroles: {}",
        "scope: {users: {paths: [/], unmanaged: delete}}",
        "external: {groups: [a]}\nguardrails: {break_glass: [b]}",
        "user_types: {person: {login_profile: {}}}",
    ] {
        assert_eq!(codes(body), ["declares-nothing"], "{body}");
    }
    for body in ["users: {a: {}}", "absent: {users: {a: {reason: left}}}"] {
        assert_eq!(codes(body), [""; 0], "{body}");
    }
}

/// The same files, listed in the opposite order.
struct Reversed(MemoryFiles);

impl Files for Reversed {
    fn list(&self) -> Result<Vec<String>, FilesError> {
        let mut names = self.0.list()?;
        names.reverse();
        Ok(names)
    }
    fn read(&self, relative: &str) -> Result<Vec<u8>, FilesError> {
        self.0.read(relative)
    }
}

#[test]
fn the_order_of_files_does_not_matter() {
    let files = MemoryFiles::new([
        ("z.yaml", format!("{HEAD}files: {{a.yaml: {{paths: [/a/]}}}}\n")),
        ("a.yaml", "users: {alice: {path: /a/}, bob: {groups: [x]}}".to_owned()),
        (
            "m/b.yml",
            "users: {ALICE: {}, carol: {grups: []}}\ngroups: {g: {managed_policies: [p]}}".to_owned(),
        ),
    ]);
    let shown = |parsed: Parsed| render(&parsed.diagnostics, false);
    let forwards = shown(parse(&files));
    assert!(
        forwards.contains("first declared here") && forwards.contains("limited here"),
        "{forwards}"
    );
    assert_eq!(forwards, shown(parse(&Reversed(files))));
}

#[test]
fn a_manifest_of_several_files_is_one() {
    let desired = desired_of(&MemoryFiles::new([
        (
            "trueup.yaml",
            format!(
                "{HEAD}files: {{people/a.yaml: {{paths: [/a/], groups: [\"a-*\"], types: [person]}}}}\nuser_types: {{person: {{login_profile: {{}}}}}}\n"
            ),
        ),
        (
            "people/a.yaml",
            "users: {alice: {type: person, path: /a/b/, groups: [A-readers]}}".to_owned(),
        ),
        ("groups.yml", "groups: {a-readers: {}}".to_owned()),
    ]));
    assert_eq!(user(&desired, "alice").groups, groups(&["a-readers"]));
}

#[test]
fn what_cannot_be_read_hides_no_other_mistake_and_invents_none() {
    // `groups` is unreadable, so that nothing is said about the groups that users name.
    assert_eq!(
        codes("groups: [admins]\nusers: {a: {groups: [admins], pth: /}}"),
        ["wrong-type", "unknown-key"]
    );
    assert_eq!(
        codes("goups: {admins: {}}\nusers: {a: {groups: [admins]}}"),
        ["unknown-key"]
    );
}
