//! Every answer of a real provider that was collected beside this repository, through its spec: a person or a refusal.
//!
//! The samples are not part of the repository. Where the folder is not there, there is nothing to prove.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use http::Response;
use oauth2::HttpResponse;
use serde_json::{Value, json};

use crate::connection::{
    CommonOptions, Connection, ConnectionId, Options, ProtocolOptions, Status,
};
use crate::error::Refusal;
use crate::http::normalized;
use crate::login::Callback;
use crate::oauth::callback::{self, Expected};
use crate::oauth::document::Documents;
use crate::oauth::habits::Habits;
use crate::oauth::{call, profile};
use crate::oidc::claims::Claims;
use crate::oidc::discovery::Metadata;
use crate::oidc::issuer;
use crate::oidc::mapping::{self, Profile};
use crate::spec::Spec;

/// What each file comes to.
const OUTCOMES: &str = include_str!("samples.txt");

fn folder() -> Option<PathBuf> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folders = here
        .ancestors()
        .map(|folder| folder.join("shared/provider-samples"));
    folders.into_iter().find(|folder| folder.is_dir())
}

/// The strategy of a folder, and the options of a connection that the samples could be of.
fn connection(folder: &str) -> Option<Connection> {
    let (strategy, options) = match folder {
        "entra_oidc" => (
            "oauth2:azure_ad".to_owned(),
            json!({"entra_id_domain": "contoso.example",
            "is_retrieve_provider_user_groups": true}),
        ),
        "generic_oauth2" => (
            "oauth2:custom".to_owned(),
            json!({"authorization_url": "https://idp.example/a",
            "token_url": "https://idp.example/t", "userinfo_url": "https://idp.example/api/me",
            "user_id_key_attr": "data/user/uid", "first_name_key_attr": "data/user/profile/first",
            "email_key_attr": "data/user/contacts/1/value", "email_verified_key_attr": "data/user/contacts/1/confirmed"}),
        ),
        "generic_oidc" => (
            "oidc:custom".to_owned(),
            json!({"issuer": "https://op.example"}),
        ),
        "google_workspace" => (
            "oidc:google_workspace".to_owned(),
            json!({"hosted_domains": ["school.example"]}),
        ),
        "okta" => (
            "oidc:okta".to_owned(),
            json!({"issuer": "https://acme.okta.example"}),
        ),
        "slack" => ("oauth2:slack".to_owned(), json!({"team_id": "T0R7GR"})),
        "x" => ("oauth2:twitter".to_owned(), json!({})),
        other => (format!("oauth2:{other}"), json!({})),
    };
    let spec = Spec::of(&strategy)?;
    let options = Options::from_json(spec, options.as_object().unwrap()).unwrap();
    Some(Connection {
        id: ConnectionId::parse("conn_0123456789abcdef0123456789abcdef").unwrap(),
        version: 1,
        name: strategy.clone(),
        display_name: strategy,
        spec,
        status: Status::Active,
        organization_code: None,
        options: Options {
            common: CommonOptions::default(),
            ..options
        },
    })
}

#[test]
fn every_sample_comes_to_its_person_or_its_code() {
    let Some(folder) = folder() else {
        return;
    };
    let mut told = String::new();
    for (name, sample) in samples(&folder) {
        let provider = name.split('/').next().unwrap();
        if let Some(connection) = connection(provider) {
            let _ = writeln!(
                told,
                "{name}: {}",
                outcome(&folder, &name, &connection, &sample)
            );
        }
    }
    let (told, expected): (Vec<_>, Vec<_>) = (told.lines().collect(), OUTCOMES.lines().collect());
    assert_eq!(told, expected);
}

