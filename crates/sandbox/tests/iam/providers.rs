//! OpenID Connect and SAML providers.

use crate::{arn, done, refused, sandbox};

const URL: &str = "https://token.example.com/team";

pub(crate) fn metadata() -> String {
    let padding = "x".repeat(1000);
    format!(
        r#"<?xml version="1.0"?><!-- {padding} --><EntityDescriptor xmlns="urn:oasis:names:tc:SAML:2.0:metadata" entityID="https://idp.example.com">
        <IDPSSODescriptor protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol"><KeyDescriptor use="signing">
        <KeyInfo xmlns="http://www.w3.org/2000/09/xmldsig#"><X509Data><X509Certificate>MAMCAQE=</X509Certificate></X509Data></KeyInfo>
        </KeyDescriptor><SingleSignOnService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST" Location="https://idp.example.com/sso"/>
        </IDPSSODescriptor></EntityDescriptor>"#
    )
}

#[tokio::test]
async fn an_openid_provider_lives_and_dies() {
    let (_, iam) = sandbox();
    let create = |url: &str| iam.create_open_id_connect_provider().url(url);
    let made = create(URL).client_id_list("one").send().await.unwrap();
    let provider = arn("oidc-provider/token.example.com/team");
    assert_eq!(made.open_id_connect_provider_arn(), Some(provider.as_str()));
    refused!(
        create(URL),
        "EntityAlreadyExists",
        format!("Provider with url {URL} already exists.")
    );

    let get = || {
        iam.get_open_id_connect_provider()
            .open_id_connect_provider_arn(&provider)
    };
    let got = get().send().await.unwrap();
    assert_eq!(got.url(), Some("token.example.com/team"));
    assert_eq!(
        (got.client_id_list(), &got.tags),
        (&["one".to_owned()][..], &Some(vec![]))
    );
    // AWS finds the thumbprint itself where none is given.
    assert_eq!(got.thumbprint_list()[0].len(), 40);

    let client = |id: &str| {
        iam.add_client_id_to_open_id_connect_provider()
            .open_id_connect_provider_arn(&provider)
            .client_id(id)
    };
    done!(client("two"), client("two"));
    assert_eq!(get().send().await.unwrap().client_id_list(), ["one", "two"]);
    let remove = || {
        iam.remove_client_id_from_open_id_connect_provider()
            .open_id_connect_provider_arn(&provider)
            .client_id("one")
    };
    done!(remove(), remove());
    assert_eq!(get().send().await.unwrap().client_id_list(), ["two"]);
    let thumbprint = || {
        iam.update_open_id_connect_provider_thumbprint()
            .open_id_connect_provider_arn(&provider)
    };
    done!(thumbprint().thumbprint_list("c".repeat(40)));
    assert_eq!(get().send().await.unwrap().thumbprint_list(), ["c".repeat(40)]);
    refused!(thumbprint().thumbprint_list("c"), "ValidationError");

    let listed = iam.list_open_id_connect_providers().send().await.unwrap();
    assert_eq!(listed.open_id_connect_provider_list()[0].arn(), Some(provider.as_str()));
    let delete = || {
        iam.delete_open_id_connect_provider()
            .open_id_connect_provider_arn(&provider)
    };
    done!(delete());
    refused!(
        delete(),
        "NoSuchEntity",
        format!("OpenId connect Provider {provider} cannot be found.")
    );
    refused!(
        get(),
        "NoSuchEntity",
        format!("OpenIDConnect Provider not found for arn {provider}")
    );
}

