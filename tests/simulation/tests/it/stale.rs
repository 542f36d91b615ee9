//! A plan that was reviewed is refused when one thing that it rests on has changed since, and is not when anything
//! else has.

use aws_sdk_iam::{Client, types::Tag};
use trueup_model::{GroupName, UserName, desired::LoginProfileWish};
use trueup_report::what_moved;
use trueup_simulation::{
    account::Account,
    case::Case,
    check::{Tally, Verdict, check, directory, on_virtual_time},
    random::Random,
    reconcile::{Settings, Stop},
    watch::{Watched, session, settings, sort_out},
};

/// One change of one field of something that the manifest owns.
#[derive(Debug, Clone)]
pub(crate) enum Move {
    Tag(String),
    Path(String),
    Spelling(String),
    Inline(String),
    Attachment(String),
    Boundary(String),
    NoBoundary(String),
    Leave(String, String),
    Password(String),
    NoPassword(String),
    Key(String),
    GroupPath(String),
    GroupInline(String),
    GroupAttachment(String),
    Join(String, String),
    Version(String),
    Default(String),
    PolicyTag(String),
    Alias,
    PasswordPolicy,
    Create(String),
    CreateGroup(String),
}

const DOCUMENT: &str = r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"sns:*","Resource":"*"}}"#;
const POLICY: &str = "arn:aws:iam::aws:policy/AWSCloudTrail_ReadOnlyAccess";

/// What can be moved of what the plan rests on.
pub(crate) fn moves(case: &Case) -> Vec<Move> {
    let (live, desired) = (&case.live, &case.desired);
    let mut moves = Vec::new();
    for (name, user) in &desired.users {
        let text = name.to_string();
        let Some(found) = live.users.get(name) else {
            let lives_on = user.previously.iter().any(|old| live.users.contains_key(old));
            // Somebody who has expired is never made.
            if !lives_on && user.expires.is_none() {
                moves.push(Move::Create(text));
            }
            continue;
        };
        moves.extend([
            Move::Tag(text.clone()),
            Move::Path(text.clone()),
            Move::Spelling(text.clone()),
            Move::Inline(text.clone()),
            Move::Attachment(text.clone()),
        ]);
        match found.permissions_boundary {
            Some(_) => moves.push(Move::NoBoundary(text.clone())),
            None => moves.push(Move::Boundary(text.clone())),
        }
        for group in &found.groups {
            moves.push(Move::Leave(text.clone(), group.to_string()));
        }
        if matches!(
            user.login_profile,
            Some(LoginProfileWish::Present { .. } | LoginProfileWish::Absent)
        ) {
            let has_one = matches!(found.credentials.login_profile, Some(Some(_)));
            moves.push(if has_one {
                Move::NoPassword(text.clone())
            } else {
                Move::Password(text.clone())
            });
        }
    }
    for name in desired
        .absent
        .users
        .keys()
        .filter(|name| live.users.contains_key(*name))
    {
        moves.extend([Move::Key(name.to_string()), Move::Tag(name.to_string())]);
    }
    for name in desired.groups.keys() {
        let text = name.to_string();
        if !live.groups.contains_key(name) {
            let previously = &desired.groups[name].previously;
            if !previously.iter().any(|old| live.groups.contains_key(old)) {
                moves.push(Move::CreateGroup(text));
            }
            continue;
        }
        moves.extend([
            Move::GroupPath(text.clone()),
            Move::GroupInline(text.clone()),
            Move::GroupAttachment(text.clone()),
        ]);
        for user in live.users.values().filter(|user| !user.groups.contains(name)) {
            moves.push(Move::Join(user.name.to_string(), text.clone()));
        }
    }
    for name in desired.policies.keys() {
        if let Some(found) = live.policies.get(name) {
            let arn = found.arn.to_string();
            moves.extend([
                Move::Version(arn.clone()),
                Move::Default(arn.clone()),
                Move::PolicyTag(arn),
            ]);
        }
    }
    if desired.account.alias.is_some() {
        moves.push(Move::Alias);
    }
    if desired.account.password_policy.is_some() {
        moves.push(Move::PasswordPolicy);
    }
    moves
}

