//! `trueup export`: a manifest of the account as it is.

use std::path::Path;

use trueup_manifest::ExportOptions;

use crate::{
    args::ExportArgs,
    exit::{CliError, Exit},
    live::Source,
    output,
    terminal::Terminal,
};

pub(crate) async fn run(args: &ExportArgs, terminal: &Terminal) -> Result<Exit, CliError> {
    args.check_files()?;
    let paths = args
        .paths
        .iter()
        .filter(|path| !path.is_empty())
        .map(|path| {
            trueup_model::Path::new(path).map_err(|error| CliError::Usage(format!("--path is `{path}`: {error}")))
        })
        .collect::<Result<_, _>>()?;
    let live = match Source::open(&args.live, None).await? {
        Source::Snapshot(live) => *live,
        Source::Api(api) => {
            let _activity = terminal.activity("reading the account");
            let identity = api.identity(None).await?;
            let mut live = api.read(&identity).await?;
            // Tags and descriptions of policies; credentials are never exported.
            let needs = trueup_model::live::Needs {
                policies: live.policies.keys().cloned().collect(),
                ..trueup_model::live::Needs::default()
            };
            api.details(&mut live, &needs).await?;
            live
        }
    };
    let exported = trueup_manifest::export(&live, &ExportOptions { paths });
    for note in &exported.notes {
        terminal.note(&format!("note: {note}"));
    }
    match (&args.output, &args.dir) {
        (_, Some(directory)) => write_directory(directory, &exported.files)?,
        (Some(file), None) => output::write_new_text(file, &single(&exported.files))?,
        (None, None) => terminal.result(&single(&exported.files))?,
    }
    Ok(Exit::Done)
}

/// An export without a directory is one file.
fn single(files: &std::collections::BTreeMap<String, String>) -> String {
    files.values().cloned().collect::<Vec<_>>().concat()
}

fn write_directory(directory: &Path, files: &std::collections::BTreeMap<String, String>) -> Result<(), CliError> {
    for (name, text) in files {
        let path = directory.join(name);
        if let Some(parent) = path.parent() {
            std::fs::create_dir_all(parent).map_err(|source| CliError::File {
                action: "make",
                path: parent.to_owned(),
                source,
            })?;
        }
        output::write_new_text(&path, text)?;
    }
    Ok(())
}
