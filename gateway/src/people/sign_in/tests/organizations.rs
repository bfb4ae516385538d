//! Signing in to organizations.

use super::*;

fn owned(options: Value) -> StoredConnection {
    let mut owned = row(1, options);
    owned.organization_code = Some(OURS.into());
    owned
}

async fn organizations_of(scene: &Scene, user_id: &str) -> Vec<String> {
    let ids = [user_id.to_owned()];
    let memberships = scene.store.memberships(&ids).await.unwrap();
    memberships.into_iter().map(|(_, code)| code).collect()
}

#[tokio::test]
async fn an_organizations_own_connection_makes_members() {
    let scene = Scene::with(owned(json!({})), false).await;
    let signed = scene.attempt(&ann(1)).await.unwrap();
    assert_eq!(signed.organization.as_deref(), Some(OURS));
    assert_eq!(organizations_of(&scene, &signed.user.id).await, [OURS]);
    assert_eq!(
        scene
            .attempt(&ann(2))
            .await
            .unwrap()
            .organization
            .as_deref(),
        Some(OURS)
    );
    assert_eq!(organizations_of(&scene, &signed.user.id).await, [OURS]);
}

#[tokio::test]
async fn who_is_no_member_and_becomes_none_is_refused() {
    let scene = Scene::with(
        owned(json!({ "is_auto_join_organization_enabled": false })),
        false,
    )
    .await;
    assert_eq!(scene.refused(&ann(1)).await, PeopleRefusal::NotAMember);
    let mut open = organization(OURS);
    open.is_auto_membership_enabled = true;
    scene.store.update_organization(&open, now()).await.unwrap();
    scene.attempt(&ann(1)).await.unwrap();
}

#[tokio::test]
async fn a_connection_of_one_organization_leads_into_no_other() {
    let scene = Scene::with(owned(json!({})), true).await;
    let mut open = organization(THEIRS);
    open.is_auto_membership_enabled = true;
    scene.store.update_organization(&open, now()).await.unwrap();
    let mut login = ann(1);
    login.organization = Some(THEIRS);
    assert_eq!(
        scene.refused(&login).await,
        PeopleRefusal::OrganizationConnectionNotAllowed
    );
}

#[tokio::test]
async fn an_organization_with_connections_is_locked_to_them() {
    let scene = Scene::new(json!({})).await;
    scene.store.add(&row(2, json!({}))).await;
    scene
        .store
        .link_organization(OURS, &id(2), true)
        .await
        .unwrap();
    let mut login = ann(1);
    login.organization = Some(OURS);
    assert_eq!(
        scene.refused(&login).await,
        PeopleRefusal::OrganizationConnectionNotAllowed
    );
    scene
        .store
        .link_organization(OURS, &id(1), true)
        .await
        .unwrap();
    // A shared connection makes nobody a member: whoever may use it could choose the organization.
    assert_eq!(scene.refused(&login).await, PeopleRefusal::NotAMember);
    let user = scene.attempt(&ann(2)).await.unwrap().user;
    let add = [user.id.clone()];
    let changed = scene.store.change_members(OURS, &add, &[], now()).await;
    assert_eq!(changed.unwrap().added, add);
    assert_eq!(
        scene.attempt(&login).await.unwrap().organization.as_deref(),
        Some(OURS)
    );
}

#[tokio::test]
async fn an_organization_that_does_not_exist_is_told() {
    let scene = Scene::new(json!({})).await;
    let mut login = ann(1);
    login.organization = Some("org_fffffffffff");
    assert_eq!(
        scene.refused(&login).await,
        PeopleRefusal::OrganizationUnknown
    );
}
