//! Hostile text in names, tags, Sids and descriptions never reaches an output as it is.

use trueup_manifest::ExportOptions;
use trueup_model::{
    InlinePolicyName, Live, PolicyDocument, PolicyName, UserName,
    live::{LivePolicy, LiveUser},
};
use trueup_report::{TextOptions, Verbosity, plan_json, render_guardrails, render_plan_text};
use trueup_simulation::{
    case::Case,
    check::{Tally, Verdict, check},
    random::Random,
    reconcile::options,
};

/// What a terminal, a log of continuous integration, a reviewer's page or a chat would obey.
const HOSTILE: [&str; 12] = [
    "\u{1b}]0;title\u{7}",
    "\u{1b}[2J",
    "\u{9b}2J",
    "\r\noverwritten",
    "\n::set-env name=PATH::/tmp",
    "\n```\n# headline",
    "\n@all",
    "<script>alert(1)</script>",
    "\u{202e}gnp.exe",
    "\u{2066}isolated",
    "zero\u{200b}width",
    "tag\u{e0041}character",
];

fn text(random: &mut Random) -> String {
    format!("x{}y", random.pick(&HOSTILE))
}

/// A document with hostile text wherever JSON has room for it.
fn document(random: &mut Random) -> PolicyDocument {
    let statement = serde_json::json!({
        "Sid": text(random),
        "Effect": "Allow",
        "Action": [format!("s3:{}", text(random))],
        "Resource": format!("arn:aws:s3:::{}", text(random)),
        "Condition": {"StringEquals": {format!("aws:{}", text(random)): text(random)}},
        text(random): text(random),
    });
    let document = serde_json::json!({"Version": "2012-10-17", "Statement": [statement], "Id": text(random)});
    match random.below(4) {
        // What cannot be read as a document is shown as text.
        0 => PolicyDocument::from_live(format!("not JSON {}", text(random))),
        _ => PolicyDocument::from_live(document.to_string()),
    }
}

/// The live account as somebody wants it to be shown.
fn poison(case: &Case, random: &mut Random) -> Live {
    let mut live = case.live.clone();
    for user in live.users.values_mut() {
        user.tags.insert(text(random), text(random));
        user.inline_policies
            .insert(InlinePolicyName::from_live(text(random)), document(random));
    }
    for group in live.groups.values_mut() {
        group
            .inline_policies
            .insert(InlinePolicyName::from_live(text(random)), document(random));
    }
    for policy in live.policies.values_mut() {
        let metadata = policy.metadata.get_or_insert_default();
        metadata.description = Some(text(random));
        metadata.tags.insert(text(random), text(random));
        for version in policy.versions.values_mut() {
            version.document = document(random);
        }
    }
    // Strangers of hostile names, in and out of scope, in whatever groups there are.
    let template: Option<LiveUser> = live.users.values().next().cloned();
    if let Some(template) = template {
        for _ in 0..3 {
            let name = UserName::from_live(text(random));
            let stranger = LiveUser {
                name: name.clone(),
                tags: [("aws:cloudformation:stack-name".to_owned(), text(random))].into(),
                ..template.clone()
            };
            live.users.insert(name, stranger);
        }
    }
    let template: Option<LivePolicy> = live.policies.values().next().cloned();
    if let Some(template) = template {
        let name = PolicyName::from_live(text(random));
        live.policies.insert(name.clone(), LivePolicy { name, ..template });
    }
    live.notes.push(text(random));
    live.account.alias = Some(trueup_model::Alias::from_live(text(random)));
    live
}

/// The first character, or beginning of a line, that would do something.
fn harmful(output: &str, may_be_coloured: bool) -> Option<String> {
    let mut plain = output.to_owned();
    if may_be_coloured {
        plain = without_colours(output);
    }
    let character = plain.chars().find(|c| {
        (c.is_control() && *c != '\n')
            || matches!(*c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{e0000}'..='\u{e0fff}')
    });
    let line = plain.lines().find(|line| {
        ["::", "```", "@all", "#", "overwritten"]
            .iter()
            .any(|bad| line.trim_start().starts_with(bad))
    });
    character.map(|c| format!("{c:?}")).or_else(|| line.map(str::to_owned))
}

/// The output without what sets colours: `ESC [ … m` with digits and semicolons.
fn without_colours(output: &str) -> String {
    let mut pieces = output.split("\u{1b}[");
    let mut plain = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        let digits = piece.chars().take_while(|c| c.is_ascii_digit() || *c == ';').count();
        match piece[digits..].strip_prefix('m') {
            Some(rest) => plain.push_str(rest),
            None => {
                plain.push_str("\u{1b}[");
                plain.push_str(piece);
            }
        }
    }
    plain
}

fn is_harmless(case: &Case, tally: &Tally) -> Verdict {
    let mut random = Random::of(case.seed, "hostile");
    let live = poison(case, &mut random);
    let mut desired = case.desired.clone();
    for policy in desired.policies.values_mut() {
        policy.description = Some(text(&mut random));
        policy.tags.insert("note".to_owned(), text(&mut random));
        policy.document = document(&mut random);
    }
    for user in desired.users.values_mut() {
        user.tags.insert("note".to_owned(), text(&mut random));
        user.inline_policies
            .insert(InlinePolicyName::from_live("hostile"), document(&mut random));
    }
    let users = desired.absent.users.values_mut().map(|absent| &mut absent.reason);
    for reason in users.chain(desired.absent.groups.values_mut()) {
        *reason = text(&mut random);
    }
    for rule in &mut desired.scope.ignore {
        rule.reason = text(&mut random);
    }
    let mut outputs = Vec::new();
    match trueup_planner::plan(&desired, &live, &options()) {
        Ok(plan) => {
            for verbosity in [Verbosity::Quiet, Verbosity::Normal, Verbosity::Verbose] {
                for color in [false, true] {
                    let options = TextOptions {
                        verbosity,
                        color,
                        width: 60,
                    };
                    outputs.push((format!("{options:?}"), render_plan_text(&plan, &options), color));
                    outputs.push((
                        "guardrails".to_owned(),
                        render_guardrails(&plan.guardrails, &options),
                        color,
                    ));
                }
            }
            let json = plan_json(&plan).map_err(|error| error.to_string())?;
            outputs.push(("JSON".to_owned(), json, false));
            tally.note("plans");
        }
        Err(error) => {
            // As the command line shows it.
            outputs.push((
                "an error".to_owned(),
                trueup_report::escape::text(&error.to_string()).into_owned(),
                false,
            ));
            tally.note("errors");
        }
    }
    for (output, text, coloured) in outputs {
        tally.note("outputs");
        if let Some(found) = harmful(&text, coloured) {
            return Err(format!("{output} has {found}:\n{}", text.escape_debug()));
        }
    }
    let exported = trueup_manifest::export(&live, &ExportOptions::default());
    for text in exported.files.values().chain(&exported.notes) {
        tally.note("exports");
        let comments: String = text
            .lines()
            .filter(|line| line.starts_with('#'))
            .map(|line| line.replace('#', ""))
            .collect();
        let entries: String = text
            .lines()
            .filter(|line| !line.starts_with('#'))
            .collect::<Vec<_>>()
            .join("\n");
        for part in [comments, entries] {
            if let Some(found) = harmful(&part, false) {
                return Err(format!("the export has {found}:\n{}", text.escape_debug()));
            }
        }
    }
    Ok(())
}

#[test]
fn hostile_text_never_reaches_an_output_as_it_is() {
    let tally = check("hostile", 1000, &is_harmless);
    tally.require("plans");
    tally.require("exports");
}
