//! The two forms of an RSA public key: `ssh-rsa` and PEM. Keys of other kinds are not read.

use data_encoding::BASE64;

use crate::errors::ApiError;

/// The algorithm in the head of a PEM key: rsaEncryption, without parameters.
const RSA: [u8; 15] = [
    0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05, 0x00,
];
const SEQUENCE: u8 = 0x30;
const INTEGER: u8 = 0x02;
const BIT_STRING: u8 = 0x03;

/// An RSA public key: two numbers, big-endian, without leading zeros.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RsaKey {
    exponent: Vec<u8>,
    modulus: Vec<u8>,
}

impl RsaKey {
    /// Reads either form. Keys of fewer than 2048 bits are refused, as are those that are not RSA.
    pub(crate) fn parse(body: &str) -> Result<Self, ApiError> {
        let invalid = || ApiError::invalid_public_key("The public key is invalid.");
        let key = if body.trim_start().starts_with("-----BEGIN PUBLIC KEY-----") {
            Self::from_pem(body).ok_or_else(invalid)?
        } else if body.split_ascii_whitespace().next() == Some("ssh-rsa") {
            Self::from_ssh(body).ok_or_else(invalid)?
        } else {
            return Err(ApiError::unrecognized_key_encoding(
                "The public key must be in ssh-rsa or PEM format.",
            ));
        };
        if key.modulus.len() < 256 || key.exponent.is_empty() {
            return Err(invalid());
        }
        Ok(key)
    }

    fn from_ssh(body: &str) -> Option<Self> {
        let encoded = body.split_ascii_whitespace().nth(1)?;
        let bytes = BASE64.decode(encoded.as_bytes()).ok()?;
        let (name, rest) = ssh_field(&bytes)?;
        let (exponent, rest) = ssh_field(rest)?;
        let (modulus, rest) = ssh_field(rest)?;
        (name == b"ssh-rsa" && rest.is_empty()).then(|| Self::of(exponent, modulus))
    }

    fn from_pem(body: &str) -> Option<Self> {
        let inner = body
            .trim()
            .strip_prefix("-----BEGIN PUBLIC KEY-----")?
            .strip_suffix("-----END PUBLIC KEY-----")?;
        let compact: String = inner.split_ascii_whitespace().collect();
        let bytes = BASE64.decode(compact.as_bytes()).ok()?;
        let (outer, rest) = der_field(&bytes, SEQUENCE)?;
        let (bits, after) = der_field(outer.strip_prefix(&RSA)?, BIT_STRING)?;
        let (numbers, tail) = der_field(bits.strip_prefix(&[0])?, SEQUENCE)?;
        let (modulus, numbers) = der_field(numbers, INTEGER)?;
        let (exponent, numbers) = der_field(numbers, INTEGER)?;
        let is_whole = [rest, after, tail, numbers].iter().all(|rest| rest.is_empty());
        is_whole.then(|| Self::of(exponent, modulus))
    }

    fn of(exponent: &[u8], modulus: &[u8]) -> Self {
        let trim = |number: &[u8]| number.iter().copied().skip_while(|byte| *byte == 0).collect();
        Self {
            exponent: trim(exponent),
            modulus: trim(modulus),
        }
    }

    /// The bytes of the `ssh-rsa` form, which its fingerprint is taken of.
    pub(crate) fn ssh_bytes(&self) -> Vec<u8> {
        let fields = [b"ssh-rsa".to_vec(), signed(&self.exponent), signed(&self.modulus)];
        let field = |bytes: &Vec<u8>| {
            let length = u32::try_from(bytes.len()).unwrap_or(u32::MAX).to_be_bytes();
            [length.as_slice(), bytes].concat()
        };
        fields.iter().flat_map(field).collect()
    }

    /// The `ssh-rsa` form, without a comment.
    pub(crate) fn to_ssh(&self) -> String {
        format!("ssh-rsa {}", BASE64.encode(&self.ssh_bytes()))
    }

