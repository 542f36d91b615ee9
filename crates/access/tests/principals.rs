//! What principals may do, by groups, boundaries, denies and variables; administrators, escalation paths, and lines
//! for people.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test that fails to set up its case has failed"
)]

#[path = "managed/mod.rs"]
mod managed;

use serde_json::json;
use trueup_access::data::AccessLevel;
use trueup_access::{
    Administrator, Cause, Certainty, Effect, Engine, Holdings, IamData, Origin, PrincipalFacts, Request, Verdict,
};
use trueup_model::PolicyDocument;

fn engine() -> Engine<'static> {
    Engine::new(IamData::embedded())
}

fn document(statements: serde_json::Value) -> PolicyDocument {
    PolicyDocument::from_value(json!({"Version": "2012-10-17", "Statement": statements})).unwrap()
}

fn allow(actions: &[&str], resources: &[&str]) -> PolicyDocument {
    document(json!({"Effect": "Allow", "Action": actions, "Resource": resources}))
}

fn alice() -> PrincipalFacts {
    PrincipalFacts::user("aws", "111122223333", "/staff/", "alice", [("team", "platform")])
}

fn having(policies: Vec<(Origin, PolicyDocument)>) -> Holdings {
    Holdings {
        facts: alice(),
        policies,
        boundary: None,
    }
}

fn administrator_access() -> PolicyDocument {
    allow(&["*"], &["*"])
}

fn mfa_deny() -> PolicyDocument {
    document(json!({
        "Sid": "DenyAllExceptListedIfNoMFA", "Effect": "Deny", "Resource": "*",
        "NotAction": ["iam:CreateVirtualMFADevice", "iam:EnableMFADevice", "iam:GetUser", "sts:GetSessionToken"],
        "Condition": {"BoolIfExists": {"aws:MultiFactorAuthPresent": "false"}}
    }))
}

#[test]
fn a_group_policy_that_grows_says_through_which_group() {
    let reader = allow(
        &["s3:Get*", "s3:List*"],
        &["arn:aws:s3:::reports", "arn:aws:s3:::reports/*"],
    );
    let writer = allow(
        &["s3:Get*", "s3:List*", "s3:PutObject", "s3:DeleteObject"],
        &["arn:aws:s3:::reports", "arn:aws:s3:::reports/*"],
    );
    let before = having(vec![(Origin::through("analysts", "reports"), reader)]);
    let after = having(vec![(Origin::through("analysts", "reports"), writer)]);
    let mut engine = engine();
    let comparison = engine.compare(&before, &after);
    assert_eq!(comparison.verdict, Verdict::More);
    let lines = engine.summarise(&comparison.gained, &alice());
    assert_eq!(lines.len(), 1, "{lines:#?}");
    assert_eq!(
        lines[0].render('+'),
        "s3: +Write (s3:DeleteObject, s3:PutObject) on arn:aws:s3:::reports, arn:aws:s3:::reports/*"
    );
    let Cause::Allow(statements) = &lines[0].cause else {
        panic!("{:?}", lines[0].cause)
    };
    assert_eq!(statements[0].origin, Origin::through("analysts", "reports"));
    assert_eq!(lines[0].example.resource, "arn:aws:s3:::reports/example");
}

#[test]
fn what_another_route_grants_is_not_gained() {
    let wide = (Origin::own("own"), allow(&["s3:*"], &["*"]));
    let narrow = (
        Origin::through("g", "p"),
        allow(&["s3:PutObject"], &["arn:aws:s3:::a/*"]),
    );
    let comparison = engine().compare(&having(vec![wide.clone()]), &having(vec![wide, narrow]));
    assert_eq!(comparison.verdict, Verdict::Same);
}

#[test]
fn all_of_a_service_is_one_line_and_all_of_aws_another() {
    let mut engine = engine();
    let comparison = engine.compare(
        &having(vec![]),
        &having(vec![(Origin::own("p"), allow(&["sqs:*"], &["*"]))]),
    );
    let lines = engine.summarise(&comparison.gained, &alice());
    let rendered: Vec<String> = lines.iter().map(|line| line.render('+')).collect();
    assert_eq!(rendered, ["sqs: +Read, Write, Tagging, Permissions management on *"]);
    let comparison = engine.compare(
        &having(vec![]),
        &having(vec![(Origin::own("p"), administrator_access())]),
    );
    let lines = engine.summarise(&comparison.gained, &alice());
    let rendered: Vec<String> = lines.iter().map(|line| line.render('+')).collect();
    assert_eq!(
        rendered,
        [format!(
            "all {} services: +all levels on *",
            IamData::embedded().services().len()
        )]
    );
}