#[tokio::test]
async fn what_cannot_be_an_openid_provider() {
    let (_, iam) = sandbox();
    let create = |url: &str| iam.create_open_id_connect_provider().url(url);
    for url in [
        "http://token.example.com",
        "token.example.com",
        "https://token.example.com:8443",
        "https://token.example.com?x=y",
        "https://token.example.com/a b",
        "https://",
    ] {
        refused!(create(url), "ValidationError", "Invalid Open ID Connect Provider URL");
    }
    let long = format!("https://{}.example.com", "x".repeat(255));
    let call = create(&long).client_id_list("x".repeat(256)).thumbprint_list("short");
    let (code, message) = crate::refusal(call.send().await);
    assert_eq!(code, "ValidationError");
    assert!(message.starts_with("3 validation errors detected: "), "{message}");
    assert!(
        message.contains(
            "Value at 'clientIDList' failed to satisfy constraint: Member must satisfy constraint: [Member must have length \
             less than or equal to 255, Member must have length greater than or equal to 1]"
        ),
        "{message}"
    );
    let thumbprints = (0..6).fold(create(URL), |call, digit| {
        call.thumbprint_list(digit.to_string().repeat(40))
    });
    refused!(
        thumbprints,
        "InvalidInput",
        "Thumbprint list must contain fewer than 5 entries."
    );
    let clients = (0..101).fold(create(URL), |call, number| call.client_id_list(number.to_string()));
    refused!(
        clients,
        "LimitExceeded",
        "Cannot exceed quota for ClientIdsPerOpenIdConnectProvider: 100"
    );
    refused!(create("https://idp.invalid"), "OpenIdIdpCommunicationError");
}

#[tokio::test]
async fn a_saml_provider_lives_and_dies() {
    let (_, iam) = sandbox();
    let create = |name: &str, text: String| iam.create_saml_provider().name(name).saml_metadata_document(text);
    refused!(
        create("corp", "x".repeat(1000)),
        "InvalidInput",
        "Could not parse metadata"
    );
    refused!(create("corp", "short".to_owned()), "ValidationError");
    refused!(create("not a name", metadata()), "ValidationError");
    let provider = arn("saml-provider/corp");
    let made = create("corp", metadata()).send().await.unwrap();
    assert_eq!(made.saml_provider_arn(), Some(provider.as_str()));
    refused!(create("corp", metadata()), "EntityAlreadyExists");

    let get = || iam.get_saml_provider().saml_provider_arn(&provider);
    let got = get().send().await.unwrap();
    assert_eq!(got.saml_metadata_document(), Some(metadata().as_str()));
    assert_eq!(got.assertion_encryption_mode().unwrap().as_str(), "Allowed");
    assert_eq!((&got.tags, &got.private_key_list), (&Some(vec![]), &Some(vec![])));
    assert!(got.valid_until().unwrap().secs() > got.create_date().unwrap().secs());

    let update = || iam.update_saml_provider().saml_provider_arn(&provider);
    refused!(update().assertion_encryption_mode("Required".into()), "InvalidInput");
    let mark = |end: &str| format!("-----{end} {} KEY-----", "PRIVATE");
    let key = format!("{}\nMAMCAQE=\n{}", mark("BEGIN"), mark("END"));
    done!(
        update()
            .add_private_key(&key)
            .assertion_encryption_mode("Required".into())
    );
    let until = (
        metadata().replace("entityID", "validUntil=\"2030-01-01T00:00:00Z\" entityID"),
        1_893_456_000,
    );
    done!(update().saml_metadata_document(&until.0));
    let got = get().send().await.unwrap();
    assert_eq!(got.valid_until().unwrap().secs(), until.1);
    assert_eq!(got.assertion_encryption_mode().unwrap().as_str(), "Required");
    let id = got.private_key_list()[0].key_id().unwrap().to_owned();
    done!(update().add_private_key(&key));
    refused!(update().add_private_key(&key), "LimitExceeded");
    done!(update().remove_private_key(&id));
    refused!(update().remove_private_key(&id), "NoSuchEntity");

    let listed = iam.list_saml_providers().send().await.unwrap();
    assert_eq!(listed.saml_provider_list()[0].arn(), Some(provider.as_str()));
    let summary = iam.get_account_summary().send().await.unwrap().summary_map.unwrap();
    assert_eq!(summary[&"Providers".into()], 1);
    let delete = || iam.delete_saml_provider().saml_provider_arn(&provider);
    done!(delete());
    let absent = format!("Manifest not found for arn {provider}");
    refused!(delete(), "NoSuchEntity", absent);
    refused!(get(), "NoSuchEntity", absent);
}
