//! Who can open what is sealed: age recipients, ssh keys and OpenPGP keys, given as the public keys that people have.
//!
//! The formats and all of the cryptography are those of the `age` and `pgp` crates.

use std::{collections::BTreeMap, fmt, io::Write};

use age::armor::{ArmoredWriter, Format};
use jiff::Timestamp;
use zeroize::Zeroizing;

use super::openpgp;

/// Public keys that something is sealed to. Whoever holds the private key of any of them can open it.
#[derive(Default)]
pub struct Recipients {
    age: Vec<Box<dyn age::Recipient + Send + Sync>>,
    openpgp: Vec<openpgp::Recipient>,
    names: Vec<String>,
}

/// Why nothing can be sealed to a recipient.
#[derive(Debug, thiserror::Error)]
pub enum RecipientError {
    /// Somebody gave the secret half.
    #[error("this is a private key, which belongs to nobody but its owner")]
    PrivateKey,
    /// It is in none of the known forms.
    #[error("this is no age recipient, no ssh-ed25519 or ssh-rsa public key, and no OpenPGP public key")]
    Unknown,
    /// An age recipient that does not parse.
    #[error("this is no age recipient: {0}")]
    Age(String),
    /// An ssh key that cannot be sealed to.
    #[error("nothing can be sealed to this ssh key: {0}")]
    Ssh(String),
    /// An OpenPGP key that cannot be sealed to.
    #[error("nothing can be sealed to this OpenPGP key: {0}")]
    OpenPgp(String),
    /// The library refused.
    #[error("sealing failed: {0}")]
    Seal(String),
    /// There is nobody.
    #[error("there is no recipient")]
    Nobody,
}

impl RecipientError {
    /// The way out, where there is one.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::PrivateKey => Some("take it out of every file that others can read, and give the public key"),
            Self::Ssh(_) => Some("ssh-ed25519, and ssh-rsa of 2048 to 4096 bits, can be sealed to"),
            Self::Unknown => Some("age1…, a line such as ssh-ed25519 AAAA…, or the file of an OpenPGP public key"),
            Self::Age(_) => Some("`age-keygen -y FILE` prints the recipient of an identity"),
            Self::OpenPgp(_) | Self::Seal(_) | Self::Nobody => None,
        }
    }
}

/// Something sealed: the ending of its file's name, and its text.
pub struct Sealed {
    /// `age` or `asc`.
    pub extension: &'static str,
    /// What the file holds. It is armored, so that it survives an e-mail.
    pub text: String,
}

impl Recipients {
    /// Adds a recipient from what people have: an age recipient, a line of an ssh public key file, or an OpenPGP public
    /// key, armored or not. `now` decides whether an OpenPGP key has expired.
    ///
    /// # Errors
    ///
    /// [`RecipientError`].
    pub fn add(&mut self, given: &[u8], now: Timestamp) -> Result<(), RecipientError> {
        let Ok(text) = std::str::from_utf8(given) else {
            return self.add_openpgp(given, now);
        };
        let text = text.trim();
        if text.contains("PRIVATE KEY") || text.to_ascii_uppercase().starts_with("AGE-SECRET-KEY-") {
            return Err(RecipientError::PrivateKey);
        }
        if text.starts_with("-----BEGIN PGP ") {
            return self.add_openpgp(text.as_bytes(), now);
        }
        if text.starts_with("age1") {
            return self.add_age(text);
        }
        if text.starts_with("ssh-") || text.starts_with("ecdsa-") || text.starts_with("sk-") {
            return self.add_ssh(text);
        }
        Err(RecipientError::Unknown)
    }

    fn add_age(&mut self, text: &str) -> Result<(), RecipientError> {
        // Recipients on hardware tokens have forms of their own.
        if let Ok(recipient) = text.parse::<age::tag::Recipient>() {
            self.age.push(Box::new(recipient));
        } else if let Ok(recipient) = text.parse::<age::tagpq::Recipient>() {
            self.age.push(Box::new(recipient));
        } else {
            let recipient: age::x25519::Recipient = text
                .parse()
                .map_err(|error: &str| RecipientError::Age(error.to_owned()))?;
            self.age.push(Box::new(recipient));
        }
        self.names.push(text.to_owned());
        Ok(())
    }

    fn add_ssh(&mut self, text: &str) -> Result<(), RecipientError> {
        use age::ssh::ParseRecipientKeyError as Problem;
        let recipient: age::ssh::Recipient = text.parse().map_err(|problem| {
            RecipientError::Ssh(match problem {
                Problem::RsaModulusTooLarge => "its modulus is too large".to_owned(),
                Problem::RsaModulusTooSmall => "its modulus is smaller than 2048 bits".to_owned(),
                Problem::Unsupported(kind) => format!("its kind is {kind}"),
                _ => "it is not whole, or of another kind".to_owned(),
            })
        })?;
        self.age.push(Box::new(recipient));
        self.names
            .push(text.split_whitespace().take(2).collect::<Vec<_>>().join(" "));
        Ok(())
    }

    fn add_openpgp(&mut self, given: &[u8], now: Timestamp) -> Result<(), RecipientError> {
        let recipient = openpgp::Recipient::parse(given, now)?;
        self.names.push(format!("OpenPGP {}", recipient.fingerprint()));
        self.openpgp.push(recipient);
        Ok(())
    }

    /// Whether there is nobody.
    pub fn is_empty(&self) -> bool {
        self.names.is_empty()
    }

