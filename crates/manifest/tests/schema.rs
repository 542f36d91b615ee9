//! The committed schema is the one that the crate gives, and it agrees with the reader about real manifests.

use std::{fs, path::Path};

use trueup_manifest::{Diagnostic, DiskFiles, Severity, parse, schema};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

#[test]
fn the_committed_schema_is_current() {
    let path = root().join("schema/manifest.schema.json");
    let mut text = serde_json::to_string_pretty(&schema()).unwrap();
    text.push('\n');
    if std::env::var_os("BLESS").is_some() {
        fs::write(&path, &text).unwrap();
    }
    assert_eq!(
        fs::read_to_string(&path).unwrap_or_default(),
        text,
        "BLESS=1 rewrites it"
    );
}

#[test]
fn the_schema_is_one_of_2020_12() {
    jsonschema::draft202012::meta::validate(&schema()).unwrap();
}

/// The schema never refuses what the reader takes or would take but for what is not supported yet, and never takes
/// what the reader calls unknown.
#[test]
fn the_schema_agrees_with_the_reader() {
    let validator = jsonschema::validator_for(&schema()).unwrap();
    let (mut taken, mut refused) = (0, 0);
    for entry in fs::read_dir(root().join("tests/diagnostics")).unwrap() {
        let path = entry.unwrap().path();
        let (file, files) = if path.is_dir() {
            (path.join("trueup.yaml"), DiskFiles::open(&path).unwrap())
        } else {
            (path.clone(), DiskFiles::open(&path).unwrap())
        };
        // Texts that no YAML reader can make sense of are not the schema's matter.
        let Ok(text) = fs::read_to_string(&file) else { continue };
        let Ok(value) = serde_yaml::from_str::<serde_json::Value>(&text) else {
            continue;
        };
        let diagnostics = parse(&files).diagnostics;
        let is_error = |d: &&Diagnostic| d.severity == Severity::Error && d.code != "unsupported";
        if diagnostics.iter().find(is_error).is_none() {
            let errors: Vec<_> = validator.iter_errors(&value).map(|error| error.to_string()).collect();
            assert!(errors.is_empty(), "{}: {errors:?}", file.display());
            taken += 1;
        }
        if validator.is_valid(&value) {
            let missed = diagnostics.iter().find(|d| d.code == "unknown-key");
            assert!(missed.is_none(), "{}: {missed:?}", file.display());
        } else {
            refused += 1;
        }
    }
    assert!(taken >= 5 && refused >= 10, "{taken} {refused}");
}
