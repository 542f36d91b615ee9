//! Reads the extract that `data/make.mjs` writes. Nothing here knows what the names mean.

use std::collections::BTreeMap;
use std::io::Read;

use flate2::read::GzDecoder;

use super::{AccessLevel, Action, ConditionKey, IamData, ResourceType, Service};

/// Why a text is no extract of action data.
#[derive(Debug, thiserror::Error)]
pub enum DataError {
    /// It could not be decompressed, or is not UTF-8.
    #[error("the action data cannot be decompressed or is not UTF-8")]
    Encoding(#[source] std::io::Error),
    /// It does not begin as such an extract does.
    #[error("this is no action data: its first line is not `trueup-iam-data`, a tab and `1`")]
    Format,
    /// A line that the format does not have.
    #[error("line {line} of the action data cannot be read")]
    Line {
        /// Counted from 1.
        line: usize,
    },
}

/// More than any real extract, so that a small file cannot fill the memory.
const SIZE_LIMIT: u64 = 64 << 20;

pub(super) fn parse(bytes: &[u8]) -> Result<IamData, DataError> {
    let mut text = String::new();
    if bytes.starts_with(&[0x1f, 0x8b]) {
        let mut decoder = GzDecoder::new(bytes).take(SIZE_LIMIT);
        decoder.read_to_string(&mut text).map_err(DataError::Encoding)?;
    } else {
        let mut plain = bytes;
        plain.read_to_string(&mut text).map_err(DataError::Encoding)?;
    }
    let mut lines = text.lines();
    if lines.next() != Some("trueup-iam-data\t1") {
        return Err(DataError::Format);
    }
    let mut draft = Draft::default();
    for (index, line) in lines.enumerate() {
        let fields: Vec<&str> = line.split('\t').collect();
        draft.take(&fields).ok_or(DataError::Line { line: index + 2 })?;
    }
    Ok(draft.finish())
}

#[derive(Default)]
struct Draft {
    source: String,
    date: String,
    services: Vec<Service>,
    actions: Vec<Action>,
    global_keys: Vec<ConditionKey>,
}

impl Draft {
    fn take(&mut self, fields: &[&str]) -> Option<()> {
        match *fields {
            ["source", source] => source.clone_into(&mut self.source),
            ["date", date] => date.clone_into(&mut self.date),
            ["key", kind, name] => self.global_keys.push(condition_key(kind, name)),
            ["service", prefix, name] => self.services.push(Service {
                prefix: prefix.to_owned(),
                name: name.to_owned(),
                conditions: Vec::new(),
                resources: Vec::new(),
                actions: 0..0,
            }),
            ["condition", kind, name] => self.services.last_mut()?.conditions.push(condition_key(kind, name)),
            ["resource", name, arn] => self.services.last_mut()?.resources.push(ResourceType {
                name: name.to_owned(),
                arn: arn.to_owned(),
            }),
            ["action", name, level, resources, conditions] => {
                let service = self.services.last()?;
                let name = format!("{}:{name}", service.prefix);
                let resources = list(resources).map(|text| {
                    let required = text.ends_with('*');
                    let index: usize = text.trim_end_matches('*').parse().ok()?;
                    (index < service.resources.len()).then_some((index, required))
                });
                let conditions = list(conditions).map(|text| {
                    let index: usize = text.parse().ok()?;
                    (index < service.conditions.len()).then_some(index)
                });
                self.actions.push(Action {
                    folded: name.to_ascii_lowercase(),
                    name,
                    level: level_of(level)?,
                    service: self.services.len() - 1,
                    resources: resources.collect::<Option<_>>()?,
                    conditions: conditions.collect::<Option<_>>()?,
                });
            }
            _ => return None,
        }
        Some(())
    }

    /// Files that were put together by hand may have any order and repeat themselves.
    fn finish(mut self) -> IamData {
        let position_of = |service: usize| service;
        self.actions
            .sort_by(|a, b| (&a.folded, position_of(a.service)).cmp(&(&b.folded, position_of(b.service))));
        self.actions.dedup_by(|later, first| later.folded == first.folded);
        let mut by_prefix = BTreeMap::new();
        for (index, service) in self.services.iter().enumerate() {
            by_prefix.entry(service.prefix.to_ascii_lowercase()).or_insert(index);
        }
        for action in &mut self.actions {
            // Of a service that stands twice in the file, the first holds the name; types stay with their own.
            if let Some((prefix, _)) = action.folded.split_once(':')
                && by_prefix.get(prefix) != Some(&action.service)
                && let Some(first) = by_prefix.get(prefix)
            {
                action.service = *first;
                action.resources.clear();
                action.conditions.clear();
            }
        }
        for (prefix, index) in &by_prefix {
            let before = format!("{prefix}:");
            let from = self.actions.partition_point(|action| action.folded < before);
            let count = self.actions[from..].partition_point(|action| action.folded.starts_with(&before));
            self.services[*index].actions = from..from + count;
        }
        let mut key_kinds = BTreeMap::new();
        let keys = self.services.iter().flat_map(|service| &service.conditions);
        for key in keys.chain(&self.global_keys) {
            *key_kinds.entry(key.name.to_ascii_lowercase()).or_insert(false) |= key.many;
        }
        IamData {
            source: self.source,
            date: self.date,
            services: self.services,
            actions: self.actions,
            global_keys: self.global_keys,
            by_prefix,
            key_kinds,
        }
    }
}

fn condition_key(kind: &str, name: &str) -> ConditionKey {
    ConditionKey {
        name: name.to_owned(),
        many: kind.starts_with("ArrayOf"),
    }
}

fn list(text: &str) -> impl Iterator<Item = &str> {
    text.split(',').filter(|part| !part.is_empty())
}

fn level_of(letter: &str) -> Option<AccessLevel> {
    Some(match letter {
        "L" => AccessLevel::List,
        "R" => AccessLevel::Read,
        "W" => AccessLevel::Write,
        "T" => AccessLevel::Tagging,
        "P" => AccessLevel::Permissions,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strange_texts_are_refused_with_their_line() {
        assert!(matches!(parse(b"hello"), Err(DataError::Format)));
        assert!(matches!(parse(&[0x1f, 0x8b, 1]), Err(DataError::Encoding(_))));
        for (text, line) in [
            ("trueup-iam-data\t1\nnonsense", 2),
            ("trueup-iam-data\t1\naction\tGet\tR\t\t", 2),
            ("trueup-iam-data\t1\nservice\ts3\tS3\naction\tGet\tR\t0\t", 3),
            ("trueup-iam-data\t1\nservice\ts3\tS3\naction\tGet\tX\t\t", 3),
        ] {
            assert!(
                matches!(parse(text.as_bytes()), Err(DataError::Line { line: at }) if at == line),
                "{text}"
            );
        }
    }

    #[test]
    fn a_plain_text_in_any_order_is_read() {
        let text = "trueup-iam-data\t1\ndate\t2030-01-02\nservice\tzz\tZ\naction\tB\tW\t\t\naction\tA\tR\t\t\n\
                    service\taa\tA\nresource\tthing\tarn:${Partition}:aa:::${Name}\naction\tX\tP\t0*\t";
        let data = parse(text.as_bytes()).unwrap();
        let names: Vec<_> = data.actions().iter().map(|action| action.name.as_str()).collect();
        assert_eq!(names, ["aa:X", "zz:A", "zz:B"]);
        assert_eq!(data.actions_of(data.service("zz").unwrap()).len(), 2);
        assert_eq!(data.resources_of(data.action("aa:x").unwrap()).count(), 1);
    }
}
