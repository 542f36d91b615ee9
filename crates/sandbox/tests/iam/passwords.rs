//! Login profiles, the password policy, the alias.

use crate::{PASSWORD, done, refused, sandbox};

#[tokio::test]
async fn a_login_profile_lives_and_dies() {
    let (_, iam) = sandbox();
    done!(iam.create_user().user_name("u"));
    let create = || {
        iam.create_login_profile()
            .user_name("u")
            .password(PASSWORD)
            .password_reset_required(true)
    };
    refused!(
        iam.get_login_profile().user_name("u"),
        "NoSuchEntity",
        "Login Profile for User u cannot be found."
    );
    refused!(iam.create_login_profile().user_name("u"), "ValidationError");
    done!(create());
    refused!(
        create(),
        "EntityAlreadyExists",
        "Login Profile for user u already exists."
    );
    done!(iam.delete_login_profile().user_name("u"));
    refused!(
        iam.delete_login_profile().user_name("u"),
        "NoSuchEntity",
        "Login Profile for User u cannot be found."
    );
    refused!(iam.update_login_profile().user_name("u"), "NoSuchEntity");
    refused!(
        iam.delete_login_profile().user_name("x"),
        "NoSuchEntity",
        "The user with name x cannot be found."
    );
}

#[tokio::test]
async fn updates_of_a_login_profile_are_partial() {
    let (_, iam) = sandbox();
    done!(iam.create_user().user_name("u"));
    done!(
        iam.create_login_profile()
            .user_name("u")
            .password(PASSWORD)
            .password_reset_required(true)
    );
    let reset_required = async || {
        let answer = iam.get_login_profile().user_name("u").send().await.unwrap();
        answer.login_profile.unwrap().password_reset_required()
    };
    done!(iam.update_login_profile().user_name("u"));
    assert!(reset_required().await);
    done!(iam.update_login_profile().user_name("u").password("Another-Horse-8"));
    assert!(reset_required().await);
    done!(iam.update_login_profile().user_name("u").password_reset_required(false));
    assert!(!reset_required().await);
}

#[tokio::test]
async fn without_a_policy_eight_characters_of_three_classes_are_asked_for() {
    let (_, iam) = sandbox();
    done!(
        iam.create_user().user_name("u"),
        iam.create_account_alias().account_alias("acme-prod-1")
    );
    let create = |password: &str| iam.create_login_profile().user_name("u").password(password);
    for weak in [
        "Short-1",
        "lowercaseonly",
        "lowercase123",
        "UPPERCASE123",
        "acme-prod-1",
    ] {
        refused!(create(weak), "PasswordPolicyViolation");
    }
    refused!(create("has-a-\u{100}-in-it-9A"), "ValidationError");
    refused!(create(&"aA1-".repeat(33)), "ValidationError");
    done!(create("abcdef-1"));
}

#[tokio::test]
async fn a_policy_of_ones_own_replaces_the_default() {
    let (_, iam) = sandbox();
    done!(iam.create_user().user_name("u"));
    let create = |password: &str| iam.create_login_profile().user_name("u").password(password);
    // A policy that asks for nothing is weaker than none.
    done!(
        iam.update_account_password_policy(),
        create("abcdef"),
        iam.delete_login_profile().user_name("u")
    );
    done!(
        iam.update_account_password_policy()
            .minimum_password_length(10)
            .require_symbols(true)
            .require_numbers(true)
            .require_uppercase_characters(true)
            .require_lowercase_characters(true)
            .password_reuse_prevention(2)
    );
    for (weak, message) in [
        ("aB3-aB3-a", "Password should have a minimum length of 10"),
        ("ab3-ab3-ab3-", "Password should have at least one uppercase letter"),
        ("AB3-AB3-AB3-", "Password should have at least one lowercase letter"),
        ("aBc-aBc-aBc-", "Password should have at least one number"),
        ("aB3caB3caB3c", "Password should have at least one symbol"),
    ] {
        refused!(create(weak), "PasswordPolicyViolation", message);
    }
    done!(create("aB3-aB3-aB3-"));
    let update = |password: &str| iam.update_login_profile().user_name("u").password(password);
    refused!(update("aB3-aB3-aB3-"), "PasswordPolicyViolation");
    done!(update("aB3-aB3-aB3-2"));
    refused!(update("aB3-aB3-aB3-"), "PasswordPolicyViolation");
    done!(update("aB3-aB3-aB3-3"), update("aB3-aB3-aB3-"));
}

