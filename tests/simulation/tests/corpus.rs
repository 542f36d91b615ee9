//! The seeds of the fuzz targets: made from an example and simulated accounts, and kept in the repository. `BLESS=1`
//! writes them anew.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
};

use trueup_model::live::{CredentialNeeds, Needs};
use trueup_report::plan_json;
use trueup_simulation::{
    case::Case,
    check::on_virtual_time,
    manifest,
    untrusted::{corpus, examples},
    watch::{Watched, session},
};

type Seeds = BTreeMap<String, String>;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The examples, each with the word that its seeds are named by.
fn cases() -> impl Iterator<Item = (String, &'static Case)> {
    examples()
        .iter()
        .enumerate()
        .map(|(at, case)| (format!("account-{at}"), case))
}

fn manifests() -> Seeds {
    let texts = cases().flat_map(|(name, case)| {
        let files = manifest::one_file(&case.desired);
        files.into_values().map(move |text| (format!("{name}.yaml"), text))
    });
    let mut seeds: Seeds = texts.collect();
    let example = root().join("examples/first-account/trueup.yaml");
    seeds.insert(
        "first-account.yaml".to_owned(),
        fs::read_to_string(example).expect("the example"),
    );
    seeds
}

fn policies() -> Seeds {
    let documents = cases()
        .flat_map(|(_, case)| case.documents())
        .map(|document| document.as_text().to_owned());
    let mut documents: Vec<String> = documents.collect();
    documents.sort();
    documents.dedup();
    let chosen = documents.iter().step_by(documents.len().div_ceil(8)).enumerate();
    chosen
        .map(|(at, text)| (format!("document-{at}.json"), text.clone()))
        .collect()
}

/// Pairs of documents, one a line.
fn pairs() -> Seeds {
    let one_line = |text: &String| text.split('\n').map(str::trim_start).collect::<String>();
    let documents: Vec<String> = policies().values().map(one_line).collect();
    let pairs = documents.iter().zip(&documents[1..]).enumerate();
    pairs
        .map(|(at, (before, after))| (format!("pair-{at}.jsonl"), format!("{before}\n{after}")))
        .collect()
}

fn snapshots() -> Seeds {
    let texts = cases().map(|(name, case)| {
        let text = serde_json::to_string(&case.live).expect("an account can be written");
        (format!("{name}.json"), text)
    });
    texts.collect()
}

fn plans() -> Seeds {
    let plans = cases().map(|(name, case)| {
        let plan = trueup_planner::plan(&case.desired, &case.live, &trueup_simulation::reconcile::options());
        let text = plan_json(&plan.expect("examples can be planned")).expect("a plan can be written");
        (format!("{name}.json"), text)
    });
    plans.collect()
}

/// One answer of each operation that the reader uses, as the sandbox gives it.
fn answers() -> Seeds {
    let case = &examples()[0];
    let seen: Arc<Mutex<Seeds>> = Arc::default();
    let watched = Watched::of(case);
    let kept = Arc::clone(&seen);
    let wire = watched.wire().keeping_answers(move |operation, status, body| {
        let seeds = &mut *kept.lock().expect("nobody panics while keeping an answer");
        seeds
            .entry(format!("{operation}.xml"))
            .or_insert_with(|| format!("{operation} {status}\n{body}"));
    });
    let needs = |live: &trueup_model::Live| Needs {
        users: live
            .users
            .keys()
            .map(|name| {
                let everything = CredentialNeeds {
                    everything: true,
                    ..CredentialNeeds::default()
                };
                (name.clone(), everything)
            })
            .collect(),
        policies: live.policies.keys().cloned().collect(),
        aws_policies: [trueup_model::PolicyArn::from_live("arn:aws:iam::aws:policy/AWSDenyAll")].into(),
        virtual_mfa_devices: true,
    };
    let read = on_virtual_time(case.seed, async {
        session(&watched.sandbox, &wire).read_with(needs).await
    });
    let live = read.expect("the sandbox answers");
    assert!(!live.users.is_empty());
    std::mem::take(&mut *seen.lock().expect("nobody panics while keeping an answer"))
}

/// Seeds are worth nothing where every one of them is refused at once.
fn is_accepted(kind: &str, bytes: &[u8]) -> bool {
    let text = String::from_utf8_lossy(bytes).into_owned();
    match kind {
        "manifest" => manifest::parse(&[("trueup.yaml".to_owned(), text)].into()).is_ok(),
        "policy" => trueup_model::PolicyDocument::parse(&text).is_ok(),
        "access" => text
            .lines()
            .all(|line| trueup_model::PolicyDocument::parse(line).is_ok()),
        "snapshot" => serde_json::from_str::<trueup_model::Live>(&text).is_ok(),
        "plan" => trueup_report::read_plan(&text).is_ok(),
        _ => text.contains(" 200\n"),
    }
}

#[test]
fn the_seeds_are_there_and_most_of_them_are_accepted() {
    let bless = {
        #[expect(clippy::disallowed_methods, reason = "the test's own switch")]
        std::env::var("BLESS").is_ok()
    };
    let kinds = [
        ("manifest", manifests()),
        ("policy", policies()),
        ("access", pairs()),
        ("snapshot", snapshots()),
        ("plan", plans()),
        ("answer", answers()),
    ];
    for (kind, seeds) in kinds {
        assert!(seeds.len() >= 3, "{kind}");
        let directory = root().join("tests/fuzz/corpus").join(kind);
        if bless {
            fs::create_dir_all(&directory).expect("a directory");
            for (name, text) in &seeds {
                fs::write(directory.join(name), text).expect("a seed");
            }
        }
        let kept: BTreeMap<String, Vec<u8>> = corpus(kind).into_iter().collect();
        for name in seeds.keys() {
            assert!(kept.contains_key(name), "{kind}/{name} is missing; BLESS=1 writes it");
        }
        let accepted = kept.values().filter(|bytes| is_accepted(kind, bytes)).count();
        assert!(
            accepted * 2 > kept.len(),
            "{kind}: {accepted} of {} seeds are accepted",
            kept.len()
        );
    }
}
