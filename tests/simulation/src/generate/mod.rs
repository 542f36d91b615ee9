//! Random cases: an account, and a manifest for it. One seed always makes the same case.

mod desired;
mod documents;
mod live;
mod names;

use std::{collections::BTreeMap, sync::OnceLock};

use trueup_sandbox::Sandbox;

use crate::{case::Case, random::Random};

pub use live::ACCOUNT;

/// How large a case is, and what its policies may look at.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Profile {
    users: usize,
    groups: usize,
    policies: usize,
    memberships: usize,
    attachments: usize,
    inline: usize,
    /// Whether memberships, attachments and inline policies come near to their quotas.
    crowded: bool,
    style: documents::Style,
}

impl Profile {
    fn of(random: &mut Random) -> Self {
        let style = documents::Style {
            personal: random.percent(30),
            managed: false,
        };
        let small = Self {
            users: 4,
            groups: 3,
            policies: 3,
            memberships: 2,
            attachments: 2,
            inline: 2,
            crowded: false,
            style,
        };
        match random.below(10) {
            0..=5 => small,
            6..=8 => Self {
                users: 8,
                groups: 6,
                policies: 6,
                memberships: 4,
                attachments: 4,
                inline: 3,
                ..small
            },
            _ => Self {
                users: 3,
                groups: names::GROUPS.len(),
                policies: names::POLICIES.len(),
                memberships: 10,
                attachments: 10,
                inline: names::INLINE.len(),
                crowded: true,
                ..small
            },
        }
    }
}

impl Case {
    /// The case of a seed.
    pub fn of(seed: u64) -> Self {
        let mut random = Random::of(seed, "case");
        let profile = Profile::of(&mut random);
        let live = live::live(&mut random, &profile);
        let desired = desired::desired(&mut random, &profile, &live);
        Self { seed, live, desired }.close()
    }
}

/// The documents of the AWS managed policies that cases use, by ARN.
///
/// # Panics
///
/// Where the sandbox does not know them.
pub fn aws_documents() -> &'static BTreeMap<String, String> {
    static DOCUMENTS: OnceLock<BTreeMap<String, String>> = OnceLock::new();
    DOCUMENTS.get_or_init(|| {
        // On a thread of its own, since this may be called from within another runtime.
        let ask = || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            runtime.expect("a runtime").block_on(ask_for_documents())
        };
        std::thread::spawn(ask)
            .join()
            .expect("the sandbox knows AWS's policies")
    })
}

async fn ask_for_documents() -> BTreeMap<String, String> {
    let iam = Sandbox::new(ACCOUNT).expect("an account").iam_client();
    let mut documents = BTreeMap::new();
    for arn in names::AWS {
        let policy = iam.get_policy().policy_arn(arn).send().await.expect("a known policy");
        let version = policy
            .policy
            .and_then(|policy| policy.default_version_id)
            .expect("a default");
        let version = iam
            .get_policy_version()
            .policy_arn(arn)
            .version_id(version)
            .send()
            .await;
        let document = version
            .expect("a known version")
            .policy_version
            .and_then(|version| version.document);
        let document = document.expect("a document");
        let document = percent_decoded(&document);
        documents.insert(arn.to_owned(), document);
    }
    documents
}

fn percent_decoded(text: &str) -> String {
    // A form's value may hold no plus for a blank here; everything else is decoded alike.
    let form = format!("d={}", text.replace('+', "%2B"));
    form_urlencoded::parse(form.as_bytes())
        .map(|(_, value)| value.into_owned())
        .collect()
}
