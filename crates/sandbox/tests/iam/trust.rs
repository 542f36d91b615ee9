//! Trust policies: whom they name, and what becomes of that.

use aws_sdk_iam::Client;
use percent_encoding::percent_decode_str;

use crate::{ACCOUNT, arn, done, refused, sandbox};

fn trusting(principal: &str) -> String {
    format!(
        r#"{{"Version":"2012-10-17", "Statement":[{{"Effect":"Allow","Principal":{principal},"Action":"sts:AssumeRole"}}]}}"#
    )
}

async fn trust_of(iam: &Client, role: &str) -> String {
    let role = iam.get_role().role_name(role).send().await.unwrap().role.unwrap();
    let encoded = role.assume_role_policy_document.unwrap();
    percent_decode_str(&encoded).decode_utf8().unwrap().into_owned()
}

#[tokio::test]
async fn a_principal_is_its_id_whatever_its_name() {
    let (_, iam) = sandbox();
    done!(iam.create_user().user_name("Ann").path("/team/"));
    let by_arn = trusting(&format!(r#"{{ "AWS" : ["{}"] }}"#, arn("user/team/Ann")));
    done!(iam.create_role().role_name("r").assume_role_policy_document(&by_arn));
    // The text stays as it was sent, white space included.
    assert_eq!(trust_of(&iam, "r").await, by_arn);
    done!(iam.update_user().user_name("ann").new_user_name("Anna").new_path("/"));
    assert_eq!(trust_of(&iam, "r").await, by_arn.replace("user/team/Ann", "user/Anna"));

    let user = iam.get_user().user_name("Anna").send().await.unwrap().user.unwrap();
    done!(iam.delete_user().user_name("Anna"));
    let dangling = by_arn.replace(&arn("user/team/Ann"), user.user_id());
    assert_eq!(trust_of(&iam, "r").await, dangling);
    // Somebody else of the same name is not trusted.
    done!(iam.create_user().user_name("Anna"));
    assert_eq!(trust_of(&iam, "r").await, dangling);
    let update = |document: &str| iam.update_assume_role_policy().role_name("r").policy_document(document);
    let invalid = format!("Invalid principal in policy: \"AWS\":\"{}\"", user.user_id());
    refused!(update(&dangling), "MalformedPolicyDocument", invalid);
    let again = trusting(&format!(r#"{{"AWS":"{}"}}"#, arn("user/Anna")));
    done!(update(&again));
    assert_eq!(trust_of(&iam, "r").await, again);
}

#[tokio::test]
async fn accounts_are_shown_as_their_roots() {
    let (_, iam) = sandbox();
    let document = trusting(&format!(
        r#"{{"AWS":["{ACCOUNT}","210987654321"],"Service":"ec2.amazonaws.com"}}"#
    ));
    done!(iam.create_role().role_name("r").assume_role_policy_document(&document));
    let shown = document
        .replace(&format!("\"{ACCOUNT}\""), &format!("\"{}\"", arn("root")))
        .replace("\"210987654321\"", "\"arn:aws:iam::210987654321:root\"");
    assert_eq!(trust_of(&iam, "r").await, shown);
    let listed = iam.list_roles().send().await.unwrap().roles;
    let listed = percent_decode_str(listed[0].assume_role_policy_document().unwrap()).decode_utf8();
    assert_eq!(listed.unwrap(), shown);
}

#[tokio::test]
async fn who_is_no_principal() {
    let (_, iam) = sandbox();
    done!(
        iam.create_user().user_name("Ann"),
        iam.create_group().group_name("g"),
        iam.create_role()
            .role_name("self")
            .assume_role_policy_document(trusting(r#""*""#))
    );
    let create = |principal: &str| {
        iam.create_role()
            .role_name("r")
            .assume_role_policy_document(trusting(principal))
    };
    for aws in [
        arn("user/none"),
        arn("user/ann"),
        arn("group/g"),
        arn("role/*"),
        arn("user/Ann").replace("arn:aws:", "arn:aws-cn:"),
        "Ann".to_owned(),
        "AIDAABCDEFGHIJKLMNOPQ".to_owned(),
    ] {
        let message = format!("Invalid principal in policy: \"AWS\":\"{aws}\"");
        refused!(
            create(&format!(r#"{{"AWS":"{aws}"}}"#)),
            "MalformedPolicyDocument",
            message
        );
    }
    refused!(
        create(r#"{"Service":"ec2"}"#),
        "MalformedPolicyDocument",
        "Invalid principal in policy: \"SERVICE\":\"ec2\""
    );
    refused!(
        create(r#"{"Federated":"not a provider"}"#),
        "MalformedPolicyDocument",
        "Federated principals must be valid domain names or SAML metadata ARNs"
    );
    let saml = arn("saml-provider/corp");
    let federated = format!(r#"{{"Federated":"{saml}"}}"#);
    refused!(
        create(&federated),
        "MalformedPolicyDocument",
        format!("Invalid principal in policy: \"FEDERATED\":\"{saml}\"")
    );
    done!(
        iam.create_saml_provider()
            .name("corp")
            .saml_metadata_document(crate::providers::metadata())
    );
    for (number, principal) in [
        federated,
        r#"{"Federated":"accounts.google.com"}"#.to_owned(),
        format!(r#"{{"AWS":"{}"}}"#, arn("role/self")),
        r#"{"AWS":"arn:aws:iam::210987654321:role/theirs"}"#.to_owned(),
        format!(r#"{{"AWS":"arn:aws:sts::{ACCOUNT}:assumed-role/self/session"}}"#),
    ]
    .iter()
    .enumerate()
    {
        let role = iam.create_role().role_name(format!("r{number}"));
        done!(role.assume_role_policy_document(trusting(principal).replace("sts:AssumeRole", "sts:*")));
    }
}
