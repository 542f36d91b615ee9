//! Access keys, SSH keys, signing certificates, service-specific credentials.

use data_encoding::BASE64;

use crate::{done, refused, sandbox};

/// An RSA key of 2048 bits in `ssh-rsa` form; its number makes it distinct.
pub(crate) fn ssh_key(number: u8) -> String {
    let mut modulus = vec![0, 0xc0 | number];
    modulus.extend([0x55; 255]);
    let fields: [&[u8]; 3] = [b"ssh-rsa", &[1, 0, 1], &modulus];
    let bytes = fields
        .iter()
        .flat_map(|field| [&u32::try_from(field.len()).unwrap().to_be_bytes(), *field].concat());
    format!(
        "ssh-rsa {} someone@example.com",
        BASE64.encode(&bytes.collect::<Vec<u8>>())
    )
}

/// Something that passes for a certificate; its number makes it distinct.
pub(crate) fn certificate(number: u8) -> String {
    let body = BASE64.encode(&[0x30, 3, 2, 1, number]);
    format!("-----BEGIN CERTIFICATE-----\n{body}\n-----END CERTIFICATE-----")
}

const KEY_ID: &str = "AKIAIOSFODNN7EXAMPLE";

#[tokio::test]
async fn an_access_key_lives_and_dies() {
    let (_, iam) = sandbox();
    done!(iam.create_user().user_name("u"));
    let key = iam
        .create_access_key()
        .user_name("U")
        .send()
        .await
        .unwrap()
        .access_key
        .unwrap();
    let id = key.access_key_id();
    assert!(id.starts_with("AKIA") && id.len() == 20);
    assert_eq!(
        (key.user_name(), key.status().as_str(), key.secret_access_key().len()),
        ("u", "Active", 40)
    );
    let used = iam.get_access_key_last_used().access_key_id(id).send().await.unwrap();
    assert_eq!(used.user_name(), Some("u"));
    let used = used.access_key_last_used.unwrap();
    assert_eq!(
        (used.service_name(), used.region(), used.last_used_date()),
        ("N/A", "N/A", None)
    );

    let update = |status: &str| {
        iam.update_access_key()
            .user_name("u")
            .access_key_id(id)
            .status(status.into())
    };
    done!(update("Inactive"), update("Inactive"));
    let listed = iam
        .list_access_keys()
        .user_name("u")
        .send()
        .await
        .unwrap()
        .access_key_metadata;
    assert_eq!(listed[0].status().unwrap().as_str(), "Inactive");
    refused!(update("Expired"), "InvalidInput");
    refused!(
        update("bogus"),
        "ValidationError",
        "1 validation error detected: Value at 'status' failed to satisfy constraint: Member must satisfy enum value set"
    );
    done!(iam.delete_access_key().user_name("u").access_key_id(id));
    refused!(
        iam.delete_access_key().user_name("u").access_key_id(KEY_ID),
        "NoSuchEntity",
        format!("The Access Key with id {KEY_ID} cannot be found.")
    );
    // IAM does not tell whether a key exists.
    refused!(iam.get_access_key_last_used().access_key_id(id), "AccessDenied");
}

#[tokio::test]
async fn ssh_keys_are_distinct_per_user_and_rsa_of_2048_bits() {
    let (_, iam) = sandbox();
    done!(iam.create_user().user_name("u"), iam.create_user().user_name("v"));
    let upload = |user: &str, body: String| iam.upload_ssh_public_key().user_name(user).ssh_public_key_body(body);
    let key = upload("u", ssh_key(1)).send().await.unwrap().ssh_public_key.unwrap();
    assert_eq!(key.fingerprint().len(), 47);
    assert!(key.ssh_public_key_id().starts_with("APKA"));
    refused!(
        upload("u", ssh_key(1).replace("someone", "another")),
        "DuplicateSSHPublicKey"
    );
    done!(upload("v", ssh_key(1)));
    refused!(upload("u", "ssh-ed25519 AAAA".into()), "UnrecognizedPublicKeyEncoding");
    refused!(upload("u", "ssh-rsa AAAA".into()), "InvalidPublicKey");
    refused!(
        iam.delete_ssh_public_key()
            .user_name("u")
            .ssh_public_key_id("APKAXXXXXXXXXXXXXXXXX"),
        "NoSuchEntity",
        "The Public Key with id APKAXXXXXXXXXXXXXXXXX cannot be found."
    );
    let listed = iam.list_ssh_public_keys().user_name("u").send().await.unwrap();
    assert_eq!(listed.ssh_public_keys()[0].ssh_public_key_id(), key.ssh_public_key_id());
}