/// ReadOnlyAccess spreads one grant over several statements.
#[test]
fn many_services_are_few_lines_that_claim_no_whole_level() {
    let mut engine = engine();
    let policies = managed::managed_policies();
    let (_, document) = policies.iter().find(|(name, _)| name == "ReadOnlyAccess").unwrap();
    let held = having(vec![(Origin::through("readers", "ReadOnlyAccess"), document.clone())]);
    let comparison = engine.compare(&having(vec![]), &held);
    let lines = engine.summarise(&comparison.gained, &alice());
    let unconditional: Vec<_> = lines.iter().filter(|line| line.conditions.is_empty()).collect();
    let on_all: Vec<_> = unconditional.iter().filter(|line| line.resources == ["*"]).collect();
    assert_eq!(on_all.len(), 3, "{on_all:#?}");
    let reading = &on_all[0];
    assert_eq!(reading.levels, [AccessLevel::List, AccessLevel::Read]);
    assert!(reading.actions.is_empty() && reading.service_names.len() == reading.services && reading.count > 1_000);
    let Cause::Allow(statements) = &reading.cause else {
        panic!("{:?}", reading.cause)
    };
    assert_eq!(statements.len(), 2);
    for line in &on_all[1..] {
        assert!(!line.actions.is_empty(), "{line:#?}");
    }
}

#[test]
fn all_but_a_few_services_is_one_line() {
    let mut engine = engine();
    let but = document(json!({"Effect": "Allow", "NotAction": ["iam:*", "account:*"], "Resource": "*"}));
    let list = allow(&["iam:ListRoles"], &["*"]);
    let held = having(vec![(Origin::own("but"), but), (Origin::own("list"), list)]);
    let comparison = engine.compare(&having(vec![]), &held);
    let lines = engine.summarise(&comparison.gained, &alice());
    let rendered: Vec<String> = lines.iter().map(|line| line.render('+')).collect();
    let services = IamData::embedded().services().len() - 2;
    let expected = [
        format!("{services} services (all but account, iam): +all levels on *"),
        "iam: +List (iam:ListRoles) on *".to_owned(),
    ];
    assert_eq!(rendered, expected);
}

#[test]
fn examples_are_names_that_a_reader_takes_for_names() {
    let mut engine = engine();
    let example = |engine: &mut Engine<'_>, after: &[PolicyDocument]| {
        let held = after.iter().map(|it| (Origin::own("p"), it.clone())).collect();
        let comparison = engine.compare(&having(vec![]), &having(held));
        let lines = engine.summarise(&comparison.gained, &alice());
        assert!(lines[0].is_of_a_known_type, "{lines:#?}");
        format!("{} on {}", lines[0].example.action, lines[0].example.resource)
    };
    for (action, resource, expected) in [
        (
            "s3:*",
            "*",
            "s3:GetObject on arn:aws:s3:::example-bucket/example-object",
        ),
        (
            "s3:PutObject",
            "arn:aws:s3:::reports/*",
            "s3:PutObject on arn:aws:s3:::reports/example",
        ),
        (
            "s3:PutObject",
            "arn:aws:s3:::reports-*",
            "s3:PutObject on arn:aws:s3:::reports-example/example",
        ),
        (
            "iam:PassRole",
            "*",
            "iam:PassRole on arn:aws:iam::111122223333:role/example-role",
        ),
        (
            "sqs:SendMessage",
            "arn:aws:sqs:*:*:jobs-*",
            "sqs:SendMessage on arn:aws:sqs:us-east-1:111122223333:jobs-example",
        ),
        ("s3:ListAllMyBuckets", "*", "s3:ListAllMyBuckets on *"),
    ] {
        assert_eq!(example(&mut engine, &[allow(&[action], &[resource])]), expected);
    }
    // A deny that takes the plainest away leaves the next.
    let deny = document(json!({"Effect": "Deny", "Action": "s3:*", "Resource": "arn:aws:s3:::example*"}));
    let found = example(&mut engine, &[allow(&["s3:GetObject"], &["*"]), deny]);
    assert_eq!(
        found,
        "s3:GetObject on arn:aws:s3:us-east-1:111122223333:accesspoint/example-access-point/object/example-object"
    );
}

