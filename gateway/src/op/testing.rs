//! What the tests of this area share.

use std::sync::{Arc, LazyLock};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use fedgate_certs::Timestamp;
use fedgate_certs::key::{SigningAlgorithm, SigningKey};
use fedgate_certs::keyring::{Keyring, Stage};
use fedgate_certs::seal::{MasterKey, Sealer};
use fedgate_providers::egress::{Egress, EgressPolicy};
use fedgate_providers::login::Site;
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue};
use rand::SeedableRng as _;
use rand::rngs::StdRng;

use super::application::secret_hash;
use super::client_keys::ClientKeys;
use super::context::Context;
use super::issue::{UserTokens, user_tokens};
use super::parameters::Parameters;
use super::{AuthorizeRequest, Claims, ExtProvider, Grant};
use crate::ephemeral::{Code, Ephemeral};
use crate::limits::Limits;
use crate::store::Store;
use crate::store::application::Application;
use crate::store::person::User;
use crate::store::query::execute;

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
    // Always the same: the generator is seeded.
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
        previous_secret: None,
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

/// The parts of a gateway, in memory.
pub(crate) struct Parts {
    pub(crate) site: Site,
    pub(crate) limits: Limits,
    pub(crate) store: Store,
    pub(crate) ephemeral: Ephemeral,
    pub(crate) keyring: Arc<Keyring>,
    pub(crate) sealer: Sealer,
    pub(crate) client_keys: ClientKeys,
}

impl Parts {
    /// A gateway with the applications `web`, `spa` (public) and `ops` (`private_key_jwt`).
    pub(crate) async fn new() -> Self {
        Self::with(Limits::default()).await
    }

    /// For futures that hold it: it is large.
    pub(crate) async fn boxed() -> Box<Self> {
        Box::new(Box::pin(Self::new()).await)
    }

    pub(crate) async fn with(limits: Limits) -> Self {
        let egress = Egress::new(EgressPolicy::default());
        let store = Store::open("sqlite::memory:").await.expect("a store");
        let jwks = serde_json::from_str(keyring().jwks()).expect("JSON");
        let ops = Application {
            client_id: "ops".into(),
            secret_hash: None,
            jwks: Some(jwks),
            ..application()
        };
        store
            .put_configured_applications(&[application(), public_application(), ops], now())
            .await
            .expect("applications");
        Self {
            site: site(),
            ephemeral: Ephemeral::embedded(&limits),
            limits,
            store,
            keyring: Arc::new(keyring()),
            sealer: sealer(),
            client_keys: ClientKeys::new(Arc::new(egress)),
        }
    }

    pub(crate) fn context(&self) -> Context<'_> {
        Context {
            site: &self.site,
            limits: &self.limits,
            store: &self.store,
            ephemeral: &self.ephemeral,
            keyring: Arc::clone(&self.keyring),
            sealer: &self.sealer,
            client_keys: &self.client_keys,
            now: now(),
        }
    }

    /// Keeps what a code stands for.
    pub(crate) async fn keep(&self, code: &str, grant: &Grant) {
        let code = Code::presented(code);
        super::authorize::answer(&self.context(), grant, &code, &mut rng())
            .await
            .expect("kept");
    }

    /// The tokens of [`grant`].
    pub(crate) fn tokens(&self) -> UserTokens {
        let context = self.context();
        let issuer = context.issuer(3600);
        user_tokens(&issuer, &grant(), SigningAlgorithm::Rs256, &mut rng()).expect("signed")
    }

    /// The rows that a login leaves behind: the user and the session of [`grant`].
    pub(crate) async fn signed_in(&self) {
        let user = User {
            id: "kp_1".into(),
            provided_id: None,
            email: Some("new@acme.test".into()),
            email_verified: false,
            given_name: Some("Ada".into()),
            family_name: None,
            name: Some("Ada King".into()),
            picture: None,
            is_suspended: false,
            version: 1,
            created_at: now(),
        };
        self.store.create_user(&user, None).await.expect("a user");
        let mut transaction = self.store.begin().await.expect("a transaction");
        for statement in [
            "INSERT INTO connections (id, version, name, display_name, strategy, status, options, created_at, updated_at)
             VALUES ('conn_1', 1, 'acme', 'Acme', 'saml:okta', 'active', '{}', 0, 0)",
            "INSERT INTO identities (id, user_id, connection_id, issuer, subject, type, created_at) VALUES ('identity_1', 'kp_1', 'conn_1', 'i', 's', 'enterprise', 0)",
            "INSERT INTO login_sessions VALUES ('sid_1', 'kp_1', 'identity_1', 'web', 'conn_1', 'org_1', NULL, 0, NULL)",
        ] {
            execute!(transaction, statement).expect("inserted");
        }
        transaction.commit().await.expect("committed");
    }
}

/// Headers with a content type of a form, and with credentials if there are some.
pub(crate) fn form_headers(basic: Option<(&str, &str)>) -> HeaderMap {
    let form = HeaderValue::from_static("application/x-www-form-urlencoded");
    let mut headers = HeaderMap::from_iter([(CONTENT_TYPE, form)]);
    if let Some((client_id, secret)) = basic {
        let encode =
            |text: &str| url::form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
        let pair = STANDARD.encode(format!("{}:{}", encode(client_id), encode(secret)));
        headers.insert(
            AUTHORIZATION,
            HeaderValue::try_from(format!("Basic {pair}")).expect("a header"),
        );
    }
    headers
}

/// Headers with a bearer token.
pub(crate) fn bearer_headers(token: &str) -> HeaderMap {
    let value = HeaderValue::try_from(format!("Bearer {token}")).expect("a header");
    HeaderMap::from_iter([(AUTHORIZATION, value)])
}
