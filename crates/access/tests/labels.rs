//! AWS's own published verdicts.
use trueup_access::{Engine, IamData, Verdict};
use trueup_model::PolicyDocument;

#[test]
fn labels() {
    let text = include_str!("data/aws-custom-policy-checks.json");
    let samples: Vec<serde_json::Value> = serde_json::from_str(text).unwrap();
    let mut bad = 0;
    let mut engine = Engine::new(IamData::embedded());
    for sample in &samples {
        let source = sample["source"].as_str().unwrap();
        if source.starts_with("resource") {
            continue;
        }
        let document = |name: &str| PolicyDocument::from_value(sample[name].clone()).unwrap();
        let comparison = engine.compare_documents(&document("reference"), &document("candidate"));
        let pass = comparison.verdict.is_no_new_access();
        let expected = sample["expect"] == "pass";
        if pass != expected || comparison.verdict == Verdict::Unknown {
            bad += 1;
            println!(
                "{source} {} expected {expected} got {} {:?} {:?}",
                sample["title"],
                comparison.verdict,
                comparison.unknown,
                comparison.gained.first().map(|f| f.example.to_string())
            );
        }
    }
    assert_eq!(bad, 0);
}
