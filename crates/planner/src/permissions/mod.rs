//! The least permissions with which a plan can be made, and applied, as IAM policies.
//!
//! What is allowed follows from the calls that the code can make: nothing here adds one. A manifest narrows it to what
//! the manifest owns. No policy of this module lets its holder change the roles that hold it, or customer managed
//! policies of their names.

mod trust;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};
use trueup_model::{AccountId, Desired, KindScope, PolicyArn, PolicyDocument, document::DocumentError};

use crate::{Authorised, Call};

pub use trust::{Github, Job, NotARepository, trust_of_github};

/// What the permissions are for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// To read an account: `plan`, `drift`, `export`, `snapshot`.
    Plan,
    /// To read it and to change it: `apply`.
    Apply,
}

/// What a policy is made from.
#[derive(Debug, Clone)]
pub struct Request<'a> {
    /// What it is for.
    pub purpose: Purpose,
    /// The operations by which an account is read.
    pub reads: BTreeSet<&'static str>,
    /// The operations by which an apply looks after its own calls.
    pub looks: BTreeSet<&'static str>,
    /// The partition, for example `aws`.
    pub partition: &'a str,
    /// The account; `None`: any.
    pub account: Option<&'a AccountId>,
    /// The manifest to which the permissions are narrowed; `None`: everything that trueup can manage.
    pub manifest: Option<&'a Desired>,
    /// The boundary that users must have to be given anything.
    pub boundary: Option<&'a PolicyArn>,
    /// The roles that hold the permissions, with their paths and without a slash in front.
    pub own_roles: &'a [String],
    /// The object that is the lock of runs on all machines.
    pub lock: Option<Lock<'a>>,
}

/// An object of S3, and what is done with it.
#[derive(Debug, Clone, Copy)]
#[expect(missing_docs, reason = "the words say it")]
pub struct Lock<'a> {
    pub bucket: &'a str,
    pub key: &'a str,
    /// The actions that the requests take, with their service.
    pub actions: &'a [&'a str],
}

/// GitHub's OpenID Connect provider, as IAM names it.
const GITHUB: &str = "oidc-provider/token.actions.githubusercontent.com";

/// Calls that give a user permissions, and can be bound to the user's boundary by `iam:PermissionsBoundary`. Taking a
/// policy away is among them, since it can hold a deny.
const WITHIN_BOUNDARY: [&str; 6] = [
    "AttachUserPolicy",
    "CreateUser",
    "DeleteUserPolicy",
    "DetachUserPolicy",
    "PutUserPermissionsBoundary",
    "PutUserPolicy",
];

/// Makes the policy.
///
/// # Errors
///
/// [`DocumentError`] never happens: the document is built here.
pub fn policy(request: &Request<'_>) -> Result<PolicyDocument, DocumentError> {
    let mut statements = Vec::new();
    let looks = match request.purpose {
        Purpose::Plan => BTreeSet::new(),
        Purpose::Apply => &request.looks - &request.reads,
    };
    let reads = request.reads.iter().chain(&looks).copied();
    for (on, operations) in by_resource(reads.map(|read| (read, resource_of_read(read)))) {
        let sid = match on {
            Authorised::Account => "TrueupReadsTheAccount",
            Authorised::User => "TrueupReadsUsers",
            Authorised::Group => "TrueupReadsGroups",
            Authorised::Policy => "TrueupReadsPolicies",
            Authorised::Device => "TrueupReadsDevices",
        };
        let mut resources = request.resources(on);
        if on == Authorised::Policy {
            resources.push(format!("arn:{}:iam::aws:policy/*", request.partition));
        }
        statements.extend(allow(sid, &operations, &resources, None));
    }
    if request.purpose == Purpose::Apply {
        statements.extend(request.writes());
        statements.extend(request.denies());
        statements.extend(request.lock.map(|lock| request.holds(lock)));
    }
    PolicyDocument::from_value(json!({ "Version": "2012-10-17", "Statement": statements }))
}

