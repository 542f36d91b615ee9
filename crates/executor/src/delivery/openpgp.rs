//! OpenPGP public keys, as `gpg --export` writes them, and messages that any OpenPGP program opens.

use jiff::Timestamp;
use pgp::{
    composed::{ArmorOptions, Deserializable as _, MessageBuilder, SignedPublicKey, SignedPublicSubKey},
    crypto::{
        aead::{AeadAlgorithm, ChunkSize},
        sym::SymmetricKeyAlgorithm,
    },
    packet::{Signature, SignatureType},
    types::{KeyDetails, KeyVersion},
};
use rand_core::OsRng;
use zeroize::Zeroizing;

use super::RecipientError;

/// The key of a certificate that messages are encrypted to.
pub(super) struct Recipient {
    certificate: SignedPublicKey,
    /// The subkey; `None`: the primary key itself.
    subkey: Option<SignedPublicSubKey>,
}

impl Recipient {
    /// Reads a certificate, armored or not, and picks its newest key that is meant for encryption and is neither
    /// revoked nor expired.
    pub(super) fn parse(given: &[u8], now: Timestamp) -> Result<Self, RecipientError> {
        let unreadable = |error: pgp::errors::Error| RecipientError::OpenPgp(format!("it cannot be read: {error}"));
        let certificate = if given.starts_with(b"-----BEGIN ") {
            SignedPublicKey::from_armor_single(given).map_err(unreadable)?.0
        } else {
            // A key that is no key is most often no OpenPGP at all.
            SignedPublicKey::from_bytes(given).map_err(|_| RecipientError::Unknown)?
        };
        if is_revoked(&certificate) {
            return Err(RecipientError::OpenPgp("it is revoked".to_owned()));
        }
        let about_primary = newest(self_signatures(&certificate));
        let primary_ends = about_primary.and_then(|signature| end_of(&certificate.primary_key, signature));
        if primary_ends.is_some_and(|end| end <= now.as_second()) {
            return Err(RecipientError::OpenPgp("it has expired".to_owned()));
        }
        let subkey = certificate
            .public_subkeys
            .iter()
            .filter(|subkey| is_for_encryption_at(&certificate, subkey, now))
            .max_by_key(|subkey| subkey.key.created_at().as_secs())
            .cloned();
        // Old RSA certificates have no subkey, and encrypt to the primary key.
        let primary_encrypts = certificate.primary_key.algorithm().can_encrypt()
            && about_primary.is_some_and(|signature| {
                let flags = signature.key_flags();
                flags.encrypt_comms() || flags.encrypt_storage()
            });
        if subkey.is_none() && !primary_encrypts {
            return Err(RecipientError::OpenPgp(
                "it has no key for encryption that is neither revoked nor expired".to_owned(),
            ));
        }
        Ok(Self { certificate, subkey })
    }

    pub(super) fn fingerprint(&self) -> String {
        self.certificate.fingerprint().to_string().to_ascii_uppercase()
    }

    fn version(&self) -> KeyVersion {
        self.certificate.version()
    }
}

/// Signatures that the primary key itself made about itself, as far as they hold.
fn self_signatures(certificate: &SignedPublicKey) -> impl Iterator<Item = &Signature> {
    let primary = &certificate.primary_key;
    let of_users = certificate.details.users.iter().flat_map(move |user| {
        let holds = move |signature: &&Signature| {
            signature
                .verify_certification(primary, pgp::types::Tag::UserId, &user.id)
                .is_ok()
        };
        user.signatures.iter().filter(holds)
    });
    let direct = certificate.details.direct_signatures.iter();
    of_users.chain(direct.filter(move |signature| signature.verify_key(primary).is_ok()))
}

fn newest<'a>(signatures: impl Iterator<Item = &'a Signature>) -> Option<&'a Signature> {
    signatures.max_by_key(|signature| signature.created().map(|created| created.as_secs()))
}

fn is_revoked(certificate: &SignedPublicKey) -> bool {
    let mut revocations = certificate.details.revocation_signatures.iter();
    revocations.any(|signature| signature.verify_key(&certificate.primary_key).is_ok())
}

/// When a key ends, by a signature about it, in seconds since 1970.
fn end_of(key: &impl KeyDetails, signature: &Signature) -> Option<i64> {
    let lasts = signature.key_expiration_time().map(|lasts| lasts.as_secs())?;
    (lasts > 0).then(|| i64::from(key.created_at().as_secs()) + i64::from(lasts))
}

fn is_for_encryption_at(certificate: &SignedPublicKey, subkey: &SignedPublicSubKey, now: Timestamp) -> bool {
    let holds = |signature: &&Signature| {
        signature
            .verify_subkey_binding(&certificate.primary_key, &subkey.key)
            .is_ok()
    };
    let (revocations, bindings): (Vec<_>, Vec<_>) = subkey
        .signatures
        .iter()
        .filter(holds)
        .partition(|signature| signature.typ() == Some(SignatureType::SubkeyRevocation));
    let Some(binding) = newest(bindings.into_iter()) else {
        return false;
    };
    let flags = binding.key_flags();
    let is_over = end_of(&subkey.key, binding).is_some_and(|end| end <= now.as_second());
    revocations.is_empty()
        && !is_over
        && subkey.key.algorithm().can_encrypt()
        && (flags.encrypt_comms() || flags.encrypt_storage())
}

/// Encrypts a text to all of these, armored.
pub(super) fn seal(recipients: &[Recipient], text: &Zeroizing<String>) -> Result<String, RecipientError> {
    let message = MessageBuilder::from_reader("", text.as_bytes());
    // The newer format is for keys of version 6 alone: GnuPG knows neither.
    let is_new = recipients.iter().all(|recipient| recipient.version() == KeyVersion::V6);
    let sealed = if is_new {
        let mut message = message.seipd_v2(
            OsRng,
            SymmetricKeyAlgorithm::AES256,
            AeadAlgorithm::Ocb,
            ChunkSize::default(),
        );
        recipients
            .iter()
            .try_for_each(|recipient| {
                match &recipient.subkey {
                    Some(subkey) => message.encrypt_to_key(OsRng, subkey),
                    None => message.encrypt_to_key(OsRng, &recipient.certificate),
                }
                .map(drop)
            })
            .and_then(|()| message.to_armored_string(OsRng, ArmorOptions::default()))
    } else {
        let mut message = message.seipd_v1(OsRng, SymmetricKeyAlgorithm::AES256);
        recipients
            .iter()
            .try_for_each(|recipient| {
                match &recipient.subkey {
                    Some(subkey) => message.encrypt_to_key(OsRng, subkey),
                    None => message.encrypt_to_key(OsRng, &recipient.certificate),
                }
                .map(drop)
            })
            .and_then(|()| message.to_armored_string(OsRng, ArmorOptions::default()))
    };
    sealed.map_err(|error| RecipientError::Seal(error.to_string()))
}
