//! The bulk read: the whole account but for credentials, in a handful of calls.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use aws_sdk_iam::types::ManagedPolicyDetail;
use trueup_model::{
    Alias, Live, PasswordPolicy, PolicyArn, PolicyDocument,
    live::{LiveAccount, LiveGroup, LivePolicy, LiveRole, LiveUser},
};

use crate::{During, Identity, ReadError, Reader, convert};

/// The largest page that IAM gives.
pub(crate) const PAGE: i32 = 1000;

/// How often the account is read before totals that do not fit are put up with.
const TRIES: u32 = 3;

/// Everything that `GetAccountAuthorizationDetails` tells.
#[derive(Debug, Default)]
struct Details {
    users: Vec<LiveUser>,
    groups: Vec<LiveGroup>,
    roles: Vec<LiveRole>,
    policies: Vec<LivePolicy>,
    aws_policies: BTreeMap<PolicyArn, PolicyDocument>,
}

type Summary = BTreeMap<String, i64>;

impl Reader {
    /// Reads the whole account but for credentials and policy metadata.
    ///
    /// Pages are no snapshot: what is created or deleted between two pages can be missed. The totals are therefore
    /// compared with `GetAccountSummary`, and the account is read again where they differ, up to three times in all.
    /// A difference that stays is written to [`Live::notes`].
    ///
    /// # Errors
    ///
    /// [`ReadError`] of the first call that failed.
    pub async fn read(&self, identity: &Identity) -> Result<Live, ReadError> {
        let ((mut details, mut summary), password_policy, alias) = tokio::try_join!(
            self.details_and_summary(),
            self.account_password_policy(),
            self.account_alias(),
        )?;
        let mut notes = Vec::new();
        for attempt in 1.. {
            let differences = differences(&details, &summary);
            if differences.is_empty() {
                break;
            }
            if attempt == TRIES {
                notes.extend(differences);
                break;
            }
            tracing::debug!(?differences, attempt, "totals differ, reading again");
            tokio::time::sleep(Duration::from_millis(500) * attempt).await;
            (details, summary) = self.details_and_summary().await?;
        }
        let mut live = Live {
            account: LiveAccount {
                id: identity.account.clone(),
                partition: identity.partition.clone(),
                alias,
                password_policy,
                summary,
            },
            caller: identity.arn.clone(),
            users: keyed(details.users, |user| user.name.clone()),
            groups: keyed(details.groups, |group| group.name.clone()),
            policies: keyed(details.policies, |policy| policy.name.clone()),
            aws_policies: details.aws_policies,
            missing_aws_policies: BTreeSet::new(),
            roles: keyed(details.roles, |role| role.name.clone()),
            virtual_mfa_devices: None,
            reads: BTreeMap::new(),
            notes,
        };
        self.move_counts_to(&mut live.reads);
        Ok(live)
    }

    async fn details_and_summary(&self) -> Result<(Details, Summary), ReadError> {
        tokio::try_join!(self.authorization_details(), self.account_summary())
    }

    /// One chain without a filter: pages are shared by all kinds, which makes the fewest calls.
    async fn authorization_details(&self) -> Result<Details, ReadError> {
        let during = During::iam("GetAccountAuthorizationDetails");
        let mut details = Details::default();
        let mut managed = Vec::new();
        let mut pages = Pages::new(&during);
        while let Some(marker) = pages.next_marker() {
            let call = self
                .api
                .get_account_authorization_details()
                .max_items(PAGE)
                .set_marker(marker);
            let page = self.answer(&during, call.send()).await?;
            pages.turn(page.is_truncated, page.marker)?;
            for detail in page.user_detail_list.unwrap_or_default() {
                details.users.push(convert::user(&during, detail)?);
            }
            for detail in page.group_detail_list.unwrap_or_default() {
                details.groups.push(convert::group(&during, detail)?);
            }
            for detail in page.role_detail_list.unwrap_or_default() {
                details.roles.push(convert::role(&during, detail)?);
            }
            managed.extend(page.policies.unwrap_or_default());
        }
        details.take_policies(&during, managed)?;
        Ok(details)
    }

    async fn account_summary(&self) -> Result<Summary, ReadError> {
        let during = During::iam("GetAccountSummary");
        let answer = self.answer(&during, self.api.get_account_summary().send()).await?;
        Ok(answer
            .summary_map
            .unwrap_or_default()
            .into_iter()
            .map(|(key, value)| (key.as_str().to_owned(), i64::from(value)))
            .collect())
    }

    async fn account_password_policy(&self) -> Result<Option<PasswordPolicy>, ReadError> {
        let during = During::iam("GetAccountPasswordPolicy");
        let answer = self
            .answer_if_any(&during, self.api.get_account_password_policy().send())
            .await?;
        let policy = answer.and_then(|answer| answer.password_policy);
        Ok(policy.as_ref().map(convert::password_policy))
    }

    async fn account_alias(&self) -> Result<Option<Alias>, ReadError> {
        let during = During::iam("ListAccountAliases");
        let mut pages = Pages::new(&during);
        // There is at most one alias, which does not mean that it stands on the first page.
        while let Some(marker) = pages.next_marker() {
            let call = self.api.list_account_aliases().set_marker(marker);
            let page = self.answer(&during, call.send()).await?;
            pages.turn(page.is_truncated, page.marker)?;
            if let Some(alias) = page.account_aliases.into_iter().next() {
                return Ok(Some(Alias::from_live(alias)));
            }
        }
        Ok(None)
    }
}

