//! Console passwords: they come when everything else about their owner is done, once for each request are replaced, and
//! go first. A password that its owner changed is no difference. No secret is in here: a plan only says that one is made.

use std::collections::{BTreeMap, BTreeSet};

use trueup_access::Effect;
use trueup_model::{
    GroupName, PolicyArn, Resource, Tags, UserName,
    desired::{BoundaryWish, DesiredUser, LoginProfileWish, PasswordPolicyWish},
    live::LiveUser,
};

use crate::{
    Call, ChangeKind, Note, Problem,
    access::Comparison,
    draft::{Draft, field, rank},
    memory::{Memory, PASSWORD_RESET},
    resolve::{Fate, Resolved},
    world::{self, Principal},
};

/// Plans the console password of a user who stays.
pub(crate) fn plan(desired: &DesiredUser, live: &LiveUser, password_policy: Option<usize>, draft: &mut Draft) {
    let name = &desired.name;
    if let Some(wish) = desired.login_profile {
        presence(name, wish, live, password_policy, draft);
    }
    reset(desired, live, password_policy, draft);
}

fn presence(
    name: &UserName,
    wish: LoginProfileWish,
    live: &LiveUser,
    password_policy: Option<usize>,
    draft: &mut Draft,
) {
    match (wish, live.credentials.login_profile.as_ref().and_then(Option::as_ref)) {
        // Whether a reset is still due is a wish about the next sign-in, not a state to hold.
        (LoginProfileWish::Present { .. }, Some(_)) | (LoginProfileWish::Absent, None) => {}
        (
            LoginProfileWish::Present {
                password_reset_required,
            },
            None,
        ) => {
            let reason = "declared, and the user has no console password";
            create_login_profile(name, password_reset_required, password_policy, reason, draft);
        }
        (LoginProfileWish::Absent, Some(_)) => {
            delete_login_profile(name, "the manifest says `login_profile: none`", draft);
        }
    }
}

/// Plans a console password, after the account's password policy. It also comes after everything else about the user:
/// [`last`].
pub(crate) fn create_login_profile(
    name: &UserName,
    password_reset_required: bool,
    password_policy: Option<usize>,
    reason: &str,
    draft: &mut Draft,
) {
    let resource = Resource::user(name).login_profile();
    let fields = vec![field("password_reset_required", None::<bool>, password_reset_required)];
    draft.change(resource.clone(), ChangeKind::Create, reason, fields);
    let call = Call::CreateLoginProfile {
        user_name: name.clone(),
        password_reset_required,
    };
    let step = draft.step(rank::CREDENTIALS_COME, call, &resource, reason);
    draft.needs_user(step, name);
    draft.after(step, password_policy);
}

/// Plans a new password where it is asked for and was not yet given: at least once for each request, since what is
/// remembered comes after the password.
fn reset(desired: &DesiredUser, live: &LiveUser, password_policy: Option<usize>, draft: &mut Draft) {
    let Some(request) = &desired.reset_password else { return };
    let before = Memory::of(&live.tags).password_reset;
    if before.as_ref() == Some(request) {
        return;
    }
    let name = &desired.name;
    let resource = Resource::user(name).login_profile();
    let has_password = live.credentials.login_profile.as_ref().is_some_and(Option::is_some);
    let reason = format!("a new password, asked for by `reset_password: {{request: {request}}}`");
    let password_reset_required = match desired.login_profile {
        Some(LoginProfileWish::Present {
            password_reset_required,
        }) => password_reset_required,
        _ => true,
    };
    let changed = match (has_password, desired.login_profile) {
        (true, Some(LoginProfileWish::Absent)) | (false, None | Some(LoginProfileWish::Absent)) => {
            draft.notes.push(Note {
                strict: true,
                resource: Some(resource),
                message: format!("there is no password to reset for {request}; declare `login_profile: {{}}`"),
            });
            return;
        }
        // The password that is made anyway is the one that is asked for.
        (false, Some(LoginProfileWish::Present { .. })) => draft
            .steps
            .iter()
            .position(|step| matches!(&step.call, Call::CreateLoginProfile { user_name, .. } if user_name == name)),
        (true, _) => {
            let call = Call::UpdateLoginProfile {
                user_name: name.clone(),
                password_reset_required,
            };
            let step = draft.step(rank::CREDENTIALS_COME, call, &resource, &reason);
            draft.needs_user(step, name);
            draft.after(step, password_policy);
            Some(step)
        }
    };
    let fields = vec![
        field("reset_request", before, request.as_str()),
        field("password_reset_required", None::<bool>, password_reset_required),
    ];
    match has_password {
        true => draft.change(resource.clone(), ChangeKind::Update, &reason, fields),
        false => draft.amend(resource.clone(), &reason, fields.into_iter().take(1).collect()),
    }
    let call = Call::TagUser {
        user_name: name.clone(),
        tags: Tags::from([(PASSWORD_RESET.to_owned(), request.clone())]),
        new_key: None,
    };
    let step = draft.step(
        rank::FORGET,
        call,
        &resource,
        "remembers the request, so that it is answered once",
    );
    draft.needs_user(step, name);
    draft.after(step, changed);
}

pub(crate) fn delete_login_profile(name: &UserName, reason: &str, draft: &mut Draft) -> usize {
    let resource = Resource::user(name).login_profile();
    draft.change(resource.clone(), ChangeKind::Delete, reason, Vec::new());
    let call = Call::DeleteLoginProfile {
        user_name: name.clone(),
    };
    let step = draft.step(rank::CREDENTIALS_GO, call, &resource, reason);
    draft.needs_user(step, name);
    step
}

