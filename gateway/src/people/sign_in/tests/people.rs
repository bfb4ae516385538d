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
    for (handle, subject) in ["Ann", "ann ", "ann\u{1}", "", "a%", "ａnn"]
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
        scene.store.forget_events().await;
        let mut login = ann(2);
        login.identity.given_name = Some("Anna".into());
        let user = scene.attempt(&login).await.unwrap().user;
        assert_eq!(user.given_name.as_deref(), Some(name));
        let events = scene.store.waiting_events(9).await.unwrap();
        let told = events.iter().any(|event| event.kind == "user.updated");
        assert_eq!(told, name == "Anna");
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

#[tokio::test]
async fn an_identity_with_an_empty_issuer_waits_for_nobody() {
    let scene = Scene::new(json!({})).await;
    let mut login = ann(1);
    login.identity.subject.issuer = String::new();
    let user = scene.attempt(&login).await.unwrap().user;
    assert_ne!(scene.attempt(&ann(2)).await.unwrap().user.id, user.id);
}

#[tokio::test]
async fn a_user_of_one_login_is_one_who_depends_on_the_connection() {
    let scene = Scene::new(json!({})).await;
    scene.attempt(&ann(1)).await.unwrap();
    assert_eq!(scene.store.dependants(&id(1)).await.unwrap().users, 1);
}

#[tokio::test]
async fn a_deleted_user_comes_back_as_another_one() {
    let scene = Scene::new(json!({})).await;
    let first = scene.attempt(&ann(1)).await.unwrap();
    let deleted = scene.store.delete_user(&first.user.id, None, now()).await;
    deleted.unwrap();
    assert_eq!(scene.store.login_session(&first.sid).await.unwrap(), None);
    let second = scene.attempt(&ann(2)).await.unwrap();
    assert!(second.created && second.user.id != first.user.id);
}

#[tokio::test]
async fn a_profile_follows_the_primary_identity_alone() {
    let follows = json!({ "is_sync_user_profile_on_login": true });
    let scene = Scene::new(follows.clone()).await;
    let user_id = scene.attempt(&ann(1)).await.unwrap().user.id;
    scene.store.add(&row(2, follows.clone())).await;
    let other = crate::store::identity::Identity {
        id: "identity_other".into(),
        user_id: user_id.clone(),
        connection_id: id(2).to_string(),
        issuer: None,
        subject: "anna".into(),
        kind: crate::store::identity::IdentityKind::Enterprise,
        is_primary: false,
        created_at: now(),
        last_login_at: None,
    };
    scene.store.create_identity(&other).await.unwrap();
    scene
        .store
        .link_application("demo", &id(2), true)
        .await
        .unwrap();
    let mut login = ann(2);
    login.identity = identity(2, "anna");
    login.identity.given_name = Some("Anna".into());
    let through_other = async |login: &Try| {
        let user = attempt(&scene.store, &opened(&row(2, follows.clone())), login)
            .await
            .unwrap()
            .user;
        (user.id, user.given_name)
    };
    let name = |name: &str| (user_id.clone(), Some(name.to_owned()));
    assert_eq!(through_other(&login).await, name("Anna"));
    let first = &scene
        .store
        .identities_of(std::slice::from_ref(&user_id))
        .await
        .unwrap();
    let first = first.iter().find(|one| one.subject == "ann").unwrap();
    scene
        .store
        .set_primary_identity(&first.id, true)
        .await
        .unwrap();
    scene.attempt(&ann(3)).await.unwrap();
    login.handle = 4;
    assert_eq!(through_other(&login).await, name("Ann"));
}