fn tag() -> Tag {
    Tag::builder()
        .key("zz-moved")
        .value("x")
        .build()
        .expect("a key and a value")
}

/// Makes the change; whether it could be made.
pub(crate) async fn make(moved: &Move, iam: &Client, case: &Case) -> bool {
    match moved {
        Move::Tag(user) => iam.tag_user().user_name(user).tags(tag()).send().await.is_ok(),
        Move::Path(user) => iam
            .update_user()
            .user_name(user)
            .new_path("/moved/")
            .send()
            .await
            .is_ok(),
        Move::Spelling(user) => {
            let found = case
                .live
                .users
                .get(&UserName::from_live(user.as_str()))
                .map(|user| user.name.to_string());
            let found = found.unwrap_or_default();
            let other: String = found
                .chars()
                .map(|c| {
                    if c.is_ascii_lowercase() {
                        c.to_ascii_uppercase()
                    } else {
                        c.to_ascii_lowercase()
                    }
                })
                .collect();
            other != found
                && iam
                    .update_user()
                    .user_name(user)
                    .new_user_name(other)
                    .send()
                    .await
                    .is_ok()
        }
        Move::Inline(user) => {
            let put = iam
                .put_user_policy()
                .user_name(user)
                .policy_name("zz-moved")
                .policy_document(DOCUMENT);
            put.send().await.is_ok()
        }
        Move::Attachment(user) => iam
            .attach_user_policy()
            .user_name(user)
            .policy_arn(POLICY)
            .send()
            .await
            .is_ok(),
        Move::Boundary(user) => {
            let put = iam
                .put_user_permissions_boundary()
                .user_name(user)
                .permissions_boundary(POLICY);
            put.send().await.is_ok()
        }
        Move::NoBoundary(user) => iam
            .delete_user_permissions_boundary()
            .user_name(user)
            .send()
            .await
            .is_ok(),
        Move::Leave(user, group) => iam
            .remove_user_from_group()
            .user_name(user)
            .group_name(group)
            .send()
            .await
            .is_ok(),
        Move::Password(user) => {
            let create = iam
                .create_login_profile()
                .user_name(user)
                .password("Somebody-else's-password-1-and-longer");
            create.send().await.is_ok()
        }
        Move::NoPassword(user) => iam.delete_login_profile().user_name(user).send().await.is_ok(),
        Move::Key(user) => iam.create_access_key().user_name(user).send().await.is_ok(),
        Move::GroupPath(group) => iam
            .update_group()
            .group_name(group)
            .new_path("/moved/")
            .send()
            .await
            .is_ok(),
        Move::GroupInline(group) => {
            let put = iam
                .put_group_policy()
                .group_name(group)
                .policy_name("zz-moved")
                .policy_document(DOCUMENT);
            put.send().await.is_ok()
        }
        Move::GroupAttachment(group) => iam
            .attach_group_policy()
            .group_name(group)
            .policy_arn(POLICY)
            .send()
            .await
            .is_ok(),
        Move::Join(user, group) => iam
            .add_user_to_group()
            .user_name(user)
            .group_name(group)
            .send()
            .await
            .is_ok(),
        Move::Version(arn) => {
            let create = iam.create_policy_version().policy_arn(arn).policy_document(DOCUMENT);
            create.send().await.is_ok()
        }
        Move::Default(arn) => {
            let create = iam
                .create_policy_version()
                .policy_arn(arn)
                .policy_document(DOCUMENT)
                .set_as_default(true);
            create.send().await.is_ok()
        }
        Move::PolicyTag(arn) => iam.tag_policy().policy_arn(arn).tags(tag()).send().await.is_ok(),
        Move::Alias => iam
            .create_account_alias()
            .account_alias("zz-moved")
            .send()
            .await
            .is_ok(),
        Move::PasswordPolicy => iam
            .update_account_password_policy()
            .minimum_password_length(77)
            .send()
            .await
            .is_ok(),
        Move::Create(user) => iam.create_user().user_name(user).send().await.is_ok(),
        Move::CreateGroup(group) => iam.create_group().group_name(group).send().await.is_ok(),
    }
}

