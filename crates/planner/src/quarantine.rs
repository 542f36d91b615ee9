//! Quarantine: somebody who is to go is first kept from everything, and can be brought back until a day. What the user
//! holds stays, under a policy that denies everything.

use jiff::{ToSpan, civil::Date};
use trueup_model::{
    InlinePolicyName, PolicyDocument, QUARANTINE_POLICY, Resource, Tags, UserName, desired::AbsentUser, fold_tag_key,
    live::LiveUser,
};

use crate::{
    Call, ChangeKind,
    access_keys::reached,
    credentials,
    draft::{Draft, field, rank},
    holdings::{self, Owner},
    memory::{Memory, QUARANTINE},
    resolve::{Fate, Resolved, UserFate},
    users,
};

/// What becomes of a user who is to be absent.
pub(crate) fn fate<'a>(live: &'a LiveUser, absent: Option<&AbsentUser>, reason: String, as_of: Date) -> UserFate<'a> {
    let Some(days) = absent.and_then(|absent| absent.quarantine_days) else {
        return Fate::Deleted { live, reason };
    };
    let since = Memory::of(&live.tags).quarantine;
    match since {
        Some(since) if reached(since, days, as_of) => Fate::Deleted {
            live,
            reason: format!("{reason}; in quarantine since {since}"),
        },
        _ => Fate::Quarantined {
            live,
            reason,
            since,
            until: since
                .unwrap_or(as_of)
                .checked_add(i64::from(days).days())
                .unwrap_or(as_of),
        },
    }
}

/// Plans what keeps a user from everything.
pub(crate) fn plan(
    resolved: &Resolved<'_>,
    name: &UserName,
    live: &LiveUser,
    reason: &str,
    (since, until): (Option<Date>, Date),
    draft: &mut Draft,
) {
    let policy = InlinePolicyName::from_live(QUARANTINE_POLICY);
    let document = deny_everything();
    let before = live.inline_policies.get(&policy);
    let deny = (before != Some(&document)).then(|| {
        let step = holdings::put(Owner::User(name), &policy, before, &document, reason, draft);
        draft.steps[step].rank = rank::CREDENTIALS_GO;
        step
    });
    let first = draft.steps.len();
    credentials::disable(name, live, reason, draft);
    // A group cannot be deleted while anybody is in it.
    for group in &live.groups {
        if matches!(resolved.groups.get(group), Some(Fate::Deleted { .. })) {
            users::leave(name, group, "the group goes", draft);
        }
    }
    // The deny comes before the rest: it alone ends what sessions that were begun before can do.
    for step in first..draft.steps.len() {
        draft.after(step, deny);
    }
    let user = Resource::user(name);
    match since {
        Some(since) => draft.note(
            Some(user),
            format!("in quarantine since {since}, and deleted from {until} on; declare it again to bring it back"),
        ),
        None => {
            let fields = vec![field("deleted_from", None::<String>, until.to_string())];
            draft.change(user.clone(), ChangeKind::Update, reason, fields);
            let call = Call::TagUser {
                user_name: name.clone(),
                tags: Tags::from([(QUARANTINE.to_owned(), resolved.as_of.to_string())]),
                new_key: None,
            };
            draft.step(rank::USER, call, &user, "remembers since when it is in quarantine");
        }
    }
}

/// Plans that somebody who is declared again is no longer in quarantine. The policy goes as any that is not declared.
pub(crate) fn release(name: &UserName, live: &LiveUser, draft: &mut Draft) {
    let Some((key, since)) = live.tags.iter().find(|(key, _)| fold_tag_key(key) == QUARANTINE) else {
        return;
    };
    let user = Resource::user(name);
    let reason = "declared again, and no longer in quarantine";
    let fields = vec![field("in_quarantine_since", since.as_str(), None::<String>)];
    draft.amend(user.clone(), reason, fields);
    let call = Call::UntagUser {
        user_name: name.clone(),
        tag_keys: vec![key.clone()],
    };
    let step = draft.step(rank::FORGET, call, &user, reason);
    draft.needs_user(step, name);
}

fn deny_everything() -> PolicyDocument {
    let document = serde_json::json!({
        "Version": "2012-10-17",
        "Statement": [{"Sid": "Quarantine", "Effect": "Deny", "Action": "*", "Resource": "*"}],
    });
    PolicyDocument::from_live(document.to_string())
}
