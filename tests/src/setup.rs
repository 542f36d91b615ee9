//! A small language for bringing an account about: one IAM call a line, sent over the wire.
//!
//! ```text
//! # a comment
//! CreateUser UserName=alice Path=/platform/ Tag.owner=alice@example.com
//! PutUserPolicy UserName=alice PolicyName=audit PolicyDocument='Allow s3:GetObject, s3:ListBucket on *'
//! CreatePolicy PolicyName=baseline PolicyDocument=@baseline.json
//! UntagUser UserName=alice TagKeys=owner,team
//! repeat 12 CreateUser UserName=worker-{n}
//! CreateAccessKey UserName=alice
//! UpdateAccessKey UserName=alice AccessKeyId=$AccessKeyId Status=Inactive
//! refused EntityAlreadyExists CreateUser UserName=alice
//! ```
//!
//! - `Tag.KEY=VALUE` is the next member of `Tags`, and `TagKeys` a list.
//! - A document is `@FILE` beside the script, JSON, or statements in words joined by `;`.
//! - `$NAME` is the text of the element of that name that was answered last; `$totp1` and `$totp2` are the current and
//!   the next code of the seed that was answered last.
//! - A line that begins with `refused CODE` must be refused with that code; every other line must be accepted.

use std::{collections::BTreeMap, net::SocketAddr, path::Path};

use serde_json::{Value, json};

use crate::{
    binary::NOW_SECONDS,
    wire::{self, Answer},
};

/// Makes all calls of a script.
///
/// # Errors
///
/// The first line that is no call, or was answered otherwise than expected.
pub fn run(script: &str, folder: &Path, address: SocketAddr) -> Result<(), String> {
    let mut answers = Answers::default();
    for (index, line) in script.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        run_line(line, folder, address, &mut answers)
            .map_err(|error| format!("line {}: {line}\n  {error}", index + 1))?;
    }
    Ok(())
}

#[derive(Default)]
struct Answers(BTreeMap<String, String>);

impl Answers {
    fn remember(&mut self, answer: &Answer) {
        for name in [
            "AccessKeyId",
            "SerialNumber",
            "Base32StringSeed",
            "VersionId",
            "Arn",
            "SSHPublicKeyId",
        ] {
            if let Some(text) = answer.element(name) {
                self.0.insert(name.to_owned(), text);
            }
        }
    }

    fn resolve(&self, value: &str) -> Result<String, String> {
        let Some(name) = value.strip_prefix('$') else {
            return Ok(value.to_owned());
        };
        match name {
            "totp1" => totp_of_blob(self.get("Base32StringSeed")?, 0),
            "totp2" => totp_of_blob(self.get("Base32StringSeed")?, 1),
            name => self.get(name).map(ToOwned::to_owned),
        }
    }

    fn get(&self, name: &str) -> Result<&str, String> {
        self.0
            .get(name)
            .map(String::as_str)
            .ok_or_else(|| format!("nothing was answered with {name}"))
    }
}

fn run_line(line: &str, folder: &Path, address: SocketAddr, answers: &mut Answers) -> Result<(), String> {
    let (refused, line) = match line.strip_prefix("refused ").and_then(|rest| rest.split_once(' ')) {
        Some((code, rest)) => (Some(code), rest),
        None => (None, line),
    };
    let (times, line) = match line.strip_prefix("repeat ").and_then(|rest| rest.split_once(' ')) {
        Some((times, rest)) => (times.parse::<usize>().map_err(|error| error.to_string())?, rest),
        None => (1, line),
    };
    for n in 1..=times {
        let words = split(&line.replace("{n}", &n.to_string()))?;
        let (operation, parameters) = words.split_first().ok_or("no operation")?;
        let parameters = expand(parameters, folder, answers)?;
        let answer = wire::call(address, operation, &parameters).map_err(|error| error.to_string())?;
        if answer.error_code().as_deref() != refused {
            return Err(format!("answered {}: {}", answer.status, answer.body));
        }
        answers.remember(&answer);
    }
    Ok(())
}

/// Splits at white space outside of single quotes.
fn split(line: &str) -> Result<Vec<String>, String> {
    let mut words = vec![String::new()];
    let mut quoted = false;
    for character in line.chars() {
        match character {
            '\'' => quoted = !quoted,
            ' ' if !quoted => words.push(String::new()),
            _ => words.last_mut().expect("there is a word").push(character),
        }
    }
    if quoted {
        return Err("a quote is not closed".to_owned());
    }
    Ok(words.into_iter().filter(|word| !word.is_empty()).collect())
}

