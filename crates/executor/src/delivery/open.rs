//! Opening what was sealed with age, on the machine of whoever it is for.

use std::{
    io::{BufReader, Read as _},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use age::{armor::ArmoredReader, secrecy::SecretString};
use zeroize::Zeroizing;

use crate::secret::Secret;

/// Why a sealed file stays closed.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// It is sealed with OpenPGP, whose private keys are GnuPG's to look after.
    #[error("it is sealed with OpenPGP")]
    OpenPgp,
    /// It is not sealed at all, or with something else.
    #[error("it is no sealed file")]
    NotSealed,
    /// The identity cannot be read.
    #[error("the identity cannot be used: {0}")]
    Identity(String),
    /// The identity is not one that it is sealed to.
    #[error("it is sealed to somebody else")]
    NotForThisIdentity,
    /// The identity has a passphrase, and there was nobody to ask for it.
    #[error("the identity has a passphrase, and nobody gave it")]
    NoPassphrase,
    /// The passphrase is wrong.
    #[error("the passphrase of the identity is wrong")]
    Passphrase,
    /// It is damaged.
    #[error("it is damaged: {0}")]
    Damaged(String),
}

/// Asks for the passphrase of an identity, given what it is for; `None` where nobody gives one.
pub type AskPassphrase = fn(&str) -> Option<Secret>;

#[derive(Clone)]
struct Ask {
    ask: AskPassphrase,
    /// What the identity is called.
    name: String,
    /// Whether it was asked for in vain.
    in_vain: Arc<AtomicBool>,
}

impl Ask {
    fn passphrase(&self) -> Option<SecretString> {
        let given = (self.ask)(&self.name);
        if given.is_none() {
            self.in_vain.store(true, Ordering::Relaxed);
        }
        given.map(|passphrase| SecretString::from(passphrase.expose().to_owned()))
    }
}

impl age::Callbacks for Ask {
    fn display_message(&self, _: &str) {}

    fn confirm(&self, _: &str, _: &str, _: Option<&str>) -> Option<bool> {
        None
    }

    fn request_public_string(&self, _: &str) -> Option<String> {
        None
    }

    fn request_passphrase(&self, _: &str) -> Option<SecretString> {
        self.passphrase()
    }
}

/// Opens the text of a sealed file with the text of an identity file: age identities, age identities under a
/// passphrase, or an ssh private key. `name` is what the identity is called when its passphrase is asked for.
///
/// # Errors
///
/// [`OpenError`].
pub fn open_sealed(sealed: &[u8], identity: &Secret, name: &str, ask: AskPassphrase) -> Result<Secret, OpenError> {
    let start = sealed.trim_ascii_start();
    // Binary OpenPGP begins with a byte that has its highest bit set; no text does.
    if start.starts_with(b"-----BEGIN PGP MESSAGE") || sealed.first().is_some_and(|byte| byte & 0x80 != 0) {
        return Err(OpenError::OpenPgp);
    }
    if !start.starts_with(b"-----BEGIN AGE ENCRYPTED FILE") && !sealed.starts_with(b"age-encryption.org/") {
        return Err(OpenError::NotSealed);
    }
    let ask = Ask {
        ask,
        name: name.to_owned(),
        in_vain: Arc::default(),
    };
    let identities = identities(identity.expose(), &ask)?;
    let damaged = |error: &dyn std::fmt::Display| OpenError::Damaged(error.to_string());
    let decryptor =
        age::Decryptor::new_buffered(ArmoredReader::new(BufReader::new(sealed))).map_err(|error| damaged(&error))?;
    let mut reader = decryptor
        .decrypt(identities.iter().map(|identity| &**identity as &dyn age::Identity))
        .map_err(|error| match error {
            age::DecryptError::NoMatchingKeys if ask.in_vain.load(Ordering::Relaxed) => OpenError::NoPassphrase,
            age::DecryptError::NoMatchingKeys => OpenError::NotForThisIdentity,
            age::DecryptError::KeyDecryptionFailed | age::DecryptError::DecryptionFailed => OpenError::Passphrase,
            error => OpenError::Damaged(error.to_string()),
        })?;
    // With room enough that no copy is left behind by growing.
    let mut text = Zeroizing::new(String::with_capacity(sealed.len()));
    reader.read_to_string(&mut text).map_err(|error| damaged(&error))?;
    Ok(Secret::from(text))
}

fn identities(text: &str, ask: &Ask) -> Result<Vec<Box<dyn age::Identity>>, OpenError> {
    let unusable = |error: &dyn std::fmt::Display| OpenError::Identity(error.to_string());
    if text.contains("PRIVATE KEY-----") {
        let identity = age::ssh::Identity::from_buffer(text.as_bytes(), Some(ask.name.clone()))
            .map_err(|error| unusable(&error))?;
        if matches!(identity, age::ssh::Identity::Unsupported(_)) {
            return Err(OpenError::Identity(
                "ssh keys of this kind or cipher are not supported".to_owned(),
            ));
        }
        return Ok(vec![Box::new(identity.with_callbacks(ask.clone()))]);
    }
    let start = text.trim_start();
    if start.starts_with("-----BEGIN AGE ENCRYPTED FILE") || start.starts_with("age-encryption.org/") {
        let reader = ArmoredReader::new(BufReader::new(text.as_bytes()));
        let decryptor = age::Decryptor::new_buffered(reader).map_err(|error| unusable(&error))?;
        if !decryptor.is_scrypt() {
            return Err(OpenError::Identity("it is itself sealed to somebody".to_owned()));
        }
        let passphrase = ask.passphrase().ok_or(OpenError::NoPassphrase)?;
        let key = age::scrypt::Identity::new(passphrase);
        let mut inner = Zeroizing::new(String::with_capacity(text.len()));
        decryptor
            .decrypt(std::iter::once(&key as &dyn age::Identity))
            .map_err(|_| OpenError::Passphrase)?
            .read_to_string(&mut inner)
            .map_err(|error| unusable(&error))?;
        return native(&inner);
    }
    native(text)
}

fn native(text: &str) -> Result<Vec<Box<dyn age::Identity>>, OpenError> {
    let file =
        age::IdentityFile::from_buffer(text.as_bytes()).map_err(|error| OpenError::Identity(error.to_string()))?;
    let identities = file
        .into_identities()
        .map_err(|error| OpenError::Identity(error.to_string()))?;
    Ok(identities
        .into_iter()
        .map(|identity| identity as Box<dyn age::Identity>)
        .collect())
}
