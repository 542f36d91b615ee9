//! `trueup force-unlock`: removes the lock of a run that is gone.

use trueup_report::escape;

use crate::{
    args::ForceUnlockArgs,
    aws,
    exit::{CliError, Exit},
    remote_lock,
    terminal::Terminal,
};

pub(crate) async fn run(args: &ForceUnlockArgs, terminal: &Terminal) -> Result<Exit, CliError> {
    let access = aws::s3(&args.aws).await?;
    let holder = remote_lock::force(&args.lock, access, &args.id).await?;
    let words = format!("removed the lock {}, which was held by {holder}", args.lock);
    terminal.result(&format!("{}\n", escape::text(&words)))?;
    Ok(Exit::Done)
}
