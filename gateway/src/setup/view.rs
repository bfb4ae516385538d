//! The pages of a setup session, built from what is stored.

use axum::extract::{Path, RawQuery, State};
use axum::response::Response;
use fedgate_certs::trust::TrustedKey;
use fedgate_providers::connection::{OauthOptions, Problem, ProtocolOptions, Status};
use fedgate_providers::error::Refusal;
use fedgate_providers::saml::metadata::IdpMetadata;
use http::HeaderMap;

use super::reply::{self, Visit};
use crate::app::{App, Shared};
use crate::catalogue::catalogued;
use crate::error;
use crate::management::setup_values;
use crate::page::{
    self, FieldKind, Findings, KeptUpstream, Notice, PickedUp, SetupField, SetupPage, SetupState,
    ShownProblem, VerdictPage,
};
use crate::store::setup_test::LastTest;

/// What was typed and is shown again.
#[derive(Clone, Debug, Default)]
pub(super) struct Typed {
    pub(super) metadata_url: String,
    pub(super) metadata_xml: String,
    pub(super) issuer: String,
    pub(super) client_id: String,
}

/// What the page says besides what is stored.
#[derive(Debug, Default)]
pub(super) struct Said {
    pub(super) typed: Option<Typed>,
    /// Each with the form field that it is tied to; none: the page as a whole.
    pub(super) problems: Vec<(Problem, Option<&'static str>)>,
    pub(super) notice: Option<Notice>,
}

impl Said {
    /// A problem of the page as a whole.
    pub(super) fn refusal(refusal: Refusal) -> Self {
        Self {
            problems: vec![(Problem::new(refusal, ""), None)],
            ..Self::default()
        }
    }
}

/// `GET /setup/{connection_id}`
pub(super) async fn show(
    State(app): State<Shared>,
    Path(id): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    let notice = match query.as_deref() {
        Some("saved") => Some(Notice::Saved),
        Some("activated") => Some(Notice::Activated),
        _ => None,
    };
    let said = Said {
        notice,
        ..Said::default()
    };
    match Visit::of(&app, &id, &headers).await {
        Ok(visit) => page(&app, &visit, &headers, said).await,
        Err(refusal) => reply::closed(&headers, &refusal),
    }
}

/// `GET /setup/{connection_id}/test`: the verdict of the last test login.
pub(super) async fn show_test(
    State(app): State<Shared>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Response {
    let shown = async {
        let visit = Visit::of(&app, &id, &headers).await?;
        let last = app.store.setup_test(&visit.id).await?;
        Ok::<_, Refusal>((visit, last))
    };
    let (visit, last) = match shown.await {
        Ok(shown) => shown,
        Err(refusal) => return reply::closed(&headers, &refusal),
    };
    let findings: Option<Findings> = last
        .as_ref()
        .and_then(|last| serde_json::from_value(last.findings.clone()?).ok());
    let code = findings
        .as_ref()
        .and_then(|found| found.trace.code.as_deref());
    page::setup_verdict(&VerdictPage {
        connection_id: visit.id.as_str(),
        display_name: &visit.stored.display_name,
        spec: visit.connection.spec,
        state: state(&visit, last.as_ref()),
        entry: code.and_then(catalogued),
        findings: findings.as_ref(),
        token: visit.session.form_token(&app, &visit.id),
        language: error::language(&headers, None),
    })
}

/// The setup page, with what is to be said on it.
pub(super) async fn page(app: &App, visit: &Visit, headers: &HeaderMap, said: Said) -> Response {
    let kept = async {
        let last = app.store.setup_test(&visit.id).await?;
        let metadata = app.store.live_metadata(&visit.id).await?;
        let picked_up = picked_up(app, visit).await?;
        Ok::<_, Refusal>((last, metadata, picked_up))
    };
    let (last, metadata, picked_up) = match kept.await {
        Ok(kept) => kept,
        Err(refusal) => return reply::closed(headers, &refusal),
    };
    let kept = metadata.and_then(|revision| {
        let read = IdpMetadata::parse(revision.document.as_bytes(), None).ok()?;
        Some(KeptUpstream {
            entity_id: read.entity_id,
            keys: read.trust.keys().len(),
            read_at: format!("{:.0}", revision.fetched_at),
            picked_up,
        })
    });
    let (values, more_values) = values(app, visit);
    let (fields, other_fields) = fields(visit, &said);
    let spec = visit.connection.spec;
    let problems = said.problems.iter().filter(|(_, field)| field.is_none());
    page::setup(&SetupPage {
        connection_id: visit.id.as_str(),
        display_name: &visit.stored.display_name,
        spec,
        state: state(visit, last.as_ref()),
        values,
        more_values,
        fields,
        other_fields,
        kept,
        token: visit.session.form_token(app, &visit.id),
        problems: problems
            .map(|(problem, _)| ShownProblem::new(problem, spec))
            .collect(),
        notice: said.notice,
        last_test: last.map(|last| last.passed),
        language: error::language(headers, None),
    })
}

/// The certificate of ours that this identity provider encrypted for last.
async fn picked_up(app: &App, visit: &Visit) -> Result<Option<PickedUp>, Refusal> {
    let uses = app.store.key_uses(&visit.id).await?;
    let keys = app.saml_keys.keys();
    let found = uses.into_iter().find_map(|(id, at)| {
        let pair = keys.decryption().find(|pair| pair.id() == id)?;
        let trusted = TrustedKey::from_certificate_der(pair.certificate_der()).ok()?;
        Some(PickedUp {
            fingerprint: trusted.fingerprint_sha256,
            is_current: keys.encryption().any(|current| current.id() == id),
            seen_at: format!("{at:.0}"),
        })
    });
    Ok(found)
}

fn state(visit: &Visit, last: Option<&LastTest>) -> SetupState {
    match visit.stored.status {
        Status::Active => SetupState::Active,
        Status::Disabled => SetupState::Disabled,
        Status::Draft if !visit.connection.missing().is_empty() => SetupState::Incomplete,
        Status::Draft => match last {
            Some(last) if last.counts => SetupState::Tested,
            Some(last) if last.version != visit.stored.version => SetupState::Stale,
            _ => SetupState::Untested,
        },
    }
}

/// Values, each with the name that a console has for it.
type Labelled = Vec<(String, String)>;

/// The values to copy under the console's own names, and those that it does not ask for.
fn values(app: &App, visit: &Visit) -> (Labelled, Labelled) {
    let stored = &visit.stored;
    let all = setup_values(&app.site, &stored.id, &stored.strategy, &stored.options);
    let value = |word: &str| match word {
        "acs" => all.acs_url.clone(),
        "audience" => all.sp_entity_id.clone(),
        "metadata" => all.metadata_url.clone(),
        "logout" => all.logout_url.clone(),
        _ => all.redirect_uri.clone(),
    };
    let copy = &visit.connection.spec.console.setup.copy;
    let shown = copy
        .iter()
        .filter_map(|(word, label)| Some((label.clone(), value(word)?)))
        .collect();
    let others = [("metadata", "SP metadata URL"), ("logout", "Logout URL")];
    let more = others
        .iter()
        .filter(|(word, _)| copy.iter().all(|(shown, _)| shown != word))
        .filter_map(|(word, label)| Some(((*label).to_owned(), value(word)?)))
        .collect();
    (shown, more)
}

/// The field that this console's way of bringing metadata back leads to.
pub(super) fn first_field(visit: &Visit) -> &'static str {
    let bring = &visit.connection.spec.console.setup.bring;
    match bring.first().map(|(word, _)| word.as_str()) {
        Some("metadata_file") => "metadata_file",
        Some("issuer") => "issuer",
        _ => "metadata_url",
    }
}

fn fields(visit: &Visit, said: &Said) -> (Vec<SetupField>, Vec<SetupField>) {
    match &visit.connection.options.protocol {
        ProtocolOptions::Saml(options) => {
            let url = options.idp_metadata_url.as_deref().unwrap_or_default();
            let (typed_url, typed_xml) = match &said.typed {
                Some(typed) => (typed.metadata_url.as_str(), typed.metadata_xml.as_str()),
                None => (url, ""),
            };
            let first = first_field(visit);
            let all = [
                ("metadata_url", typed_url, FieldKind::Line),
                ("metadata_file", "", FieldKind::File),
                ("metadata_xml", typed_xml, FieldKind::Text),
            ];
            all.map(|(name, value, kind)| field(visit, said, name, value, kind))
                .into_iter()
                .partition(|field| field.name == first)
        }
        ProtocolOptions::Oauth(options) => (oauth_fields(visit, said, options), Vec::new()),
    }
}

fn oauth_fields(visit: &Visit, said: &Said, options: &OauthOptions) -> Vec<SetupField> {
    let kept = |text: &Option<String>| text.clone().unwrap_or_default();
    let (issuer, client_id) = match &said.typed {
        Some(typed) => (typed.issuer.clone(), typed.client_id.clone()),
        None => (kept(&options.issuer), kept(&options.client_id)),
    };
    let secret = FieldKind::Secret(options.client_secret.is_some());
    let mut fields = vec![
        field(visit, said, "client_id", &client_id, FieldKind::Line),
        field(visit, said, "client_secret", "", secret),
    ];
    if visit.connection.spec.issuer.is_none() {
        fields.insert(0, field(visit, said, "issuer", &issuer, FieldKind::Line));
    }
    fields
}

fn field(
    visit: &Visit,
    said: &Said,
    name: &'static str,
    value: &str,
    kind: FieldKind,
) -> SetupField {
    let spec = visit.connection.spec;
    let label = spec
        .console
        .setup
        .bring
        .iter()
        .find(|(word, _)| word == name)
        .map(|(_, label)| label.clone());
    let problem = said
        .problems
        .iter()
        .find(|(_, field)| *field == Some(name))
        .map(|(problem, _)| ShownProblem::new(problem, spec));
    SetupField {
        name,
        label,
        value: value.to_owned(),
        kind,
        problem,
    }
}
