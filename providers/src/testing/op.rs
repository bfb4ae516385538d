//! An OpenID Provider for tests. It signs by construction, with OpenSSL alone, and says whatever a test tells it to.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use fedgate_certs::Timestamp;
use openssl::ec::{EcGroup, EcKey};
use openssl::ecdsa::EcdsaSig;
use openssl::hash::MessageDigest;
use openssl::nid::Nid;
use openssl::pkey::{PKey, Private};
use openssl::rsa::Rsa;
use openssl::sign::Signer;
use rand::SeedableRng as _;
use rand::rngs::StdRng;
use serde_json::{Value, json};

use super::{Reply, Server};
use crate::connection::{
    CommonOptions, Connection, ConnectionId, OauthOptions, Options, ProtocolOptions, Secret, Status,
};
use crate::egress::{Egress, EgressPolicy};
use crate::error::Refusal;
use crate::identity::VerifiedIdentity;
use crate::login::{Callback, Handle, Login, Pending, Redirect, Site, Steps};
use crate::provider::{Opening, Provider, Trusting};
use crate::spec::Spec;
use fedgate_certs::sp_keys::SpKeys;

pub(crate) const NOW: i64 = 1_800_000_000;
pub(crate) const CLIENT: &str = "client-1";
pub(crate) const ACCESS_TOKEN: &str = "an-access-token";

pub(crate) fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(seconds).unwrap()
}

/// What the provider answers.
pub(crate) struct World {
    pub(crate) metadata: Value,
    pub(crate) jwks: Reply,
    pub(crate) token: Reply,
    pub(crate) userinfo: Reply,
}

/// A provider, a connection to it, and its signing key.
pub(crate) struct Op {
    pub(crate) server: Server,
    pub(crate) world: Arc<Mutex<World>>,
    pub(crate) key: Key,
    pub(crate) connection: Connection,
    pub(crate) egress: Arc<Egress>,
}

/// One attempt to sign in, as the browser has it.
pub(crate) struct Attempt {
    pub(crate) handle: Handle,
    pub(crate) pending: Pending,
    pub(crate) sent: BTreeMap<String, String>,
}

impl Op {
    pub(crate) async fn start() -> Self {
        let world = Arc::new(Mutex::new(World {
            metadata: Value::Null,
            jwks: Reply::Hangup,
            token: Reply::Hangup,
            userinfo: Reply::status(404, "{}"),
        }));
        let told = Arc::clone(&world);
        let server = Server::start(move |asked| {
            let world = told.lock().unwrap();
            match asked.path.as_str() {
                "/.well-known/openid-configuration" => Reply::json(&world.metadata),
                "/keys" => world.jwks.clone(),
                "/token" => world.token.clone(),
                "/userinfo" => world.userinfo.clone(),
                _ => Reply::status(404, "{}"),
            }
        })
        .await;
        let key = Key::rsa("k1");
        let issuer = server.issuer();
        {
            let mut world = world.lock().unwrap();
            world.metadata = json!({
                "issuer": issuer, "authorization_endpoint": format!("{issuer}/authorize"),
                "token_endpoint": format!("{issuer}/token"), "jwks_uri": format!("{issuer}/keys"),
                "userinfo_endpoint": format!("{issuer}/userinfo"),
                "id_token_signing_alg_values_supported": ["RS256", "ES256", "PS256"],
            });
            world.jwks = jwks(&[&key]);
        }
        let policy = EgressPolicy {
            allow_private: true,
            total_timeout: std::time::Duration::from_millis(500),
            ..EgressPolicy::default()
        };
        Self {
            connection: connection(&issuer),
            server,
            world,
            key,
            egress: Arc::new(Egress::new(policy)),
        }
    }

    pub(crate) async fn open(&self) -> Result<Provider, Refusal> {
        let opening = Opening {
            connection: &self.connection,
            metadata: None,
            keys: &SpKeys::default(),
            trusting: &Trusting::default(),
            egress: &self.egress,
            now: at(NOW),
        };
        Provider::open(opening).await
    }

    /// The claims of an honest token.
    pub(crate) fn claims(&self, attempt: &Attempt) -> Value {
        json!({
            "iss": self.server.issuer(), "sub": "user-1", "aud": CLIENT, "exp": NOW + 300, "iat": NOW,
            "nonce": attempt.sent["nonce"], "email": "ada@example.com", "email_verified": true,
            "name": "Ada Lovelace", "given_name": "Ada", "family_name": "Lovelace",
        })
    }

    /// Lets the token endpoint hand out this token.
    pub(crate) fn hand_out(&self, id_token: impl Into<Value>) {
        let tokens = json!({ "access_token": ACCESS_TOKEN, "token_type": "Bearer", "id_token": id_token.into() });
        self.world.lock().unwrap().token = Reply::json(tokens);
    }

    /// A whole login whose token has these claims after `change`.
    pub(crate) async fn sign_in(
        &self,
        change: impl FnOnce(&mut Value),
    ) -> Result<VerifiedIdentity, Refusal> {
        self.sign_in_asking(&login(), change).await
    }

    pub(crate) async fn sign_in_asking(
        &self,
        login: &Login,
        change: impl FnOnce(&mut Value),
    ) -> Result<VerifiedIdentity, Refusal> {
        let provider = self.open().await?;
        let attempt = begin(&provider, login);
        let mut claims = self.claims(&attempt);
        change(&mut claims);
        self.hand_out(self.key.sign("RS256", &claims));
        complete(&provider, &attempt).await
    }
}

