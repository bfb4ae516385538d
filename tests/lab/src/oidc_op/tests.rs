use axum::body::Body;
use axum::http::{Request, StatusCode, header};
use axum::response::Response;
use openssl::hash::MessageDigest;
use openssl::sign::Verifier;
use serde_json::Value;
use tower::ServiceExt as _;

use super::*;
use crate::person;

const VERIFIER: &str = "a-verifier-that-is-long-enough-for-the-standard";

fn op() -> Arc<OidcOp> {
    let options = OidcOpOptions {
        base_url: "http://op.test".to_owned(),
        name: "Globex".to_owned(),
        people: person::globex(),
        client_id: "gateway".to_owned(),
        client_secret: "se cret".to_owned(),
    };
    Arc::new(OidcOp::new(options, Arc::new(Clock::default())).unwrap())
}

async fn post(op: &Arc<OidcOp>, path: &str, form: &[(&str, &str)]) -> Response {
    let body = url::form_urlencoded::Serializer::new(String::new())
        .extend_pairs(form)
        .finish();
    let request = Request::post(path)
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .body(Body::from(body))
        .unwrap();
    op.clone().router().oneshot(request).await.unwrap()
}

async fn json(response: Response) -> Value {
    let octets = axum::body::to_bytes(response.into_body(), 1 << 20)
        .await
        .unwrap();
    serde_json::from_slice(&octets).unwrap()
}

/// Signs in and comes back with a code.
async fn code(op: &Arc<OidcOp>, lie: Lie) -> String {
    let challenge = sha256_text(VERIFIER).unwrap();
    let form = [
        ("response_type", "code"),
        ("client_id", "gateway"),
        ("redirect_uri", "http://rp.test/cb"),
        ("scope", "openid"),
        ("state", "s"),
        ("nonce", "n"),
        ("code_challenge", challenge.as_str()),
        ("code_challenge_method", "S256"),
        ("email", "bob@globex.test"),
        ("password", person::PASSWORD),
        ("lie", lie.name()),
    ];
    let response = post(op, "/login", &form).await;
    assert_eq!(response.status(), StatusCode::SEE_OTHER);
    let location = url::Url::parse(response.headers()[header::LOCATION].to_str().unwrap()).unwrap();
    location
        .query_pairs()
        .find(|(name, _)| name == "code")
        .unwrap()
        .1
        .into_owned()
}

async fn redeem(op: &Arc<OidcOp>, code: &str, verifier: &str) -> Response {
    let form = [
        ("grant_type", "authorization_code"),
        ("code", code),
        ("redirect_uri", "http://rp.test/cb"),
        ("code_verifier", verifier),
        ("client_id", "gateway"),
        ("client_secret", "se cret"),
    ];
    post(op, "/token", &form).await
}

#[tokio::test]
async fn a_code_is_redeemed_once_and_signed_by_the_published_key() {
    let op = op();
    let code = code(&op, Lie::Honest).await;
    let tokens = json(redeem(&op, &code, VERIFIER).await).await;
    let token = tokens["id_token"].as_str().unwrap();
    let (signed, signature) = token.rsplit_once('.').unwrap();
    let signature = URL_SAFE_NO_PAD.decode(signature).unwrap();
    let key = op.key();
    let mut verifier = Verifier::new(MessageDigest::sha256(), key.private()).unwrap();
    assert!(
        verifier
            .verify_oneshot(&signature, signed.as_bytes())
            .unwrap()
    );
    let claims: Value = serde_json::from_slice(
        &URL_SAFE_NO_PAD
            .decode(signed.split_once('.').unwrap().1)
            .unwrap(),
    )
    .unwrap();
    assert_eq!(
        (&claims["nonce"], &claims["email_verified"]),
        (&"n".into(), &true.into())
    );
    assert_eq!(
        json(redeem(&op, &code, VERIFIER).await).await["error"],
        "invalid_grant"
    );
}

#[tokio::test]
async fn a_code_needs_the_verifier_behind_its_challenge() {
    let op = op();
    let code = code(&op, Lie::Honest).await;
    assert_eq!(
        json(redeem(&op, &code, "another").await).await["error"],
        "invalid_grant"
    );
}

#[tokio::test]
async fn a_wrong_password_shows_the_page_again() {
    let form = [
        ("response_type", "code"),
        ("client_id", "gateway"),
        ("redirect_uri", "http://rp.test/cb"),
        ("scope", "openid"),
        ("password", "x"),
    ];
    assert_eq!(
        post(&op(), "/login", &form).await.status(),
        StatusCode::UNAUTHORIZED
    );
}

#[tokio::test]
async fn an_unknown_client_is_told_so_on_a_page() {
    let form = [
        ("response_type", "code"),
        ("client_id", "nobody"),
        ("redirect_uri", "http://rp.test/cb"),
        ("scope", "openid"),
    ];
    assert_eq!(
        post(&op(), "/login", &form).await.status(),
        StatusCode::BAD_REQUEST
    );
}
