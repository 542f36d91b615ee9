//! An export of any account plans empty against that account.

use trueup_manifest::ExportOptions;
use trueup_model::live::Needs;
use trueup_simulation::{
    case::Case,
    check::{Tally, Verdict, check, on_virtual_time},
    manifest,
    watch::{Watched, session},
};

fn plans_empty(case: &Case, tally: &Tally) -> Verdict {
    on_virtual_time(case.seed, async {
        let watched = Watched::of(case);
        let wire = watched.wire();
        let session = session(&watched.sandbox, &wire);
        let metadata = |live: &trueup_model::Live| Needs {
            policies: live.policies.keys().cloned().collect(),
            ..Needs::default()
        };
        let live = session.read_with(metadata).await.map_err(|error| error.to_string())?;
        let exported = trueup_manifest::export(&live, &ExportOptions::default());
        tally.add("notes", exported.notes.len() as u64);
        let desired = manifest::parse(&exported.files)?;
        let (plan, _) = session
            .plan(&desired)
            .await
            .map_err(|stop| format!("{stop}\n{:?}", exported.files))?;
        match plan.changes.is_empty() && plan.actions.is_empty() {
            true => Ok(()),
            false => Err(format!(
                "the plan of the export: {:#?}\n{:?}",
                plan.changes, exported.files
            )),
        }
    })
}

#[test]
fn an_export_of_any_account_plans_empty() {
    check("export", 3000, &plans_empty);
}
