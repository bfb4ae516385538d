//! What the setup page saves: the one thing that was brought back, through the same checks as the Management API.

use axum::body::Body;
use axum::extract::{Path, State};
use axum::response::{IntoResponse as _, Redirect, Response};
use fedgate_providers::connection::{Problem, ProtocolOptions, Status};
use fedgate_providers::error::Refusal;
use http::HeaderMap;
use serde_json::{Map, Value, json};

use super::SetupRefusal;
use super::form::Form;
use super::reply::{self, Visit};
use super::view::{self, Said, Typed};
use crate::app::Shared;
use crate::management::change::{self, Asked};

/// What a form says about the settings.
struct Brought {
    typed: Typed,
    options: Map<String, Value>,
    /// The field that brings the metadata or names its source.
    source: &'static str,
}

/// `POST /setup/{connection_id}`
pub(super) async fn save(
    State(app): State<Shared>,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Response {
    let visit = match Visit::posted(&app, &id, &headers).await {
        Ok(visit) => visit,
        Err(refusal) => return reply::closed(&headers, &refusal),
    };
    match saved(&app, &visit, &headers, body).await {
        Ok(()) => Redirect::to(&format!("/setup/{}?saved", visit.id)).into_response(),
        Err(Unsaved::Closed(refusal)) => reply::closed(&headers, &refusal),
        Err(Unsaved::Said(said)) => view::page(&app, &visit, &headers, *said).await,
    }
}

enum Unsaved {
    /// The form is not the page's.
    Closed(Refusal),
    /// Told on the page.
    Said(Box<Said>),
}

impl Unsaved {
    fn of(refusal: Refusal, field: Option<&'static str>, typed: Option<Typed>) -> Self {
        Self::Said(Box::new(Said {
            typed,
            problems: vec![(Problem::new(refusal, ""), field)],
            notice: None,
        }))
    }
}

async fn saved(
    app: &Shared,
    visit: &Visit,
    headers: &HeaderMap,
    body: Body,
) -> Result<(), Unsaved> {
    let form = Form::read(headers, body).await.map_err(|refusal| {
        // Nothing of it was kept, its token neither: it changes nothing either way.
        if refusal == SetupRefusal::UploadTooLarge {
            Unsaved::of(refusal, upload_field(visit), None)
        } else {
            Unsaved::Closed(refusal)
        }
    })?;
    visit
        .check_form(app, Some(form.short("token")))
        .map_err(Unsaved::Closed)?;
    if visit.stored.status != Status::Draft {
        let refusal = SetupRefusal::NotDraft
            .refuse()
            .expected(Status::Draft.as_str())
            .found(visit.stored.status.as_str());
        return Err(Unsaved::of(refusal, None, None));
    }
    let brought = brought(&form, visit)?;
    let body = Map::from_iter([("options".to_owned(), Value::Object(brought.options))]);
    let asked = Asked {
        body: &body,
        whole: false,
        confirmed: false,
        read_draft: true,
        event: Some("connection.updated"),
    };
    match change::apply(app, &visit.stored, asked).await {
        Ok(changed) => {
            tracing::info!(connection_id = %visit.id, version = changed.version, "set up");
            Ok(())
        }
        Err(error) => {
            let problems = error.problems().iter().map(|problem| {
                let field = form_field(&problem.field, brought.source);
                (problem.clone(), field)
            });
            Err(Unsaved::Said(Box::new(Said {
                problems: problems.collect(),
                typed: Some(brought.typed),
                notice: None,
            })))
        }
    }
}

fn upload_field(visit: &Visit) -> Option<&'static str> {
    let saml = matches!(visit.connection.options.protocol, ProtocolOptions::Saml(_));
    saml.then_some("metadata_file")
}

fn brought(form: &Form, visit: &Visit) -> Result<Brought, Unsaved> {
    let typed = Typed {
        metadata_url: form.short("metadata_url").to_owned(),
        metadata_xml: form.short("metadata_xml").to_owned(),
        issuer: form.short("issuer").to_owned(),
        client_id: form.short("client_id").to_owned(),
    };
    match &visit.connection.options.protocol {
        ProtocolOptions::Saml(_) => saml(form, visit, typed),
        ProtocolOptions::Oauth(_) => {
            let mut options = Map::new();
            if visit.connection.spec.issuer.is_none() {
                options.insert("issuer".to_owned(), json!(typed.issuer));
            }
            options.insert("client_id".to_owned(), json!(typed.client_id));
            // Nobody can read a secret back to send it again: an empty field leaves the one that is kept.
            let secret = form.short("client_secret");
            if !secret.is_empty() {
                options.insert("client_secret".to_owned(), json!(secret));
            }
            Ok(Brought {
                typed,
                options,
                source: "issuer",
            })
        }
    }
}

/// A file goes before a text and a text before an address: the address may stand in its field from the last time.
fn saml(form: &Form, visit: &Visit, typed: Typed) -> Result<Brought, Unsaved> {
    for source in ["metadata_file", "metadata_xml"] {
        let document = form
            .text(source)
            .map_err(|refusal| Unsaved::of(refusal, Some(source), Some(typed.clone())))?;
        if let Some(document) = document {
            let options = members([
                ("saml_idp_metadata_xml", json!(document)),
                ("saml_idp_metadata_url", Value::Null),
            ]);
            return Ok(Brought {
                typed,
                options,
                source,
            });
        }
    }
    let (source, options) = if typed.metadata_url.is_empty() {
        // Nothing was brought: what is kept is read anew.
        (view::first_field(visit), Map::new())
    } else {
        let options = members([
            ("saml_idp_metadata_url", json!(typed.metadata_url)),
            ("saml_idp_metadata_xml", Value::Null),
        ]);
        ("metadata_url", options)
    };
    Ok(Brought {
        typed,
        options,
        source,
    })
}

fn members(named: [(&str, Value); 2]) -> Map<String, Value> {
    named
        .map(|(name, value)| (name.to_owned(), value))
        .into_iter()
        .collect()
}

/// The form field that a member's problem is tied to.
fn form_field(member: &str, source: &'static str) -> Option<&'static str> {
    match member {
        "options.saml_idp_metadata_url" | "options.saml_idp_metadata_xml" => Some(source),
        "options.issuer" => Some("issuer"),
        "options.client_id" => Some("client_id"),
        "options.client_secret" => Some("client_secret"),
        _ => None,
    }
}
