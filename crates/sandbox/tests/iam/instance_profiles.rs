//! Instance profiles.

use crate::{TRUST, arn, done, refused, sandbox};

#[tokio::test]
async fn a_profile_lives_and_dies() {
    let (_, iam) = sandbox();
    let create = |name: &str| iam.create_instance_profile().instance_profile_name(name);
    let made = create("web")
        .path("/ops/")
        .send()
        .await
        .unwrap()
        .instance_profile
        .unwrap();
    assert_eq!(made.arn(), arn("instance-profile/ops/web"));
    assert!(made.instance_profile_id().starts_with("AIPA") && made.instance_profile_id().len() == 21);
    assert_eq!((made.roles().len(), &made.tags), (0, &None));
    refused!(
        create("WEB"),
        "EntityAlreadyExists",
        "Instance Profile WEB already exists."
    );
    refused!(create(&"x".repeat(129)), "ValidationError");
    refused!(create("p").path("ops"), "ValidationError");

    done!(
        iam.create_role()
            .role_name("r")
            .assume_role_policy_document(TRUST)
            .description("d"),
        iam.create_role().role_name("other").assume_role_policy_document(TRUST)
    );
    let add = |role: &str| {
        iam.add_role_to_instance_profile()
            .instance_profile_name("Web")
            .role_name(role)
    };
    let remove = |role: &str| {
        iam.remove_role_from_instance_profile()
            .instance_profile_name("web")
            .role_name(role)
    };
    refused!(
        remove("r"),
        "NoSuchEntity",
        "Role r in Instance Profile web cannot be found."
    );
    refused!(add("none"), "NoSuchEntity", "The role with name none cannot be found.");
    done!(add("r"));
    let full = "Cannot exceed quota for InstanceSessionsPerInstanceProfile: 1";
    refused!(add("r"), "LimitExceeded", full);
    refused!(add("other"), "LimitExceeded", full);

    // A role in a profile is shown without what only GetRole tells, and GetInstanceProfile tells of tags if only none.
    let got = iam
        .get_instance_profile()
        .instance_profile_name("web")
        .send()
        .await
        .unwrap();
    let got = got.instance_profile.unwrap();
    assert_eq!((got.roles()[0].role_name(), got.roles()[0].description()), ("r", None));
    assert_eq!(got.tags, Some(vec![]));
    let of_role = iam
        .list_instance_profiles_for_role()
        .role_name("R")
        .send()
        .await
        .unwrap();
    assert_eq!(of_role.instance_profiles().len(), 1);
    let details = iam.get_account_authorization_details().send().await.unwrap();
    let held: Vec<_> = details
        .role_detail_list()
        .iter()
        .map(|role| role.instance_profile_list().len())
        .collect();
    assert_eq!(held, [0, 1]);

    let conflict = "Cannot delete entity, must remove roles from instance profile first.";
    let delete = || iam.delete_instance_profile().instance_profile_name("web");
    refused!(delete(), "DeleteConflict", conflict);
    refused!(iam.delete_role().role_name("r"), "DeleteConflict", conflict);
    done!(remove("r"));
    refused!(remove("r"), "NoSuchEntity");
    done!(iam.delete_role().role_name("r"), delete());
    refused!(delete(), "NoSuchEntity", "Instance Profile web cannot be found.");
}

#[tokio::test]
async fn profiles_are_listed_by_path_and_counted() {
    let (sandbox, iam) = sandbox();
    for (name, path) in [("a", "/x/"), ("b", "/x/y/"), ("c", "/z/")] {
        done!(iam.create_instance_profile().instance_profile_name(name).path(path));
    }
    let listed = iam
        .list_instance_profiles()
        .path_prefix("/x")
        .max_items(1)
        .send()
        .await
        .unwrap();
    assert!(listed.is_truncated());
    let rest = iam
        .list_instance_profiles()
        .path_prefix("/x")
        .marker(listed.marker().unwrap());
    assert_eq!(
        rest.send().await.unwrap().instance_profiles()[0].instance_profile_name(),
        "b"
    );
    let summary = iam.get_account_summary().send().await.unwrap().summary_map.unwrap();
    assert_eq!(summary[&"InstanceProfiles".into()], 3);
    sandbox.set_quota("InstanceProfilesQuota", 3).unwrap();
    refused!(
        iam.create_instance_profile().instance_profile_name("d"),
        "LimitExceeded"
    );
}