impl Request<'_> {
    fn writes(&self) -> Vec<Value> {
        let mut statements = Vec::new();
        let writes = Call::OPERATIONS.iter().copied();
        let writes = writes.filter(|(operation, _)| self.is_managed(operation));
        for (on, mut operations) in by_resource(writes) {
            let sid = match on {
                Authorised::Account => "TrueupAccount",
                Authorised::User => "TrueupUsers",
                Authorised::Group => "TrueupGroups",
                Authorised::Policy => "TrueupPolicies",
                Authorised::Device => "TrueupDevices",
            };
            let resources = self.resources(on);
            if let (Authorised::User, Some(boundary)) = (on, self.boundary) {
                operations.retain(|operation| *operation != "DeleteUserPermissionsBoundary");
                let (within, free): (Vec<_>, Vec<_>) = operations
                    .into_iter()
                    .partition(|operation| WITHIN_BOUNDARY.contains(operation));
                statements.extend(allow(sid, &free, &resources, None));
                let sid = "TrueupUsersWithinTheirBoundary";
                statements.extend(allow(sid, &within, &resources, Some(boundary)));
            } else {
                statements.extend(allow(sid, &operations, &resources, None));
            }
        }
        statements
    }

    /// That object, and no other of the bucket.
    fn holds(&self, lock: Lock<'_>) -> Value {
        let Lock { bucket, key, actions } = lock;
        let object = format!("arn:{}:s3:::{bucket}/{}", self.partition, literal(key));
        json!({ "Sid": "TrueupLock", "Effect": "Allow", "Action": actions, "Resource": [object] })
    }

    /// What stays out of reach whatever else the role is given: itself, and the boundary.
    fn denies(&self) -> Vec<Value> {
        let own = self.own_roles.iter();
        let own = own.flat_map(|role| [self.arn(&format!("role/{role}")), self.arn(&format!("policy/{role}"))]);
        let mut statements = vec![json!({
            "Sid": "TrueupLeavesItselfAlone",
            "Effect": "Deny",
            "NotAction": ["iam:Get*", "iam:List*"],
            "Resource": own.chain([self.arn(GITHUB)]).collect::<Vec<_>>(),
        })];
        if let Some(boundary) = self.boundary {
            statements.push(json!({
                "Sid": "TrueupLeavesTheBoundaryAlone",
                "Effect": "Deny",
                "NotAction": ["iam:Get*", "iam:List*"],
                "Resource": [boundary.as_str()],
            }));
            statements.push(json!({
                "Sid": "TrueupLeavesBoundariesInPlace",
                "Effect": "Deny",
                "Action": ["iam:DeleteUserPermissionsBoundary"],
                "Resource": ["*"],
            }));
        }
        statements
    }

    /// Whether the manifest says anything of what this operation changes. Only the account's own settings are told
    /// apart here: of the rest, the resources are narrowed.
    fn is_managed(&self, operation: &str) -> bool {
        let Some(manifest) = self.manifest else { return true };
        if operation.ends_with("AccountAlias") {
            manifest.account.alias.is_some()
        } else if operation.ends_with("AccountPasswordPolicy") {
            manifest.account.password_policy.is_some()
        } else {
            true
        }
    }

    /// The ARNs of all entities of a kind that the permissions reach.
    fn resources(&self, on: Authorised) -> Vec<String> {
        let scope = self.manifest.map(|manifest| &manifest.scope);
        match on {
            Authorised::Account => vec!["*".to_owned()],
            Authorised::User => self.below("user", scope.map(|scope| &scope.users)),
            Authorised::Policy => self.below("policy", scope.map(|scope| &scope.policies)),
            Authorised::Group => {
                let mut arns = self.below("group", scope.map(|scope| &scope.groups));
                // The manifest does not know on which path an external group is.
                for group in self.manifest.into_iter().flat_map(|manifest| &manifest.external.groups) {
                    arns.extend([
                        self.arn(&format!("group/{group}")),
                        self.arn(&format!("group/*/{group}")),
                    ]);
                }
                arns
            }
            // A device says nothing of its user's path. Where no users are managed, neither are devices.
            Authorised::Device if scope.is_none_or(|scope| !scope.users.paths.is_empty()) => vec![self.arn("mfa/*")],
            Authorised::Device => Vec::new(),
        }
    }

    fn below(&self, kind: &str, scope: Option<&KindScope>) -> Vec<String> {
        match scope {
            None => vec![self.arn(&format!("{kind}/*"))],
            Some(scope) => {
                let paths = scope.paths.iter();
                let paths = paths.map(|path| self.arn(&format!("{kind}{}*", literal(path.as_str()))));
                paths.collect()
            }
        }
    }

    fn arn(&self, resource: &str) -> String {
        let account = self.account.map_or("*".to_owned(), ToString::to_string);
        format!("arn:{}:iam::{account}:{resource}", self.partition)
    }
}

/// A text in which the policy language's own characters stand for themselves. IAM allows them in paths.
fn literal(text: &str) -> String {
    text.chars()
        .map(|c| match c {
            '*' | '?' | '$' => format!("${{{c}}}"),
            c => c.to_string(),
        })
        .collect()
}

/// What IAM asks for permission on for a call that reads. What is not known here is taken for the account's: it is
/// allowed on everything rather than forgotten.
fn resource_of_read(operation: &str) -> Authorised {
    match operation {
        "GetGroup" => Authorised::Group,
        "GetPolicy" | "GetPolicyVersion" | "ListPolicyVersions" => Authorised::Policy,
        "GetAccessKeyLastUsed"
        | "GetLoginProfile"
        | "GetUser"
        | "ListAccessKeys"
        | "ListMFADevices"
        | "ListSSHPublicKeys"
        | "ListServiceSpecificCredentials"
        | "ListSigningCertificates" => Authorised::User,
        _ => Authorised::Account,
    }
}

fn by_resource(
    operations: impl Iterator<Item = (&'static str, Authorised)>,
) -> BTreeMap<Authorised, Vec<&'static str>> {
    let mut found: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for (operation, on) in operations {
        found.entry(on).or_default().push(operation);
    }
    found.values_mut().for_each(|operations| operations.sort_unstable());
    found
}

/// A statement that allows something; none where there is nothing to allow.
fn allow(sid: &str, operations: &[&str], resources: &[String], boundary: Option<&PolicyArn>) -> Option<Value> {
    if operations.is_empty() || resources.is_empty() {
        return None;
    }
    let actions: Vec<_> = operations.iter().map(|operation| format!("iam:{operation}")).collect();
    let mut statement = json!({ "Sid": sid, "Effect": "Allow", "Action": actions, "Resource": resources });
    if let Some(boundary) = boundary {
        statement["Condition"] = json!({ "StringEquals": { "iam:PermissionsBoundary": [boundary.as_str()] } });
    }
    Some(statement)
}
