//! What stands in the way of a deletion.

use crate::{ALLOW_LIST, PASSWORD, TRUST, allow, arn, credentials, done, mfa, refused, sandbox};

const READ_ONLY: &str = "arn:aws:iam::aws:policy/ReadOnlyAccess";

/// Each obstacle by itself: the deletion is refused, and goes through once the obstacle is gone.
macro_rules! obstacle {
    ($name:ident, $message:literal, |$iam:ident| { $($put:expr),+ $(,)? } { $($take:expr),+ $(,)? }) => {
        #[tokio::test]
        async fn $name() {
            let (_, $iam) = sandbox();
            done!($iam.create_user().user_name("u"));
            $($put.send().await.unwrap();)+
            refused!($iam.delete_user().user_name("u"), "DeleteConflict", concat!("Cannot delete entity, must ", $message, " first."));
            $($take.send().await.unwrap();)+
            done!($iam.delete_user().user_name("u"));
            refused!($iam.delete_user().user_name("u"), "NoSuchEntity", "The user with name u cannot be found.");
        }
    };
}

obstacle!(a_user_with_a_login_profile, "delete login profile", |iam| {
    iam.create_login_profile().user_name("u").password(PASSWORD)
} { iam.delete_login_profile().user_name("u") });
obstacle!(a_user_with_an_attached_policy, "detach all policies", |iam| {
    iam.attach_user_policy().user_name("u").policy_arn(READ_ONLY)
} { iam.detach_user_policy().user_name("u").policy_arn(READ_ONLY) });
obstacle!(a_user_with_an_inline_policy, "delete policies", |iam| {
    iam.put_user_policy().user_name("u").policy_name("p").policy_document(ALLOW_LIST)
} { iam.delete_user_policy().user_name("u").policy_name("p") });
obstacle!(a_user_in_a_group, "remove user from groups", |iam| {
    iam.create_group().group_name("g"), iam.add_user_to_group().user_name("u").group_name("g")
} { iam.remove_user_from_group().user_name("u").group_name("g") });

#[tokio::test]
async fn a_user_with_an_access_key_even_an_inactive_one() {
    let (_, iam) = sandbox();
    done!(iam.create_user().user_name("u"));
    let key = iam
        .create_access_key()
        .user_name("u")
        .send()
        .await
        .unwrap()
        .access_key
        .unwrap();
    let id = key.access_key_id();
    done!(
        iam.update_access_key()
            .user_name("u")
            .access_key_id(id)
            .status("Inactive".into())
    );
    refused!(
        iam.delete_user().user_name("u"),
        "DeleteConflict",
        "Cannot delete entity, must delete access keys first."
    );
    done!(
        iam.delete_access_key().user_name("u").access_key_id(id),
        iam.delete_user().user_name("u")
    );
}

#[tokio::test]
async fn a_user_with_an_ssh_key_a_certificate_or_a_service_credential() {
    let (_, iam) = sandbox();
    done!(iam.create_user().user_name("u"));
    let key = credentials::ssh_key(1);
    let key = iam
        .upload_ssh_public_key()
        .user_name("u")
        .ssh_public_key_body(key)
        .send()
        .await
        .unwrap();
    let key = key.ssh_public_key.unwrap();
    refused!(iam.delete_user().user_name("u"), "DeleteConflict");
    done!(
        iam.delete_ssh_public_key()
            .user_name("u")
            .ssh_public_key_id(key.ssh_public_key_id())
    );

    let body = credentials::certificate(1);
    let certificate = iam
        .upload_signing_certificate()
        .user_name("u")
        .certificate_body(body)
        .send()
        .await
        .unwrap();
    refused!(iam.delete_user().user_name("u"), "DeleteConflict");
    let certificate = certificate.certificate.unwrap();
    done!(
        iam.delete_signing_certificate()
            .user_name("u")
            .certificate_id(certificate.certificate_id())
    );

    let create = iam
        .create_service_specific_credential()
        .user_name("u")
        .service_name("codecommit.amazonaws.com");
    let credential = create.send().await.unwrap().service_specific_credential.unwrap();
    refused!(
        iam.delete_user().user_name("u"),
        "DeleteConflict",
        "Cannot delete entity, must remove referenced objects first."
    );
    let id = credential.service_specific_credential_id();
    done!(
        iam.delete_service_specific_credential()
            .user_name("u")
            .service_specific_credential_id(id)
    );
    done!(iam.delete_user().user_name("u"));
}

#[tokio::test]
async fn a_user_with_an_mfa_device_and_an_assigned_device() {
    let (sandbox, iam) = sandbox();
    done!(iam.create_user().user_name("u"));
    let device = mfa::enabled_device(&sandbox, &iam, "u", "phone").await;
    refused!(
        iam.delete_user().user_name("u"),
        "DeleteConflict",
        "Cannot delete entity, must remove tokens from principal first."
    );
    refused!(
        iam.delete_virtual_mfa_device().serial_number(&device.serial),
        "DeleteConflict",
        "MFA VirtualDevice in use. Must deactivate first."
    );
    done!(
        iam.deactivate_mfa_device().user_name("u").serial_number(&device.serial),
        iam.delete_user().user_name("u")
    );
    // The device outlives its user and keeps its name.
    refused!(
        iam.create_virtual_mfa_device().virtual_mfa_device_name("phone"),
        "EntityAlreadyExists",
        "MFA device already exists."
    );
    done!(iam.delete_virtual_mfa_device().serial_number(&device.serial));
}

