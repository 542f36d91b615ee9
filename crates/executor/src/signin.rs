//! Where people sign in.

use trueup_model::{AccountId, Alias};
use trueup_planner::{Call, Plan};

/// The sign-in pages of an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignIn {
    account: AccountId,
    alias: Option<Alias>,
    partition: String,
}

impl SignIn {
    /// The sign-in pages as they are once `plan` is applied to an account that has the alias `alias`.
    pub fn after(plan: &Plan, alias: Option<&Alias>, partition: &str) -> Self {
        let mut alias = alias.cloned();
        for action in &plan.actions {
            match &action.call {
                Call::CreateAccountAlias { account_alias } => alias = Some(account_alias.clone()),
                Call::DeleteAccountAlias { .. } => alias = None,
                _ => {}
            }
        }
        Self::of(plan.account_id.clone(), alias, partition)
    }

    /// The sign-in pages of an account as it is.
    pub fn of(account: AccountId, alias: Option<Alias>, partition: &str) -> Self {
        Self {
            account,
            alias,
            partition: partition.to_owned(),
        }
    }

    /// The account.
    pub fn account(&self) -> &AccountId {
        &self.account
    }

    /// The alias, if any.
    pub fn alias(&self) -> Option<&Alias> {
        self.alias.as_ref()
    }

    /// The page that always works: that of the account's id.
    pub fn account_url(&self) -> String {
        self.url(self.account.as_str())
    }

    /// The page of the alias, which works as long as the account has it.
    pub fn alias_url(&self) -> Option<String> {
        self.alias.as_ref().map(|alias| self.url(alias.as_str()))
    }

    fn url(&self, name: &str) -> String {
        let domain = match self.partition.as_str() {
            "aws-cn" => "signin.amazonaws.cn",
            "aws-us-gov" => "signin.amazonaws-us-gov.com",
            _ => "signin.aws.amazon.com",
        };
        format!("https://{name}.{domain}/console")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_partition_has_its_own_page() {
        let page = |partition: &str| {
            SignIn {
                account: AccountId::new("123456789012").unwrap(),
                alias: Some(Alias::from_live("acme")),
                partition: partition.to_owned(),
            }
            .alias_url()
            .unwrap()
        };
        assert_eq!(page("aws"), "https://acme.signin.aws.amazon.com/console");
        assert_eq!(page("aws-cn"), "https://acme.signin.amazonaws.cn/console");
        assert_eq!(page("aws-us-gov"), "https://acme.signin.amazonaws-us-gov.com/console");
    }
}