fn expand(words: &[String], folder: &Path, answers: &Answers) -> Result<Vec<(String, String)>, String> {
    let mut parameters = Vec::new();
    let mut tags = 0;
    for word in words {
        let (name, value) = word.split_once('=').ok_or_else(|| format!("`{word}` has no `=`"))?;
        let value = answers.resolve(value)?;
        if let Some(key) = name.strip_prefix("Tag.") {
            tags += 1;
            // A key may also end in what was answered, as in `trueup:inactive:$AccessKeyId`.
            let key = match key.split_once('$') {
                Some((begin, name)) => format!("{begin}{}", answers.resolve(&format!("${name}"))?),
                None => key.to_owned(),
            };
            parameters.push((format!("Tags.member.{tags}.Key"), key));
            parameters.push((format!("Tags.member.{tags}.Value"), value));
        } else if name == "TagKeys" {
            for (index, key) in value.split(',').enumerate() {
                parameters.push((format!("TagKeys.member.{}", index + 1), key.to_owned()));
            }
        } else if name.ends_with("PolicyDocument") {
            parameters.push((name.to_owned(), document(&value, folder)?));
        } else {
            parameters.push((name.to_owned(), value));
        }
    }
    Ok(parameters)
}

fn document(text: &str, folder: &Path) -> Result<String, String> {
    if let Some(file) = text.strip_prefix('@') {
        return std::fs::read_to_string(folder.join(file)).map_err(|error| format!("{file}: {error}"));
    }
    if !text.starts_with("Allow ") && !text.starts_with("Deny ") {
        return Ok(text.to_owned());
    }
    let statements = text
        .split(';')
        .map(|statement| {
            let (effect, rest) = statement.trim().split_once(' ').ok_or("an effect stands alone")?;
            let (actions, resource) = rest.rsplit_once(" on ").ok_or("a statement has no ` on RESOURCE`")?;
            let actions: Vec<_> = actions.split(',').map(str::trim).collect();
            Ok(json!({"Effect": effect, "Action": actions, "Resource": resource}))
        })
        .collect::<Result<Vec<Value>, String>>()?;
    Ok(json!({"Version": "2012-10-17", "Statement": statements}).to_string())
}

/// As [`totp`], of a seed as the wire carries it: base32 text as a blob, in base64.
fn totp_of_blob(seed: &str, steps: u64) -> Result<String, String> {
    let seed = String::from_utf8(decode(seed, BASE64)?).map_err(|error| error.to_string())?;
    totp(&seed, steps)
}

/// The code of RFC 6238 that an authenticator with this seed shows at the sandbox's time, or so many steps later.
///
/// # Errors
///
/// What is wrong with the seed.
pub fn totp(seed: &str, steps: u64) -> Result<String, String> {
    use hmac::{Hmac, KeyInit as _, Mac as _};

    let mut mac = Hmac::<sha1::Sha1>::new_from_slice(&decode(seed, BASE32)?).map_err(|error| error.to_string())?;
    mac.update(&(NOW_SECONDS / 30 + steps).to_be_bytes());
    let hash = mac.finalize().into_bytes();
    let offset = usize::from(hash[19] & 0xf);
    let number = hash[offset..offset + 4]
        .iter()
        .fold(0_u32, |number, byte| number << 8 | u32::from(*byte));
    Ok(format!("{:06}", (number & 0x7fff_ffff) % 1_000_000))
}

const BASE32: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
const BASE64: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// Decodes RFC 4648's texts of 5 or 6 bits a character.
fn decode(text: &str, alphabet: &[u8]) -> Result<Vec<u8>, String> {
    let width = alphabet.len().ilog2();
    let (mut bytes, mut bits, mut buffer) = (Vec::new(), 0, 0_u32);
    for character in text.trim_end_matches('=').bytes() {
        let value = alphabet.iter().position(|other| *other == character);
        let value = value.ok_or_else(|| format!("`{text}` cannot be decoded"))?;
        buffer = buffer << width | u32::try_from(value).map_err(|error| error.to_string())?;
        bits += width;
        if bits >= 8 {
            bits -= 8;
            bytes.push(u8::try_from(buffer >> bits).map_err(|error| error.to_string())?);
            buffer &= (1 << bits) - 1;
        }
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_become_parameters() {
        let words =
            split("PutUserPolicy Tag.a=1 Tag.b='x y' TagKeys=k,l PolicyDocument='Deny s3:*, iam:* on *'").unwrap();
        let parameters = expand(&words[1..], Path::new("."), &Answers::default()).unwrap();
        let document =
            r#"{"Statement":[{"Action":["s3:*","iam:*"],"Effect":"Deny","Resource":"*"}],"Version":"2012-10-17"}"#;
        let expected = [
            ("Tags.member.1.Key", "a"),
            ("Tags.member.1.Value", "1"),
            ("Tags.member.2.Key", "b"),
            ("Tags.member.2.Value", "x y"),
            ("TagKeys.member.1", "k"),
            ("TagKeys.member.2", "l"),
            ("PolicyDocument", document),
        ];
        assert_eq!(parameters, expected.map(|(k, v)| (k.to_owned(), v.to_owned())));
    }

    #[test]
    fn texts_are_decoded_as_in_rfc_4648() {
        assert_eq!(decode("MZXW6YTBOI======", BASE32).unwrap(), b"foobar");
        assert_eq!(decode("Zm9vYg==", BASE64).unwrap(), b"foob");
        assert!(decode("M1", BASE32).is_err());
    }
}
