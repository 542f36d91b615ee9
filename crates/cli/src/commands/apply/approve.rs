//! Everything that can stop an apply before its first write.

use std::path::Path;

use jiff::civil::Date;
use trueup_executor::{CredentialsSink, DeliveryError, Recipients, check_plain_directory};
use trueup_model::{Desired, UserName};
use trueup_planner::{Only, Plan};
use trueup_report::{escape, what_moved};

use crate::{args::ApprovalArgs, commands::compare, delivery, exit::CliError, signals::Signals, terminal::Terminal};

/// What was reviewed, if anything.
#[derive(Debug, Default)]
pub(crate) struct Reviewed {
    pub(crate) plan: Option<Plan>,
    pub(crate) digest: Option<String>,
}

impl Reviewed {
    /// Reads what was reviewed, before anything else is done.
    pub(crate) fn read(args: &ApprovalArgs) -> Result<Self, CliError> {
        let given = |path: &&std::path::PathBuf| !path.as_os_str().is_empty();
        let plan = args
            .plan
            .as_ref()
            .filter(given)
            .map(|path| crate::commands::show::read(path))
            .transpose()?;
        let digest = args.expect_digest.clone().filter(|digest| !digest.is_empty());
        if let Some(digest) = &digest
            && !is_digest(digest)
        {
            return Err(CliError::Usage(format!(
                "--expect-digest is `{digest}`, expected sha256: and 64 hexadecimal digits in lower case"
            )));
        }
        Ok(Self { plan, digest })
    }

    /// What a plan is to be compared with, if anything: a digest, or the file of a saved plan.
    pub(crate) fn given(text: Option<&str>) -> Result<Self, CliError> {
        let given = text.filter(|given| !given.is_empty());
        Ok(given.map(Self::digest_or_file).transpose()?.unwrap_or_default())
    }

    fn digest_or_file(text: &str) -> Result<Self, CliError> {
        if is_digest(text) {
            return Ok(Self {
                plan: None,
                digest: Some(text.to_owned()),
            });
        }
        if text.starts_with("sha256:") {
            return Err(CliError::Usage(format!(
                "--check-digest is `{text}`, expected sha256: and 64 hexadecimal digits in lower case, or the file of a saved plan"
            )));
        }
        Ok(Self {
            plan: Some(crate::commands::show::read(Path::new(text))?),
            digest: None,
        })
    }

    /// The day that the reviewed plan was made for.
    pub(crate) fn as_of(&self) -> Option<Date> {
        self.plan.as_ref().map(|plan| plan.as_of)
    }

    /// Whether it is known to be the plan of a run that was limited to drift.
    pub(crate) fn is_of_drift_alone(&self) -> bool {
        self.plan.as_ref().is_some_and(|plan| plan.only.is_some())
    }

    /// Refuses a reviewed plan that is of more, or of less, than this run is.
    pub(crate) fn check_extent(&self, only: Option<Only>) -> Result<(), CliError> {
        let Some(plan) = &self.plan else { return Ok(()) };
        match (plan.only, only) {
            (None, Some(Only::Drift)) => Err(CliError::refused(
                "the reviewed plan is of everything, and --only drift is a part of it",
                "leave --only out; or review the plan that `drift --only drift --json-into FILE` writes",
            )),
            (Some(Only::Drift), None) => Err(CliError::refused(
                "the reviewed plan is of drift alone, and this run is of everything",
                "say --only drift, and --baseline as for the review",
            )),
            _ => Ok(()),
        }
    }

    /// What was approved just now.
    pub(crate) fn of(plan: &Plan) -> Self {
        Self {
            plan: Some(plan.clone()),
            digest: None,
        }
    }