fn is_refused(case: &Case, tally: &Tally) -> Verdict {
    on_virtual_time(case.seed, async {
        let watched = Watched::of(case);
        let wire = watched.wire();
        let session = session(&watched.sandbox, &wire);
        let reviewed = match session.plan(&case.desired).await {
            Ok((plan, _)) => plan,
            Err(stop) => {
                tally.note("no plan");
                return sort_out(Err(stop)).map(drop);
            }
        };
        let mut random = Random::of(case.seed, "moves");
        let mut moves = moves(case);
        random.shuffle(&mut moves);
        let directory = directory();
        let settings = Settings {
            expected_digest: Some(reviewed.digest.clone()),
            ..settings(case, directory.path())
        };
        for moved in moves.iter().take(6) {
            let account = watched.sandbox.fork();
            if !make(moved, &account.iam_client(), case).await {
                continue;
            }
            let before = Account::of(&account);
            let watched = Watched::over(account);
            let wire = watched.wire();
            let session = trueup_simulation::watch::session(&watched.sandbox, &wire);
            match session.reconcile(&case.desired, &settings).await {
                Err(Stop::Stale(now)) => {
                    tally.note("refused as stale");
                    if what_moved(&reviewed, &now).is_empty() {
                        return Err(format!("{moved:?} is refused, and it is not told what moved"));
                    }
                }
                Err(stop) => {
                    sort_out(Err(stop)).map(drop).or_else(|broken| {
                        // Moved out of reach, which is told in its own words.
                        if broken.contains("outside the scope") {
                            Ok(())
                        } else {
                            Err(broken)
                        }
                    })?;
                    tally.note("refused since there is no plan any more");
                }
                Ok(_) => return Err(format!("{moved:?} goes unnoticed")),
            }
            if wire.seen().iter().any(trueup_simulation::wire::Seen::is_write)
                || Account::of(&watched.sandbox) != before
            {
                return Err(format!("something was written after {moved:?}"));
            }
        }
        Ok(())
    })
}

/// A change of what is not owned is no reason to review again.
fn is_not_refused(case: &Case, tally: &Tally) -> Verdict {
    on_virtual_time(case.seed, async {
        let watched = Watched::of(case);
        let wire = watched.wire();
        let session = session(&watched.sandbox, &wire);
        let Ok((reviewed, live)) = session.plan(&case.desired).await else {
            tally.note("no plan");
            return Ok(());
        };
        let scope = &case.desired.scope;
        let is_strange = |name: &UserName, path: &trueup_model::Path| {
            let named = case.desired.users.contains_key(name)
                || case.desired.users.values().any(|user| user.previously.contains(name));
            !named && !scope.users.contains(path)
        };
        let stranger = live.users.values().find(|user| is_strange(&user.name, &user.path));
        let Some(stranger) = stranger else {
            tally.note("no stranger");
            return Ok(());
        };
        let iam = watched.sandbox.iam_client();
        let tagged = iam
            .tag_user()
            .user_name(stranger.name.as_str())
            .tags(tag())
            .send()
            .await;
        tagged.map_err(|error| format!("the sandbox refuses a tag: {error:?}"))?;
        let unowned = GroupName::from_live("zz-unowned");
        let made = iam
            .create_group()
            .group_name(unowned.as_str())
            .path("/zz/")
            .send()
            .await;
        made.map_err(|error| format!("the sandbox refuses a group: {error:?}"))?;
        if scope.groups.contains(&trueup_model::Path::from_live("/zz/")) {
            let gone = iam.delete_group().group_name(unowned.as_str()).send().await;
            gone.map_err(|error| format!("the sandbox keeps a group: {error:?}"))?;
        }
        let (now, _) = session.plan(&case.desired).await.map_err(|stop| stop.to_string())?;
        tally.note("unmoved");
        match now.digest == reviewed.digest {
            true => Ok(()),
            false => Err(format!("another digest, because of {:?}", what_moved(&reviewed, &now))),
        }
    })
}

#[test]
fn a_change_of_one_field_between_plan_and_apply_is_refused() {
    let tally = check("stale", 600, &is_refused);
    tally.require("refused as stale");
}

#[test]
fn a_change_of_what_is_not_owned_is_no_reason_to_review_again() {
    let tally = check("not stale", 300, &is_not_refused);
    tally.require("unmoved");
}
