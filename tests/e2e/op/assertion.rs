//! `private_key_jwt`: client assertions that are forged, replayed or meant for others.

use super::*;
use fedgate_tests::proved;

struct Caller {
    gateway: Gateway,
    key: SigningKey,
}

fn key(algorithm: SigningAlgorithm) -> SigningKey {
    SigningKey::generate(algorithm).expect("a key")
}

/// A gateway whose application `jwt` has one RS256 key.
async fn caller() -> Caller {
    let key = key(SigningAlgorithm::Rs256);
    let jwks = json!({"keys": [key.public_jwk()]}).to_string();
    let lines = format!(
        "[[applications]]\nclient_id = \"jwt\"\njwks = '{jwks}'\ngrant_types = [\"client_credentials\"]\nscopes = [\"read:connections\"]\n"
    );
    Caller {
        gateway: Gateway::with(&lines).await,
        key,
    }
}

impl Caller {
    fn claims(&self, jti: &str) -> Value {
        let now = self.gateway.app.clock.now().as_second();
        json!({"iss": "jwt", "sub": "jwt", "aud": self.gateway.base, "exp": now + 60, "jti": jti})
    }

    fn sign(&self, claims: &Value) -> String {
        jose::sign(&self.key, "JWT", claims).expect("signed")
    }

    async fn present(&self, jwt: &str) -> (u16, Value) {
        let audience = format!("{}/api", self.gateway.base);
        let fields = [
            ("grant_type", "client_credentials"),
            ("client_assertion_type", JWT_BEARER),
            ("client_assertion", jwt),
            ("client_id", "jwt"),
            ("audience", &audience),
        ];
        self.gateway.token(&fields).await
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_assertion_passes_once() {
    let caller = caller().await;
    let jwt = caller.sign(&caller.claims("1"));
    let (status, answer) = caller.present(&jwt).await;
    assert_eq!(status, 200, "{answer}");
    let again = caller.present(&jwt).await;
    assert_eq!(
        refused(&again),
        (401, "invalid_client", "op.client_assertion_replayed")
    );
    let resigned = caller.sign(&caller.claims("1"));
    assert_eq!(
        refused(&caller.present(&resigned).await).2,
        "op.client_assertion_replayed"
    );
    let both = caller.sign(&caller.claims("2"));
    let (left, right) = tokio::join!(caller.present(&both), caller.present(&both));
    assert_eq!(left.0.min(right.0), 200);
    assert_eq!(left.0.max(right.0), 401);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_claim_binds_it() {
    let caller = caller().await;
    let now = caller.gateway.app.clock.now().as_second();
    #[rustfmt::skip]
    let cases = [
        ("iss", json!("web"), "op.client_assertion_subject"),
        ("sub", json!("web"), "op.client_assertion_subject"),
        ("aud", json!("https://evil.test"), "op.client_assertion_audience"),
        ("aud", json!([caller.gateway.base, "https://evil.test"]), "op.client_assertion_audience"),
        ("exp", json!(now - 31), "op.client_assertion_time"),
        ("exp", json!(now + 3600), "op.client_assertion_time"),
        ("exp", json!(1e300), "op.client_assertion_time"),
        ("exp", Value::Null, "op.client_assertion_time"),
        ("nbf", json!(now + 90), "op.client_assertion_time"),
        ("jti", Value::Null, "op.client_assertion_malformed"),
        ("jti", json!("x".repeat(257)), "op.client_assertion_malformed"),
    ];
    for (name, value, code) in cases {
        let mut claims = caller.claims("1");
        claims[name] = value.clone();
        let answer = caller.present(&caller.sign(&claims)).await;
        assert_eq!(
            refused(&answer),
            (401, "invalid_client", code),
            "{name} {value}"
        );
    }
    proved!(oidc 47, "op.client_assertion_audience");
}

#[tokio::test(flavor = "multi_thread")]
async fn no_other_algorithm_takes_the_keys_place() {
    let caller = caller().await;
    let jwt = caller.sign(&caller.claims("1"));
    let payload = jwt.split('.').nth(1).expect("a payload");
    let kid = caller.key.id();
    let forged = |header: Value, signature: &dyn Fn(&str) -> Vec<u8>| {
        let input = format!("{}.{payload}", URL_SAFE_NO_PAD.encode(header.to_string()));
        let signature = URL_SAFE_NO_PAD.encode(signature(&input));
        format!("{input}.{signature}")
    };
    let pem = caller.key.private().public_key_to_pem().expect("PEM");
    let hmac = |input: &str| {
        let key = PKey::hmac(&pem).expect("a key");
        let digest = openssl::hash::MessageDigest::sha256();
        let mut signer = openssl::sign::Signer::new(digest, &key).expect("a signer");
        signer
            .sign_oneshot_to_vec(input.as_bytes())
            .expect("signed")
    };
    let other = key(SigningAlgorithm::Es256);
    #[rustfmt::skip]
    let cases = [
        (forged(json!({"alg": "none"}), &|_| Vec::new()), "op.client_assertion_signature"),
        (forged(json!({"alg": "nOnE", "kid": kid}), &|_| Vec::new()), "op.client_assertion_signature"),
        (forged(json!({"alg": "HS256", "kid": kid}), &hmac), "op.client_assertion_signature"),
        (forged(json!({"alg": "ES256", "kid": kid}), &|input| other.sign(input.as_bytes()).expect("signed")), "op.client_assertion_signature"),
        (forged(json!({"alg": "RS256", "kid": kid}), &|_| vec![0; 256]), "op.client_assertion_signature"),
        (forged(json!({"alg": "ES256", "jwk": other.public_jwk()}), &|input| other.sign(input.as_bytes()).expect("signed")), "op.client_assertion_signature"),
        (forged(json!({"alg": "RS256", "kid": kid, "crit": ["b64"], "b64": false}), &|_| vec![0; 256]), "op.client_assertion_malformed"),
        (jose::sign(&caller.key, "at+jwt", &caller.claims("1")).expect("signed"), "op.client_assertion_malformed"),
        (jose::sign(&key(SigningAlgorithm::Rs256), "JWT", &caller.claims("1")).expect("signed"), "op.client_assertion_signature"),
        ("x".to_owned(), "op.client_assertion_malformed"),
    ];
    for (jwt, code) in cases {
        let answer = caller.present(&jwt).await;
        assert_eq!(refused(&answer), (401, "invalid_client", code), "{jwt}");
    }
    let untouched = caller.present(&jwt).await;
    assert_eq!(
        untouched.0, 200,
        "a forgery does not spend the jti: {untouched:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_that_cannot_be_fetched_are_told_and_not_asked_for_at_will() {
    let server = Hostile::start(|_| hostile::status(500, b"x")).await;
    let lines = format!(
        "[[applications]]\nclient_id = \"jwt\"\njwks_uri = \"{}\"\ngrant_types = [\"client_credentials\"]\n",
        server.url("/jwks")
    );
    let caller = Caller {
        gateway: Gateway::with(&lines).await,
        key: key(SigningAlgorithm::Rs256),
    };
    for jti in ["1", "2", "3"] {
        let answer = caller.present(&caller.sign(&caller.claims(jti))).await;
        assert_eq!(
            refused(&answer),
            (401, "invalid_client", "op.client_keys_unavailable")
        );
    }
    assert_eq!(server.asked().len(), 1);
}
