//! The account's alias and password policy.

use serde_json::{Value, json};
use trueup_model::{
    Alias, Desired, Live, PasswordPolicy,
    desired::{AliasWish, PasswordPolicyWish},
};
use trueup_planner::Plan;

use crate::build::{actions, changes, desired, live_of, plan};

fn alias(name: &str) -> Option<AliasWish> {
    Some(AliasWish::Present(Alias::new(name).unwrap()))
}

/// An account with a password policy, or with none of its own, and a manifest that wants another.
fn policies(live: Option<PasswordPolicy>, wish: PasswordPolicyWish) -> (Desired, Live) {
    let mut wanted = desired();
    wanted.account.password_policy = Some(wish);
    let mut account = live_of(&wanted);
    account.account.password_policy = live;
    (wanted, account)
}

/// `path: before -> after` for every field of every change.
fn fields(plan: &Plan) -> Vec<String> {
    let fields = plan.changes.iter().flat_map(|change| &change.fields);
    fields
        .map(|field| format!("{}: {} -> {}", field.path, field.before, field.after))
        .collect()
}

fn notes(plan: &Plan) -> Vec<&str> {
    plan.notes.iter().map(|note| note.message.as_str()).collect()
}

#[test]
fn what_is_as_declared_is_left() {
    let (mut wanted, mut live) = policies(
        Some(PasswordPolicy::default()),
        PasswordPolicyWish::Custom(PasswordPolicy::default()),
    );
    wanted.account.alias = alias("acme");
    live.account.alias = Some(Alias::new("acme").unwrap());
    assert_eq!(changes(&plan(&wanted, &live)), [""; 0]);
    assert_eq!(actions(&plan(&wanted, &live)), [""; 0]);

    let (mut wanted, live) = policies(None, PasswordPolicyWish::AwsDefault);
    wanted.account.alias = Some(AliasWish::Absent);
    assert_eq!(changes(&plan(&wanted, &live)), [""; 0]);
}

#[test]
fn what_is_there_and_not_managed_is_left() {
    let mut live = live_of(&desired());
    live.account.alias = Some(Alias::new("acme").unwrap());
    live.account.password_policy = Some(PasswordPolicy::default());
    assert_eq!(changes(&plan(&desired(), &live)), [""; 0]);
}

#[test]
fn an_alias_comes_is_replaced_in_one_call_and_goes() {
    let mut wanted = desired();
    wanted.account.alias = alias("acme");
    let mut live = live_of(&wanted);
    let made = plan(&wanted, &live);
    assert_eq!(changes(&made), ["+ account/alias"]);
    assert_eq!(fields(&made), ["alias: null -> \"acme\""]);

    live.account.alias = Some(Alias::new("old-one").unwrap());
    let made = plan(&wanted, &live);
    assert_eq!(changes(&made), ["~ account/alias"]);
    assert_eq!(fields(&made), ["alias: \"old-one\" -> \"acme\""]);
    assert_eq!(actions(&made), ["CreateAccountAlias account/alias"]);

    wanted.account.alias = Some(AliasWish::Absent);
    let made = plan(&wanted, &live);
    assert_eq!(changes(&made), ["- account/alias"]);
    assert_eq!(fields(&made), ["alias: \"old-one\" -> null"]);
    assert_eq!(actions(&made), ["DeleteAccountAlias account/alias"]);
}

#[test]
fn a_password_policy_is_shown_as_a_whole_where_it_comes_or_goes_and_by_what_differs_where_it_changes() {
    let all = [
        ("allow_users_to_change_password", json!(false)),
        ("hard_expiry", json!(false)),
        ("max_password_age", Value::Null),
        ("minimum_password_length", json!(6)),
        ("password_reuse_prevention", Value::Null),
        ("require_lowercase_characters", json!(false)),
        ("require_numbers", json!(false)),
        ("require_symbols", json!(false)),
        ("require_uppercase_characters", json!(false)),
    ];
    let custom = PasswordPolicyWish::Custom(PasswordPolicy::default());
    let (wanted, live) = policies(None, custom.clone());
    let made = plan(&wanted, &live);
    assert_eq!(changes(&made), ["+ account/password-policy"]);
    assert_eq!(
        fields(&made),
        all.clone().map(|(name, value)| format!("{name}: null -> {value}"))
    );

    let longer = PasswordPolicy {
        minimum_password_length: 14,
        require_numbers: true,
        ..PasswordPolicy::default()
    };
    let (wanted, live) = policies(Some(longer.clone()), custom);
    let made = plan(&wanted, &live);
    assert_eq!(changes(&made), ["~ account/password-policy"]);
    assert_eq!(
        fields(&made),
        ["minimum_password_length: 14 -> 6", "require_numbers: true -> false"]
    );
    assert_eq!(actions(&made), ["UpdateAccountPasswordPolicy account/password-policy"]);

    let (wanted, live) = policies(Some(PasswordPolicy::default()), PasswordPolicyWish::AwsDefault);
    let made = plan(&wanted, &live);
    assert_eq!(changes(&made), ["- account/password-policy"]);
    assert_eq!(
        fields(&made),
        all.map(|(name, value)| format!("{name}: {value} -> null"))
    );
    assert_eq!(actions(&made), ["DeleteAccountPasswordPolicy account/password-policy"]);
}

#[test]
fn passwords_that_expire_at_once_are_told() {
    let days = |max_password_age| PasswordPolicy {
        max_password_age,
        minimum_password_length: 14,
        ..PasswordPolicy::default()
    };
    let told = |before: Option<PasswordPolicy>, after: PasswordPolicy| {
        let (wanted, live) = policies(before, PasswordPolicyWish::Custom(after));
        let plan = plan(&wanted, &live);
        notes(&plan).iter().map(|note| (*note).to_owned()).collect::<Vec<_>>()
    };
    let at_once = "every password older than 90 days expires at once";
    assert_eq!(told(None, days(Some(90))), [at_once]);
    assert_eq!(told(Some(days(None)), days(Some(90))), [at_once]);
    assert_eq!(told(Some(days(Some(91))), days(Some(90))), [at_once]);
    let hard = PasswordPolicy {
        hard_expiry: true,
        ..days(Some(90))
    };
    assert_eq!(
        told(None, hard),
        [format!(
            "{at_once}; with `hard_expiry` only an administrator can let them in again"
        )]
    );
    // No sooner than before, or not at all.
    let shorter = |days| PasswordPolicy {
        minimum_password_length: 8,
        ..days
    };
    assert_eq!(told(Some(shorter(days(Some(90)))), days(Some(90))), [""; 0]);
    assert_eq!(told(Some(days(Some(89))), days(Some(90))), [""; 0]);
    assert_eq!(told(Some(days(Some(90))), days(None)), [""; 0]);
}
