//! Looks at IAM where a call's own answer is not enough: what became of a creation whose answer was lost, and whether
//! an entity is still the one that the plan was made from.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_iam::types::{Policy, PolicyVersion, Tag, User};
use percent_encoding::percent_decode_str;
use trueup_model::{GroupName, Path, PolicyArn, PolicyDocument, Tags, UserName};
use trueup_planner::Call;

use crate::{
    failure::CallError,
    run::{Run, Stuck},
    target::Entity,
};

/// Every operation with which the executor looks before or after a call.
pub const LOOKS: [&str; 8] = [
    "GetGroup",
    "GetLoginProfile",
    "GetPolicy",
    "GetPolicyVersion",
    "GetUser",
    "ListAccessKeys",
    "ListAccountAliases",
    "ListPolicyVersions",
];

/// One page of a listing.
pub(crate) struct Page<T> {
    items: Vec<T>,
    /// Outside `None`: it is the last one. Inside: the marker of the next, which a truncated page has to have.
    next: Option<Option<String>>,
}

impl<T> Page<T> {
    pub(crate) fn of(items: Vec<T>, is_truncated: bool, marker: Option<String>) -> Self {
        let next = is_truncated.then_some(marker);
        Self { items, next }
    }
}

/// What is there of what a call makes.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Seen {
    /// Nothing.
    Nothing,
    /// What the call makes; with the id of the version, where it makes one.
    AsWanted { version: Option<String> },
    /// Something else under the same name.
    Different(String),
}

impl Seen {
    fn wanted(is_as_wanted: bool, what: &str) -> Self {
        if is_as_wanted {
            Self::AsWanted { version: None }
        } else {
            Self::Different(format!(
                "{what} of that name is there, with other properties than the plan's"
            ))
        }
    }
}

