use super::*;
use crate::op::testing::{Parts, bearer_headers, now};

async fn asked(parts: &Parts) -> Result<Map<String, Value>, Refusal> {
    profile(
        &parts.context(),
        &bearer_headers(&parts.tokens().access_token),
    )
    .await
}

#[tokio::test]
async fn userinfo_tells_what_is_true_today() {
    let parts = Parts::new().await;
    parts.signed_in().await;
    let claims = asked(&parts).await.expect("told");
    assert_eq!(claims["sub"], "kp_1");
    assert_eq!(claims["email"], "new@acme.test");
    assert_eq!(claims["email_verified"], false);
    assert_eq!(claims["name"], "Ada King");
    assert_eq!(claims["org_code"], "org_1");
}

#[tokio::test]
async fn userinfo_ends_with_the_session() {
    let parts = Parts::new().await;
    assert_eq!(
        asked(&parts).await.expect_err("no session"),
        OpRefusal::SessionEnded
    );
    parts.signed_in().await;
    assert!(asked(&parts).await.is_ok());
    parts
        .store
        .end_login_session("sid_1", now())
        .await
        .expect("ended");
    assert_eq!(
        asked(&parts).await.expect_err("ended"),
        OpRefusal::SessionEnded
    );
}

#[tokio::test]
async fn a_suspended_person_has_no_profile() {
    let parts = Parts::new().await;
    parts.signed_in().await;
    let user = parts
        .store
        .user("kp_1")
        .await
        .expect("read")
        .expect("there");
    parts
        .store
        .update_user(
            &User {
                is_suspended: true,
                ..user
            },
            now(),
        )
        .await
        .expect("changed");
    assert_eq!(
        asked(&parts).await.expect_err("suspended"),
        OpRefusal::SessionEnded
    );
}

#[tokio::test]
async fn userinfo_takes_an_access_token_of_a_person_alone() {
    let parts = Parts::new().await;
    parts.signed_in().await;
    for (token, leaf) in [
        (parts.tokens().id_token, OpRefusal::TokenInvalid),
        ("x".to_owned(), OpRefusal::TokenInvalid),
    ] {
        let refusal = profile(&parts.context(), &bearer_headers(&token))
            .await
            .expect_err("refused");
        assert_eq!(refusal, leaf);
    }
    let refusal = profile(&parts.context(), &HeaderMap::new())
        .await
        .expect_err("none");
    assert_eq!(refusal, OpRefusal::TokenMissing);
}

#[tokio::test]
async fn the_token_releases_no_more_than_its_scopes() {
    let parts = Parts::new().await;
    parts.signed_in().await;
    let user = parts
        .store
        .user("kp_1")
        .await
        .expect("read")
        .expect("there");
    let token = UserToken {
        sub: "kp_1".into(),
        sid: "sid_1".into(),
        scope: vec!["openid".into()],
    };
    let names: Vec<String> = claims(&user, &token)
        .into_iter()
        .map(|(name, _)| name)
        .collect();
    assert_eq!(names, ["sub", "id"]);
}