#[tokio::test]
async fn certificates_are_known_by_their_digest() {
    let (_, iam) = sandbox();
    done!(iam.create_user().user_name("u"), iam.create_user().user_name("v"));
    let upload = |user: &str, body: String| iam.upload_signing_certificate().user_name(user).certificate_body(body);
    let first = upload("u", certificate(1)).send().await.unwrap().certificate.unwrap();
    assert_eq!(first.certificate_id().len(), 32);
    let again = upload("u", certificate(1)).send().await.unwrap().certificate.unwrap();
    assert_eq!(again.certificate_id(), first.certificate_id());
    refused!(upload("v", certificate(1)), "DuplicateCertificate");
    refused!(
        upload("u", "invalid-certificate-body".into()),
        "MalformedCertificate",
        "Certificate invalid-certificate-body is malformed."
    );
    let listed = iam
        .list_signing_certificates()
        .user_name("u")
        .send()
        .await
        .unwrap()
        .certificates;
    assert_eq!(listed[0].certificate_body(), certificate(1));
    refused!(
        iam.delete_signing_certificate()
            .user_name("u")
            .certificate_id("NONEXISTENTCERTID12345678901"),
        "NoSuchEntity",
        "The Certificate with id NONEXISTENTCERTID12345678901 cannot be found."
    );
}

#[tokio::test]
async fn service_credentials_show_their_secret_once() {
    let (_, iam) = sandbox();
    done!(iam.create_user().user_name("u"), iam.create_user().user_name("v"));
    let create = |user: &str, service: &str| {
        iam.create_service_specific_credential()
            .user_name(user)
            .service_name(service)
    };
    let git = create("u", "codecommit.amazonaws.com")
        .send()
        .await
        .unwrap()
        .service_specific_credential
        .unwrap();
    assert_eq!(git.service_user_name(), "u-at-123456789012");
    assert!(!git.service_password.is_empty() && git.service_credential_secret.is_none());
    let api = create("v", "Bedrock.amazonaws.com")
        .send()
        .await
        .unwrap()
        .service_specific_credential
        .unwrap();
    assert_eq!(api.service_name(), "bedrock.amazonaws.com");
    assert!(api.service_password.is_empty() && api.service_credential_secret.is_some());
    refused!(
        create("u", "lambda.amazonaws.com"),
        "NoSuchEntity",
        "No such service lambda.amazonaws.com is supported for Service Specific Credentials"
    );
    refused!(
        create("none", "lambda.amazonaws.com"),
        "NoSuchEntity",
        "The user with name none cannot be found."
    );

    let all = iam
        .list_service_specific_credentials()
        .all_users(true)
        .send()
        .await
        .unwrap();
    let owners: Vec<_> = all
        .service_specific_credentials()
        .iter()
        .map(|credential| credential.user_name())
        .collect();
    assert_eq!(owners, ["u", "v"]);
    let of_u = iam
        .list_service_specific_credentials()
        .user_name("u")
        .service_name("cassandra.amazonaws.com");
    assert!(of_u.send().await.unwrap().service_specific_credentials().is_empty());

    let delete = |user: &str, id: &str| {
        iam.delete_service_specific_credential()
            .user_name(user)
            .service_specific_credential_id(id)
    };
    let id = git.service_specific_credential_id();
    refused!(delete("v", id), "ValidationError");
    refused!(
        delete("none", id),
        "NoSuchEntity",
        "The user with name none cannot be found."
    );
    refused!(
        delete("u", "satisfiesregexbutstillinvalid"),
        "NoSuchEntity",
        "No such credential satisfiesregexbutstillinvalid exists"
    );
    done!(delete("u", id));
}