#[tokio::test]
async fn the_password_policy_is_replaced_whole() {
    let (_, iam) = sandbox();
    refused!(
        iam.get_account_password_policy(),
        "NoSuchEntity",
        "The Password Policy with domain name 123456789012 cannot be found."
    );
    refused!(
        iam.delete_account_password_policy(),
        "NoSuchEntity",
        "The account policy with name PasswordPolicy cannot be found."
    );
    let full = iam
        .update_account_password_policy()
        .minimum_password_length(14)
        .require_symbols(true);
    done!(
        full.max_password_age(90)
            .password_reuse_prevention(24)
            .hard_expiry(true)
            .allow_users_to_change_password(true)
    );
    let policy = iam
        .get_account_password_policy()
        .send()
        .await
        .unwrap()
        .password_policy
        .unwrap();
    assert!(policy.expire_passwords() && policy.require_symbols() && policy.allow_users_to_change_password());
    assert_eq!(
        (policy.max_password_age(), policy.password_reuse_prevention()),
        (Some(90), Some(24))
    );

    done!(iam.update_account_password_policy().require_numbers(true));
    let policy = iam
        .get_account_password_policy()
        .send()
        .await
        .unwrap()
        .password_policy
        .unwrap();
    assert_eq!(policy.minimum_password_length(), Some(6));
    assert!(policy.require_numbers() && !policy.require_symbols() && !policy.expire_passwords());
    // What is not set is left out of the answer.
    assert_eq!(
        (
            policy.hard_expiry(),
            policy.max_password_age(),
            policy.password_reuse_prevention()
        ),
        (None, None, None)
    );
    done!(iam.delete_account_password_policy());
    refused!(iam.get_account_password_policy(), "NoSuchEntity");
}

#[tokio::test]
async fn ranges_of_the_password_policy_are_reported_together() {
    let (_, iam) = sandbox();
    let update = iam.update_account_password_policy();
    refused!(
        update
            .minimum_password_length(129)
            .password_reuse_prevention(25)
            .max_password_age(1096),
        "ValidationError",
        "3 validation errors detected: \
         Value at 'minimumPasswordLength' failed to satisfy constraint: Member must have value less than or equal to 128; \
         Value at 'passwordReusePrevention' failed to satisfy constraint: Member must have value less than or equal to 24; \
         Value at 'maxPasswordAge' failed to satisfy constraint: Member must have value less than or equal to 1095"
    );
    refused!(
        iam.update_account_password_policy().minimum_password_length(5),
        "ValidationError"
    );
    refused!(
        iam.update_account_password_policy().max_password_age(0),
        "ValidationError"
    );
    refused!(
        iam.update_account_password_policy().password_reuse_prevention(0),
        "ValidationError"
    );
    refused!(iam.get_account_password_policy(), "NoSuchEntity");
}

#[tokio::test]
async fn an_alias_is_replaced_and_deleted_only_by_its_name() {
    let (_, iam) = sandbox();
    let aliases = async || iam.list_account_aliases().send().await.unwrap().account_aliases;
    done!(
        iam.create_account_alias().account_alias("acme-dev"),
        iam.create_account_alias().account_alias("acme-prod")
    );
    assert_eq!(aliases().await, ["acme-prod"]);
    refused!(
        iam.delete_account_alias().account_alias("acme-dev"),
        "NoSuchEntity",
        "The account alias with name acme-dev cannot be found."
    );
    for bad in [
        "ab",
        "Acme",
        "-acme",
        "acme-",
        "ac--me",
        "123456789012",
        &"a".repeat(64),
    ] {
        refused!(iam.create_account_alias().account_alias(bad), "ValidationError");
    }
    assert_eq!(aliases().await, ["acme-prod"]);
    done!(iam.delete_account_alias().account_alias("acme-prod"));
    assert!(aliases().await.is_empty());
}
