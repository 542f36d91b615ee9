//! `trueup schema`: JSON Schemas of what people and programs write and read.

use crate::{
    args::{SchemaArgs, SchemaOf},
    exit::{CliError, Exit},
    terminal::Terminal,
};

pub(crate) fn run(args: &SchemaArgs, terminal: &Terminal) -> Result<Exit, CliError> {
    match args.of {
        SchemaOf::Manifest => terminal.result(&trueup_report::to_json(&trueup_manifest::schema())?)?,
        SchemaOf::Plan => terminal.result(trueup_report::PLAN_SCHEMA)?,
    }
    Ok(Exit::Done)
}