    /// What each recipient is called: its own text, or the fingerprint of an OpenPGP key.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// Seals a text, once for each format that the recipients need. What is sealed for one person is never both.
    ///
    /// # Errors
    ///
    /// [`RecipientError::Seal`], or [`RecipientError::Nobody`].
    pub fn seal(&self, text: &Zeroizing<String>) -> Result<Vec<Sealed>, RecipientError> {
        let mut sealed = Vec::new();
        if !self.age.is_empty() {
            sealed.push(Sealed {
                extension: "age",
                text: self.seal_with_age(text).map_err(RecipientError::Seal)?,
            });
        }
        if !self.openpgp.is_empty() {
            sealed.push(Sealed {
                extension: "asc",
                text: openpgp::seal(&self.openpgp, text)?,
            });
        }
        if sealed.is_empty() {
            return Err(RecipientError::Nobody);
        }
        Ok(sealed)
    }

    fn seal_with_age(&self, text: &str) -> Result<String, String> {
        let recipients = self.age.iter().map(|recipient| &**recipient as &dyn age::Recipient);
        let encryptor = age::Encryptor::with_recipients(recipients).map_err(|error| error.to_string())?;
        let mut sealed = Vec::new();
        let write = || {
            let armored = ArmoredWriter::wrap_output(&mut sealed, Format::AsciiArmor)?;
            let mut writer = encryptor.wrap_output(armored)?;
            writer.write_all(text.as_bytes())?;
            writer.finish()?.finish().map(drop)
        };
        write().map_err(|error: std::io::Error| error.to_string())?;
        String::from_utf8(sealed).map_err(|error| error.to_string())
    }

    /// Seals something that nobody needs: what cannot be sealed to shows here rather than when there is a secret.
    ///
    /// # Errors
    ///
    /// As [`Self::seal`].
    pub fn probe(&self) -> Result<(), RecipientError> {
        self.seal(&Zeroizing::new("probe".to_owned())).map(drop)
    }
}

impl fmt::Debug for Recipients {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Recipients").field(&self.names).finish()
    }
}

/// Recipients by somebody.
pub(crate) type ByUser = BTreeMap<trueup_model::UserName, Recipients>;

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::UNIX_EPOCH;

    fn refusal(given: &[u8]) -> RecipientError {
        Recipients::default().add(given, NOW).unwrap_err()
    }

    #[test]
    fn what_cannot_be_sealed_to_is_told_apart() {
        let secret = age::x25519::Identity::generate().to_string();
        let secret = age::secrecy::ExposeSecret::expose_secret(&secret).to_owned();
        assert!(matches!(refusal(secret.as_bytes()), RecipientError::PrivateKey));
        for private in ["OPENSSH PRIVATE KEY", "PGP PRIVATE KEY BLOCK", "RSA PRIVATE KEY"] {
            let text = format!("-----BEGIN {private}-----\nAAAA\n-----END {private}-----\n");
            assert!(
                matches!(refusal(text.as_bytes()), RecipientError::PrivateKey),
                "{private}"
            );
        }
        assert!(matches!(refusal(b"age1qqqq"), RecipientError::Age(_)));
        assert!(matches!(refusal(b"ssh-ed25519 AAAA"), RecipientError::Ssh(_)));
        assert!(matches!(refusal(b"ssh-dss AAAA"), RecipientError::Ssh(_)));
        assert!(matches!(
            refusal(b"ecdsa-sha2-nistp256 AAAAE2VjZHNhLXNoYTItbmlzdHAyNTY="),
            RecipientError::Ssh(_)
        ));
        for unknown in [&b"alice@example.com"[..], b"", b"\xff\xfe", b"{}"] {
            assert!(matches!(refusal(unknown), RecipientError::Unknown), "{unknown:?}");
        }
        let broken = b"-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nAAAA\n-----END PGP PUBLIC KEY BLOCK-----\n";
        assert!(matches!(refusal(broken), RecipientError::OpenPgp(_)));
    }

    #[test]
    fn what_is_sealed_opens_with_the_identity_and_with_no_other() {
        let identity = age::x25519::Identity::generate();
        let mut recipients = Recipients::default();
        recipients
            .add(format!(" {}\n", identity.to_public()).as_bytes(), NOW)
            .unwrap();
        recipients.probe().unwrap();
        let text = Zeroizing::new("Password: hunter2".to_owned());
        let [sealed] = &recipients.seal(&text).unwrap()[..] else {
            panic!("one format, one file")
        };
        assert_eq!(sealed.extension, "age");
        assert!(sealed.text.starts_with("-----BEGIN AGE ENCRYPTED FILE-----\n"));
        assert!(!sealed.text.contains("hunter2"));
        let open = |identity: &age::x25519::Identity| {
            let text = age::secrecy::ExposeSecret::expose_secret(&identity.to_string()).to_owned();
            crate::open_sealed(sealed.text.as_bytes(), &crate::Secret::from(text), "key", |_| None)
        };
        assert_eq!(open(&identity).unwrap().expose(), "Password: hunter2");
        assert!(matches!(
            open(&age::x25519::Identity::generate()),
            Err(crate::OpenError::NotForThisIdentity)
        ));
    }

    #[test]
    fn nobody_can_open_nothing() {
        let nobody = Recipients::default();
        assert!(matches!(nobody.probe(), Err(RecipientError::Nobody)));
    }
}