    /// Refuses a plan that is not the one that was reviewed, and says on stderr what moved.
    pub(crate) fn check(&self, now: &Plan, terminal: &Terminal) -> Result<(), CliError> {
        if let Some(given) = &self.digest
            && *given == now.transition_digest
            && *given != now.digest
        {
            return Err(CliError::refused(
                format!(
                    "{given} is the transition digest of this plan, which is the same in every account; nothing was written"
                ),
                "give the plan's `digest`: it stands above the transition digest, and is `digest` in JSON",
            ));
        }
        let digests = self.plan.iter().map(|plan| &plan.digest).chain(&self.digest);
        let mut stale = false;
        for reviewed in digests.filter(|reviewed| **reviewed != now.digest) {
            stale = true;
            terminal.message(&format!(
                "reviewed: {}\nnow:      {}\n",
                escape::text(reviewed),
                escape::text(&now.digest)
            ));
        }
        let altered = self
            .plan
            .as_ref()
            .is_some_and(|reviewed| !stale && !asks_for_the_same(reviewed, now));
        if altered {
            terminal.message(
                "the file of the reviewed plan was altered: its digest is that of a plan that does other things\n",
            );
        }
        if !stale && !altered {
            return Ok(());
        }
        let mut all_moved = Vec::new();
        match &self.plan {
            Some(reviewed) => {
                for moved in what_moved(reviewed, now) {
                    let subject = moved
                        .resource
                        .map(|resource| format!("{resource} "))
                        .unwrap_or_default();
                    let words = format!("{}{}", escape::text(&subject), moved.how);
                    terminal.message(&format!("moved: {words}\n"));
                    all_moved.push(words);
                }
            }
            None => terminal.message(
                "a digest alone cannot tell what moved: name the file of the reviewed plan. It covers the day, too: \
                 --as-of is that of the review. That of a plan of drift alone is checked by `drift --only drift`, with \
                 the baseline of the review\n",
            ),
        }
        Err(CliError::Stale { moved: all_moved })
    }
}

/// Whether two plans with one digest ask for the same, as they do unless somebody has edited the file of one of them.
/// How a change is put into words is each version's own.
fn asks_for_the_same(reviewed: &Plan, now: &Plan) -> bool {
    let changes = |plan: &Plan| {
        let changes = plan.changes.iter();
        changes
            .map(|change| (change.resource.clone(), change.change, change.destructive))
            .collect::<Vec<_>>()
    };
    changes(reviewed) == changes(now) && reviewed.actions == now.actions
}

fn is_digest(text: &str) -> bool {
    text.strip_prefix("sha256:").is_some_and(|digits| {
        digits.len() == 64 && digits.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
    })
}

/// Refuses what guardrails and a strict run do not let pass.
pub(crate) fn check_guardrails(plan: &Plan, strict: bool, terminal: &Terminal) -> Result<(), CliError> {
    let refusing: Vec<_> = plan.guardrails.iter().filter(|finding| !finding.allowed).collect();
    if !refusing.is_empty() {
        let mut codes: Vec<_> = refusing
            .iter()
            .map(|finding| format!("--allow {}", finding.code.as_str()))
            .collect();
        codes.sort();
        codes.dedup();
        return Err(CliError::Guardrails {
            count: codes.len(),
            allow: codes.join(" "),
        });
    }
    let refused = if strict {
        compare::strict_findings(plan)
    } else {
        Vec::new()
    };
    terminal.strict(&refused);
    if refused.is_empty() {
        Ok(())
    } else {
        Err(CliError::Strict)
    }
}

/// Refuses a plan that takes a person's approval and has none: neither was it reviewed, nor is there somebody to ask.
///
/// A digest does not cover what the plan says about access, since that follows from what it covers and from documents
/// of AWS's own; where the reviewed plan is at hand, what it says is compared.
pub(crate) fn check_approval(
    plan: &Plan,
    args: &ApprovalArgs,
    reviewed: &Reviewed,
    terminal: &Terminal,
) -> Result<(), CliError> {
    let findings = compare::approval_findings(plan, args.require_approval);
    if findings.is_empty() {
        return Ok(());
    }
    let says_otherwise = reviewed
        .plan
        .as_ref()
        .is_some_and(|reviewed| reviewed.access != plan.access);
    let is_reviewed = reviewed.plan.is_some() || reviewed.digest.is_some();
    let can_be_asked = !args.auto_approve && terminal.can_ask();
    if (is_reviewed && !says_otherwise) || can_be_asked {
        return Ok(());
    }
    terminal.approval(&findings);
    Err(CliError::Approval {
        reviewed: says_otherwise,
    })
}

