//! SSH public keys for CodeCommit.

use md5::{Digest, Md5};

use crate::{
    errors::ApiError,
    paging::PageRequest,
    quota::Quota,
    ssh_key_text::RsaKey,
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
    let key = RsaKey::parse(&body)?;
    if user
        .ssh_keys
        .values()
        .any(|other| RsaKey::parse(&other.body).as_ref() == Ok(&key))
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
    let name = super::users::named(name, request)?;
    let user = state.user(&name)?;
    let page = page.cut(user.ssh_keys.iter().collect(), &fold(&name))?;
    let mut xml = Xml::new();
    page.write_end(&mut xml);
    xml.list("SSHPublicKeys", &page.items, |xml, (id, key)| {
        write(xml, &user.entity.name, id, key)
    });
    Ok(xml)
}

/// Whatever form the key came in, it is told in the one that is asked for.
pub(super) fn get(state: &State, request: &Request) -> Result<Xml, ApiError> {
    let mut input = Input::of(request);
    let name = input.required("UserName", &USER_NAME);
    let id = input.required("SSHPublicKeyId", &CREDENTIAL_ID);
    let encoding = input.required_word("Encoding", &["SSH", "PEM"]);
    input.check()?;
    let user = state.user(&name)?;
    let upload = user.ssh_keys.get(&id).ok_or_else(|| absent(&id))?;
    let mut xml = Xml::new();
    xml.element("SSHPublicKey", |xml| {
        write(xml, &user.entity.name, &id, upload);
        // The body of a key that was taken over from a live account is not known.
        if let Ok(key) = RsaKey::parse(&upload.body) {
            let body = if encoding == "SSH" { key.to_ssh() } else { key.to_pem() };
            xml.text("Fingerprint", fingerprint(&key))
                .text("SSHPublicKeyBody", body);
        }
    });
    Ok(xml)
}

pub(super) fn update(state: &mut State, request: &Request) -> Result<Xml, ApiError> {
    let mut input = Input::of(request);
    let name = input.required("UserName", &USER_NAME);
    let id = input.required("SSHPublicKeyId", &CREDENTIAL_ID);
    let status = super::new_status(&mut input);
    input.check()?;
    let key = state.user_mut(&name)?.ssh_keys.get_mut(&id);
    key.ok_or_else(|| absent(&id))?.active = super::settable(status)?;
    Ok(Xml::new())
}

pub(super) fn delete(state: &mut State, request: &Request) -> Result<Xml, ApiError> {
    let mut input = Input::of(request);
    let name = input.required("UserName", &USER_NAME);
    let id = input.required("SSHPublicKeyId", &CREDENTIAL_ID);
    input.check()?;
    let removed = state.user_mut(&name)?.ssh_keys.remove(&id);
    removed.ok_or_else(|| absent(&id))?;
    Ok(Xml::new())
}

fn write(xml: &mut Xml, user: &str, id: &str, key: &Upload) {
    xml.text("UserName", user)
        .text("SSHPublicKeyId", id)
        .text("Status", super::status(key.active))
        .time("UploadDate", key.uploaded);
}

fn absent(id: &str) -> ApiError {
    ApiError::no_such_entity(format!("The Public Key with id {id} cannot be found."))
}

fn fingerprint(key: &RsaKey) -> String {
    let digest = Md5::digest(key.ssh_bytes());
    let parts: Vec<String> = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    parts.join(":")
}