impl Details {
    /// Sorts managed policies into the account's own and those of AWS that are in use. IAM sends only the latter;
    /// an emulator may send all of AWS's, of which most are of no concern.
    fn take_policies(&mut self, during: &During, managed: Vec<ManagedPolicyDetail>) -> Result<(), ReadError> {
        for detail in managed {
            let arn = convert::policy_arn(during, &detail)?;
            if !arn.is_aws_managed() {
                self.policies.push(convert::policy(during, arn, detail)?);
            } else if self.uses(&arn)
                && let Some(document) = convert::default_document(detail)
            {
                self.aws_policies.insert(arn, document);
            }
        }
        Ok(())
    }

    fn uses(&self, arn: &PolicyArn) -> bool {
        let user =
            |user: &LiveUser| user.managed_policies.contains(arn) || user.permissions_boundary.as_ref() == Some(arn);
        let role =
            |role: &LiveRole| role.managed_policies.contains(arn) || role.permissions_boundary.as_ref() == Some(arn);
        self.users.iter().any(user)
            || self.roles.iter().any(role)
            || self.groups.iter().any(|group| group.managed_policies.contains(arn))
    }
}

/// How the totals of the summary differ from what was read, in words.
fn differences(details: &Details, summary: &Summary) -> Vec<String> {
    let read = [
        ("Users", details.users.len()),
        ("Groups", details.groups.len()),
        ("Roles", details.roles.len()),
        ("Policies", details.policies.len()),
    ];
    read.into_iter()
        .filter_map(|(key, read)| {
            let total = *summary.get(key)?;
            (i64::try_from(read) != Ok(total)).then(|| {
                format!(
                    "{read} {} were read, GetAccountSummary counts {total}",
                    key.to_lowercase()
                )
            })
        })
        .collect()
}

fn keyed<K: Ord, T>(list: Vec<T>, key: impl Fn(&T) -> K) -> BTreeMap<K, T> {
    list.into_iter().map(|value| (key(&value), value)).collect()
}

/// How many pages a listing may have. An account of IAM's largest quotas has fewer than 100,000 things to list, so that
/// even pages of one thing each come to an end before.
const MOST_PAGES: usize = 100_000;

/// Walks the pages of a listing. Only `IsTruncated` says whether there is more: a page may be short or empty, and a
/// marker may be sent with the last one. An endpoint that never comes to an end is an error, not a wait.
pub(crate) struct Pages<'a> {
    during: &'a During,
    next: Option<Option<String>>,
    seen: BTreeSet<String>,
}

impl<'a> Pages<'a> {
    pub(crate) fn new(during: &'a During) -> Self {
        Self {
            during,
            next: Some(None),
            seen: BTreeSet::new(),
        }
    }

    /// The marker of the page to ask for, `None` inside for the first; `None` after the last page.
    pub(crate) fn next_marker(&mut self) -> Option<Option<String>> {
        self.next.take()
    }

    /// Notes what a page said about the next one.
    pub(crate) fn turn(&mut self, is_truncated: bool, marker: Option<String>) -> Result<(), ReadError> {
        if !is_truncated {
            return Ok(());
        }
        let marker = convert::required(self.during, "Marker", marker)?;
        if !self.seen.insert(marker.clone()) {
            return Err(ReadError::unexpected(self.during, "two pages carry the same marker"));
        }
        if self.seen.len() >= MOST_PAGES {
            return Err(ReadError::unexpected(
                self.during,
                format!("the listing has more than {MOST_PAGES} pages"),
            ));
        }
        self.next = Some(Some(marker));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_follow_is_truncated_alone() {
        let during = During::iam("ListUsers");
        let mut pages = Pages::new(&during);
        assert_eq!(pages.next_marker(), Some(None));
        pages.turn(true, Some("a".to_owned())).unwrap();
        assert_eq!(pages.next_marker(), Some(Some("a".to_owned())));
        pages.turn(false, Some("stray".to_owned())).unwrap();
        assert_eq!(pages.next_marker(), None);
    }

    #[test]
    fn pages_that_lead_nowhere_are_errors() {
        let during = During::iam("ListUsers");
        assert!(Pages::new(&during).turn(true, None).is_err());
        let mut circle = Pages::new(&during);
        circle.turn(true, Some("a".to_owned())).unwrap();
        circle.turn(true, Some("b".to_owned())).unwrap();
        assert!(circle.turn(true, Some("a".to_owned())).is_err());
    }

    #[test]
    fn pages_without_an_end_are_an_error() {
        let during = During::iam("ListUsers");
        let mut pages = Pages::new(&during);
        let end = (0..=MOST_PAGES).find(|page| pages.turn(true, Some(page.to_string())).is_err());
        assert_eq!(end, Some(MOST_PAGES - 1));
    }

    #[test]
    fn totals_that_the_summary_does_not_have_are_not_compared() {
        let details = Details::default();
        assert!(differences(&details, &Summary::new()).is_empty());
        let summary = Summary::from([("Users".to_owned(), 2), ("Groups".to_owned(), 0)]);
        assert_eq!(
            differences(&details, &summary),
            ["0 users were read, GetAccountSummary counts 2"]
        );
    }
}
