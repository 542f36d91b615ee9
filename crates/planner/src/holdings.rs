//! What a user or a group holds: attached managed policies and inline policies, from what is to what should be.

use std::collections::{BTreeMap, BTreeSet};

use trueup_model::{GroupName, InlinePolicyName, PolicyArn, PolicyDocument, Resource, UserName};

use crate::{
    Call, ChangeKind,
    draft::{Draft, rank},
    policies::document_fields,
    world::Effect,
};

/// Who holds policies, by the name after the plan.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Owner<'a> {
    User(&'a UserName),
    Group(&'a GroupName),
}

/// Policies on one side, live or desired.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Holdings<'a> {
    pub(crate) attached: &'a BTreeSet<PolicyArn>,
    pub(crate) inline: &'a BTreeMap<InlinePolicyName, PolicyDocument>,
}

impl Holdings<'static> {
    /// What somebody who is not there yet holds.
    pub(crate) const NONE: Self = Self {
        attached: &BTreeSet::new(),
        inline: &BTreeMap::new(),
    };
}

/// Plans attachments and inline policies. `reason` is that of what comes.
pub(crate) fn plan(owner: Owner<'_>, live: Holdings<'_>, wanted: Holdings<'_>, reason: &str, draft: &mut Draft) {
    for arn in wanted.attached.difference(live.attached) {
        attach(owner, arn, reason, draft);
    }
    let missing = format!("not in the manifest's entry for `{}`", owner.name());
    for arn in live.attached.difference(wanted.attached) {
        detach(owner, arn, &missing, draft);
    }
    for (policy, document) in wanted.inline {
        let before = live.inline.get_key_value(policy);
        if let Some((spelt, _)) = before
            && !spelt.same_spelling(policy)
        {
            draft.note(
                Some(owner.resource().inline_policy(spelt)),
                format!("the manifest spells it `{policy}`; IAM keeps the first spelling of an inline policy's name"),
            );
        }
        let before = before.map(|(_, document)| document);
        if before != Some(document) {
            put(owner, policy, before, document, reason, draft);
        }
    }
    for (policy, document) in live.inline {
        if !wanted.inline.contains_key(policy) {
            delete_inline(owner, policy, document, &missing, draft);
        }
    }
}

/// Plans that everything goes, and returns the steps.
pub(crate) fn strip(owner: Owner<'_>, live: Holdings<'_>, reason: &str, draft: &mut Draft) -> Vec<usize> {
    let mut steps = Vec::new();
    for arn in live.attached {
        steps.push(detach(owner, arn, reason, draft));
    }
    for (policy, document) in live.inline {
        steps.push(delete_inline(owner, policy, document, reason, draft));
    }
    steps
}

fn attach(owner: Owner<'_>, arn: &PolicyArn, reason: &str, draft: &mut Draft) {
    let resource = owner.resource().attachment(arn);
    draft.change(resource.clone(), ChangeKind::Create, reason, Vec::new());
    let policy_arn = arn.clone();
    let call = match owner {
        Owner::User(name) => Call::AttachUserPolicy {
            user_name: name.clone(),
            policy_arn,
        },
        Owner::Group(name) => Call::AttachGroupPolicy {
            group_name: name.clone(),
            policy_arn,
        },
    };
    let step = draft.step_with(owner.rank(), call, &resource, reason, owner.attachment(arn, true));
    owner.must_be_there(step, draft);
    draft.needs_policy(step, arn);
}

fn detach(owner: Owner<'_>, arn: &PolicyArn, reason: &str, draft: &mut Draft) -> usize {
    let resource = owner.resource().attachment(arn);
    draft.change(resource.clone(), ChangeKind::Delete, reason, Vec::new());
    let policy_arn = arn.clone();
    let call = match owner {
        Owner::User(name) => Call::DetachUserPolicy {
            user_name: name.clone(),
            policy_arn,
        },
        Owner::Group(name) => Call::DetachGroupPolicy {
            group_name: name.clone(),
            policy_arn,
        },
    };
    let step = draft.step_with(rank::REMOVE, call, &resource, reason, owner.attachment(arn, false));
    owner.must_be_there(step, draft);
    step
}

