//! What somebody may do, by service and access level, and through what.

use std::collections::BTreeMap;

use serde::Serialize;
use trueup_access::{Administrator, Escalation, Line, Request, StatementRef};

use super::{Basis, causes, described, statement, write_basis};
use crate::{TextOptions, Verbosity, page::Page};

/// The answer of `trueup access list`.
#[derive(Debug, Clone, Serialize)]
pub struct ListReport {
    /// [`super::ACCESS_VERSION`].
    pub format_version: &'static str,
    /// Who, for example `user/alice`.
    pub principal: String,
    /// Whether that is an administrator.
    pub administrator: Administrator,
    /// What is allowed, by service and access level.
    pub allowed: Vec<Line>,
    /// Statements that deny.
    pub denied_by: Vec<StatementRef>,
    /// The policy that is the permissions boundary.
    pub boundary: Option<String>,
    /// Known paths to more, of which all permissions are there.
    pub escalation: Vec<Escalation>,
    /// What is not decided, and why.
    pub unknown: Vec<String>,
    /// What the answer rests on.
    pub basis: Basis,
}

/// How many escalation paths are named before the rest is counted.
const PATHS: usize = 6;

/// Renders the answer of `trueup access list`. Full names of services come from `service_name`.
pub fn render_list(
    report: &ListReport,
    service_name: &dyn Fn(&str) -> Option<String>,
    options: &TextOptions,
) -> String {
    let ListReport {
        format_version: _,
        principal,
        administrator,
        allowed,
        denied_by,
        boundary,
        escalation,
        unknown,
        basis,
    } = report;
    let mut page = Page::new(options.color);
    let title = match administrator {
        Administrator::Full => "  an administrator",
        Administrator::Restricted => "  an administrator, with restrictions",
        Administrator::No => "",
    };
    page.line(0).bold(principal).warning(title);
    if allowed.is_empty() {
        page.line(2).text("nothing is allowed");
    }
    let mut services: BTreeMap<(usize, &str), Vec<&Line>> = BTreeMap::new();
    for line in allowed {
        // The broadest first.
        let key = (usize::MAX - line.services, line.service.as_str());
        services.entry(key).or_default().push(line);
    }
    for ((_, service), lines) in services {
        let heading = match (service_name(service), lines.first()) {
            (Some(name), _) => format!("{service} ({name})"),
            (None, Some(line)) if line.services > 1 => format!("{} services", line.services),
            (None, _) => service.to_owned(),
        };
        page.line(2).bold(&heading);
        for line in lines {
            let text = described(line);
            let text = text
                .split_once(": ")
                .filter(|_| !line.levels.is_empty())
                .map_or(text.as_str(), |(_, rest)| rest);
            page.line(4).text(text);
            for cause in causes(&line.cause) {
                page.line(6).dim(&cause);
            }
            if options.verbosity == Verbosity::Verbose {
                page.line(6).dim(&format!("for example {}", example(&line.example)));
            }
        }
    }
    if let Some(boundary) = boundary {
        page.line(0).text("Within the permissions boundary ").text(boundary);
    }
    for it in denied_by {
        page.line(0).text("Less what is denied by ").text(&statement(it));
    }
    if !escalation.is_empty() && options.verbosity != Verbosity::Quiet {
        let names: Vec<&str> = escalation.iter().map(|path| path.id.as_str()).take(PATHS).collect();
        let more = match escalation.len().saturating_sub(PATHS) {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        page.line(0).text(&format!(
            "Holds all permissions of the escalation paths {}{more} (each on some resource, possibly under conditions)",
            names.join(", ")
        ));
    }
    for cause in unknown {
        page.line(0).warning("Not known: ").text(cause);
    }
    write_basis(&mut page, &[basis], options);
    page.into_text()
}

fn example(request: &Request) -> String {
    request.to_string()
}
