//! What anybody can hand to trueup: manifests, policies, snapshots, plans, and the answers of something that says it is
//! IAM. Each function takes any bytes and panics only where the product does, or where it breaks a promise that holds
//! for all input. Fuzzing and the smoke test share them.

use std::sync::OnceLock;

use trueup_access::{Certainty, Effect, Engine, Holdings, IamData, PrincipalFacts, Verdict};
use trueup_manifest::{DiskFiles, ExportOptions, Files as _, MemoryFiles};
use trueup_model::{
    Desired, Live, PolicyDocument,
    document::{DocumentKind, LintContext, Owner, diff},
    live::{CredentialNeeds, Needs},
};
use trueup_report::{TextOptions, Verbosity, plan_json, read_plan, render_plan_text};
use trueup_sandbox::Sandbox;

use crate::{
    case::Case,
    check::on_virtual_time,
    manifest,
    reconcile::{Clock, Session, options},
    wire::Wire,
};

/// What a function here does with any input.
pub type Taker = fn(&[u8]);

/// Every kind of input, by the name of its corpus.
pub const KINDS: [(&str, Taker); 6] = [
    ("manifest", manifest_yaml),
    ("policy", policy_json),
    ("access", access_documents),
    ("snapshot", snapshot_json),
    ("plan", plan_document),
    ("answer", iam_answer),
];

/// A manifest of one file.
///
/// # Panics
///
/// Where the product is broken.
pub fn manifest_yaml(bytes: &[u8]) {
    let parsed = trueup_manifest::parse(&MemoryFiles::single(bytes));
    let told = trueup_manifest::render(&parsed.diagnostics, false);
    assert_harmless(&told);
    match parsed.desired {
        None => assert!(!parsed.diagnostics.is_empty(), "a manifest is refused without a word"),
        Some(desired) => {
            let again = manifest::parse(&manifest::one_file(&desired));
            assert_eq!(again.as_ref(), Ok(&desired), "a manifest does not mean what it says");
            plan_is_harmless(&desired, small_account().0);
        }
    }
}