/// Plans an inline policy, and returns the step. A document that changes is put over the old one, never deleted and put.
pub(crate) fn put(
    owner: Owner<'_>,
    policy: &InlinePolicyName,
    before: Option<&PolicyDocument>,
    document: &PolicyDocument,
    reason: &str,
    draft: &mut Draft,
) -> usize {
    let resource = owner.resource().inline_policy(policy);
    let (change, reason) = match before {
        None => (ChangeKind::Create, reason),
        Some(_) => (ChangeKind::Update, "differs from the manifest"),
    };
    draft.change(
        resource.clone(),
        change,
        reason,
        document_fields(before, Some(document)),
    );
    let (policy_name, policy_document) = (policy.clone(), document.clone());
    let call = match owner {
        Owner::User(name) => Call::PutUserPolicy {
            user_name: name.clone(),
            policy_name,
            policy_document,
        },
        Owner::Group(name) => Call::PutGroupPolicy {
            group_name: name.clone(),
            policy_name,
            policy_document,
        },
    };
    let effect = owner.inline(policy, Some(document));
    let step = draft.step_with(owner.rank(), call, &resource, reason, effect);
    owner.must_be_there(step, draft);
    step
}

/// Plans that an inline policy goes, and returns the step.
pub(crate) fn delete_inline(
    owner: Owner<'_>,
    policy: &InlinePolicyName,
    document: &PolicyDocument,
    reason: &str,
    draft: &mut Draft,
) -> usize {
    let resource = owner.resource().inline_policy(policy);
    let fields = document_fields(Some(document), None);
    draft.change(resource.clone(), ChangeKind::Delete, reason, fields);
    let policy_name = policy.clone();
    let call = match owner {
        Owner::User(name) => Call::DeleteUserPolicy {
            user_name: name.clone(),
            policy_name,
        },
        Owner::Group(name) => Call::DeleteGroupPolicy {
            group_name: name.clone(),
            policy_name,
        },
    };
    let step = draft.step_with(rank::REMOVE, call, &resource, reason, owner.inline(policy, None));
    owner.must_be_there(step, draft);
    step
}

impl<'a> Owner<'a> {
    fn name(self) -> &'a str {
        match self {
            Self::User(name) => name.as_str(),
            Self::Group(name) => name.as_str(),
        }
    }

    fn resource(self) -> Resource {
        match self {
            Self::User(name) => Resource::user(name),
            Self::Group(name) => Resource::group(name),
        }
    }

    /// The rank of what comes.
    fn rank(self) -> u8 {
        match self {
            Self::User(_) => rank::USER_POLICY,
            Self::Group(_) => rank::GROUP_POLICY,
        }
    }

    /// Demands that the owner, as far as this plan makes or renames it, is there before `step`.
    fn must_be_there(self, step: usize, draft: &mut Draft) {
        match self {
            Self::User(name) => draft.needs_user(step, name),
            Self::Group(name) => draft.needs_group(step, name),
        }
    }

    fn attachment(self, arn: &PolicyArn, present: bool) -> Effect {
        match self {
            Self::User(name) => Effect::UserAttachment(name.clone(), arn.clone(), present),
            Self::Group(name) => Effect::GroupAttachment(name.clone(), arn.clone(), present),
        }
    }

    fn inline(self, policy: &InlinePolicyName, document: Option<&PolicyDocument>) -> Effect {
        match self {
            Self::User(name) => Effect::UserInline(name.clone(), policy.clone(), document.cloned()),
            Self::Group(name) => Effect::GroupInline(name.clone(), policy.clone(), document.cloned()),
        }
    }
}
