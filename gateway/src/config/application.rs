//! `[[applications]]`

use std::collections::{BTreeMap, HashSet};
use std::path::Path;

use fedgate_certs::CertError;
use fedgate_certs::jwks::Jwks;
use fedgate_certs::key::SigningAlgorithm;
use fedgate_certs::seal::Sealer;
use fedgate_providers::connection::{ConnectionId, Secret};
use fedgate_providers::error::Refusal;
use serde_json::Value as Json;

use super::section::{Problems, Section, read_text};
use super::tree::{Node, Value};
use super::{ConfigRefusal, uri};
use crate::management::scope;
use crate::op::application::secret_hash;
use crate::store::application::Application;

/// The most applications of one file.
const APPLICATIONS_MOST: usize = 1000;
/// The longest client secret, in bytes.
const SECRET_BYTES: usize = 1024;
/// The grant types that an application can have.
const GRANT_TYPES: [&str; 2] = ["authorization_code", "client_credentials"];

/// A downstream client, as the file describes it.
#[derive(Clone, Debug, PartialEq)]
pub struct ApplicationConfig {
    /// `client_id`
    pub client_id: String,
    /// What people read; the client id where the file names nothing else.
    pub name: String,
    /// From `client_secret` or `client_secret_file`; none for a public client.
    pub client_secret: Option<Secret>,
    /// Compared exactly.
    pub redirect_uris: Vec<String>,
    /// Compared exactly.
    pub post_logout_redirect_uris: Vec<String>,
    /// Where logout tokens go.
    pub backchannel_logout_uri: Option<String>,
    /// Where a login that began at the identity provider is sent.
    pub initiate_login_uri: Option<String>,
    /// Where an unknown e-mail domain goes.
    pub fallback_connection: Option<ConnectionId>,
    /// Signature of its ID tokens.
    pub id_token_signed_response_alg: SigningAlgorithm,
    /// `authorization_code` and `client_credentials`; the former where the file names none.
    pub grant_types: Vec<String>,
    /// Scopes of the Management API.
    pub scopes: Vec<String>,
    /// Its keys for `private_key_jwt`: a JSON Web Key Set.
    pub jwks: Option<Json>,
    /// Where those keys are.
    pub jwks_uri: Option<String>,
}

/// The applications as the store keeps them: with a keyed hash in place of each secret.
///
/// # Errors
/// Those of OpenSSL.
pub fn applications(
    config: &super::Config,
    sealer: &Sealer,
) -> Result<Vec<Application>, CertError> {
    config
        .applications
        .iter()
        .map(|application| stored(application, sealer))
        .collect()
}

pub(super) fn read_all(
    root: &BTreeMap<String, Node>,
    base: &Path,
    problems: &mut Problems,
) -> Vec<ApplicationConfig> {
    let Some(node) = root.get("applications") else {
        return Vec::new();
    };
    let items = match &node.value {
        Value::List(items) if items.len() <= APPLICATIONS_MOST => items,
        Value::List(items) => {
            let expected = format!("at most {APPLICATIONS_MOST} entries");
            let refusal = ConfigRefusal::Value
                .refuse()
                .expected(expected)
                .found(items.len());
            problems.add(refusal, "applications", &node.origin);
            return Vec::new();
        }
        other => {
            let refusal = ConfigRefusal::WrongType
                .refuse()
                .expected("[[applications]]")
                .found(other.type_name());
            problems.add(refusal, "applications", &node.origin);
            return Vec::new();
        }
    };
    let mut seen = HashSet::new();
    items
        .iter()
        .enumerate()
        .map(|(index, item)| {
            let section = Section::of(item, format!("applications[{index}]"), problems);
            read(section, base, &mut seen)
        })
        .collect()
}