#[test]
fn names_that_the_data_lacks_are_gained_by_a_wildcard() {
    let data = IamData::embedded();
    let listed: Vec<&str> = data
        .actions_of(data.service("sqs").unwrap())
        .iter()
        .map(|action| action.name.as_str())
        .collect();
    let mut engine = engine();
    let comparison = engine.compare_documents(&allow(&listed, &["*"]), &allow(&["sqs:*"], &["*"]));
    assert_eq!(comparison.verdict, Verdict::More);
    let lines = engine.summarise(&comparison.gained, &PrincipalFacts::nobody());
    assert_eq!(lines[0].render('+'), "+sqs:* (names that the action data lacks) on *");
    let back = engine.compare_documents(&allow(&["sqs:*"], &["*"]), &allow(&listed, &["*"]));
    assert_eq!(back.verdict, Verdict::Less);
}

#[test]
fn a_boundary_takes_away_and_its_end_gives() {
    let policy = (Origin::own("p"), allow(&["s3:*", "iam:*"], &["*"]));
    let free = having(vec![policy.clone()]);
    let bounded = Holdings {
        boundary: Some((Origin::own("b"), allow(&["s3:*"], &["*"]))),
        ..having(vec![policy])
    };
    let mut engine = engine();
    let comparison = engine.compare(&bounded, &free);
    assert_eq!(comparison.verdict, Verdict::More);
    assert_eq!(comparison.gained[0].cause, Cause::NoBoundary);
    assert!(
        comparison
            .gained
            .iter()
            .all(|finding| finding.example.action.starts_with("iam:")),
        "{comparison:#?}"
    );
    assert_eq!(engine.compare(&free, &bounded).verdict, Verdict::Less);
    let decision = engine.decide(&bounded, &Request::new("iam:CreateUser", "*"));
    assert_eq!(decision.effect, Effect::OutsideBoundary);
}

#[test]
fn a_deny_that_goes_away_is_the_cause() {
    let all = (Origin::own("all"), administrator_access());
    let deny = (
        Origin::through("everybody", "stay"),
        document(
            json!({"Sid": "Stay", "Effect": "Deny", "Action": "organizations:LeaveOrganization", "Resource": "*"}),
        ),
    );
    let comparison = engine().compare(&having(vec![all.clone(), deny]), &having(vec![all]));
    assert_eq!((comparison.verdict, comparison.gained.len()), (Verdict::More, 1));
    let Cause::Deny(statements) = &comparison.gained[0].cause else {
        panic!("{comparison:?}")
    };
    assert_eq!(
        (statements[0].label.as_str(), statements[0].origin.group.as_deref()),
        ("Stay", Some("everybody"))
    );
    assert_eq!(
        comparison.gained[0].example,
        Request::new("organizations:LeaveOrganization", "*")
    );
}

#[test]
fn variables_of_a_known_principal_are_plain_text() {
    let own = document(json!({"Effect": "Allow", "Action": "iam:ChangePassword",
        "Resource": ["arn:aws:iam::*:user/${aws:username}", "arn:aws:iam::*:user/*/${aws:username}"]}));
    let named = allow(
        &["iam:ChangePassword"],
        &["arn:aws:iam::*:user/alice", "arn:aws:iam::*:user/*/alice"],
    );
    let mut engine = engine();
    let (variable, plain) = (
        having(vec![(Origin::own("p"), own.clone())]),
        having(vec![(Origin::own("p"), named.clone())]),
    );
    assert_eq!(engine.compare(&variable, &plain).verdict, Verdict::Same);
    // Of nobody in particular, the variable may be any name.
    assert_ne!(engine.compare_documents(&own, &named).verdict, Verdict::Same);
    // In the old version the variable is text.
    let old = PolicyDocument::from_live(own.as_text().replace("2012-10-17", "2008-10-17"));
    assert_ne!(
        engine
            .compare(&variable, &having(vec![(Origin::own("p"), old)]))
            .verdict,
        Verdict::Same
    );
    // A tag that a user lacks is text that nothing is.
    let tagged =
        document(json!({"Effect": "Allow", "Action": "s3:*", "Resource": "arn:aws:s3:::${aws:PrincipalTag/team}/*"}));
    let platform = allow(&["s3:*"], &["arn:aws:s3:::platform/*"]);
    let (tagged, platform) = (
        having(vec![(Origin::own("p"), tagged)]),
        having(vec![(Origin::own("p"), platform)]),
    );
    assert_eq!(engine.compare(&tagged, &platform).verdict, Verdict::Same);
    let mut untagged = tagged;
    untagged.facts = PrincipalFacts::user("aws", "111122223333", "/staff/", "alice", []);
    let comparison = engine.compare(&having(vec![]), &untagged);
    assert_eq!(comparison.verdict, Verdict::Unknown);
    assert!(
        matches!(&comparison.gained[0].certainty, Certainty::May(why) if why[0].contains("(absent)")),
        "{comparison:?}"
    );
}

