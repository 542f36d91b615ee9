//! `deliver_to`: who can open credentials. The form alone is checked here, in an author's words; sealing to a key is
//! the executor's, and it tries each before anything is written to an account.

use data_encoding::BASE64;
use trueup_model::desired::Recipient;

use super::{document::file_hint, with_source};
use crate::{
    context::{At, Context, Span},
    diagnostic::quoted,
    yaml::{Kind, Node},
};

/// Endings of the names of OpenPGP files.
const OPENPGP_ENDINGS: [&str; 3] = [".asc", ".gpg", ".pgp"];
/// The characters of Bech32, in which age writes its keys.
const BECH32: &str = "qpzry9x8gf2tvdw0s3jn54khce6mua7l";
/// `age1` and 58 characters: the shortest age recipient, an X25519 key.
const SHORTEST_AGE: usize = 62;

const FORMS: &str = "write an age key (`age1…`), an ssh key (`ssh-ed25519 AAAA…` or `ssh-rsa AAAA…`), or the name of an \
                     OpenPGP file that ends in `.asc`, `.gpg` or `.pgp`";

impl Context<'_> {
    /// One recipient, or a list of them.
    pub(super) fn read_recipients(&mut self, node: &Node) -> Vec<Recipient> {
        let items = match &node.kind {
            Kind::Sequence(items) if items.is_empty() => {
                self.error("bad-recipient", node.span, "`deliver_to` names nobody")
                    .hint("leave it out, or name somebody who can open the credentials");
                return Vec::new();
            }
            Kind::Sequence(items) => items.as_slice(),
            _ => std::slice::from_ref(node),
        };
        let mut found: Vec<At<Recipient>> = Vec::new();
        for item in items {
            let Some(text) = self.filled_text(item, "`deliver_to`") else {
                continue;
            };
            let Some(recipient) = self.read_recipient(&text) else {
                continue;
            };
            if let Some(first) = found.iter().find(|first| first.value == recipient) {
                let first = first.span;
                self.error("listed-twice", text.span, "this recipient is listed twice")
                    .related("it is listed here already", first);
                continue;
            }
            found.push(At::new(recipient, text.span));
        }
        found.into_iter().map(|recipient| recipient.value).collect()
    }

    fn read_recipient(&mut self, text: &At<String>) -> Option<Recipient> {
        let value = text.value.trim();
        if is_private(value) {
            self.refuse_private(text.span, "this");
            return None;
        }
        if let Some(rest) = value.strip_prefix("age1") {
            if value.len() < SHORTEST_AGE || !rest.chars().all(|c| BECH32.contains(c) || c == '1') {
                let message = "this begins like an age key and is none";
                self.error("bad-recipient", text.span, message)
                    .hint("copy the whole of it: `age1` and at least 58 lower-case letters and digits");
                return None;
            }
            return Some(Recipient::Age(value.to_owned()));
        }
        if ["ssh-", "ecdsa-", "sk-"].iter().any(|prefix| value.starts_with(prefix)) {
            return self.read_ssh_key(value, text.span);
        }
        if OPENPGP_ENDINGS.iter().any(|ending| value.ends_with(ending)) {
            return self.read_openpgp_file(value, text.span);
        }
        let shown = quoted(value);
        self.error(
            "bad-recipient",
            text.span,
            format!("{shown} is neither a public key nor an OpenPGP file"),
        )
        .hint(FORMS);
        None
    }

    fn read_ssh_key(&mut self, value: &str, span: Span) -> Option<Recipient> {
        let mut fields = value.split_ascii_whitespace();
        let (algorithm, body) = (fields.next().unwrap_or_default(), fields.next().unwrap_or_default());
        if !matches!(algorithm, "ssh-ed25519" | "ssh-rsa") {
            self.error(
                "bad-recipient",
                span,
                format!("nothing can be sealed to an ssh key of the kind {}", quoted(algorithm)),
            )
            .hint("use a key of the kind `ssh-ed25519` or `ssh-rsa`, or an age key");
            return None;
        }
        // The key begins with the length and the name of its kind.
        let named = BASE64.decode(body.as_bytes()).ok().is_some_and(|bytes| {
            let length = bytes
                .first_chunk::<4>()
                .map(|length| u32::from_be_bytes(*length) as usize);
            length == Some(algorithm.len()) && bytes[4..].starts_with(algorithm.as_bytes())
        });
        if !named {
            self.error("bad-recipient", span, "this begins like an ssh public key and is none")
                .hint("copy the whole line of the `.pub` file: the kind, then the key, which begins with `AAAA`");
            return None;
        }
        Some(Recipient::Ssh(value.to_owned()))
    }

    fn read_openpgp_file(&mut self, name: &str, span: Span) -> Option<Recipient> {
        let key = match self.files.read(name) {
            Ok(key) => key,
            Err(error) => {
                self.error("file", span, with_source(&error))
                    .maybe_hint(file_hint(&error).map(str::to_owned));
                return None;
            }
        };
        let armored = String::from_utf8_lossy(&key);
        if armored.contains("-----BEGIN PGP PRIVATE KEY BLOCK-----") {
            self.refuse_private(span, "the file");
            return None;
        }
        // A transferable public key begins with a packet of tag 6: 0x98 to 0x9b in the old format, 0xc6 in the new one.
        let is_binary = matches!(key.first(), Some(0x98..=0x9b | 0xc6));
        if matches!(key.first(), Some(0x94..=0x97 | 0xc5)) {
            self.refuse_private(span, "the file");
            return None;
        }
        if !is_binary && !armored.contains("-----BEGIN PGP PUBLIC KEY BLOCK-----") {
            self.error(
                "bad-recipient",
                span,
                format!("{} holds no OpenPGP public key", quoted(name)),
            )
            .hint("write it with `gpg --armor --export ADDRESS`");
            return None;
        }
        Some(Recipient::OpenPgp {
            file: name.to_owned(),
            key,
        })
    }

    fn refuse_private(&mut self, span: Span, what: &str) {
        self.error("bad-recipient", span, format!("{what} is a private key"))
            .hint("a manifest holds public keys only; take the key out of use, since whoever saw this file has it");
    }
}

fn is_private(text: &str) -> bool {
    text.starts_with("AGE-SECRET-KEY-") || text.contains("PRIVATE KEY-----")
}