    /// The PEM form, with a line feed at its end.
    pub(crate) fn to_pem(&self) -> String {
        let numbers = [
            der(INTEGER, &signed(&self.modulus)),
            der(INTEGER, &signed(&self.exponent)),
        ]
        .concat();
        let bits = der(BIT_STRING, &[&[0][..], &der(SEQUENCE, &numbers)].concat());
        let encoded = BASE64.encode(&der(SEQUENCE, &[&RSA[..], &bits].concat()));
        let mut text = "-----BEGIN PUBLIC KEY-----\n".to_owned();
        let mut rest = encoded.as_str();
        while !rest.is_empty() {
            let (line, after) = rest.split_at(rest.len().min(64));
            text += line;
            text.push('\n');
            rest = after;
        }
        text + "-----END PUBLIC KEY-----\n"
    }
}

/// A number with a zero in front where it would else read as negative.
fn signed(number: &[u8]) -> Vec<u8> {
    let zero: &[u8] = if number.first().is_some_and(|first| *first >= 0x80) {
        &[0]
    } else {
        &[]
    };
    [zero, number].concat()
}

/// A field of SSH's wire format: its length in four bytes, then its bytes.
fn ssh_field(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = bytes.split_first_chunk::<4>()?;
    rest.split_at_checked(u32::from_be_bytes(*length) as usize)
}

/// A field of DER with this tag, and what follows it.
fn der_field(bytes: &[u8], tag: u8) -> Option<(&[u8], &[u8])> {
    let [found, length, rest @ ..] = bytes else { return None };
    if *found != tag {
        return None;
    }
    let (length, rest) = match *length {
        short @ 0..0x80 => (usize::from(short), rest),
        long => {
            let (digits, rest) = rest.split_at_checked(usize::from(long & 0x7f))?;
            if digits.len() > 4 {
                return None;
            }
            let length = digits.iter().fold(0, |length, digit| length << 8 | usize::from(*digit));
            (length, rest)
        }
    };
    rest.split_at_checked(length)
}

fn der(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = content.len();
    let mut out = vec![tag];
    if length < 0x80 {
        out.extend(u8::try_from(length));
    } else {
        let digits = length.to_be_bytes();
        let digits = &digits[digits.iter().take_while(|digit| **digit == 0).count()..];
        out.extend(u8::try_from(digits.len()).map(|count| 0x80 | count));
        out.extend(digits);
    }
    out.extend(content);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key() -> RsaKey {
        RsaKey {
            exponent: vec![1, 0, 1],
            modulus: [vec![0xc5], vec![0x55; 255]].concat(),
        }
    }

    #[test]
    fn both_forms_are_read_back() {
        assert_eq!(RsaKey::parse(&(key().to_ssh() + " someone@example.com")), Ok(key()));
        assert_eq!(RsaKey::parse(&key().to_pem()), Ok(key()));
        assert!(
            key()
                .to_pem()
                .starts_with("-----BEGIN PUBLIC KEY-----\nMIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8A")
        );
    }

    #[test]
    fn other_texts_are_refused() {
        let short = RsaKey {
            modulus: vec![0xc5; 128],
            ..key()
        };
        for (body, code) in [
            (short.to_ssh(), "InvalidPublicKey"),
            (short.to_pem(), "InvalidPublicKey"),
            (key().to_pem().replace("MIIB", "MIIC"), "InvalidPublicKey"),
            ("ssh-rsa".to_owned(), "InvalidPublicKey"),
            (
                key().to_ssh().replace("ssh-rsa ", "ssh-ed25519 "),
                "UnrecognizedPublicKeyEncoding",
            ),
            ("garbage".to_owned(), "UnrecognizedPublicKeyEncoding"),
        ] {
            assert_eq!(RsaKey::parse(&body).unwrap_err().code, code, "{body}");
        }
    }
}
