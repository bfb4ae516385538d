//! What the tests of this area share.

use fedgate_certs::Timestamp;
use fedgate_certs::key::{SigningAlgorithm, SigningKey};
use fedgate_certs::keyring::{Keyring, Stage};
use fedgate_certs::seal::{MasterKey, Sealer};
use fedgate_providers::login::Site;
use rand::SeedableRng as _;
use rand::rngs::StdRng;
use std::sync::LazyLock;

use super::application::secret_hash;
use super::parameters::Parameters;
use super::{AuthorizeRequest, Claims, ExtProvider, Grant};
use crate::store::application::Application;

/// A code verifier and its S256 challenge (RFC 7636, appendix B).
pub(crate) const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
pub(crate) const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
/// The secret of [`application`]: with what form-encoding and Basic trip over.
pub(crate) const SECRET: &str = "s:e c+r%e=t";

static KEYS: LazyLock<[SigningKey; 2]> = LazyLock::new(|| {
    SigningAlgorithm::ALL.map(|algorithm| SigningKey::generate(algorithm).expect("a key"))
});

pub(crate) fn site() -> Site {
    Site {
        base_url: "https://login.test".into(),
        issuer: "https://login.test".into(),
    }
}

pub(crate) fn now() -> Timestamp {
    Timestamp::from_second(1_800_000_000).expect("in range")
}

pub(crate) fn rng() -> StdRng {
    StdRng::seed_from_u64(7)
}

pub(crate) fn sealer() -> Sealer {
    Sealer::new(MasterKey::generate(&mut rng()))
}

pub(crate) fn key(algorithm: SigningAlgorithm) -> &'static SigningKey {
    KEYS.iter()
        .find(|key| key.algorithm() == algorithm)
        .expect("one of each")
}

pub(crate) fn keyring() -> Keyring {
    Keyring::new(
        KEYS.iter()
            .map(|key| (key.clone(), Stage::Active))
            .collect(),
    )
    .expect("two keys")
}

/// A confidential web application.
pub(crate) fn application() -> Application {
    Application {
        client_id: "web".into(),
        name: "Web".into(),
        secret_hash: Some(secret_hash(&sealer(), "web", SECRET).expect("a hash")),
        redirect_uris: vec![
            "https://app.test/cb".into(),
            "https://app.test/cb?tenant=1".into(),
        ],
        post_logout_redirect_uris: vec!["https://app.test/bye".into()],
        backchannel_logout_uri: None,
        initiate_login_uri: None,
        fallback_connection: None,
        id_token_signed_response_alg: SigningAlgorithm::Rs256,
        grant_types: vec!["authorization_code".into(), "client_credentials".into()],
        scopes: vec!["read:connections".into(), "create:connections".into()],
        jwks: None,
        jwks_uri: None,
    }
}

/// A public application.
pub(crate) fn public_application() -> Application {
    Application {
        client_id: "spa".into(),
        secret_hash: None,
        ..application()
    }
}

pub(crate) fn parameters(raw: &str) -> Parameters {
    Parameters::parse(raw).expect("well formed")
}

pub(crate) fn grant() -> Grant {
    Grant {
        request: AuthorizeRequest {
            client_id: "web".into(),
            redirect_uri: "https://app.test/cb".into(),
            state: Some("the state".into()),
            nonce: Some("n-1".into()),
            scope: vec!["openid".into(), "profile".into(), "email".into()],
            code_challenge: Some(CHALLENGE.into()),
            prompt: None,
            max_age: None,
            acr_values: vec![],
            ui_locales: None,
            login_hint: None,
            connection_id: None,
            org_code: None,
        },
        claims: Claims {
            sub: "kp_1".into(),
            sid: "sid_1".into(),
            email: Some("ada@acme.test".into()),
            email_verified: Some(true),
            given_name: Some("Ada".into()),
            family_name: None,
            name: Some("Ada L".into()),
            picture: None,
            org_code: Some("org_1".into()),
            amr: vec![],
            acr: None,
            auth_time: None,
            ext_provider: ExtProvider {
                name: "Acme".into(),
                connection_id: "conn_1".into(),
                strategy: "saml:okta".into(),
                subject: "ada".into(),
                claims: serde_json::Map::new(),
            },
        },
        issuer: site().issuer,
    }
}