#[test]
fn what_cannot_be_read_is_unknown_and_says_so() {
    let mut engine = engine();
    let strange = PolicyDocument::from_live("{");
    let comparison = engine.compare_documents(&allow(&["s3:*"], &["*"]), &strange);
    assert_eq!(comparison.verdict, Verdict::Unknown);
    assert!(comparison.unknown[0].contains("no policy document"), "{comparison:?}");
    let odd = document(
        json!({"Effect": "Allow", "Action": "s3:*", "Resource": "*", "Condition": {"StringResembles": {"a": "b"}}}),
    );
    let comparison = engine.compare_documents(&allow(&["sqs:*"], &["*"]), &odd);
    assert_eq!(comparison.verdict, Verdict::Unknown);
    assert!(
        comparison
            .unknown
            .iter()
            .any(|why| why.contains("StringResembles `a` `b`")),
        "{:?}",
        comparison.unknown
    );
    // The same text on both sides holds or does not hold on both.
    assert_eq!(engine.compare_documents(&odd, &odd).verdict, Verdict::Same);
    let short = allow(&["s3:*"], &["arn:aws:s3"]);
    assert_eq!(
        engine
            .compare_documents(&allow(&["s3:*"], &["arn:aws:s3:::a"]), &short)
            .verdict,
        Verdict::Unknown
    );
}

#[test]
fn administrators() {
    let mut engine = engine();
    let all = || {
        (
            Origin::through("administrators", "AdministratorAccess"),
            administrator_access(),
        )
    };
    let mut of = |policies| engine.administrator(&having(policies));
    assert_eq!(of(vec![all()]), Administrator::Full);
    assert_eq!(of(vec![all(), (Origin::own("mfa"), mfa_deny())]), Administrator::Full);
    let leave = document(json!({"Effect": "Deny", "Action": "organizations:LeaveOrganization", "Resource": "*"}));
    assert_eq!(of(vec![all(), (Origin::own("stay"), leave)]), Administrator::Restricted);
    let nothing = document(json!({"Effect": "Deny", "Action": "*", "Resource": "*"}));
    assert_eq!(of(vec![all(), (Origin::own("none"), nothing)]), Administrator::No);
    let iam = document(json!({"Effect": "Deny", "Action": "iam:*", "Resource": "*"}));
    assert_eq!(of(vec![all(), (Origin::own("none"), iam)]), Administrator::No);
    assert_eq!(
        of(vec![(Origin::own("p"), allow(&["s3:*"], &["*"]))]),
        Administrator::No
    );
    // Two halves are the whole.
    let halves = document(json!([
        {"Effect": "Allow", "Action": "iam:*", "Resource": "*"},
        {"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"}
    ]));
    assert_eq!(of(vec![(Origin::own("p"), halves)]), Administrator::Full);
    let bounded = Holdings {
        boundary: Some((Origin::own("b"), allow(&["s3:*"], &["*"]))),
        ..having(vec![all()])
    };
    assert_eq!(engine.administrator(&bounded), Administrator::No);
}

#[test]
fn escalation_paths_need_all_their_permissions() {
    let mut engine = engine();
    let mut ids = |actions: &[&str]| -> Vec<String> {
        let holdings = having(vec![(Origin::through("builders", "p"), allow(actions, &["*"]))]);
        engine.escalations(&holdings).into_iter().map(|path| path.id).collect()
    };
    assert!(ids(&["s3:*"]).is_empty());
    assert!(!ids(&["iam:PassRole", "lambda:CreateFunction"]).contains(&"lambda-001".to_owned()));
    assert!(
        ids(&["iam:PassRole", "lambda:CreateFunction", "lambda:InvokeFunction"]).contains(&"lambda-001".to_owned())
    );
    assert_eq!(ids(&["iam:CreatePolicyVersion"]), ["iam-001"]);
    assert_eq!(ids(&["*"]).len(), 65);
    let denied = document(json!([
        {"Effect": "Allow", "Action": "iam:*", "Resource": "*"},
        {"Effect": "Deny", "Action": "iam:Create*", "Resource": "*"}
    ]));
    let holdings = having(vec![(Origin::own("p"), denied)]);
    let found = engine.escalations(&holdings);
    assert!(!found.iter().any(|path| path.id == "iam-001") && found.iter().any(|path| path.id == "iam-007"));
    assert_eq!(found[0].permissions[0].statements[0].origin, Origin::own("p"));
}