impl Run<'_> {
    /// Looks for what a call makes. `None` for calls that can be sent again without looking, since a second one leaves
    /// everything as the first did.
    pub(crate) async fn look(&self, call: &Call) -> Result<Option<Seen>, Stuck> {
        Ok(Some(match call {
            Call::CreateUser {
                user_name,
                path,
                permissions_boundary,
                tags,
            } => match self.user(user_name).await? {
                None => Seen::Nothing,
                Some(user) => {
                    let boundary = user
                        .permissions_boundary
                        .and_then(|boundary| boundary.permissions_boundary_arn)
                        .map(PolicyArn::from_live);
                    let same =
                        user.path == path.as_str() && boundary == *permissions_boundary && tags_of(user.tags) == *tags;
                    Seen::wanted(same, "a user")
                }
            },
            Call::UpdateUser {
                new_user_name: Some(name),
                new_path,
                ..
            } => match self.user(name).await? {
                None => Seen::Nothing,
                Some(user) => {
                    let same = user.user_name == name.as_str() && fits(&user.path, new_path.as_ref());
                    Seen::wanted(same, "a user")
                }
            },
            Call::CreateGroup { group_name, path } => match self.group(group_name).await? {
                None => Seen::Nothing,
                Some(group) => Seen::wanted(group.path == path.as_str(), "a group"),
            },
            Call::UpdateGroup {
                new_group_name: Some(name),
                new_path,
                ..
            } => match self.group(name).await? {
                None => Seen::Nothing,
                Some(group) => {
                    let same = group.group_name == name.as_str() && fits(&group.path, new_path.as_ref());
                    Seen::wanted(same, "a group")
                }
            },
            Call::CreatePolicy {
                policy_name,
                path,
                description,
                policy_document,
                tags,
            } => {
                let arn = PolicyArn::customer(&self.targets.partition, &self.targets.account, path, policy_name);
                match self.policy(&arn).await? {
                    None => Seen::Nothing,
                    Some(policy) => {
                        let text = |text: Option<String>| text.filter(|text| !text.is_empty());
                        let same = text(policy.description.clone()) == text(description.clone())
                            && tags_of(policy.tags.clone()) == *tags
                            && self.document_in_force(&arn, &policy).await?.as_ref() == Some(policy_document);
                        Seen::wanted(same, "a policy")
                    }
                }
            }
            Call::CreatePolicyVersion {
                policy_arn,
                policy_document,
            } => self.newest_version(policy_arn, policy_document).await?,
            Call::CreateLoginProfile { user_name, .. } => {
                // The plan was made where there was none, and the password of the one that is there now was written
                // down before it was first sent.
                let found = self
                    .read("GetLoginProfile", || {
                        self.iam.get_login_profile().user_name(user_name.as_str()).send()
                    })
                    .await?;
                match found {
                    None => Seen::Nothing,
                    Some(_) => Seen::AsWanted { version: None },
                }
            }
            Call::CreateAccountAlias { account_alias } => {
                let page = |marker: Option<String>| async {
                    let call = self.iam.list_account_aliases().set_marker(marker);
                    let page = call.send().await.map_err(CallError::from_sdk)?;
                    Ok(Page::of(page.account_aliases, page.is_truncated, page.marker))
                };
                let aliases = self.all("ListAccountAliases", page).await?;
                if aliases.iter().any(|alias| alias == account_alias.as_str()) {
                    Seen::AsWanted { version: None }
                } else {
                    Seen::Nothing
                }
            }
            _ => return Ok(None),
        }))
    }

    /// The unique id of an entity; `None` inside where it is not there, and outside for what has no id.
    pub(crate) async fn unique_id(&self, entity: &Entity) -> Result<Option<Option<String>>, Stuck> {
        Ok(Some(match entity {
            Entity::User(name) => self.user(name).await?.map(|user| user.user_id),
            Entity::Group(name) => self.group(name).await?.map(|group| group.group_id),
            Entity::Policy(arn) => self
                .policy(arn)
                .await?
                .map(|policy| policy.policy_id.unwrap_or_default()),
            Entity::Alias | Entity::PasswordPolicy => return Ok(None),
        }))
    }

    async fn user(&self, name: &UserName) -> Result<Option<User>, Stuck> {
        let answer = self
            .read("GetUser", || self.iam.get_user().user_name(name.as_str()).send())
            .await?;
        Ok(answer.and_then(|answer| answer.user))
    }

    async fn group(&self, name: &GroupName) -> Result<Option<aws_sdk_iam::types::Group>, Stuck> {
        let answer = self
            .read("GetGroup", || {
                // The members come with it, and are of no concern.
                self.iam.get_group().group_name(name.as_str()).max_items(1).send()
            })
            .await?;
        Ok(answer.and_then(|answer| answer.group))
    }

    async fn policy(&self, arn: &PolicyArn) -> Result<Option<Policy>, Stuck> {
        let answer = self
            .read("GetPolicy", || self.iam.get_policy().policy_arn(arn.as_str()).send())
            .await?;
        Ok(answer.and_then(|answer| answer.policy))
    }

    async fn document_in_force(&self, arn: &PolicyArn, policy: &Policy) -> Result<Option<PolicyDocument>, Stuck> {
        match &policy.default_version_id {
            Some(version) => self.document_of(arn, version).await,
            None => Ok(None),
        }
    }

    async fn document_of(&self, arn: &PolicyArn, version: &str) -> Result<Option<PolicyDocument>, Stuck> {
        let answer = self
            .read("GetPolicyVersion", || {
                self.iam
                    .get_policy_version()
                    .policy_arn(arn.as_str())
                    .version_id(version)
                    .send()
            })
            .await?;
        let encoded = answer
            .and_then(|answer| answer.policy_version)
            .and_then(|version| version.document);
        Ok(encoded.map(|encoded| {
            let decoded = percent_decode_str(&encoded).decode_utf8_lossy();
            PolicyDocument::from_live(decoded.into_owned())
        }))
    }

    /// Version numbers only grow and are never used again, so that a version of ours is the highest.
    async fn newest_version(&self, arn: &PolicyArn, wanted: &PolicyDocument) -> Result<Seen, Stuck> {
        let page = |marker: Option<String>| async {
            let call = self.iam.list_policy_versions().policy_arn(arn.as_str());
            let page = call.max_items(100).set_marker(marker).send().await;
            let page = page.map_err(CallError::from_sdk)?;
            Ok(Page::of(
                page.versions.unwrap_or_default(),
                page.is_truncated,
                page.marker,
            ))
        };
        let versions = self.all("ListPolicyVersions", page).await?;
        let newest = versions.iter().max_by_key(|version| number(version));
        let Some(id) = newest
            .filter(|version| !version.is_default_version)
            .and_then(|version| version.version_id.clone())
        else {
            return Ok(Seen::Nothing);
        };
        if self.document_of(arn, &id).await?.as_ref() == Some(wanted) {
            Ok(Seen::AsWanted { version: Some(id) })
        } else {
            Ok(Seen::Nothing)
        }
    }

    /// Everything that a listing lists; nothing where that of which it lists is not there. A page may be short, or empty,
    /// and still not be the last.
    pub(crate) async fn all<T, F>(
        &self,
        operation: &'static str,
        page: impl Fn(Option<String>) -> F,
    ) -> Result<Vec<T>, Stuck>
    where
        F: Future<Output = Result<Page<T>, CallError>>,
    {
        let (mut found, mut marker, mut seen) = (Vec::new(), None, BTreeSet::new());
        loop {
            let Some(next) = self.read_patiently(operation, || page(marker.clone())).await? else {
                return Ok(Vec::new());
            };
            found.extend(next.items);
            match next.next {
                None => return Ok(found),
                Some(Some(next)) if seen.insert(next.clone()) => marker = Some(next),
                Some(_) => {
                    let error = CallError::unusable("the pages of the list do not come to an end");
                    return Err(Stuck::Failed(error));
                }
            }
        }
    }

    /// Sends a read until it is answered: throttled, until the run's deadline; without an answer, a few times. `None`:
    /// there is no such thing.
    async fn read<T, E, F>(&self, operation: &'static str, request: impl Fn() -> F) -> Result<Option<T>, Stuck>
    where
        F: Future<Output = Result<T, SdkError<E>>>,
        E: aws_sdk_iam::error::ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
    {
        let attempt = || async { request().await.map_err(CallError::from_sdk) };
        self.read_patiently(operation, attempt).await
    }
}

type SdkError<E> = aws_sdk_iam::error::SdkError<E, aws_smithy_runtime_api::client::orchestrator::HttpResponse>;

fn fits(live: &str, wanted: Option<&Path>) -> bool {
    wanted.is_none_or(|wanted| wanted.as_str() == live)
}

fn tags_of(list: Option<Vec<Tag>>) -> Tags {
    list.unwrap_or_default()
        .into_iter()
        .map(|tag| (tag.key, tag.value))
        .collect::<BTreeMap<_, _>>()
}

fn number(version: &PolicyVersion) -> u64 {
    let id = version.version_id.as_deref().unwrap_or_default();
    id.trim_start_matches('v').parse().unwrap_or_default()
}
