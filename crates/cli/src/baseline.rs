//! `--baseline` and `--only`: the receipt of an earlier apply, which tells drift from what is not applied yet.
//!
//! A receipt of another account is refused before the account is asked for anything, and before anything is printed.

use std::{collections::BTreeMap, path::Path};

use jiff::{Timestamp, tz::TimeZone};
use trueup_model::{AccountId, Desired, Live, Resource};
use trueup_planner::{Applied, Only, Options, Plan, plan_since};
use trueup_report::ApplyOutcome;

use crate::{args::SinceArgs, exit::CliError, output};

/// What an earlier apply left, and what of the differences since is looked at.
#[derive(Debug, Default)]
pub(crate) struct Baseline {
    receipt: Option<ApplyOutcome>,
    pub(crate) only: Option<Only>,
}

/// What a receipt measures a later account by.
#[derive(Debug)]
pub(crate) struct Measure {
    pub(crate) facts: BTreeMap<Resource, String>,
    pub(crate) asked: BTreeMap<Resource, String>,
    pub(crate) since: Option<Timestamp>,
}

impl Baseline {
    /// Reads the receipt that was named, if any. `account` is the manifest's.
    pub(crate) fn read(args: &SinceArgs, account: &AccountId) -> Result<Self, CliError> {
        let path = args.baseline.as_deref().filter(|path| !path.as_os_str().is_empty());
        let receipt = path.map(receipt).transpose()?;
        if args.only.is_some() && receipt.is_none() {
            return Err(CliError::refused(
                "--only drift does not know what was applied: there is no baseline",
                "name the receipt of the last apply with --baseline; `apply --receipt FILE` writes one",
            ));
        }
        if let Some(receipt) = &receipt {
            if receipt.account_id != *account {
                return Err(CliError::WrongBaseline {
                    baseline: receipt.account_id.clone(),
                    manifest: account.clone(),
                });
            }
            if args.only.is_some() && receipt.asked.is_empty() {
                return Err(CliError::refused(
                    "the baseline does not say what its manifest asked for, so that what is not applied yet cannot be \
                     kept apart from drift; it was written by an older version",
                    "apply once with this version and --receipt; `drift --baseline` works with this one",
                ));
            }
            if args.only.is_some() && !receipt.is_a_measure() {
                return Err(CliError::refused(
                    "the baseline is the receipt of an apply that was not finished, or not seen to have done all: what \
                     drifted cannot be kept apart from what that apply did not do",
                    "run a whole `apply` again, with --receipt, and take its receipt; `drift --baseline` works with \
                     this one",
                ));
            }
        }
        Ok(Self {
            receipt,
            only: args.only,
        })
    }

    /// The receipt itself.
    pub(crate) fn receipt(&self) -> Option<&ApplyOutcome> {
        self.receipt.as_ref()
    }

    /// Since when the receipt measures the account. One of an older version tells by the id of its run, which begins with
    /// that time.
    fn measured_since(&self) -> Option<Timestamp> {
        let receipt = self.receipt.as_ref()?;
        receipt.measured_since.or_else(|| {
            let time = receipt.run_id.as_deref()?.split('-').next()?;
            Timestamp::strptime("%Y%m%dT%H%M%S%z", time.replace('Z', "+0000")).ok()
        })
    }

    /// The same as CloudTrail has times, UTC.
    pub(crate) fn since(&self) -> Option<String> {
        let time = self.measured_since()?.to_zoned(TimeZone::UTC);
        Some(time.strftime("%Y-%m-%d %H:%M:%S").to_string())
    }

    fn applied(&self) -> Option<Applied<'_>> {
        self.receipt.as_ref().map(|receipt| Applied {
            facts: &receipt.facts,
            asked: &receipt.asked,
        })
    }

    /// The plan, with what the baseline tells of it.
    pub(crate) fn plan(&self, desired: &Desired, live: &Live, options: &Options) -> Result<Plan, CliError> {
        Ok(match self.applied() {
            Some(applied) => plan_since(desired, live, options, &applied, self.only)?,
            None => trueup_planner::plan(desired, live, options)?,
        })
    }

    /// What a receipt says of the account and of the wishes after this apply. `now`: the plan of what was read after it;
    /// `None` where it is not known what has become of the account. `began`: before the account was read.
    pub(crate) fn after(
        &self,
        applied: &Plan,
        now: Option<&Plan>,
        asked: BTreeMap<Resource, String>,
        began: Timestamp,
    ) -> Measure {
        let Some(then) = self.only.and(self.applied()) else {
            let facts = now.unwrap_or(applied).facts.clone();
            let since = Some(began);
            return Measure { facts, asked, since };
        };
        let is_whole = now.is_some() && applied.left.is_empty() && applied.held.is_empty();
        let facts = match now {
            Some(now) => trueup_planner::carried_forward(&then, applied, now),
            None => then.facts.clone(),
        };
        // What was left drifted since the earlier apply, and will be looked for from there.
        let (asked, since) = if is_whole {
            (asked, Some(began))
        } else {
            (then.asked.clone(), self.measured_since())
        };
        Measure { facts, asked, since }
    }
}

/// Reads what `apply --receipt` wrote.
fn receipt(path: &Path) -> Result<ApplyOutcome, CliError> {
    let text = output::read_text(path)?;
    let content = |problem: String| CliError::Content {
        path: path.to_owned(),
        what: "receipt",
        problem,
    };
    let receipt: ApplyOutcome = serde_json::from_str(&text).map_err(|error| content(error.to_string()))?;
    if !receipt.format_version.starts_with("1.") {
        return Err(content(format!(
            "its format is version {}, and only 1 is known",
            receipt.format_version
        )));
    }
    Ok(receipt)
}