#[test]
fn a_decision_names_the_statements_that_decide() {
    let mut engine = engine();
    let holdings = having(vec![
        (Origin::own("read"), allow(&["s3:GetObject"], &["arn:aws:s3:::a/*"])),
        (Origin::through("everybody", "mfa"), mfa_deny()),
    ]);
    let request = Request::new("s3:GetObject", "arn:aws:s3:::a/x");
    let decision = engine.decide(&holdings, &request);
    assert_eq!(decision.effect, Effect::ExplicitlyDenied);
    assert_eq!(decision.statements[0].label, "DenyAllExceptListedIfNoMFA");
    let with_mfa = request.with("aws:MultiFactorAuthPresent", "true");
    let decision = engine.decide(&holdings, &with_mfa);
    assert_eq!((decision.effect, decision.statements.len()), (Effect::Allowed, 1));
    let decision = engine.decide(
        &holdings,
        &Request::new("s3:PutObject", "arn:aws:s3:::a/x").with("aws:MultiFactorAuthPresent", "true"),
    );
    assert_eq!((decision.effect, decision.statements.len()), (Effect::NotAllowed, 0));
    let reached = engine.reach(&holdings, "s3:GetObject", "arn:aws:s3:::a/*").unwrap();
    assert!(reached.is_certain && reached.example.resource.starts_with("arn:aws:s3:::a/"));
    assert_eq!(engine.reach(&holdings, "s3:GetObject", "arn:aws:s3:::b/*"), None);
    assert_eq!(engine.reach(&holdings, "s3:PutObject", "*"), None);
}

#[test]
fn an_assumption_about_arns_is_said() {
    let before = document(json!([
        {"Effect": "Allow", "Action": "cloudformation:*", "Resource": "*"},
        {"Effect": "Deny", "Action": "cloudformation:*", "Resource": "arn:aws:cloudformation:*:*:stack/secret/*"}
    ]));
    let after = allow(
        &["cloudformation:DeleteStack"],
        &["arn:aws:cloudformation:*:*:stack/open/*"],
    );
    let comparison = engine().compare_documents(&before, &after);
    assert_eq!((comparison.verdict, comparison.assumptions.len()), (Verdict::Less, 1));
    let narrower = allow(
        &["cloudformation:DeleteStack"],
        &["arn:aws:cloudformation:eu-west-1:111122223333:stack/open/x"],
    );
    assert_eq!(engine().compare_documents(&before, &narrower).assumptions.len(), 0);
}

/// Of pairs of managed policies, what one says about the pair fits what the other direction says, and a policy joined
/// with another one has all of both.
#[test]
fn managed_policies_in_both_directions() {
    let policies = managed::managed_policies();
    let mut engine = engine();
    let mut unknown = 0;
    let mut total = 0;
    for step in [1, 17, 401] {
        for index in (0..policies.len()).step_by(7) {
            let (name, one) = &policies[index];
            let (other_name, other) = &policies[(index + step) % policies.len()];
            let policy = |document: &PolicyDocument| having(vec![(Origin::own("p"), document.clone())]);
            let both = having(vec![(Origin::own("p"), one.clone()), (Origin::own("q"), other.clone())]);
            let there = engine.verdict(&policy(one), &policy(other)).verdict;
            let back = engine.verdict(&policy(other), &policy(one)).verdict;
            let mirrored = match there {
                Verdict::More => Verdict::Less,
                Verdict::Less => Verdict::More,
                same => same,
            };
            assert_eq!(back, mirrored, "{name} {other_name}");
            total += 1;
            unknown += u32::from(there == Verdict::Unknown);
            let denies = |document: &PolicyDocument| document.statements().iter().any(|statement| statement.is_deny());
            if !denies(other) {
                let joined = engine.verdict(&policy(one), &both);
                assert!(
                    !matches!(joined.verdict, Verdict::Less | Verdict::Both),
                    "{name} {other_name}: {joined:?}"
                );
            }
        }
    }
    assert!(unknown * 50 <= total, "{unknown} of {total} unknown");
}