/// What an application asks when it asks nothing in particular.
pub(crate) fn login() -> Login {
    Login {
        site: Site {
            base_url: "https://login.example".into(),
            issuer: "https://login.example".into(),
        },
        handle: Handle::random(&mut StdRng::seed_from_u64(7)),
        hint: None,
        prompt: None,
        max_age: None,
        acr_values: Vec::new(),
        ui_locales: None,
    }
}

pub(crate) fn begin(provider: &Provider, login: &Login) -> Attempt {
    let begun = provider
        .begin(login, at(NOW), &mut StdRng::seed_from_u64(1))
        .unwrap();
    let Redirect::Get(url) = begun.redirect else {
        panic!("not a redirect")
    };
    let sent = url.query_pairs().into_owned().collect();
    Attempt {
        handle: login.handle,
        pending: begun.pending,
        sent,
    }
}

pub(crate) async fn complete(
    provider: &Provider,
    attempt: &Attempt,
) -> Result<VerifiedIdentity, Refusal> {
    complete_at(provider, attempt, NOW).await
}

pub(crate) async fn complete_at(
    provider: &Provider,
    attempt: &Attempt,
    now: i64,
) -> Result<VerifiedIdentity, Refusal> {
    let query = format!("code=a-code&state={}", attempt.sent["state"]);
    let mut steps = Steps::default();
    let callback = Callback::Query(query);
    let result = provider
        .complete(
            attempt.handle,
            &attempt.pending,
            &callback,
            at(now),
            &mut steps,
        )
        .await;
    assert_eq!(steps.has_failed(), result.is_err());
    result
}

fn connection(issuer: &str) -> Connection {
    let oauth = OauthOptions {
        issuer: Some(issuer.to_owned()),
        client_id: Some(CLIENT.to_owned()),
        client_secret: Some(Secret::new("s3cr&t".to_owned())),
        ..OauthOptions::default()
    };
    Connection {
        id: ConnectionId::parse("conn_0123456789abcdef0123456789abcdef").unwrap(),
        version: 1,
        name: "op".into(),
        display_name: "OP".into(),
        spec: Spec::of("oidc:custom").unwrap(),
        status: Status::Active,
        organization_code: None,
        options: Options {
            common: CommonOptions::default(),
            protocol: ProtocolOptions::Oauth(oauth),
        },
    }
}

/// A key pair with its kid.
pub(crate) struct Key {
    pub(crate) kid: &'static str,
    pub(crate) pair: PKey<Private>,
}

impl Key {
    pub(crate) fn rsa(kid: &'static str) -> Self {
        Self {
            kid,
            pair: PKey::from_rsa(Rsa::generate(2048).unwrap()).unwrap(),
        }
    }

    pub(crate) fn ec(kid: &'static str) -> Self {
        let group = EcGroup::from_curve_name(Nid::X9_62_PRIME256V1).unwrap();
        Self {
            kid,
            pair: PKey::from_ec_key(EcKey::generate(&group).unwrap()).unwrap(),
        }
    }

    /// A token with the usual header.
    pub(crate) fn sign(&self, alg: &str, claims: &Value) -> String {
        self.sign_text(
            &json!({ "alg": alg, "kid": self.kid, "typ": "JWT" }).to_string(),
            &claims.to_string(),
        )
    }

    /// A token with this very header and these very claims; the header's `alg` decides how it is signed.
    pub(crate) fn sign_text(&self, header: &str, claims: &str) -> String {
        let input = format!(
            "{}.{}",
            URL_SAFE_NO_PAD.encode(header),
            URL_SAFE_NO_PAD.encode(claims)
        );
        let signature = self.signature(header, input.as_bytes());
        format!("{input}.{}", URL_SAFE_NO_PAD.encode(signature))
    }

    fn signature(&self, header: &str, input: &[u8]) -> Vec<u8> {
        let mut signer = Signer::new(MessageDigest::sha256(), &self.pair).unwrap();
        if header.contains("PS256") {
            signer
                .set_rsa_padding(openssl::rsa::Padding::PKCS1_PSS)
                .unwrap();
            signer
                .set_rsa_pss_saltlen(openssl::sign::RsaPssSaltlen::DIGEST_LENGTH)
                .unwrap();
        }
        let signature = signer.sign_oneshot_to_vec(input).unwrap();
        let Ok(pair) = EcdsaSig::from_der(&signature) else {
            return signature;
        };
        [
            pair.r().to_vec_padded(32).unwrap(),
            pair.s().to_vec_padded(32).unwrap(),
        ]
        .concat()
    }

    /// The public key as a JWK.
    pub(crate) fn jwk(&self) -> Value {
        let text = |octets: Vec<u8>| URL_SAFE_NO_PAD.encode(octets);
        if let Ok(rsa) = self.pair.rsa() {
            return json!({ "kty": "RSA", "use": "sig", "kid": self.kid,
                "n": text(rsa.n().to_vec()), "e": text(rsa.e().to_vec()) });
        }
        let ec = self.pair.ec_key().unwrap();
        let (mut x, mut y) = (
            openssl::bn::BigNum::new().unwrap(),
            openssl::bn::BigNum::new().unwrap(),
        );
        let mut context = openssl::bn::BigNumContext::new().unwrap();
        ec.public_key()
            .affine_coordinates(ec.group(), &mut x, &mut y, &mut context)
            .unwrap();
        json!({ "kty": "EC", "crv": "P-256", "use": "sig", "kid": self.kid,
            "x": text(x.to_vec_padded(32).unwrap()), "y": text(y.to_vec_padded(32).unwrap()) })
    }
}

/// A key set reply.
pub(crate) fn jwks(keys: &[&Key]) -> Reply {
    let keys: Vec<Value> = keys.iter().map(|key| key.jwk()).collect();
    Reply::json(json!({ "keys": keys }))
}
