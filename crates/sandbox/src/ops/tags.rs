//! Tags of everything that can have them.

use super::{
    attachments, inline::owner_parameter, instance_profiles, managed_policies, mfa, oidc_providers, roles,
    saml_providers,
};
use crate::{
    errors::ApiError,
    paging::PageRequest,
    quota::Quota,
    state::{Kind, State, Tag},
    validate::{ARN, INSTANCE_PROFILE_NAME, Input, Rule, SERIAL},
    wire::{Request, Xml},
};

pub(super) use crate::state::Tags;

static NONE: Tags = Tags::new();

/// When two tag keys are the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Keys {
    /// Users and roles.
    IgnoreCase,
    /// Everything else.
    Exact,
}

impl Keys {
    fn fold(self, key: &str) -> String {
        match self {
            Self::IgnoreCase => trueup_model::fold_tag_key(key),
            Self::Exact => key.to_owned(),
        }
    }

    fn duplicates(self) -> &'static str {
        match self {
            Self::IgnoreCase => "Duplicate tag keys found. Please note that Tag keys are case insensitive.",
            Self::Exact => "Duplicate tag keys found.",
        }
    }
}

/// Sets tags and keeps the others, or changes nothing where any of them is refused.
pub(super) fn merge(tags: &mut Tags, given: Vec<(String, String)>, keys: Keys, state: &State) -> Result<(), ApiError> {
    let mut added = Tags::new();
    for (key, value) in given {
        if key.to_ascii_lowercase().starts_with("aws:") {
            let message = "aws: prefixed tag key names are not allowed for external use.";
            return Err(ApiError::invalid_input(message));
        }
        if key.chars().all(char::is_whitespace) {
            return Err(ApiError::invalid_input("Tag keys must not be blank."));
        }
        if added.insert(keys.fold(&key), Tag { key, value }).is_some() {
            return Err(ApiError::invalid_input(keys.duplicates()));
        }
    }
    let mut merged = tags.clone();
    // A key in another spelling leaves one tag, with the new spelling.
    merged.extend(added);
    if merged.len() > state.quotas.limit(Quota::TagsPerResource) && merged.len() > tags.len() {
        return Err(ApiError::limit_exceeded(
            "The number of tags has reached the maximum limit.",
        ));
    }
    *tags = merged;
    Ok(())
}

/// What can have tags.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kept {
    User,
    Role,
    Policy,
    InstanceProfile,
    MfaDevice,
    OidcProvider,
    SamlProvider,
}

impl Kept {
    /// The parameter that names the resource, and its rule.
    fn parameter(self) -> (&'static str, &'static Rule) {
        match self {
            Self::User => owner_parameter(Kind::User),
            Self::Role => owner_parameter(Kind::Role),
            Self::Policy => ("PolicyArn", &ARN),
            Self::InstanceProfile => ("InstanceProfileName", &INSTANCE_PROFILE_NAME),
            Self::MfaDevice => ("SerialNumber", &SERIAL),
            Self::OidcProvider => ("OpenIDConnectProviderArn", &ARN),
            Self::SamlProvider => ("SAMLProviderArn", &ARN),
        }
    }

    fn keys(self) -> Keys {
        match self {
            Self::User | Self::Role => Keys::IgnoreCase,
            _ => Keys::Exact,
        }
    }

    /// What is wrong with the name itself, before anybody looks for the resource.
    fn check_name(self, name: &str) -> Result<(), ApiError> {
        match self {
            Self::Policy | Self::OidcProvider | Self::SamlProvider => attachments::check_arn(name),
            _ => Ok(()),
        }
    }