/// A policy document, written by an author or found in an account.
///
/// # Panics
///
/// Where the product is broken.
pub fn policy_json(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let live = PolicyDocument::from_live(text.as_ref());
    let written = PolicyDocument::parse(&text);
    assert_eq!(written.is_err(), live.is_opaque());
    if let Ok(written) = &written {
        assert_eq!(*written, live);
        let canonical = PolicyDocument::parse(live.canonical_text()).expect("a canonical form is a document");
        assert_eq!(
            canonical.canonical_text(),
            live.canonical_text(),
            "the canonical form of a canonical form is another"
        );
        assert_eq!(PolicyDocument::parse(&live.pretty()).expect("pretty is JSON"), live);
    }
    assert!(diff(Some(&live), Some(&live)).is_empty());
    let other = PolicyDocument::from_live(r#"{"Version":"2012-10-17","Statement":[]}"#);
    assert_eq!(diff(Some(&live), Some(&other)).is_empty(), live == other);
    for kind in [
        DocumentKind::Managed,
        DocumentKind::Inline(Owner::User),
        DocumentKind::Inline(Owner::Group),
        DocumentKind::Inline(Owner::Role),
        DocumentKind::Trust,
    ] {
        let _ = live.refusal(kind);
    }
    let _ = live.mfa_pitfalls(&LintContext {
        partition: Some("aws"),
        users_have_paths: true,
        password_reset_required: true,
        attached_to_role: true,
    });
    let stored: PolicyDocument =
        serde_json::from_str(&serde_json::to_string(&live).expect("a document can be stored")).expect("and read");
    assert_eq!(stored, live);
}

/// Two policy documents, one a line: what the second allows that the first does not.
///
/// # Panics
///
/// Where the product is broken.
pub fn access_documents(bytes: &[u8]) {
    // Long ones take long, and show nothing that short ones do not.
    if bytes.len() > 4_000 {
        return;
    }
    let text = String::from_utf8_lossy(bytes);
    let (before, after) = text.split_once('\n').unwrap_or((&text, ""));
    let (before, after) = (PolicyDocument::from_live(before), PolicyDocument::from_live(after));
    let mut engine = Engine::new(IamData::embedded());
    let there = engine.compare_documents(&before, &after);
    let back = engine.compare_documents(&after, &before);
    let mirrored = match there.verdict {
        Verdict::More => Verdict::Less,
        Verdict::Less => Verdict::More,
        other => other,
    };
    assert_eq!(back.verdict, mirrored, "a comparison and its mirror image differ");
    for (verdict, findings) in [(there.verdict, &there.gained), (back.verdict, &back.gained)] {
        assert!(
            !verdict.is_no_new_access() || findings.is_empty(),
            "nothing new, and yet something"
        );
    }
    assert!(
        there.verdict != Verdict::Unknown || !there.unknown.is_empty(),
        "not decided, without a cause"
    );
    let facts = PrincipalFacts::nobody();
    let (had, has) = (
        Holdings::of_document("p", before),
        Holdings::of_document("p", after.clone()),
    );
    assert_eq!(engine.verdict(&has, &has).verdict, Verdict::Same);
    for finding in &there.gained {
        if finding.certainty != Certainty::Certain || text.contains("${") {
            continue;
        }
        let example = &finding.example;
        let (was, is) = (engine.decide(&had, example).effect, engine.decide(&has, example).effect);
        assert!(
            matches!(is, Effect::Allowed | Effect::Unknown),
            "{example} is {is} after"
        );
        assert!(was != Effect::Allowed, "{example} is allowed before");
    }
    for line in engine.summarise(&there.gained, &facts) {
        assert!(!line.render('+').is_empty());
    }
    let _ = engine.lint(&after);
    let _ = engine.escalations(&has);
}

/// The body of a snapshot.
///
/// # Panics
///
/// Where the product is broken.
pub fn snapshot_json(bytes: &[u8]) {
    let Ok(live) = serde_json::from_slice::<Live>(bytes) else {
        return;
    };
    let exported = trueup_manifest::export(&live, &ExportOptions::default());
    let files = MemoryFiles::new(exported.files.clone());
    let parsed = trueup_manifest::parse(&files);
    if let Some(desired) = parsed.desired {
        plan_is_harmless(&desired, &live);
    }
    plan_is_harmless(small_account().1, &live);
    let _ = Sandbox::from_live(&live);
}

/// A plan document.
///
/// # Panics
///
/// Where the product is broken.
pub fn plan_document(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    match read_plan(&text) {
        Err(error) => assert_harmless(&error.to_string()),
        Ok(plan) => {
            assert_plan_harmless(&plan);
            let written = plan_json(&plan).expect("a plan can be written");
            assert_eq!(read_plan(&written).expect("and read"), plan);
        }
    }
}

/// An answer of IAM: a line with the operation and the status, and the body. All other operations answer as they
/// should.
///
/// # Panics
///
/// Where the product is broken.
pub fn iam_answer(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let (head, body) = text.split_once('\n').unwrap_or((&text, ""));
    let (operation, status) = head
        .split_once(' ')
        .unwrap_or(("GetAccountAuthorizationDetails", "200"));
    let status = status
        .trim()
        .parse()
        .ok()
        .filter(|status| (200..600).contains(status))
        .unwrap_or(200);
    let sandbox = account().fork();
    let wire = Wire::to(&sandbox).answering(operation, status, body);
    let live = on_virtual_time(0, async {
        let clock = Clock::start();
        sandbox.set_clock(move || clock.now());
        let session = Session::over(&wire, clock);
        let everything = CredentialNeeds {
            everything: true,
            ..CredentialNeeds::default()
        };
        let needs = |live: &Live| Needs {
            users: live.users.keys().map(|name| (name.clone(), everything)).collect(),
            policies: live.policies.keys().cloned().collect(),
            virtual_mfa_devices: true,
            ..Needs::default()
        };
        session.read_with(needs).await
    });
    match live {
        Err(error) => assert!(!error.to_string().is_empty()),
        Ok(live) => plan_is_harmless(small_account().1, &live),
    }
}

/// Reads a corpus: what is below a directory of this repository, in the order of its names.
///
/// # Panics
///
/// Where there is none.
pub fn corpus(kind: &str) -> Vec<(String, Vec<u8>)> {
    let directory = std::path::Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../fuzz/corpus")
        .join(kind);
    let entries = std::fs::read_dir(&directory).unwrap_or_else(|error| panic!("{}: {error}", directory.display()));
    let mut files: Vec<(String, Vec<u8>)> = entries
        .map(|entry| {
            let entry = entry.expect("an entry of the corpus");
            let bytes = std::fs::read(entry.path()).expect("a file of the corpus");
            (entry.file_name().to_string_lossy().into_owned(), bytes)
        })
        .collect();
    assert!(!files.is_empty(), "{} is empty", directory.display());
    files.sort();
    files
}

/// The meaning of a manifest on disk.
///
/// # Errors
///
/// What its author would see.
pub fn manifest_on_disk(path: &std::path::Path) -> Result<Desired, String> {
    let files = DiskFiles::open(path).map_err(|error| error.to_string())?;
    let names = files.list().map_err(|error| error.to_string())?;
    let texts = names.into_iter().map(|name| {
        let bytes = files.read(&name).map_err(|error| error.to_string())?;
        Ok((name, String::from_utf8_lossy(&bytes).into_owned()))
    });
    manifest::parse(&texts.collect::<Result<_, String>>()?)
}

/// Three small accounts of no importance, with manifests for them that can be planned.
pub fn examples() -> &'static [Case] {
    static EXAMPLES: OnceLock<Vec<Case>> = OnceLock::new();
    EXAMPLES.get_or_init(|| {
        let cases = (0..).map(Case::of).filter(|case| {
            let size = serde_json::to_string(&case.live).map_or(usize::MAX, |text| text.len());
            let has_plan = trueup_planner::plan(&case.desired, &case.live, &options())
                .is_ok_and(|plan| (5..40).contains(&plan.actions.len()));
            has_plan && size < 10_000 && !case.live.users.is_empty()
        });
        cases.take(3).collect()
    })
}