/// What cannot be read may allow or deny anything, on both sides alike.
#[test]
fn what_is_not_read_never_proves_that_nothing_is_gained() {
    let unread = || PolicyDocument::from_live("not read");
    let mut engine = engine();
    let mut verdict = |before: &Holdings, after: &Holdings| engine.verdict(before, after).verdict;
    // A boundary that may let anything through.
    let bounded = |policies| Holdings {
        boundary: Some((Origin::own("b"), unread())),
        ..having(policies)
    };
    let (get, put) = (allow(&["s3:GetObject"], &["*"]), allow(&["s3:PutObject"], &["*"]));
    let (read, write) = (
        bounded(vec![(Origin::own("p"), get.clone())]),
        bounded(vec![(Origin::own("p"), put.clone())]),
    );
    assert_eq!(verdict(&read, &write), Verdict::Unknown);
    // A deny that goes away and takes nothing from what is read.
    let denied = |policies: Vec<(Origin, PolicyDocument)>| {
        let unread = [(Origin::own("u"), unread())];
        having(policies.into_iter().chain(unread).collect())
    };
    let deny = document(json!({"Effect": "Deny", "Action": "s3:*", "Resource": "*"}));
    assert_eq!(
        verdict(&denied(vec![(Origin::own("d"), deny.clone())]), &denied(Vec::new())),
        Verdict::Unknown
    );
    // What is proved without it stays proved.
    let narrower = denied(vec![(Origin::own("d"), deny)]);
    assert_eq!(verdict(&narrower, &narrower), Verdict::Same);
    assert_eq!(
        verdict(
            &denied(vec![(Origin::own("p"), get.clone())]),
            &denied(vec![(Origin::own("q"), get)])
        ),
        Verdict::Same
    );
}

/// What cannot be read is the same where its text is, wherever that stands, and not where only its name is.
#[test]
fn what_is_not_read_is_known_by_its_text() {
    let unreadable = |text: &str| vec![(Origin::own("p"), PolicyDocument::from_live(text))];
    let elsewhere = vec![(Origin::own("q"), PolicyDocument::from_live("{one"))];
    let mut engine = engine();
    let (one, other) = (having(unreadable("{one")), having(unreadable("{other")));
    assert_eq!(engine.verdict(&one, &one).verdict, Verdict::Same);
    assert_eq!(engine.verdict(&one, &having(elsewhere)).verdict, Verdict::Same);
    assert_eq!(engine.verdict(&one, &other).verdict, Verdict::Unknown);
    let strange = |resource: &str| {
        let statement =
            json!({"Sid": "S", "Effect": "Allow", "Principal": "*", "Action": "s3:*", "Resource": resource});
        having(vec![(Origin::own("p"), document(statement))])
    };
    let judgement = engine.verdict(&strange("arn:aws:s3:::a"), &strange("arn:aws:s3:::b"));
    assert_eq!(judgement.verdict, Verdict::Unknown);
    // A document that is not known may be another one.
    let unknown = |name: &str| having(vec![(Origin::own(name), PolicyDocument::from_live(""))]);
    assert_eq!(engine.verdict(&unknown("p"), &unknown("p")).verdict, Verdict::Same);
    assert_eq!(engine.verdict(&unknown("p"), &unknown("q")).verdict, Verdict::Unknown);
}

#[test]
fn a_verdict_on_some_requests_looks_at_nothing_else() {
    let mut engine = engine();
    let before = having(vec![(Origin::own("p"), allow(&["iam:*", "s3:*"], &["*"]))]);
    let after = having(vec![(
        Origin::own("p"),
        allow(&["iam:*"], &["arn:aws:iam::111122223333:user/*"]),
    )]);
    let mut on = |action: &str, resource: &str| {
        let requests = [(action.to_owned(), resource.to_owned())];
        engine.verdict_on(&before, &after, &requests)
    };
    assert_eq!(
        on("iam:DeleteUser", "arn:aws:iam::111122223333:user/alice").verdict,
        Verdict::Same
    );
    let lost = on("iam:DeleteGroup", "arn:aws:iam::111122223333:group/a");
    assert_eq!(lost.verdict, Verdict::Less);
    assert_eq!(lost.lost.unwrap().resource, "arn:aws:iam::111122223333:group/a");
    assert_eq!(on("s3:GetObject", "*").verdict, Verdict::Less);
    assert_eq!(on("ec2:RunInstances", "*").verdict, Verdict::Same);
}