fn read(mut section: Section<'_>, base: &Path, seen: &mut HashSet<String>) -> ApplicationConfig {
    let client_id = client_id(&mut section, seen);
    let name = section.text("name");
    let client_secret = client_secret(&mut section, base);
    let grant_types = grant_types(&mut section);
    let redirect_uris = uris(&mut section, "redirect_uris");
    let application = ApplicationConfig {
        name: name.or_else(|| client_id.clone()).unwrap_or_default(),
        client_id: client_id.unwrap_or_default(),
        client_secret,
        redirect_uris,
        post_logout_redirect_uris: uris(&mut section, "post_logout_redirect_uris"),
        backchannel_logout_uri: web_uri(&mut section, "backchannel_logout_uri"),
        initiate_login_uri: web_uri(&mut section, "initiate_login_uri"),
        fallback_connection: fallback_connection(&mut section),
        id_token_signed_response_alg: algorithm(&mut section),
        grant_types,
        scopes: scopes(&mut section),
        jwks: jwks(&mut section),
        jwks_uri: web_uri(&mut section, "jwks_uri"),
    };
    check_whole(&mut section, &application);
    section.close();
    application
}

/// What no key shows alone.
fn check_whole(section: &mut Section<'_>, application: &ApplicationConfig) {
    let has = |grant: &str| application.grant_types.iter().any(|known| known == grant);
    let keys = section.node("jwks").is_some() || section.node("jwks_uri").is_some();
    let secret =
        section.node("client_secret").is_some() || section.node("client_secret_file").is_some();
    if has("client_credentials") && !keys && !secret {
        section.refuse("grant_types", ConfigRefusal::ClientCredentials.into());
    }
    if has("authorization_code") && section.texts_absent("redirect_uris") {
        section.refuse("redirect_uris", ConfigRefusal::RedirectUriMissing.into());
    }
    if application.jwks.is_some() && application.jwks_uri.is_some() {
        section.refuse(
            "jwks_uri",
            ConfigRefusal::Jwks.refuse().found("jwks beside jwks_uri"),
        );
    }
}

fn client_id(section: &mut Section<'_>, seen: &mut HashSet<String>) -> Option<String> {
    let Some(id) = section.text("client_id") else {
        section.missing("client_id");
        return None;
    };
    let sound = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-' | b':' | b'@');
    if id.len() > 128 || !id.bytes().all(sound) {
        section.refuse("client_id", ConfigRefusal::ClientId.refuse().found(&id));
    } else if !seen.insert(id.clone()) {
        section.refuse(
            "client_id",
            ConfigRefusal::ClientIdRepeated.refuse().found(&id),
        );
    }
    Some(id)
}

/// A blank secret is a slip and not a public client: a variable that was not filled in, for one.
fn client_secret(section: &mut Section<'_>, base: &Path) -> Option<Secret> {
    for name in ["client_secret", "client_secret_file"] {
        if section.is_blank(name) {
            section.refuse(name, ConfigRefusal::ClientSecret.refuse().found("nothing"));
        }
    }
    let text = section.text("client_secret");
    let file = section.text("client_secret_file");
    let secret = match (text, file) {
        (None, None) => return None,
        (Some(_), Some(_)) => {
            let refusal = ConfigRefusal::ClientSecret
                .refuse()
                .found("client_secret beside client_secret_file");
            section.refuse("client_secret_file", refusal);
            return None;
        }
        (Some(text), None) => text,
        (None, Some(file)) => {
            section.keep("client_secret_file", secret_of_file(&base.join(file)))?
        }
    };
    if secret.len() > SECRET_BYTES {
        let refusal = ConfigRefusal::ClientSecret
            .refuse()
            .expected(format_args!("at most {SECRET_BYTES} bytes"));
        section.refuse("client_secret", refusal);
    }
    Some(Secret::new(secret))
}

fn secret_of_file(path: &Path) -> Result<String, Refusal> {
    let text = read_text(path, SECRET_BYTES as u64 + 2);
    let text = text.map_err(|refusal| {
        let reason = refusal
            .evidence()
            .detail
            .unwrap_or_else(|| format!("more than {SECRET_BYTES} bytes"));
        ConfigRefusal::ClientSecret
            .refuse()
            .found(path.display())
            .detail(reason)
    })?;
    let secret = text.trim();
    if secret.is_empty() {
        return Err(ConfigRefusal::ClientSecret
            .refuse()
            .found(path.display())
            .detail("the file is empty"));
    }
    Ok(secret.to_owned())
}

