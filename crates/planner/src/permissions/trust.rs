//! Who may take on the roles: jobs of one GitHub repository, by OpenID Connect.

use serde_json::json;
use trueup_model::{AccountId, PolicyDocument, document::DocumentError};

use super::{GITHUB, Purpose};

/// A repository on GitHub, as in `acme/accounts` or, with the numbers that GitHub never gives twice,
/// `acme@123456/accounts@456789`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Github {
    owner: Named,
    repository: Named,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Named {
    name: String,
    id: Option<String>,
}

/// Why a text names no repository.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected ORG/REPO, or with GitHub's ids ORG@ID/REPO@ID")]
pub struct NotARepository;

impl std::str::FromStr for Github {
    type Err = NotARepository;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (owner, repository) = text.split_once('/').ok_or(NotARepository)?;
        let (owner, repository) = (Named::parse(owner)?, Named::parse(repository)?);
        if owner.id.is_some() != repository.id.is_some() {
            return Err(NotARepository);
        }
        Ok(Self { owner, repository })
    }
}

impl Named {
    fn parse(text: &str) -> Result<Self, NotARepository> {
        let (name, id) = match text.split_once('@') {
            Some((name, id)) => (name, Some(id)),
            None => (text, None),
        };
        let is_name = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
        let id_is_number = id.is_none_or(|id| !id.is_empty() && id.bytes().all(|b| b.is_ascii_digit()));
        if name.is_empty() || !name.chars().all(is_name) || !id_is_number {
            return Err(NotARepository);
        }
        Ok(Self {
            name: name.to_owned(),
            id: id.map(str::to_owned),
        })
    }
}

impl Github {
    /// Whether the ids are known, by which GitHub's tokens of newer repositories name it.
    pub fn has_ids(&self) -> bool {
        self.owner.id.is_some()
    }

    /// The repository by its names alone, `ORG/REPO`.
    pub fn name(&self) -> String {
        format!("{}/{}", self.owner.name, self.repository.name)
    }

    /// Every way in which a token's `sub` can begin: by name, and by name and id.
    fn subjects(&self) -> Vec<String> {
        let Self { owner, repository } = self;
        let mut subjects = vec![format!("repo:{}", self.name())];
        if let (Some(owner_id), Some(id)) = (&owner.id, &repository.id) {
            subjects.push(format!("repo:{}@{owner_id}/{}@{id}", owner.name, repository.name));
        }
        subjects
    }
}

/// Which jobs of the repository are trusted.
#[derive(Debug, Clone, Copy)]
pub struct Job<'a> {
    /// What the role is for. Only one that reads is open to pull requests.
    pub purpose: Purpose,
    /// The branch whose jobs are trusted.
    pub branch: &'a str,
    /// The environment in which the jobs have to run, instead of the branch.
    pub environment: Option<&'a str>,
}

/// The trust policy of a role for jobs of a GitHub repository. Every `sub` is exact: no wildcard.
///
/// GitHub wrote `repo:ORG/REPO:…` until July 2026, and writes `repo:ORG@ID/REPO@ID:…` for repositories that were made,
/// renamed or moved since. Source: GitHub's reference of OpenID Connect claims.
///
/// # Errors
///
/// [`DocumentError`] never happens: the document is built here.
pub fn trust_of_github(
    partition: &str,
    account: &AccountId,
    repository: &Github,
    job: Job<'_>,
) -> Result<PolicyDocument, DocumentError> {
    let jobs = match (job.environment, job.purpose) {
        // GitHub encodes the colon, since it separates the parts of a `sub`.
        (Some(environment), _) => vec![format!("environment:{}", environment.replace(':', "%3A"))],
        (None, Purpose::Plan) => vec!["pull_request".to_owned(), format!("ref:refs/heads/{}", job.branch)],
        (None, Purpose::Apply) => vec![format!("ref:refs/heads/{}", job.branch)],
    };
    let subjects = repository.subjects().into_iter();
    let subjects: Vec<_> = subjects
        .flat_map(|repository| jobs.iter().map(move |job| format!("{repository}:{job}")))
        .collect();
    let claim = |name: &str| format!("token.actions.githubusercontent.com:{name}");
    PolicyDocument::from_value(json!({
        "Version": "2012-10-17",
        "Statement": [{
            "Sid": match job.purpose {
                Purpose::Plan => "TrueupPlans",
                Purpose::Apply => "TrueupApplies",
            },
            "Effect": "Allow",
            "Principal": { "Federated": format!("arn:{partition}:iam::{account}:{GITHUB}") },
            "Action": "sts:AssumeRoleWithWebIdentity",
            "Condition": { "StringEquals": { claim("aud"): "sts.amazonaws.com", claim("sub"): subjects } },
        }],
    }))
}