/// No one mutation of a sample makes an unverified address a verified one, or another person of the same claims' subject.
#[test]
fn a_claim_beside_the_ones_that_decide_changes_nobody() {
    let Some(folder) = folder() else {
        return;
    };
    for (name, sample) in samples(&folder) {
        let connection = connection(name.split('/').next().unwrap());
        let (Some(connection), Some("id_token_claims")) = (connection, sample["kind"].as_str())
        else {
            continue;
        };
        let Ok(before) = person(&connection, &sample["body"]) else {
            continue;
        };
        for member in [
            "user",
            "id",
            "email_verified2",
            "Email",
            "verified",
            "primary_email",
            "upn",
            "mail",
        ] {
            let mut changed = sample["body"].clone();
            changed[member] = json!("victim@contoso.example");
            let after = person(&connection, &changed).unwrap();
            assert_eq!(before.subject, after.subject, "{name} {member}");
            assert_eq!(before.email, after.email, "{name} {member}");
        }
    }
}

fn samples(folder: &Path) -> BTreeMap<String, Value> {
    let mut samples = BTreeMap::new();
    for provider in std::fs::read_dir(folder).unwrap() {
        let provider = provider.unwrap().path();
        for file in std::fs::read_dir(&provider).into_iter().flatten() {
            let file = file.unwrap().path();
            let is_sample = file
                .extension()
                .is_some_and(|extension| extension == "json");
            let of_wsfed = provider.ends_with("entra_wsfed");
            if is_sample && !of_wsfed {
                let name = file
                    .strip_prefix(folder)
                    .unwrap()
                    .to_string_lossy()
                    .into_owned();
                let text = std::fs::read(&file).unwrap();
                samples.insert(name, serde_json::from_slice(&text).unwrap());
            }
        }
    }
    samples
}

fn outcome(folder: &Path, name: &str, connection: &Connection, sample: &Value) -> String {
    let status = u16::try_from(sample["http"]["status"].as_u64().unwrap_or(200)).unwrap();
    let body = sample.get("body").filter(|body| !body.is_null());
    let text = body.filter(|body| !body.is_string()).map_or_else(
        || {
            let text = sample.get("body_text").or(body);
            text.and_then(Value::as_str).unwrap_or_default().to_owned()
        },
        Value::to_string,
    );
    let response = Response::builder()
        .status(status)
        .body(text.into_bytes())
        .unwrap();
    let url = sample["http"]["url"].as_str().unwrap_or_default();
    let result = match sample["kind"].as_str().unwrap_or_default() {
        "id_token_claims" => person(connection, &sample["body"]).map(|person| described(&person)),
        "authorize_callback" => returned(connection, sample),
        "token_response" => redeemed(connection, &response),
        "error" if url.contains("token") => redeemed(connection, &response),
        "error" => call::document(&response).map(|_| "an answer".to_owned()),
        "discovery" => discovered(connection, &response),
        "userinfo" | "emails" | "groups" => told(folder, name, connection, sample),
        other => Ok(format!("({other})")),
    };
    result.unwrap_or_else(|refusal| refusal.code().to_owned())
}

fn habits(connection: &Connection) -> Habits {
    let ProtocolOptions::Oauth(options) = &connection.options.protocol else {
        panic!("not OAuth")
    };
    Habits::of(connection, options)
}

fn own_issuer(connection: &Connection, habits: &Habits) -> String {
    let ProtocolOptions::Oauth(options) = &connection.options.protocol else {
        panic!("not OAuth")
    };
    options.issuer.clone().or(habits.issuer()).unwrap()
}

fn person(
    connection: &Connection,
    claims: &Value,
) -> Result<crate::identity::VerifiedIdentity, Refusal> {
    let habits = habits(connection);
    if !habits.spec().id_token.expected {
        return Err(crate::oidc::OidcRefusal::IdTokenMissing.refuse());
    }
    let own = own_issuer(connection, &habits);
    let members = claims.as_object().unwrap().clone();
    let named = issuer::named(&members, &habits.issuers(&own))?;
    let mut documents = Documents::default();
    documents.insert("claims", claims.clone());
    let signed = Profile {
        issuer: named,
        subject: claims["sub"].as_str().unwrap().to_owned(),
        members,
        ..Profile::default()
    };
    let profile = profile::profile(&habits, &documents, Some(signed), &own)?;
    Ok(mapping::identity(&connection.id, profile))
}

