//! What a caller says about an application, read whole.

use fedgate_certs::jwks::Jwks;
use fedgate_certs::key::SigningAlgorithm;
use fedgate_providers::connection::{ConnectionId, Problem};
use fedgate_providers::error::Refusal;
use serde_json::{Map, Value, json};

use super::ApiRefusal;
use super::answer::ApiError;
use super::body::Members;
use super::scope;
use crate::config::uri;
use crate::op::application::is_public;
use crate::store::application::Application;

/// Kinde's types: `reg` signs people in and keeps a secret, `spa` signs people in and has none, `m2m` calls the API.
pub(super) const TYPES: [&str; 3] = ["reg", "spa", "m2m"];
/// What an application can do.
pub(super) const GRANT_TYPES: [&str; 2] = ["authorization_code", "client_credentials"];
/// How its ID tokens can be signed.
pub(super) const ALGORITHMS: [&str; 2] = ["RS256", "ES256"];
/// The longest name, in bytes.
const NAME_BYTES: usize = 256;
/// The longest address, in bytes.
const URI_BYTES: usize = 2048;
/// The most addresses of one kind.
const URIS_MOST: usize = 100;
/// The most scopes in one list.
const SCOPES_MOST: usize = 100;

/// Reads a new application, which has no secret yet; whether it needs one comes beside it.
///
/// # Errors
/// Every problem at once.
pub(super) fn created(
    body: &Map<String, Value>,
    client_id: String,
) -> Result<(Application, bool), ApiError> {
    let mut members = Members::new(body);
    let kind = read_type(&mut members);
    let mut application = empty(client_id, kind);
    read(&mut members, &mut application);
    members.require("name");
    let keys = application.jwks.is_some() || application.jwks_uri.is_some();
    let secret = kind != "spa" && !keys;
    check(&mut members, &application, secret);
    members.finish()?;
    Ok((application, secret))
}

/// Reads a change: what is absent stays, `null` empties.
///
/// # Errors
/// Every problem at once.
pub(super) fn changed(
    body: &Map<String, Value>,
    before: &Application,
) -> Result<Application, ApiError> {
    let mut members = Members::new(body);
    let mut after = before.clone();
    read(&mut members, &mut after);
    check(&mut members, &after, false);
    // It would become a public one, whose codes need no proof.
    if is_public(&after) && !is_public(before) {
        members.refuse(ApiRefusal::ApplicationProofless, "jwks");
    }
    members.finish()?;
    Ok(after)
}

/// The schema of the body.
pub(super) fn schema(creating: bool) -> Value {
    Members::schema(|members| {
        let mut application = empty(String::new(), TYPES[0]);
        if creating {
            read_type(members);
        }
        read(members, &mut application);
        if creating {
            members.require("name");
        }
    })
}

fn read_type(members: &mut Members<'_>) -> &'static str {
    let kind = members.choice("type", &TYPES);
    members.require("type");
    members.note("type", || json!({ "enum": TYPES }));
    kind.unwrap_or(TYPES[0])
}

fn empty(client_id: String, kind: &str) -> Application {
    let [signs_in, calls] = GRANT_TYPES;
    let grant = if kind == "m2m" { calls } else { signs_in };
    Application {
        client_id,
        name: String::new(),
        secret_hash: None,
        previous_secret: None,
        redirect_uris: Vec::new(),
        post_logout_redirect_uris: Vec::new(),
        backchannel_logout_uri: None,
        initiate_login_uri: None,
        fallback_connection: None,
        id_token_signed_response_alg: SigningAlgorithm::Rs256,
        grant_types: vec![grant.to_owned()],
        scopes: Vec::new(),
        jwks: None,
        jwks_uri: None,
    }
}

fn read(members: &mut Members<'_>, application: &mut Application) {
    if let Some(name) = members.text("name", NAME_BYTES) {
        name.clone_into(&mut application.name);
    }
    let addresses = [
        (&["redirect_uris"][..], &mut application.redirect_uris),
        // The latter is Kinde's name.
        (
            &["post_logout_redirect_uris", "logout_uris"],
            &mut application.post_logout_redirect_uris,
        ),
    ];
    for (names, kept) in addresses {
        for name in once(members, names) {
            list(members, name, URIS_MOST, kept, redirect_uri);
        }
    }
    for name in once(members, &["initiate_login_uri", "login_uri"]) {
        web_uri(members, name, &mut application.initiate_login_uri);
    }
    web_uri(
        members,
        "backchannel_logout_uri",
        &mut application.backchannel_logout_uri,
    );
    web_uri(members, "jwks_uri", &mut application.jwks_uri);
    list(
        members,
        "grant_types",
        GRANT_TYPES.len(),
        &mut application.grant_types,
        grant_type,
    );
    list(
        members,
        "scopes",
        SCOPES_MOST,
        &mut application.scopes,
        known_scope,
    );
    let algorithm = members.choice("id_token_signed_response_alg", &ALGORITHMS);
    if let Some(algorithm) = algorithm.and_then(SigningAlgorithm::from_name) {
        application.id_token_signed_response_alg = algorithm;
    }
    fallback_connection(members, application);
    jwks(members, application);
}

/// Two names of one thing: not both in one request.
fn once<'n>(members: &mut Members<'_>, names: &'n [&'static str]) -> &'n [&'static str] {
    if let [_, alias] = names
        && names.iter().all(|name| members.names(name))
    {
        let refusal = ApiRefusal::MemberValue.refuse();
        members.refuse(refusal.expected(names.join(" or ")), alias);
    }
    names
}

