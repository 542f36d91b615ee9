//! Signing certificates.

use data_encoding::{BASE32, BASE64};
use sha1::{Digest, Sha1};

use super::users;
use crate::{
    errors::ApiError,
    paging::PageRequest,
    quota::Quota,
    state::{State, Upload, fold},
    validate::{BODY, CERTIFICATE_ID, Input, USER_NAME},
    wire::{Request, Xml},
};

pub(super) fn upload(state: &mut State, request: &Request) -> Result<Xml, ApiError> {
    let mut input = Input::of(request);
    let name = input.optional("UserName", &USER_NAME);
    let body = input.required("CertificateBody", &BODY);
    input.check()?;
    let name = users::named(name, request)?;
    let user = state.user(&name)?;
    let id = certificate_id(&body)?;
    let mut xml = Xml::new();
    if let Some(known) = user.certificates.get(&id) {
        // The same body again succeeds; the answer says Active whatever is stored.
        let shown = Upload {
            active: true,
            ..known.clone()
        };
        xml.element("Certificate", |xml| write(xml, &user.entity.name, &id, &shown));
        return Ok(xml);
    }
    if state.users.values().any(|other| other.certificates.contains_key(&id)) {
        return Err(ApiError::duplicate_certificate(
            "The certificate is already used by another user.",
        ));
    }
    let limit = state.quotas.limit(Quota::SigningCertificatesPerUser);
    if user.certificates.len() >= limit {
        return Err(ApiError::quota("CertificatesPerUser", limit));
    }
    let certificate = Upload {
        uploaded: request.now,
        active: true,
        body,
    };
    xml.element("Certificate", |xml| write(xml, &user.entity.name, &id, &certificate));
    state.user_mut(&name)?.certificates.insert(id, certificate);
    Ok(xml)
}

pub(super) fn list(state: &State, request: &Request) -> Result<Xml, ApiError> {
    let mut input = Input::of(request);
    let name = input.optional("UserName", &USER_NAME);
    let page = PageRequest::read(&mut input);
    input.check()?;
    let name = users::named(name, request)?;
    let user = state.user(&name)?;
    let page = page.cut(user.certificates.iter().collect(), &fold(&name))?;
    let mut xml = Xml::new();
    page.write_end(&mut xml);
    xml.list("Certificates", &page.items, |xml, (id, certificate)| {
        write(xml, &user.entity.name, id, certificate)
    });
    Ok(xml)
}

pub(super) fn update(state: &mut State, request: &Request) -> Result<Xml, ApiError> {
    let mut input = Input::of(request);
    let name = input.optional("UserName", &USER_NAME);
    let id = input.required("CertificateId", &CERTIFICATE_ID);
    let status = super::new_status(&mut input);
    input.check()?;
    let name = users::named(name, request)?;
    let certificate = state.user_mut(&name)?.certificates.get_mut(&id);
    certificate.ok_or_else(|| absent(&id))?.active = super::settable(status)?;
    Ok(Xml::new())
}

pub(super) fn delete(state: &mut State, request: &Request) -> Result<Xml, ApiError> {
    let mut input = Input::of(request);
    let name = input.optional("UserName", &USER_NAME);
    let id = input.required("CertificateId", &CERTIFICATE_ID);
    input.check()?;
    let name = users::named(name, request)?;
    let removed = state.user_mut(&name)?.certificates.remove(&id);
    removed.ok_or_else(|| absent(&id))?;
    Ok(Xml::new())
}

fn absent(id: &str) -> ApiError {
    ApiError::no_such_entity(format!("The Certificate with id {id} cannot be found."))
}

fn write(xml: &mut Xml, user: &str, id: &str, certificate: &Upload) {
    xml.text("UserName", user)
        .text("CertificateId", id)
        .text("CertificateBody", &certificate.body)
        .text("Status", super::status(certificate.active))
        .time("UploadDate", certificate.uploaded);
}

/// The id that follows from a certificate: its SHA-1 in base 32.
fn certificate_id(body: &str) -> Result<String, ApiError> {
    let malformed = || ApiError::malformed_certificate(format!("Certificate {} is malformed.", body.trim()));
    let inner = body
        .trim()
        .strip_prefix("-----BEGIN CERTIFICATE-----")
        .and_then(|rest| rest.strip_suffix("-----END CERTIFICATE-----"))
        .ok_or_else(malformed)?;
    let compact: String = inner.split_ascii_whitespace().collect();
    let der = BASE64.decode(compact.as_bytes()).map_err(|_| malformed())?;
    // Every certificate is an ASN.1 sequence; its contents are not looked at.
    if der.first() != Some(&0x30) {
        return Err(malformed());
    }
    Ok(BASE32.encode(&Sha1::digest(&der)))
}
