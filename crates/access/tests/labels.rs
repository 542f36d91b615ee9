//! AWS's own published verdicts: of each sample, whether the candidate allows what the reference does not.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test that fails to set up its case has failed"
)]

use trueup_access::{Engine, IamData, Verdict};
use trueup_model::PolicyDocument;

/// The label says that the candidate grants the sensitive network ACL; its text denies every action on it.
const LABEL_THAT_DOES_NOT_FIT_ITS_TEXT: (&str, &str) = ("ec2-network-acl.md", "Candidate policy 3");

#[test]
fn every_label_that_fits_its_text() {
    let text = include_str!("data/aws-custom-policy-checks.json");
    let samples: Vec<serde_json::Value> = serde_json::from_str(text).unwrap();
    let mut engine = Engine::new(IamData::embedded());
    let (mut passes, mut fails) = (0, 0);
    for sample in &samples {
        let (source, title) = (sample["source"].as_str().unwrap(), sample["title"].as_str().unwrap());
        let document = |name: &str| PolicyDocument::from_value(sample[name].clone()).unwrap();
        let comparison = engine.compare_documents(&document("reference"), &document("candidate"));
        let (file, candidate) = LABEL_THAT_DOES_NOT_FIT_ITS_TEXT;
        if source.ends_with(file) && title.starts_with(candidate) {
            assert_eq!(comparison.verdict, Verdict::Less, "the exception is none any more");
            continue;
        }
        let expected = match sample["expect"].as_str() {
            Some("pass") => true,
            Some("fail") => false,
            other => panic!("{other:?}"),
        };
        assert_ne!(
            comparison.verdict,
            Verdict::Unknown,
            "{source} {title}: {:?}",
            comparison.unknown
        );
        assert_eq!(
            comparison.verdict.is_no_new_access(),
            expected,
            "{source} {title}: {}",
            comparison.verdict
        );
        assert_eq!(comparison.gained.is_empty(), expected, "{source} {title}");
        if expected { passes += 1 } else { fails += 1 }
    }
    assert_eq!(
        (passes, fails),
        (samples.iter().filter(|s| s["expect"] == "pass").count(), fails)
    );
    assert_eq!(passes + fails, 174);
}
