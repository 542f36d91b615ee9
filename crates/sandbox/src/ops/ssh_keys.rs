//! SSH public keys for CodeCommit.

use data_encoding::BASE64;
use md5::{Digest, Md5};

use crate::{
    errors::ApiError,
    paging::PageRequest,
    quota::Quota,
    state::{State, Upload, fold},
    validate::{BODY, CREDENTIAL_ID, Input, USER_NAME},
    wire::{Request, Xml},
};

pub(super) fn upload(state: &mut State, request: &Request) -> Result<Xml, ApiError> {
    let mut input = Input::of(request);
    let name = input.required("UserName", &USER_NAME);
    let body = input.required("SSHPublicKeyBody", &BODY);
    input.check()?;
    let user = state.user(&name)?;
    let key = parse(&body)?;
    if user
        .ssh_keys
        .values()
        .any(|other| parse(&other.body).as_ref() == Ok(&key))
    {
        return Err(ApiError::duplicate_ssh_key(format!(
            "The SSH public key is already used by {}.",
            user.entity.name
        )));
    }
    let limit = state.quotas.limit(Quota::SshPublicKeysPerUser);
    if user.ssh_keys.len() >= limit {
        return Err(ApiError::quota("SSHPublicKeysPerUser", limit));
    }
    let user_name = user.entity.name.clone();
    let id = state.ids.unique_id("APKA");
    let upload = Upload {
        uploaded: request.now,
        active: true,
        body,
    };
    let mut xml = Xml::new();
    xml.element("SSHPublicKey", |xml| {
        write(xml, &user_name, &id, &upload);
        xml.text("Fingerprint", fingerprint(&key))
            .text("SSHPublicKeyBody", &upload.body);
    });
    state.user_mut(&name)?.ssh_keys.insert(id, upload);
    Ok(xml)
}

pub(super) fn list(state: &State, request: &Request) -> Result<Xml, ApiError> {
    let mut input = Input::of(request);
    let name = input.optional("UserName", &USER_NAME);
    let page = PageRequest::read(&mut input);
    input.check()?;
    let name = super::users::named(name)?;
    let user = state.user(&name)?;
    let page = page.cut(user.ssh_keys.iter().collect(), &fold(&name))?;
    let mut xml = Xml::new();
    page.write_end(&mut xml);
    xml.list("SSHPublicKeys", &page.items, |xml, (id, key)| {
        write(xml, &user.entity.name, id, key)
    });
    Ok(xml)
}

pub(super) fn delete(state: &mut State, request: &Request) -> Result<Xml, ApiError> {
    let mut input = Input::of(request);
    let name = input.required("UserName", &USER_NAME);
    let id = input.required("SSHPublicKeyId", &CREDENTIAL_ID);
    input.check()?;
    let removed = state.user_mut(&name)?.ssh_keys.remove(&id);
    removed.ok_or_else(|| ApiError::no_such_entity(format!("The Public Key with id {id} cannot be found.")))?;
    Ok(Xml::new())
}

fn write(xml: &mut Xml, user: &str, id: &str, key: &Upload) {
    xml.text("UserName", user)
        .text("SSHPublicKeyId", id)
        .text("Status", super::status(key.active))
        .time("UploadDate", key.uploaded);
}

/// The bytes of a key in `ssh-rsa` form of at least 2048 bits. Keys in PEM form are not taken here.
fn parse(body: &str) -> Result<Vec<u8>, ApiError> {
    let mut words = body.split_ascii_whitespace();
    let (kind, encoded) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    if kind != "ssh-rsa" {
        return Err(ApiError::unrecognized_key_encoding(
            "The public key must be in ssh-rsa format.",
        ));
    }
    let invalid = || ApiError::invalid_public_key("The public key is invalid.");
    let key = BASE64.decode(encoded.as_bytes()).map_err(|_| invalid())?;
    let (name, rest) = field(&key).ok_or_else(invalid)?;
    let (_exponent, rest) = field(rest).ok_or_else(invalid)?;
    let (modulus, rest) = field(rest).ok_or_else(invalid)?;
    let digits = modulus.iter().skip_while(|byte| **byte == 0).count();
    if name != b"ssh-rsa" || !rest.is_empty() || digits < 256 {
        return Err(invalid());
    }
    Ok(key)
}

/// A field of SSH's wire format: its length in four bytes, then its bytes.
fn field(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = bytes.split_first_chunk::<4>()?;
    rest.split_at_checked(u32::from_be_bytes(*length) as usize)
}

fn fingerprint(key: &[u8]) -> String {
    let parts: Vec<String> = Md5::digest(key).iter().map(|byte| format!("{byte:02x}")).collect();
    parts.join(":")
}
