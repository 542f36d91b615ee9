//! `trueup man`: manual pages, of the same definition as `--help`.

use std::{fs, path::Path};

use clap::{Command, CommandFactory as _};
use clap_mangen::Man;

use crate::{
    args::{Cli, ManArgs},
    exit::{CliError, Exit},
    output::write_text,
    terminal::Terminal,
};

pub(crate) fn run(args: &ManArgs, terminal: &Terminal) -> Result<Exit, CliError> {
    let mut command = Cli::command();
    command.build();
    match &args.out {
        None => terminal.result(&page(&command)?)?,
        Some(directory) => {
            fs::create_dir_all(directory).map_err(|source| CliError::File {
                action: "make the directory",
                path: directory.clone(),
                source,
            })?;
            write_all(&command, directory)?;
        }
    }
    Ok(Exit::Done)
}

fn write_all(command: &Command, directory: &Path) -> Result<(), CliError> {
    let page = page(command)?;
    write_text(&directory.join(Man::new(command.clone()).get_filename()), &page)?;
    for subcommand in command.get_subcommands() {
        write_all(subcommand, directory)?;
    }
    Ok(())
}

fn page(command: &Command) -> Result<String, CliError> {
    let written = |source| CliError::Io {
        action: "write a manual page",
        source,
    };
    let after = command.get_after_help().map(ToString::to_string).unwrap_or_default();
    // What follows the help is lines, which a manual would fill into paragraphs.
    let command = command.clone().after_help("");
    let man = Man::new(command.clone()).manual("trueup");
    let mut page = Vec::new();
    man.render_title(&mut page).map_err(written)?;
    man.render_name_section(&mut page).map_err(written)?;
    man.render_synopsis_section(&mut page).map_err(written)?;
    man.render_description_section(&mut page).map_err(written)?;
    if command.get_arguments().next().is_some() {
        man.render_options_section(&mut page).map_err(written)?;
    }
    if command.has_subcommands() {
        man.render_subcommands_section(&mut page).map_err(written)?;
    }
    // Each part brings its definition of apostrophes along.
    let text = String::from_utf8_lossy(&page);
    let mut page: String = text
        .lines()
        .enumerate()
        .filter(|(at, line)| *at < 2 || !(line.starts_with(".ie ") || line.starts_with(".el ")))
        .map(|(_, line)| format!("{line}\n"))
        .collect();
    for section in after.split("\n\n").filter(|section| !section.is_empty()) {
        page.push_str(&as_written(section));
    }
    Ok(page)
}

/// A heading that ends in a colon, and lines that stay lines.
fn as_written(section: &str) -> String {
    let (heading, lines) = section.split_once('\n').unwrap_or(("Notes:", section));
    let mut text = format!(".SH {}\n.nf\n", heading.trim_end_matches(':').to_uppercase());
    for line in lines.lines() {
        let line = line.replace('\\', "\\e").replace('-', "\\-");
        // A dot or an apostrophe at the beginning of a line is an instruction.
        let guard = if line.starts_with(['.', '\'']) { "\\&" } else { "" };
        text.push_str(&format!("{guard}{line}\n"));
    }
    text + ".fi\n"
}