/// A profile of the provider's own interface, with the other answers of the same person beside it.
fn told(
    folder: &Path,
    name: &str,
    connection: &Connection,
    sample: &Value,
) -> Result<String, Refusal> {
    let habits = habits(connection);
    if habits.spec().id_token.expected {
        return Ok(completed(folder, name, sample));
    }
    let mut documents = Documents::default();
    let is_list = sample["kind"] == "emails";
    for call in &habits.spec().calls {
        if (call.name == "emails") == is_list || is_list {
            let own = (call.name == "emails") == is_list;
            let other = || samples(folder)[&name.replace("user_emails", "user")]["body"].clone();
            documents.insert(
                &call.name,
                if own { sample["body"].clone() } else { other() },
            );
        }
    }
    let profile = profile::profile(&habits, &documents, None, &own_issuer(connection, &habits))?;
    Ok(described(&mapping::identity(&connection.id, profile)))
}

/// A user info, taken into the claims of the ID token of the same folder, if it is that person's.
fn completed(folder: &Path, name: &str, sample: &Value) -> String {
    let id_token = name
        .rsplit_once('/')
        .map(|(provider, _)| format!("{provider}/id_token_claims.json"));
    let token = id_token.and_then(|name| samples(folder).remove(&name));
    match (token, sample["body"].get("sub")) {
        (Some(token), Some(sub)) if token["body"]["sub"] == *sub => {
            let mut claims = Claims::of_members(token["body"].as_object().unwrap().clone());
            claims.complete_with(sample["body"].as_object().unwrap().clone());
            format!("{} claims", claims.members.len())
        }
        (Some(_), Some(_)) => crate::oidc::OidcRefusal::UserinfoSubjectMismatch
            .entry()
            .code
            .to_owned(),
        _ => "(not asked)".to_owned(),
    }
}

fn returned(connection: &Connection, sample: &Value) -> Result<String, Refusal> {
    let habits = habits(connection);
    let fields: Vec<(String, String)> = sample["body"]
        .as_object()
        .unwrap()
        .iter()
        .map(|(name, value)| (name.clone(), value.as_str().unwrap().to_owned()))
        .collect();
    let state = sample["body"]["state"]
        .as_str()
        .unwrap_or("the state that was sent")
        .to_owned();
    let own = own_issuer(connection, &habits);
    let issuer = match &habits.spec().callback_issuer {
        Some(template) => habits.fill(template),
        None => Some(own),
    };
    let expected = Expected {
        state: &state,
        issuer: issuer.as_deref(),
        issuer_announced: false,
        errors: &habits.spec().token.errors,
    };
    let callback = Callback::Form(fields);
    callback::code(&callback, &expected)?;
    let names = habits.spec().callback_json.iter();
    let read = names
        .filter(|name| callback::json_member(&callback, name).is_some())
        .count();
    Ok(format!("a code, {read} JSON"))
}

fn redeemed(connection: &Connection, response: &HttpResponse) -> Result<String, Refusal> {
    let spec = &connection.spec.oauth.token;
    let reply = normalized(response, &spec.error_members)?;
    let reply_body: Value = serde_json::from_slice(reply.body()).unwrap();
    if reply.status() != 200 {
        let text = |name: &str| reply_body[name].as_str().unwrap_or_default().to_owned();
        return Err(callback::error_response(
            &text("error"),
            &text("error_description"),
            &spec.errors,
        ));
    }
    Ok(format!(
        "tokens, scope {:?}",
        reply_body["scope"].as_str().unwrap_or_default()
    ))
}

fn discovered(connection: &Connection, response: &HttpResponse) -> Result<String, Refusal> {
    let habits = habits(connection);
    let own = own_issuer(connection, &habits);
    Metadata::parse_sample(response.body(), &own).map(|metadata| metadata.issuer)
}

fn described(person: &crate::identity::VerifiedIdentity) -> String {
    let email = person.email.as_ref().map_or_else(
        || "no address".to_owned(),
        |email| {
            let authority = if email.authoritative {
                ", authoritative"
            } else {
                ""
            };
            format!("{:?}{authority}", email.claim)
        },
    );
    format!(
        "{} at {}, {email}",
        person.subject.value, person.subject.issuer
    )
}