#[tokio::test]
async fn an_ssh_key_is_told_in_either_form() {
    let (_, iam) = sandbox();
    done!(iam.create_user().user_name("u"));
    let upload = |body: &str| iam.upload_ssh_public_key().user_name("u").ssh_public_key_body(body);
    let key = upload(&ssh_key(1)).send().await.unwrap().ssh_public_key.unwrap();
    let get = |encoding: &str| {
        let call = iam
            .get_ssh_public_key()
            .user_name("u")
            .ssh_public_key_id(key.ssh_public_key_id());
        call.encoding(encoding.into())
    };
    let ssh = get("SSH").send().await.unwrap().ssh_public_key.unwrap();
    // The comment is lost.
    assert_eq!(format!("{} someone@example.com", ssh.ssh_public_key_body()), ssh_key(1));
    assert_eq!(ssh.fingerprint(), key.fingerprint());
    let pem = get("PEM").send().await.unwrap().ssh_public_key.unwrap();
    assert!(pem.ssh_public_key_body().starts_with("-----BEGIN PUBLIC KEY-----\n"));
    refused!(upload(pem.ssh_public_key_body()), "DuplicateSSHPublicKey");
    refused!(get("DER"), "ValidationError");
    let update = |status: &str| {
        let call = iam
            .update_ssh_public_key()
            .user_name("u")
            .ssh_public_key_id(key.ssh_public_key_id());
        call.status(status.into())
    };
    done!(update("Inactive"));
    assert_eq!(
        get("SSH")
            .send()
            .await
            .unwrap()
            .ssh_public_key
            .unwrap()
            .status()
            .as_str(),
        "Inactive"
    );
    refused!(update("Expired"), "InvalidInput");
    refused!(update("off"), "ValidationError");
}

#[tokio::test]
async fn a_certificate_can_be_switched_off() {
    let (_, iam) = sandbox();
    done!(iam.create_user().user_name("u"));
    let upload = || {
        iam.upload_signing_certificate()
            .user_name("u")
            .certificate_body(certificate(1))
    };
    let id = upload().send().await.unwrap().certificate.unwrap().certificate_id;
    let update = |id: &str, status: &str| {
        let call = iam.update_signing_certificate().user_name("u").certificate_id(id);
        call.status(status.into())
    };
    done!(update(&id, "Inactive"));
    let listed = iam
        .list_signing_certificates()
        .user_name("u")
        .send()
        .await
        .unwrap()
        .certificates;
    assert_eq!(listed[0].status().as_str(), "Inactive");
    // Uploading it again changes nothing, though the answer says that it is active.
    let again = upload().send().await.unwrap().certificate.unwrap();
    assert_eq!(
        (again.certificate_id(), again.status().as_str()),
        (id.as_str(), "Active")
    );
    let listed = iam
        .list_signing_certificates()
        .user_name("u")
        .send()
        .await
        .unwrap()
        .certificates;
    assert_eq!(listed[0].status().as_str(), "Inactive");
    refused!(
        update("NONEXISTENTCERTID12345678901", "Active"),
        "NoSuchEntity",
        "The Certificate with id NONEXISTENTCERTID12345678901 cannot be found."
    );
}

#[tokio::test]
async fn a_service_credential_is_switched_off_and_reset() {
    let (_, iam) = sandbox();
    done!(iam.create_user().user_name("u"), iam.create_user().user_name("v"));
    let create = |service: &str| {
        iam.create_service_specific_credential()
            .user_name("u")
            .service_name(service)
    };
    let made = create("codecommit.amazonaws.com")
        .send()
        .await
        .unwrap()
        .service_specific_credential
        .unwrap();
    let id = made.service_specific_credential_id();
    let update = |user: &str, id: &str, status: &str| {
        let call = iam.update_service_specific_credential().user_name(user);
        call.service_specific_credential_id(id).status(status.into())
    };
    done!(update("u", id, "Inactive"));
    let reset = iam
        .reset_service_specific_credential()
        .user_name("u")
        .service_specific_credential_id(id);
    let reset = reset.send().await.unwrap().service_specific_credential.unwrap();
    assert_eq!(
        (reset.status().as_str(), reset.service_user_name()),
        ("Inactive", made.service_user_name())
    );
    assert!(!reset.service_password().is_empty() && reset.service_password() != made.service_password());
    refused!(update("v", id, "Active"), "ValidationError");
    refused!(update("u", id, "Expired"), "InvalidInput");
    refused!(
        update("u", "satisfiesregexbutstillinvalid", "Active"),
        "NoSuchEntity",
        "No such credential satisfiesregexbutstillinvalid exists"
    );
    let key = create("bedrock.amazonaws.com")
        .credential_age_days(30)
        .send()
        .await
        .unwrap();
    let key = key.service_specific_credential.unwrap();
    let expires = key.expiration_date().unwrap().secs();
    assert_eq!(expires - key.create_date().secs(), 30 * 86_400);
    refused!(
        create("cassandra.amazonaws.com").credential_age_days(30),
        "InvalidInput"
    );
    refused!(
        create("bedrock.amazonaws.com").credential_age_days(36_601),
        "ValidationError"
    );
}
