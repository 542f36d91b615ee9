//! Which services a document is about.

use std::collections::{BTreeMap, BTreeSet};

use trueup_model::PolicyDocument;

use crate::bits::Bits;
use crate::data::{AccessLevel, IamData};

impl IamData {
    /// The services of which a document's allowing statements name actions, by prefix, with the levels of these. A
    /// condition, a resource or a deny may take some of it away: this is for pictures, never for a proof.
    pub fn services_of(&self, document: &PolicyDocument) -> BTreeMap<&str, BTreeSet<AccessLevel>> {
        let mut all = Bits::new(self.actions().len());
        for statement in document.statements().iter().filter(|statement| statement.is_allow()) {
            for pattern in statement.actions() {
                all.unite(&self.expand(pattern));
            }
            if statement.has("NotAction") {
                let mut excepted = Bits::new(self.actions().len());
                for pattern in statement.not_actions() {
                    excepted.unite(&self.expand(pattern));
                }
                for index in (0..self.actions().len()).filter(|index| !excepted.contains(*index)) {
                    all.insert(index);
                }
            }
        }
        let mut services: BTreeMap<&str, BTreeSet<AccessLevel>> = BTreeMap::new();
        for index in all.iter() {
            let action = &self.actions()[index];
            let prefix = self.service_of(action).prefix.as_str();
            services.entry(prefix).or_default().insert(action.level);
        }
        services
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn services_come_with_their_levels() {
        let data = IamData::embedded();
        let of = |statement: &str| {
            let text = format!(r#"{{"Version": "2012-10-17", "Statement": {statement}}}"#);
            PolicyDocument::parse(&text).unwrap()
        };
        let reads = of(
            r#"[{"Effect": "Allow", "Action": ["s3:GetObject", "sqs:SendMessage"], "Resource": "*"},
            {"Effect": "Deny", "Action": "ec2:*", "Resource": "*"}]"#,
        );
        let services = data.services_of(&reads);
        assert_eq!(services.keys().copied().collect::<Vec<_>>(), ["s3", "sqs"]);
        assert_eq!(services["s3"], BTreeSet::from([AccessLevel::Read]));
        let others = of(r#"{"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"}"#);
        let services = data.services_of(&others);
        assert!(!services.contains_key("iam") && services.len() > 400);
    }
}
