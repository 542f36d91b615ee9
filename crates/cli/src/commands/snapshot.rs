//! `trueup snapshot`: the live account in a file, to plan from without credentials.

use crate::{
    args::SnapshotArgs,
    exit::{CliError, Exit},
    live::{self, Source},
    output,
    terminal::Terminal,
};

pub(crate) async fn run(args: &SnapshotArgs, terminal: &Terminal) -> Result<Exit, CliError> {
    args.check_files()?;
    let live = match Source::open(&args.live, None).await? {
        Source::Snapshot(live) => *live,
        Source::Api(api) => {
            let _activity = terminal.activity("reading the account");
            let identity = api.identity(None).await?;
            let mut live = api.read(&identity).await?;
            api.everything(&mut live).await?;
            live
        }
    };
    let text = live::snapshot_json(&live)?;
    match &args.out {
        Some(path) => output::write_text(path, &text)?,
        None => terminal.result(&text)?,
    }
    Ok(Exit::Done)
}