fn list(
    members: &mut Members<'_>,
    name: &'static str,
    most: usize,
    kept: &mut Vec<String>,
    check: fn(&str) -> Result<(), Refusal>,
) {
    let given = members.texts(name, most);
    if given.is_none() && !members.is_null(name) {
        return;
    }
    kept.clear();
    for (index, text) in given.unwrap_or_default().into_iter().enumerate() {
        match check(text) {
            Ok(()) if kept.iter().all(|known| known != text) => kept.push(text.to_owned()),
            Ok(()) => {}
            Err(refusal) => members.refuse(refusal, &format!("{name}.{index}")),
        }
    }
}

fn redirect_uri(text: &str) -> Result<(), Refusal> {
    uri::redirect_uri(text).map_err(|_| address(text))
}

fn address(text: &str) -> Refusal {
    let refusal = ApiRefusal::MemberValue.refuse();
    refusal
        .expected("https://app.example.com/callback")
        .found(text)
}

fn grant_type(text: &str) -> Result<(), Refusal> {
    if GRANT_TYPES.contains(&text) {
        return Ok(());
    }
    let refusal = ApiRefusal::MemberValue.refuse();
    Err(refusal.expected(GRANT_TYPES.join(" | ")).found(text))
}

fn known_scope(text: &str) -> Result<(), Refusal> {
    if scope::is_known(text) {
        return Ok(());
    }
    let refusal = ApiRefusal::MemberValue.refuse().found(text);
    Err(match scope::nearest(text) {
        Some(meant) => refusal.expected(meant),
        None => refusal.expected("a scope of the Management API"),
    })
}

fn web_uri(members: &mut Members<'_>, name: &'static str, kept: &mut Option<String>) {
    match members.text(name, URI_BYTES) {
        Some(text) if uri::web_uri(text).is_ok() => *kept = Some(text.to_owned()),
        Some(text) => members.refuse(address(text), name),
        None if members.names(name) => *kept = None,
        None => {}
    }
}

fn fallback_connection(members: &mut Members<'_>, application: &mut Application) {
    let name = "fallback_connection";
    match members.text(name, NAME_BYTES) {
        Some(text) => match ConnectionId::parse(text) {
            Some(id) => application.fallback_connection = Some(id),
            None => members.refuse(unknown_connection(text), name),
        },
        None if members.names(name) => application.fallback_connection = None,
        None => {}
    }
}

/// What is refused where a connection is named that there is not.
pub(super) fn unknown_connection(found: &str) -> Refusal {
    let refusal = ApiRefusal::MemberValue.refuse();
    refusal.expected("the id of a connection").found(found)
}

fn jwks(members: &mut Members<'_>, application: &mut Application) {
    let name = "jwks";
    let Some(set) = members.object(name) else {
        if members.is_null(name) {
            application.jwks = None;
        }
        return;
    };
    let text = json!(set).to_string();
    match Jwks::parse(text.as_bytes()) {
        Ok(keys) if !keys.keys().is_empty() => application.jwks = Some(json!(set)),
        Ok(_) => members.refuse(
            ApiRefusal::MemberValue
                .refuse()
                .expected("a JSON Web Key Set with a key for signatures"),
            name,
        ),
        Err(error) => members.add([Problem::new(
            ApiRefusal::MemberValue
                .refuse()
                .expected("a JSON Web Key Set of public keys")
                .detail(error),
            name,
        )]),
    }
}

/// What no member shows alone. `secret`: it is about to get one.
fn check(members: &mut Members<'_>, application: &Application, secret: bool) {
    let has = |grant: &str| application.grant_types.iter().any(|known| known == grant);
    if application.grant_types.is_empty() {
        let refusal = ApiRefusal::MemberValue.refuse();
        members.refuse(refusal.expected(GRANT_TYPES.join(" | ")), "grant_types");
    }
    if has("client_credentials") && is_public(application) && !secret {
        members.refuse(ApiRefusal::ApplicationProofless, "grant_types");
    }
    if application.jwks.is_some() && application.jwks_uri.is_some() {
        let refusal = ApiRefusal::MemberValue.refuse();
        members.refuse(refusal.expected("one of jwks and jwks_uri"), "jwks_uri");
    }
}