/// Refuses to make credentials that would have nowhere safe to go, or that nobody could open.
///
/// A password that is `typed` goes nowhere: whoever types it has it.
pub(crate) fn check_credentials(
    plan: &Plan,
    desired: &Desired,
    plain: bool,
    typed: Option<&UserName>,
    directory: &Path,
) -> Result<(), CliError> {
    let receivers = delivery::receivers(plan, desired)?;
    for (user, recipients) in &receivers {
        recipients
            .iter()
            .try_for_each(Recipients::probe)
            .map_err(|error| delivery::unusable(user, &error))?;
    }
    let unnamed: Vec<_> = receivers
        .iter()
        .filter(|(_, recipients)| recipients.is_none())
        .filter(|(user, _)| typed != Some(*user) || !delivery::only_a_password(plan, user))
        .map(|(user, _)| format!("`{user}`"))
        .collect();
    if unnamed.is_empty() {
        return Ok(());
    }
    if !plain {
        return Err(CliError::refused(
            format!(
                "this plan makes credentials for {}, and there is nobody that they could be sealed to; nothing was written",
                unnamed.join(", ")
            ),
            format!(
                "name a recipient with `deliver_to` in the manifest; or --plain-credentials writes plain files into {}",
                directory.display()
            ),
        ));
    }
    check_plain_directory(directory).map_err(|error| undeliverable(&error))
}

/// Sees that the passwords can be written down, after the approval and before the first write.
pub(crate) fn prepare(sink: &CredentialsSink) -> Result<(), CliError> {
    match sink {
        CredentialsSink::Files(files) => files.prepare().map_err(|error| undeliverable(&error)),
        CredentialsSink::None => Ok(()),
    }
}

fn undeliverable(error: &DeliveryError) -> CliError {
    CliError::refused(
        format!("{}; nothing was written", crate::exit::with_causes(error)),
        error.hint().unwrap_or("choose another --credentials-dir"),
    )
}

/// Asks.
pub(crate) async fn ask(plan: &Plan, terminal: &Terminal, signals: &Signals) -> Result<(), CliError> {
    if !terminal.can_ask() {
        return Err(CliError::refused(
            "there is no terminal to ask for approval; nothing was written",
            "say --auto-approve, and --plan or --expect-digest where a plan was reviewed",
        ));
    }
    let alias = plan
        .overview
        .alias
        .as_ref()
        .map(|alias| format!(" ({alias})"))
        .unwrap_or_default();
    let question = format!("Make these changes in account {}{alias}?", plan.account_id);
    let asking = terminal.clone();
    // A line from a terminal cannot be waited for without blocking a thread.
    let answer = tokio::task::spawn_blocking(move || asking.asks_for_yes(&question));
    let approved = signals
        .unless_caught(async {
            answer.await.map_err(|error| CliError::Io {
                action: "read the answer",
                source: std::io::Error::other(error),
            })?
        })
        .await?;
    if approved { Ok(()) } else { Err(CliError::Cancelled) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digests_are_recognised() {
        assert!(is_digest(&format!("sha256:{}", "0a".repeat(32))));
        for bad in [
            "",
            "sha256:",
            "sha256:0",
            &"0a".repeat(32),
            &format!("sha256:{}", "0A".repeat(32)),
        ] {
            assert!(!is_digest(bad), "{bad}");
        }
    }
}