/// Who must choose a new password at the first sign-in and may not: where a statement denies it the person is locked
/// out, which is a problem; where nothing allows it, somebody has to know.
pub(crate) fn first_sign_in(
    resolved: &Resolved<'_>,
    comparison: &mut Comparison<'_>,
    draft: &Draft,
) -> (Vec<Note>, Vec<Problem>) {
    let live = resolved.live.account.password_policy.as_ref();
    let everyone_may = match &resolved.desired.account.password_policy {
        Some(PasswordPolicyWish::Custom(policy)) => policy.allow_users_to_change_password,
        Some(PasswordPolicyWish::AwsDefault) => false,
        None => live.is_some_and(|policy| policy.allow_users_to_change_password),
    };
    let must: BTreeSet<&UserName> = draft
        .steps
        .iter()
        .filter_map(|step| match &step.call {
            Call::CreateLoginProfile {
                user_name,
                password_reset_required: true,
            }
            | Call::UpdateLoginProfile {
                user_name,
                password_reset_required: true,
            } => Some(user_name),
            _ => None,
        })
        .collect();
    let (mut notes, mut problems) = (Vec::new(), Vec::new());
    for name in must {
        let user = Principal::User(name.clone());
        let mut decided = |action, mfa| comparison.decide_on_oneself(&user, action, mfa);
        let denied = FIRST_SIGN_IN
            .into_iter()
            .find(|action| decided(action, false).effect == Effect::ExplicitlyDenied);
        if let Some(action) = denied {
            let by = decided(action, false).by.join(", ");
            let without = match decided(action, true).effect {
                Effect::ExplicitlyDenied => "",
                _ => " without MFA",
            };
            problems.push(Problem {
                message: format!(
                    "`{name}` would be locked out: the first sign-in asks for a new password, and `{action}` is \
                     denied{without}, by {by}"
                ),
                hint: Some(
                    "let the deny leave out `iam:ChangePassword` and `iam:GetAccountPasswordPolicy`, as the policy of \
                     `mfa: enforced` does; or say `password_reset_required: false`; or bring the person under the \
                     policy after the first sign-in"
                        .to_owned(),
                ),
                ..Problem::default()
            });
            continue;
        }
        let is_kept_from_it = matches!(
            decided("iam:ChangePassword", false).effect,
            Effect::NotAllowed | Effect::OutsideBoundary
        );
        if is_kept_from_it && !everyone_may {
            notes.push(Note {
                strict: true,
                resource: Some(Resource::user(name).login_profile()),
                message: "the first sign-in asks for a new password, and nothing allows `iam:ChangePassword`: set \
                          `allow_users_to_change_password`, attach the policy IAMUserChangePassword, or say \
                          `password_reset_required: false`"
                    .to_owned(),
            });
        }
    }
    (notes, problems)
}

/// What the console asks for where a password has to be changed, in a session that has no MFA yet.
const FIRST_SIGN_IN: [&str; 2] = ["iam:ChangePassword", "iam:GetAccountPasswordPolicy"];

/// Passwords and keys come when everything that decides what their owner can do is in place.
pub(crate) fn last(resolved: &Resolved<'_>, draft: &mut Draft) {
    let passwords: Vec<(usize, UserName)> = draft
        .steps
        .iter()
        .enumerate()
        .filter_map(|(index, step)| step.call.makes_credential_of().map(|name| (index, name.clone())))
        .collect();
    if passwords.is_empty() {
        return;
    }
    let mut of_user: BTreeMap<&UserName, Vec<usize>> = BTreeMap::new();
    let mut of_group: BTreeMap<&GroupName, Vec<usize>> = BTreeMap::new();
    let mut of_policy: BTreeMap<&PolicyArn, Vec<usize>> = BTreeMap::new();
    for (index, step) in draft.steps.iter().enumerate() {
        match &step.effect {
            Some(
                world::Effect::UserInline(user, ..)
                | world::Effect::UserAttachment(user, ..)
                | world::Effect::Membership(user, ..)
                | world::Effect::Boundary(user, _)
                | world::Effect::Identity(user, _),
            ) => of_user.entry(user).or_default().push(index),
            Some(world::Effect::GroupInline(group, ..) | world::Effect::GroupAttachment(group, ..)) => {
                of_group.entry(group).or_default().push(index);
            }
            Some(world::Effect::PolicyDefault(arn, _)) => of_policy.entry(arn).or_default().push(index),
            None => {}
        }
    }
    let mut edges: Vec<(usize, BTreeSet<usize>)> = Vec::new();
    for (index, name) in &passwords {
        let mut first: BTreeSet<usize> = of_user.get(name).into_iter().flatten().copied().collect();
        if let Some(Fate::Declared { desired, .. }) = resolved.users.get(name) {
            let mut policies: BTreeSet<PolicyArn> = desired
                .managed_policies
                .iter()
                .map(|reference| resolved.arn(reference))
                .collect();
            if let BoundaryWish::Present(reference) = &desired.permissions_boundary {
                policies.insert(resolved.arn(reference));
            }
            for group in &desired.groups {
                first.extend(of_group.get(group).into_iter().flatten());
                // What an external group has attached can be a policy of this manifest all the same.
                match resolved.desired.groups.get(group) {
                    Some(group) => policies.extend(group.managed_policies.iter().map(|policy| resolved.arn(policy))),
                    None => {
                        let live = resolved.live.groups.get(group).into_iter();
                        policies.extend(live.flat_map(|group| group.managed_policies.iter().cloned()));
                    }
                }
            }
            first.extend(policies.iter().filter_map(|arn| of_policy.get(arn)).flatten());
        }
        edges.push((*index, first));
    }
    for (index, first) in edges {
        draft.after(index, first);
    }
}