/// The first of the examples.
fn small_account() -> (&'static Live, &'static Desired) {
    let case = &examples()[0];
    (&case.live, &case.desired)
}

fn account() -> &'static Sandbox {
    static SANDBOX: OnceLock<Sandbox> = OnceLock::new();
    SANDBOX.get_or_init(|| Sandbox::from_live(small_account().0).expect("cases are closed"))
}

fn plan_is_harmless(desired: &Desired, live: &Live) {
    let mut desired = desired.clone();
    // Another account would be all there is to say.
    desired.account.id = live.account.id.clone();
    let _ = trueup_planner::needs(&desired, live, &options());
    match trueup_planner::plan(&desired, live, &options()) {
        Ok(plan) => assert_plan_harmless(&plan),
        Err(error) => assert!(!error.to_string().is_empty()),
    }
}

fn assert_plan_harmless(plan: &trueup_planner::Plan) {
    for verbosity in [Verbosity::Quiet, Verbosity::Verbose] {
        let options = TextOptions {
            verbosity,
            ..TextOptions::default()
        };
        assert_harmless(&render_plan_text(plan, &options));
    }
    assert_harmless(&plan_json(plan).expect("a plan can be written"));
}

fn assert_harmless(output: &str) {
    let found = output.chars().find(|c| c.is_control() && *c != '\n');
    assert!(found.is_none(), "{found:?} in {}", output.escape_debug());
}
