//! Replicas finish each other's logins.

use fedgate_test_servers::redis::Redis;
use fedgate_tests::gateway::{Remote, SECRET, claims, client, read};
use fedgate_tests::replicas::{Replicas, login, redeem};
use fedgate_tests::upstream::{ALICE, BOB, OidcUpstream, SamlUpstream};
use serde_json::{Value, json};

async fn replicas() -> Replicas {
    Replicas::start(&Redis::shared_url(), "").await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_login_goes_to_another_replica_with_every_step() {
    let replicas = replicas().await;
    let (idp, op) = (SamlUpstream::start().await, OidcUpstream::start().await);
    let saml = idp.connect(replicas.at(0), json!({})).await;
    let oidc = op.connect(replicas.at(1), json!({})).await;
    for first in 0..2 {
        for (connection, person) in [(&saml.id, ALICE), (&oidc.id, BOB)] {
            let gateway = replicas.balancer.alternate(first);
            let code = login(gateway, connection, person).await.code();
            assert_eq!(gateway.redeem(&code).await["email"], person, "{first}");
            // Spent on one, it is spent on the other.
            for _ in 0..2 {
                let again = redeem(gateway, &code).await;
                assert_eq!(again, (400, "op.code_replayed".to_owned()));
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_is_redeemed_once_however_many_ask_both_at_once() {
    let replicas = replicas().await;
    let idp = SamlUpstream::start().await;
    let connection = idp.connect(replicas.at(0), json!({})).await;
    let code = login(replicas.at(0), &connection.id, ALICE).await.code();
    let gateway = replicas.balancer.alternate(0).clone();
    let tasks: Vec<_> = (0..8)
        .map(|_| {
            let (gateway, code) = (gateway.clone(), code.clone());
            tokio::spawn(async move { redeem(&gateway, &code).await })
        })
        .collect();
    let mut redeemed = 0;
    for task in tasks {
        match task.await.expect("an answer") {
            (200, _) => redeemed += 1,
            refused => assert_eq!(refused, (400, "op.code_replayed".to_owned())),
        }
    }
    assert_eq!(redeemed, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pending_login_too_large_for_a_cookie_is_completed_by_the_other() {
    let replicas = replicas().await;
    let idp = SamlUpstream::start().await;
    let connection = idp.connect(replicas.at(0), json!({})).await;
    let gateway = replicas.balancer.alternate(0);
    let state = "s".repeat(1500);
    let asked = [("connection_id", connection.id.as_str()), ("state", &state)];
    let mut browser = gateway.browser();
    let page = fedgate_tests::login::begin(&mut browser, gateway, &asked).await;
    let page = fedgate_tests::login::answer(&mut browser, &page, ALICE, "").await;
    let location = page.location().expect("back to the application");
    assert!(location.as_str().contains(&state), "{location}");
    let code = fedgate_tests::ending::Ending::of(&page).code();
    assert_eq!(gateway.redeem(&code).await["email"], ALICE);
}

async fn keys(gateway: &Remote) -> Value {
    let url = format!("{}/.well-known/jwks.json", gateway.base);
    read(client().get(url)).await.1
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_of_one_is_good_at_the_other() {
    let replicas = replicas().await;
    assert_eq!(keys(replicas.at(0)).await, keys(replicas.at(1)).await);
    let token = replicas.at(0).api_token().await;
    let url = format!("{}/api/v1/connections", replicas.at(1).base);
    let (status, answer) = read(client().get(url).bearer_auth(token)).await;
    assert_eq!(status, 200, "{answer}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clients_assertion_passes_at_one_of_them_once() {
    use fedgate_certs::key::{SigningAlgorithm, SigningKey};
    let key = SigningKey::generate(SigningAlgorithm::Es256).expect("a key");
    let jwk = key.public_jwk();
    let application = format!(
        "[[applications]]\nclient_id = \"asserting\"\ngrant_types = [\"client_credentials\"]\nscopes = [\"read:connections\"]\n\
         jwks = {{ keys = [{{ kty = {}, crv = {}, x = {}, y = {}, kid = {}, alg = \"ES256\", use = \"sig\" }}] }}\n",
        jwk["kty"], jwk["crv"], jwk["x"], jwk["y"], jwk["kid"]
    );
    let replicas = Replicas::start(&Redis::shared_url(), &application).await;
    let gateway = replicas.at(0).clone();
    let now = replicas.a.app.clock.now().as_second();
    let claims = json!({"iss": "asserting", "sub": "asserting", "aud": gateway.base, "jti": "one", "exp": now + 60});
    let assertion = fedgate_certs::jose::sign(&key, "JWT", &claims).expect("signed");
    let audience = format!("{}/api", gateway.base);
    let fields = [
        ("grant_type", "client_credentials"),
        (
            "client_assertion_type",
            "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
        ),
        ("client_assertion", &assertion),
        ("audience", &audience),
    ];
    let (status, answer) = gateway.token(&fields).await;
    assert_eq!(status, 200, "{answer}");
    let (status, answer) = replicas.at(1).token(&fields).await;
    let description = answer["error_description"].as_str().unwrap_or_default();
    assert!(
        description.starts_with("op.client_assertion_replayed"),
        "{status} {answer}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn installations_that_share_a_redis_do_not_know_each_others_codes() {
    let (one, other) = (replicas().await, replicas().await);
    let idp = SamlUpstream::start().await;
    let connection = idp.connect(one.at(0), json!({})).await;
    let code = login(one.at(0), &connection.id, ALICE).await.code();
    assert_eq!(
        redeem(other.at(0), &code).await,
        (400, "op.code_unknown".to_owned())
    );
    let fields = [
        ("grant_type", "authorization_code"),
        ("code", &code),
        ("client_id", "web"),
        ("client_secret", SECRET),
        ("redirect_uri", fedgate_tests::gateway::REDIRECT_URI),
    ];
    let (status, answer) = one.at(1).token(&fields).await;
    assert_eq!(status, 200, "{answer}");
    assert_eq!(
        claims(answer["id_token"].as_str().expect("a token"))["email"],
        ALICE
    );
}