    fn tags<'a>(self, state: &'a State, name: &str) -> Result<&'a Tags, ApiError> {
        Ok(match self {
            Self::User => &state.user(name)?.tags,
            Self::Role => &state.role(name)?.tags,
            Self::Policy if state.aws_policy(name).is_some() => &NONE,
            Self::Policy => &managed_policies::own(state, name)?.tags,
            Self::InstanceProfile => &instance_profiles::find(state, name)?.tags,
            Self::MfaDevice => &mfa::find_virtual(state, name)?.tags,
            Self::OidcProvider => &oidc_providers::find(state, name)?.tags,
            Self::SamlProvider => &saml_providers::find(state, name)?.tags,
        })
    }

    fn tags_mut<'a>(self, state: &'a mut State, name: &str) -> Result<&'a mut Tags, ApiError> {
        Ok(match self {
            Self::User => &mut state.user_mut(name)?.tags,
            Self::Role => {
                let role = state.role_mut(name)?;
                roles::check_modifiable(Kind::Role, &role.entity)?;
                &mut role.tags
            }
            Self::Policy => &mut managed_policies::own_mut(state, name)?.tags,
            Self::InstanceProfile => &mut instance_profiles::find_mut(state, name)?.tags,
            Self::MfaDevice => &mut mfa::find_virtual_mut(state, name)?.tags,
            Self::OidcProvider => &mut oidc_providers::find_mut(state, name)?.tags,
            Self::SamlProvider => &mut saml_providers::find_mut(state, name)?.tags,
        })
    }
}

fn tag(state: &mut State, request: &Request, kept: Kept) -> Result<Xml, ApiError> {
    let (parameter, rule) = kept.parameter();
    let mut input = Input::of(request);
    let name = input.required(parameter, rule);
    let given = input.required_tags();
    input.check()?;
    kept.check_name(&name)?;
    let mut tags = kept.tags_mut(state, &name)?.clone();
    if given.is_empty() {
        return Err(ApiError::invalid_input("Tags must not be empty."));
    }
    merge(&mut tags, given, kept.keys(), state)?;
    *kept.tags_mut(state, &name)? = tags;
    Ok(Xml::new())
}

/// Keys that are not there are no error.
fn untag(state: &mut State, request: &Request, kept: Kept) -> Result<Xml, ApiError> {
    let (parameter, rule) = kept.parameter();
    let mut input = Input::of(request);
    let name = input.required(parameter, rule);
    let given = input.tag_keys();
    input.check()?;
    kept.check_name(&name)?;
    let tags = kept.tags_mut(state, &name)?;
    for key in given {
        tags.remove(&kept.keys().fold(&key));
    }
    Ok(Xml::new())
}

fn list(state: &State, request: &Request, kept: Kept) -> Result<Xml, ApiError> {
    let (parameter, rule) = kept.parameter();
    let mut input = Input::of(request);
    let name = input.required(parameter, rule);
    let page = PageRequest::read(&mut input);
    input.check()?;
    kept.check_name(&name)?;
    let tags = kept.tags(state, &name)?;
    let page = page.cut(tags.values().collect(), &name.to_ascii_lowercase())?;
    let mut xml = Xml::new();
    page.write_end(&mut xml);
    write_list(&mut xml, page.items.iter().copied());
    Ok(xml)
}

/// Writes a `Tags` element.
pub(super) fn write(xml: &mut Xml, tags: &Tags) {
    write_list(xml, tags.values());
}

pub(super) fn write_list<'a>(xml: &mut Xml, tags: impl IntoIterator<Item = &'a Tag>) {
    xml.list("Tags", tags, |xml, tag| {
        xml.text("Key", &tag.key).text("Value", &tag.value);
    });
}

macro_rules! operations {
    ($($kept:ident: $tag:ident $untag:ident $list:ident;)*) => {$(
        pub(super) fn $tag(state: &mut State, request: &Request) -> Result<Xml, ApiError> {
            tag(state, request, Kept::$kept)
        }
        pub(super) fn $untag(state: &mut State, request: &Request) -> Result<Xml, ApiError> {
            untag(state, request, Kept::$kept)
        }
        pub(super) fn $list(state: &State, request: &Request) -> Result<Xml, ApiError> {
            list(state, request, Kept::$kept)
        }
    )*};
}

operations! {
    User: tag_user untag_user list_of_user;
    Role: tag_role untag_role list_of_role;
    Policy: tag_policy untag_policy list_of_policy;
    InstanceProfile: tag_instance_profile untag_instance_profile list_of_instance_profile;
    MfaDevice: tag_mfa_device untag_mfa_device list_of_mfa_device;
    OidcProvider: tag_oidc_provider untag_oidc_provider list_of_oidc_provider;
    SamlProvider: tag_saml_provider untag_saml_provider list_of_saml_provider;
}
