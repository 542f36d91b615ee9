//! The account's alias and password policy.

use trueup_model::{
    PasswordPolicy, Resource,
    desired::{AliasWish, PasswordPolicyWish},
};

use crate::{
    Call, ChangeKind, Field,
    draft::{Draft, field, rank},
    resolve::Resolved,
};

/// Plans the alias. It is replaced in one call, never deleted and created.
pub(crate) fn alias(resolved: &Resolved<'_>, draft: &mut Draft) {
    let Some(wish) = &resolved.desired.account.alias else {
        return;
    };
    let live = resolved.live.account.alias.as_ref();
    let resource = Resource::account_alias();
    match (live, wish) {
        (Some(live), AliasWish::Present(alias)) if live == alias => {}
        (None, AliasWish::Absent) => {}
        (live, AliasWish::Present(alias)) => {
            let (change, reason) = match live {
                None => (ChangeKind::Create, "the account has no alias"),
                Some(_) => (ChangeKind::Update, "the manifest names another alias"),
            };
            let before = live.map(|alias| alias.as_str().to_owned());
            draft.change(
                resource.clone(),
                change,
                reason,
                vec![field("alias", before, alias.as_str())],
            );
            draft.step(
                rank::ACCOUNT,
                Call::CreateAccountAlias {
                    account_alias: alias.clone(),
                },
                &resource,
                reason,
            );
        }
        (Some(live), AliasWish::Absent) => {
            let reason = "the manifest says no alias";
            let before = Some(live.as_str().to_owned());
            draft.change(
                resource.clone(),
                ChangeKind::Delete,
                reason,
                vec![field("alias", before, None::<String>)],
            );
            draft.step(
                rank::ACCOUNT,
                Call::DeleteAccountAlias {
                    account_alias: live.clone(),
                },
                &resource,
                reason,
            );
        }
    }
}

/// Plans the password policy, always as a whole, and returns the step that sets it, if any.
pub(crate) fn password_policy(resolved: &Resolved<'_>, draft: &mut Draft) -> Option<usize> {
    let wish = resolved.desired.account.password_policy.as_ref()?;
    let live = resolved.live.account.password_policy.as_ref();
    let resource = Resource::password_policy();
    match (live, wish) {
        (Some(live), PasswordPolicyWish::Custom(policy)) if live == policy => None,
        (None, PasswordPolicyWish::AwsDefault) => None,
        (live, PasswordPolicyWish::Custom(policy)) => {
            let (change, reason) = match live {
                None => (ChangeKind::Create, "the account has no password policy of its own"),
                Some(_) => (ChangeKind::Update, "differs from the manifest"),
            };
            draft.change(resource.clone(), change, reason, policy_fields(live, Some(policy)));
            note_expiry(live, policy, draft);
            let call = Call::UpdateAccountPasswordPolicy { policy: policy.clone() };
            Some(draft.step(rank::ACCOUNT, call, &resource, reason))
        }
        (Some(live), PasswordPolicyWish::AwsDefault) => {
            let reason = "the manifest says `aws-default`";
            draft.change(
                resource.clone(),
                ChangeKind::Delete,
                reason,
                policy_fields(Some(live), None),
            );
            Some(draft.step(rank::ACCOUNT, Call::DeleteAccountPasswordPolicy {}, &resource, reason))
        }
    }
}

/// Expiry holds at once for every password that is older; length and classes only at the next change.
fn note_expiry(live: Option<&PasswordPolicy>, policy: &PasswordPolicy, draft: &mut Draft) {
    let before = live.and_then(|live| live.max_password_age);
    let Some(days) = policy.max_password_age else { return };
    if before.is_none_or(|before| days < before) {
        let way_in = if policy.hard_expiry {
            "; with `hard_expiry` only an administrator can let them in again"
        } else {
            ""
        };
        draft.note(
            Some(Resource::password_policy()),
            format!("every password older than {days} days expires at once{way_in}"),
        );
    }
}

/// The whole policy that results where one is made, the differing fields where one is changed.
fn policy_fields(before: Option<&PasswordPolicy>, after: Option<&PasswordPolicy>) -> Vec<Field> {
    let values = |policy: &PasswordPolicy| {
        // No `..`: a new field must be compared and shown.
        let PasswordPolicy {
            minimum_password_length,
            require_symbols,
            require_numbers,
            require_uppercase_characters,
            require_lowercase_characters,
            allow_users_to_change_password,
            max_password_age,
            password_reuse_prevention,
            hard_expiry,
        } = policy;
        [
            (
                "allow_users_to_change_password",
                serde_json::Value::from(*allow_users_to_change_password),
            ),
            ("hard_expiry", (*hard_expiry).into()),
            ("max_password_age", (*max_password_age).into()),
            ("minimum_password_length", (*minimum_password_length).into()),
            ("password_reuse_prevention", (*password_reuse_prevention).into()),
            ("require_lowercase_characters", (*require_lowercase_characters).into()),
            ("require_numbers", (*require_numbers).into()),
            ("require_symbols", (*require_symbols).into()),
            ("require_uppercase_characters", (*require_uppercase_characters).into()),
        ]
    };
    match (before.map(values), after.map(values)) {
        (Some(before), Some(after)) => before
            .into_iter()
            .zip(after)
            .filter(|((_, before), (_, after))| before != after)
            .map(|((name, before), (_, after))| field(name, before, after))
            .collect(),
        (None, Some(after)) => after
            .into_iter()
            .map(|(name, value)| field(name, None::<bool>, value))
            .collect(),
        (Some(before), None) => before
            .into_iter()
            .map(|(name, value)| field(name, value, None::<bool>))
            .collect(),
        (None, None) => Vec::new(),
    }
}
