//! What a reviewer should see beside the lines of the manifest: commands for GitHub's runner.
//!
//! GitHub shows ten annotations of a kind and step, and drops the others without a word, so what does not fit is said
//! in the last of them.

use trueup_model::Resource;
use trueup_planner::{ChangeKind, Plan};

use crate::{
    escape::{command_data, command_property},
    page::count,
    places::{Position, place},
    plan_text::allowed_words,
    principals::{Principal, principals, whose},
};

/// How many annotations of one kind GitHub shows.
const SHOWN: usize = 10;

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[expect(missing_docs, reason = "the words say it")]
pub enum Level {
    Error,
    Warning,
    Notice,
}

impl Level {
    fn command(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Notice => "notice",
        }
    }
}

/// Something to say beside a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Annotation {
    /// How bad it is.
    pub level: Level,
    /// What it is about, in a few words.
    pub title: String,
    /// What to know.
    pub message: String,
    /// Where; `None` where no line of the manifest is known.
    pub position: Option<Position>,
}

/// What a plan has to say: what refuses it as errors; what is lost for good, not met or lapsed as warnings; every other
/// change as a notice. `place_of` tells where something of the account, the manifest itself or an entry of it stands.
pub fn plan_annotations(plan: &Plan, place_of: impl Fn(&Resource) -> Option<Position>) -> Vec<Annotation> {
    let mut found = Vec::new();
    for finding in &plan.guardrails {
        let (level, end) = if finding.allowed {
            (Level::Warning, allowed_words(finding))
        } else {
            (Level::Error, format!("--allow {} lets it pass", finding.code.as_str()))
        };
        found.push(Annotation {
            level,
            title: format!("guardrail {}", finding.code.as_str()),
            message: format!("{} ({end})", finding.message),
            position: place(&finding.resources, &place_of),
        });
    }
    for requirement in plan.requirements.iter().filter(|requirement| !requirement.met) {
        let remedy = requirement.remedy.iter().map(|remedy| format!("; {remedy}"));
        found.push(Annotation {
            level: Level::Warning,
            title: format!("{}: {} is not met", requirement.subject, requirement.requirement),
            message: format!("{}{}", requirement.detail, remedy.collect::<String>()),
            position: place([&requirement.subject], &place_of),
        });
    }
    for note in plan.notes.iter().filter(|note| note.strict) {
        found.push(Annotation {
            level: Level::Warning,
            title: note.subject().map_or_else(|| "note".to_owned(), ToString::to_string),
            message: note.message.clone(),
            position: place(&note.resource, &place_of),
        });
    }
    for principal in principals(&plan.changes) {
        found.push(changed(&principal, &place_of));
    }
    found
}

fn changed(principal: &Principal<'_>, place_of: &impl Fn(&Resource) -> Option<Position>) -> Annotation {
    let verb = match principal.fate {
        ChangeKind::Create => "is added",
        ChangeKind::Update => "changes",
        ChangeKind::Rename => "is renamed",
        ChangeKind::Delete => "is removed",
    };
    let all = principal.own.iter().chain(&principal.parts);
    let mut said: Vec<String> = all
        .clone()
        .map(|change| {
            let (_, part) = whose(&change.resource);
            let sign = match change.change {
                ChangeKind::Create => '+',
                ChangeKind::Update | ChangeKind::Rename => '~',
                ChangeKind::Delete => '-',
            };
            let what = if part.is_empty() { &change.reason } else { &part };
            format!(
                "{sign} {what}{}",
                if change.destructive { " (destructive)" } else { "" }
            )
        })
        .collect();
    if said.len() > SHOWN {
        let more = said.len() - SHOWN;
        said.truncate(SHOWN);
        said.push(format!("{more} more"));
    }
    Annotation {
        level: if principal.is_destructive() {
            Level::Warning
        } else {
            Level::Notice
        },
        title: format!("{} {verb}", principal.resource),
        message: said.join(", "),
        position: place(
            std::iter::once(&principal.resource).chain(principal.parts.iter().map(|part| &part.resource)),
            place_of,
        ),
    }
}

/// The commands, a line each: at most ten of a kind, the last of which counts what is left out.
pub fn github_commands(annotations: &[Annotation]) -> String {
    let mut out = String::new();
    for level in [Level::Error, Level::Warning, Level::Notice] {
        let of_it: Vec<_> = annotations.iter().filter(|one| one.level == level).collect();
        let shown = if of_it.len() > SHOWN { SHOWN - 1 } else { of_it.len() };
        for Annotation {
            level,
            title,
            message,
            position,
        } in &of_it[..shown]
        {
            let mut properties = Vec::new();
            if let Some(Position { file, line }) = position {
                properties.push(format!("file={},line={line}", command_property(file)));
            }
            properties.push(format!("title={}", command_property(&format!("trueup: {title}"))));
            out.push_str(&format!(
                "::{} {}::{}\n",
                level.command(),
                properties.join(","),
                command_data(message)
            ));
        }
        if shown < of_it.len() {
            out.push_str(&format!(
                "::{} title=trueup::{} more, which GitHub would not show; they stand in the plan\n",
                level.command(),
                count((of_it.len() - shown) as u64, "annotation", "annotations")
            ));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn notice(message: &str) -> Annotation {
        Annotation {
            level: Level::Notice,
            title: "user/alice changes".to_owned(),
            message: message.to_owned(),
            position: Some(Position {
                file: "people/a,b.yaml".to_owned(),
                line: 7,
            }),
        }
    }

    #[test]
    fn a_command_is_one_line_by_githubs_rules() {
        assert_eq!(
            github_commands(&[notice("50% more\n::error::no, really: ##[error]")]),
            "::notice file=people/a%2Cb.yaml,line=7,title=trueup%3A user/alice changes::50%25 more\\n::error::no, really: #\\u{23}[error]\n"
        );
    }

    #[test]
    fn there_are_at_most_ten_of_a_kind() {
        let many: Vec<_> = (0..25).map(|n| notice(&n.to_string())).collect();
        let shown = github_commands(&many);
        assert_eq!(shown.lines().count(), 10);
        assert!(shown.ends_with("::16 annotations more, which GitHub would not show; they stand in the plan\n"));
        assert_eq!(github_commands(&many[..10]).lines().count(), 10);
    }
}
