//! `trueup access list`: what somebody can do, and through what.

use trueup_access::{Engine, Holdings};
use trueup_model::GroupName;
use trueup_report::access::{ACCESS_VERSION, ListReport, render_list};

use crate::{
    args::ListArgs,
    exit::{CliError, Exit},
    terminal::Terminal,
};

use super::{answer, no_such, principal, source};

pub(super) async fn run(args: &ListArgs, terminal: &Terminal) -> Result<Exit, CliError> {
    let data = source::iam_data(args.account.iam_data.as_deref())?;
    let mut engine = Engine::new(data);
    let known = source::open(&args.account, data, terminal).await?;
    let (name, holdings) = match args.principal.strip_prefix("group/") {
        Some(group) => {
            let groups = known.account.groups.keys().map(GroupName::as_str);
            let held = known.account.of_group(&GroupName::from_live(group));
            (
                format!("group/{group}"),
                held.ok_or_else(|| no_such("group", group, groups))?,
            )
        }
        None => {
            let name = principal(&args.principal, &known.account)?;
            let held = known.account.holdings(&name).cloned().unwrap_or_default();
            (name.to_string(), held)
        }
    };
    let nothing = Holdings {
        facts: holdings.facts.clone(),
        ..Holdings::default()
    };
    let comparison = engine.compare(&nothing, &holdings);
    let report = ListReport {
        format_version: ACCESS_VERSION,
        principal: name,
        administrator: engine.administrator(&holdings),
        allowed: engine.summarise(&comparison.gained, &holdings.facts),
        denied_by: holdings.denying_statements(),
        boundary: holdings.boundary.as_ref().map(|(origin, _)| origin.policy.clone()),
        escalation: engine.escalations(&holdings),
        unknown: comparison.unknown,
        basis: known.basis,
    };
    let service_name = |prefix: &str| data.service(prefix).map(|service| service.name.clone());
    answer(args.format, terminal, &report, || {
        render_list(&report, &service_name, &terminal.text_options())
    })?;
    Ok(Exit::Done)
}
