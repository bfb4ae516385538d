//! Who the person is: users, identities, addresses.

use super::*;

#[tokio::test]
async fn without_just_in_time_provisioning_a_stranger_stays_one() {
    let scene = Scene::new(json!({ "is_create_missing_user": false })).await;
    assert_eq!(scene.refused(&ann(1)).await, PeopleRefusal::UserUnknown);
}

#[tokio::test]
async fn one_address_at_two_connections_is_two_users() {
    let scene =
        Scene::new(json!({ "is_trusted": true, "home_realm_domains": ["example.com"] })).await;
    let other = row(2, json!({ "is_trusted": true }));
    scene.store.add(&other).await;
    scene
        .store
        .link_application("demo", &other.id, true)
        .await
        .unwrap();
    let victim = scene.attempt(&ann(1)).await.unwrap();
    let mut login = ann(2);
    login.identity = identity(2, "ann");
    let attacker = attempt(&scene.store, &opened(&other), &login)
        .await
        .unwrap();
    assert_eq!(attacker.user.email, victim.user.email);
    assert_ne!(attacker.user.id, victim.user.id);
    assert!(victim.email_verified && !attacker.email_verified);
}

#[tokio::test]
async fn another_issuer_behind_one_connection_is_another_person() {
    let scene = Scene::new(json!({})).await;
    let first = scene.attempt(&ann(1)).await.unwrap();
    let mut login = ann(2);
    login.identity.subject.issuer = "https://other.test".into();
    assert_ne!(scene.attempt(&login).await.unwrap().user.id, first.user.id);
}

#[tokio::test]
async fn subjects_are_compared_by_the_byte() {
    let scene = Scene::new(json!({})).await;
    let first = scene.attempt(&ann(1)).await.unwrap();
    for (handle, subject) in ["Ann", "ann ", "ann\0", "", "a%", "ａnn"]
        .into_iter()
        .enumerate()
    {
        let mut login = ann(10 + handle as u64);
        login.identity.subject.value = subject.into();
        assert_ne!(
            scene.attempt(&login).await.unwrap().user.id,
            first.user.id,
            "{subject:?}"
        );
    }
}

#[tokio::test]
async fn a_suspended_user_stays_out() {
    let scene = Scene::new(json!({})).await;
    let mut user = scene.attempt(&ann(1)).await.unwrap().user;
    user.is_suspended = true;
    scene.store.update_user(&user, now()).await.unwrap();
    assert_eq!(scene.refused(&ann(2)).await, PeopleRefusal::UserSuspended);
}

#[tokio::test]
async fn names_follow_the_upstream_only_where_that_is_switched_on() {
    for (options, name) in [
        (json!({}), "Ann"),
        (json!({ "is_sync_user_profile_on_login": true }), "Anna"),
    ] {
        let scene = Scene::new(options).await;
        scene.attempt(&ann(1)).await.unwrap();
        let mut login = ann(2);
        login.identity.given_name = Some("Anna".into());
        let user = scene.attempt(&login).await.unwrap().user;
        assert_eq!(user.given_name.as_deref(), Some(name));
        assert_eq!(scene.store.user(&user.id).await.unwrap(), Some(user));
    }
}

#[tokio::test]
async fn trust_taken_back_takes_the_verified_address_back() {
    let mut scene =
        Scene::new(json!({ "is_trusted": true, "home_realm_domains": ["example.com"] })).await;
    assert!(scene.attempt(&ann(1)).await.unwrap().email_verified);
    scene.row.options = json!({ "home_realm_domains": ["example.com"] });
    scene
        .store
        .update_connection(&scene.row, 1, crate::store::connection::Beside::default())
        .await
        .unwrap();
    assert!(!scene.attempt(&ann(2)).await.unwrap().email_verified);
}

/// Enters an identity for a user who exists already, as an operator does.
async fn entered(scene: &Scene, value: &str) -> String {
    let user = crate::people::user::new_user("kp_entered".into(), &identity(1, "x"), false, now());
    scene.store.create_user(&user).await.unwrap();
    let identity = Identity {
        id: "identity_entered".into(),
        user_id: user.id.clone(),
        connection_id: id(1).to_string(),
        issuer: None,
        subject: value.to_owned(),
        kind: IdentityKind::Enterprise,
        created_at: now(),
    };
    scene.store.create_identity(&identity).await.unwrap();
    user.id
}

#[tokio::test]
async fn an_identity_entered_beforehand_is_bound_by_the_first_login() {
    for value in ["ann@example.com", "ann"] {
        let scene = Scene::new(json!({ "is_create_missing_user": false })).await;
        let user_id = entered(&scene, value).await;
        assert_eq!(scene.attempt(&ann(1)).await.unwrap().user.id, user_id);
        let mut thief = ann(2);
        thief.identity.subject.value = "thief".into();
        assert_eq!(scene.refused(&thief).await, PeopleRefusal::UserUnknown);
        assert_eq!(scene.attempt(&ann(3)).await.unwrap().user.id, user_id);
    }
}

#[tokio::test]
async fn an_address_that_the_upstream_disowns_binds_nothing() {
    let scene = Scene::new(json!({ "is_create_missing_user": false })).await;
    entered(&scene, "ann@example.com").await;
    let mut login = ann(1);
    login.identity.email.as_mut().unwrap().claim = EmailClaim::Unverified;
    assert_eq!(scene.refused(&login).await, PeopleRefusal::UserUnknown);
}

#[tokio::test]
async fn where_everybody_has_an_account_only_a_verified_address_binds() {
    let mut social = opened(&row(1, json!({}))).spec.clone();
    social.strategy = "oauth2:github".into();
    let mut scene = Scene::new(json!({ "is_create_missing_user": false })).await;
    scene.connection.spec = Box::leak(Box::new(social));
    let user_id = entered(&scene, "ann@example.com").await;
    assert_eq!(scene.refused(&ann(1)).await, PeopleRefusal::UserUnknown);
    let mut login = ann(1);
    login.identity.email.as_mut().unwrap().claim = EmailClaim::Verified;
    assert_eq!(scene.attempt(&login).await.unwrap().user.id, user_id);
}

#[tokio::test]
async fn an_identity_with_an_empty_issuer_waits_for_nobody() {
    let scene = Scene::new(json!({})).await;
    let mut login = ann(1);
    login.identity.subject.issuer = String::new();
    let user = scene.attempt(&login).await.unwrap().user;
    assert_ne!(scene.attempt(&ann(2)).await.unwrap().user.id, user.id);
}

#[tokio::test]
async fn users_of_one_login_each_are_listed() {
    let scene = Scene::new(json!({})).await;
    scene.attempt(&ann(1)).await.unwrap();
    assert_eq!(
        scene
            .store
            .users(Some("ann@example.com"), PageRequest::default())
            .await
            .unwrap()
            .items
            .len(),
        1
    );
    assert_eq!(scene.store.dependants(&id(1)).await.unwrap().users, 1);
}