#[tokio::test]
async fn neither_boundary_nor_tags_are_in_the_way_of_a_user() {
    let (_, iam) = sandbox();
    done!(
        iam.create_user()
            .user_name("u")
            .permissions_boundary(READ_ONLY)
            .tags(crate::tags::tag("a", "b"))
    );
    done!(iam.delete_user().user_name("u"));
}

#[tokio::test]
async fn a_group_with_a_member_a_policy_or_an_attachment() {
    let (_, iam) = sandbox();
    done!(
        iam.create_user().user_name("u"),
        iam.create_group().group_name("g"),
        iam.add_user_to_group().user_name("u").group_name("g"),
        iam.put_group_policy()
            .group_name("g")
            .policy_name("p")
            .policy_document(ALLOW_LIST),
        iam.attach_group_policy().group_name("g").policy_arn(READ_ONLY),
    );
    let delete = || iam.delete_group().group_name("g");
    refused!(
        delete(),
        "DeleteConflict",
        "Cannot delete entity, must remove users from group first."
    );
    done!(iam.remove_user_from_group().user_name("u").group_name("g"));
    refused!(
        delete(),
        "DeleteConflict",
        "Cannot delete entity, must detach all policies first."
    );
    done!(iam.detach_group_policy().group_name("g").policy_arn(READ_ONLY));
    refused!(
        delete(),
        "DeleteConflict",
        "Cannot delete entity, must delete policies first."
    );
    done!(iam.delete_group_policy().group_name("g").policy_name("p"), delete());
    refused!(delete(), "NoSuchEntity", "The group with name g cannot be found.");
}

#[tokio::test]
async fn a_role_with_a_policy_or_an_attachment() {
    let (_, iam) = sandbox();
    done!(
        iam.create_role()
            .role_name("r")
            .assume_role_policy_document(TRUST)
            .permissions_boundary(READ_ONLY),
        iam.put_role_policy()
            .role_name("r")
            .policy_name("p")
            .policy_document(ALLOW_LIST),
        iam.attach_role_policy().role_name("r").policy_arn(READ_ONLY),
    );
    refused!(iam.delete_role().role_name("r"), "DeleteConflict");
    done!(iam.detach_role_policy().role_name("r").policy_arn(READ_ONLY));
    refused!(iam.delete_role().role_name("r"), "DeleteConflict");
    done!(
        iam.delete_role_policy().role_name("r").policy_name("p"),
        iam.delete_role().role_name("r")
    );
}

#[tokio::test]
async fn a_policy_that_is_attached_a_boundary_or_has_versions() {
    let (_, iam) = sandbox();
    let policy = arn("policy/p");
    done!(
        iam.create_policy().policy_name("p").policy_document(ALLOW_LIST),
        iam.create_user().user_name("u"),
        iam.create_group().group_name("g"),
        iam.create_role().role_name("r").assume_role_policy_document(TRUST),
    );
    let delete = || iam.delete_policy().policy_arn(&policy);
    done!(iam.attach_user_policy().user_name("u").policy_arn(&policy));
    refused!(
        delete(),
        "DeleteConflict",
        "Cannot delete a policy attached to entities."
    );
    done!(
        iam.detach_user_policy().user_name("u").policy_arn(&policy),
        iam.attach_group_policy().group_name("g").policy_arn(&policy),
    );
    refused!(delete(), "DeleteConflict");
    done!(
        iam.detach_group_policy().group_name("g").policy_arn(&policy),
        iam.put_user_permissions_boundary()
            .user_name("u")
            .permissions_boundary(&policy),
    );
    refused!(delete(), "DeleteConflict");
    done!(
        iam.delete_user_permissions_boundary().user_name("u"),
        iam.put_role_permissions_boundary()
            .role_name("r")
            .permissions_boundary(&policy),
    );
    refused!(delete(), "DeleteConflict");
    done!(
        iam.delete_role_permissions_boundary().role_name("r"),
        iam.create_policy_version()
            .policy_arn(&policy)
            .policy_document(allow("s3:GetObject")),
    );
    refused!(delete(), "DeleteConflict");
    refused!(
        iam.delete_policy_version().policy_arn(&policy).version_id("v1"),
        "DeleteConflict",
        "Cannot delete the default version of a policy."
    );
    done!(
        iam.delete_policy_version().policy_arn(&policy).version_id("v2"),
        delete()
    );
    refused!(delete(), "NoSuchEntity", format!("Policy {policy} was not found."));
}
