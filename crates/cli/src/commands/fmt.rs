//! `trueup fmt`: manifests in canonical form.

use std::{fs, path::Path};

use similar::TextDiff;
use trueup_manifest::{DiskFiles, Files, Formatted, MemoryFiles, Severity};
use trueup_report::escape;

use crate::{
    args::FmtArgs,
    exit::{CliError, Exit},
    manifest,
    output::{read_text, write_text},
    terminal::Terminal,
};

const STDIN: &str = "-";

/// A file that is not in canonical form, as messages name it.
struct Change {
    shown: String,
    file: Formatted,
}

pub(crate) fn run(args: &FmtArgs, terminal: &Terminal) -> Result<Exit, CliError> {
    let given: Vec<_> = args
        .manifests
        .iter()
        .filter(|path| !path.as_os_str().is_empty())
        .collect();
    if let [one] = given.as_slice()
        && one.as_path() == Path::new(STDIN)
    {
        return of_stdin(args, terminal);
    }
    if given.iter().any(|path| path.as_path() == Path::new(STDIN)) {
        return Err(CliError::Usage("- is stdin, and stands alone".to_owned()));
    }
    let manifests = match given.as_slice() {
        [] => vec![manifest::locate(None)?],
        given => given.iter().map(|path| path.to_path_buf()).collect(),
    };
    // Everything is read before anything is written.
    let mut changes = Vec::new();
    let mut errors = 0;
    for manifest in &manifests {
        let files = DiskFiles::open(manifest).map_err(|error| CliError::ManifestFiles(Box::new(error)))?;
        match formatted(&files, terminal) {
            Ok(found) => changes.extend(found),
            Err(found) => errors += found,
        }
    }
    if errors > 0 {
        return Err(CliError::Manifest { errors });
    }
    if args.check || args.diff {
        return show(&changes, args, terminal);
    }
    for change in &changes {
        write(change)?;
        terminal.result(&format!("{}\n", escape::text(&change.shown)))?;
    }
    Ok(Exit::Done)
}

/// The files of a manifest that are not in canonical form, or the number of its errors, which have been shown.
fn formatted(files: &dyn Files, terminal: &Terminal) -> Result<Vec<Change>, usize> {
    match trueup_manifest::format(files) {
        Ok(all) => {
            let changed = all.into_iter().filter(|file| !file.is_canonical());
            let named = changed.map(|file| Change {
                shown: files.display_name(&file.name),
                file,
            });
            Ok(named.collect())
        }
        Err(problems) => {
            manifest::show(&problems, terminal);
            Err(manifest::count(&problems, Severity::Error).max(1))
        }
    }
}

fn of_stdin(args: &FmtArgs, terminal: &Terminal) -> Result<Exit, CliError> {
    let text = read_text(Path::new(STDIN))?;
    let files = MemoryFiles::new([("stdin.yaml", text.clone())]);
    let changes = formatted(&files, terminal).map_err(|errors| CliError::Manifest { errors })?;
    if args.check || args.diff {
        return show(&changes, args, terminal);
    }
    let after = changes.first().map_or(&text, |change| &change.file.after);
    terminal.result(after)?;
    Ok(Exit::Done)
}

fn show(changes: &[Change], args: &FmtArgs, terminal: &Terminal) -> Result<Exit, CliError> {
    for change in changes {
        let text = if args.diff {
            difference(change, terminal.text_options().color)
        } else {
            format!("{}\n", escape::text(&change.shown))
        };
        terminal.result(&text)?;
    }
    if args.check && !changes.is_empty() {
        terminal.note("hint: `trueup fmt` without --check writes the canonical form");
        return Ok(Exit::Failed);
    }
    Ok(Exit::Done)
}

fn difference(change: &Change, color: bool) -> String {
    let Change { shown, file } = change;
    let difference = TextDiff::from_lines(&file.before, &file.after);
    let unified = difference
        .unified_diff()
        .context_radius(3)
        .header(shown, shown)
        .to_string();
    let mut text = String::new();
    for line in unified.lines() {
        let style = match line.as_bytes().first() {
            Some(b'+') if color => anstyle::AnsiColor::Green.on_default(),
            Some(b'-') if color => anstyle::AnsiColor::Red.on_default(),
            Some(b'@') if color => anstyle::AnsiColor::Cyan.on_default(),
            _ => anstyle::Style::new(),
        };
        text.push_str(&format!("{style}{}{style:#}\n", escape::text(line)));
    }
    text
}

fn write(change: &Change) -> Result<(), CliError> {
    let path = Path::new(&change.shown);
    let now = fs::read(path).map_err(|source| CliError::File {
        action: "read",
        path: path.to_owned(),
        source,
    })?;
    if now != change.file.before.as_bytes() {
        return Err(CliError::refused(
            format!("{} has changed meanwhile, and is left as it is", path.display()),
            "format it again",
        ));
    }
    write_text(path, &change.file.after)
}
