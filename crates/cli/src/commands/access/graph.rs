//! `trueup access graph`: a picture of who holds what.

use std::path::Path;

use trueup_report::access::graph::{Graph, graph_html, graph_svg};

use crate::{
    args::{GraphArgs, GraphFormat},
    exit::{CliError, Exit},
    output,
    terminal::Terminal,
};

use super::source;

pub(super) async fn run(args: &GraphArgs, terminal: &Terminal) -> Result<Exit, CliError> {
    args.check_files()?;
    let data = source::iam_data(args.account.iam_data.as_deref())?;
    let known = source::open(&args.account, data, terminal).await?;
    let mut graph = Graph::of_account(&known.account, data, &args.only);
    if graph.nodes.is_empty() {
        return Err(CliError::refused(
            "there is nothing to draw",
            "--only names users, groups as group/NAME and roles as role/NAME",
        ));
    }
    let account = &known.account.id;
    graph.title = format!("Who holds what in account {account}");
    graph.footnote = format!(
        "Of {}; action data of {}. Conditions, resources and denies are not drawn.",
        known.basis.source, known.basis.action_data
    );
    let ends_in_html = |path: &Path| path.extension().is_some_and(|it| it == "html" || it == "htm");
    let format = match (args.format, &args.out) {
        (Some(format), _) => format,
        (None, Some(path)) if ends_in_html(path) => GraphFormat::Html,
        (None, _) => GraphFormat::Svg,
    };
    let text = match format {
        GraphFormat::Svg => graph_svg(&graph),
        GraphFormat::Html => graph_html(&graph),
    };
    match &args.out {
        Some(path) => output::write_text(path, &text)?,
        None => terminal.result(&text)?,
    }
    Ok(Exit::Done)
}
