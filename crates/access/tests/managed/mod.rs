//! The AWS managed policies of the catalogue, for tests and benchmarks.

use std::io::Read;
use std::path::Path;

use trueup_model::PolicyDocument;

/// Name and document of every AWS managed policy, by name.
#[expect(clippy::expect_used, reason = "a test without its data fails")]
pub(crate) fn managed_policies() -> Vec<(String, PolicyDocument)> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../aws-policies/data/aws-managed-policies.jsonl.gz");
    let bytes = std::fs::read(path).expect("the catalogue is there");
    let mut text = String::new();
    let mut decoder = flate2::read::GzDecoder::new(bytes.as_slice());
    decoder.read_to_string(&mut text).expect("they are compressed");
    let mut lines = text.lines();
    let heads: Vec<serde_json::Value> =
        serde_json::from_str(lines.next().unwrap_or_default()).expect("they have heads");
    heads
        .iter()
        .zip(lines)
        .map(|(head, line)| {
            let name = head[0]
                .as_str()
                .unwrap_or_default()
                .rsplit('/')
                .next()
                .unwrap_or_default();
            (
                name.to_owned(),
                PolicyDocument::parse(line).expect("each is a document"),
            )
        })
        .collect()
}