fn grant_types(section: &mut Section<'_>) -> Vec<String> {
    let mut grants = Vec::new();
    for (index, grant) in section.texts("grant_types") {
        if GRANT_TYPES.contains(&grant.as_str()) {
            grants.push(grant);
        } else {
            let refusal = ConfigRefusal::Value
                .refuse()
                .expected(GRANT_TYPES.join(" | "))
                .found(grant);
            section.refuse_at("grant_types", index, refusal);
        }
    }
    if section.texts_absent("grant_types") {
        grants.push("authorization_code".to_owned());
    }
    grants
}

fn scopes(section: &mut Section<'_>) -> Vec<String> {
    let mut scopes = Vec::new();
    for (index, text) in section.texts("scopes") {
        if scope::is_known(&text) {
            scopes.push(text);
        } else {
            let refusal = ConfigRefusal::Scope.refuse().found(&text);
            let refusal = match scope::nearest(&text) {
                Some(meant) => refusal.expected(meant),
                None => refusal,
            };
            section.refuse_at("scopes", index, refusal);
        }
    }
    scopes
}

fn uris(section: &mut Section<'_>, name: &str) -> Vec<String> {
    let mut uris = Vec::new();
    for (index, text) in section.texts(name) {
        match uri::redirect_uri(&text) {
            Ok(()) => uris.push(text),
            Err(refusal) => section.refuse_at(name, index, refusal),
        }
    }
    uris
}

fn web_uri(section: &mut Section<'_>, name: &str) -> Option<String> {
    let text = section.text(name)?;
    section.keep(name, uri::web_uri(&text)).map(|()| text)
}

fn fallback_connection(section: &mut Section<'_>) -> Option<ConnectionId> {
    let text = section.text("fallback_connection")?;
    let refused = || {
        ConfigRefusal::FallbackConnection
            .refuse()
            .expected("conn_ and 32 hex digits")
            .found(&text)
    };
    section.keep(
        "fallback_connection",
        ConnectionId::parse(&text).ok_or_else(refused),
    )
}

fn algorithm(section: &mut Section<'_>) -> SigningAlgorithm {
    let name = "id_token_signed_response_alg";
    let Some(text) = section.text(name) else {
        return SigningAlgorithm::Rs256;
    };
    let refused = || {
        ConfigRefusal::Value
            .refuse()
            .expected("RS256 | ES256")
            .found(&text)
    };
    section
        .keep(name, SigningAlgorithm::from_name(&text).ok_or_else(refused))
        .unwrap_or(SigningAlgorithm::Rs256)
}

/// A table, or a text that holds the JSON.
fn jwks(section: &mut Section<'_>) -> Option<Json> {
    let node = section.node("jwks")?;
    let text = match &node.value {
        Value::Text(text) | Value::Variable(text) => text.clone(),
        other => other.to_json().to_string(),
    };
    let keys = match Jwks::parse(text.as_bytes()) {
        Ok(jwks) if jwks.keys().is_empty() => {
            Err(ConfigRefusal::Jwks.refuse().found("no key for signatures"))
        }
        Ok(_) => {
            serde_json::from_str(&text).map_err(|error| ConfigRefusal::Jwks.refuse().detail(error))
        }
        Err(error) => Err(ConfigRefusal::Jwks.refuse().detail(error)),
    };
    section.keep("jwks", keys)
}

fn stored(application: &ApplicationConfig, sealer: &Sealer) -> Result<Application, CertError> {
    let ApplicationConfig {
        client_id,
        client_secret,
        ..
    } = application.clone();
    let secret_hash = client_secret
        .map(|secret| secret_hash(sealer, &client_id, secret.reveal()))
        .transpose()?;
    Ok(Application {
        client_id,
        name: application.name.clone(),
        secret_hash,
        redirect_uris: application.redirect_uris.clone(),
        post_logout_redirect_uris: application.post_logout_redirect_uris.clone(),
        previous_secret: None,
        backchannel_logout_uri: application.backchannel_logout_uri.clone(),
        initiate_login_uri: application.initiate_login_uri.clone(),
        fallback_connection: application.fallback_connection.clone(),
        id_token_signed_response_alg: application.id_token_signed_response_alg,
        grant_types: application.grant_types.clone(),
        scopes: application.scopes.clone(),
        jwks: application.jwks.clone(),
        jwks_uri: application.jwks_uri.clone(),
    })
}
