//! A test login: the real line from the request to the verdict, on a draft as well, and nothing comes of it. What is
//! written is how it ended, and the mark that ends it once.

use axum::body::Body;
use axum::extract::{Path, State};
use axum::response::{IntoResponse as _, Redirect, Response};
use fedgate_certs::Timestamp;
use fedgate_providers::connection::{Connection, ConnectionId, Problem, Status};
use fedgate_providers::error::Refusal;
use fedgate_providers::identity::VerifiedIdentity;
use fedgate_providers::login::{Callback, Handle, Login, Site, Steps};
use fedgate_providers::provider::{Opening, Provider};
use http::{HeaderMap, HeaderValue, header};

use super::reply::{self, Visit};
use super::view::{self, Said};
use super::{SetupRefusal, findings};
use crate::app::{App, Shared, later};
use crate::error::{self, Ways};
use crate::events::trace::{Trace, new_reference};
use crate::login::LoginRefusal;
use crate::login::decryption;
use crate::login::pending::{self, Kept, Opened, PendingTest};
use crate::login::start::{destination, to_upstream};
use crate::management::activation::activate;
use crate::page::{Findings, TEST_STEP};
use crate::people::sign_in::{Foreseen, SignIn, foresee};
use crate::registry;
use crate::store::StoreError;
use crate::store::setup_test::{EndedTest, Tested};

/// `POST /setup/{connection_id}/test`
pub(super) async fn begin(
    State(app): State<Shared>,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Response {
    let visit = match Visit::pressed(&app, &id, &headers, body).await {
        Ok(visit) => visit,
        Err(refusal) => return reply::closed(&headers, &refusal),
    };
    match leave(&app, &visit, &headers).await {
        Ok(answer) => answer,
        Err(problems) => {
            let said = Said {
                problems: problems
                    .into_iter()
                    .map(|problem| (problem, None))
                    .collect(),
                ..Said::default()
            };
            view::page(&app, &visit, &headers, said).await
        }
    }
}

async fn leave(app: &Shared, visit: &Visit, headers: &HeaderMap) -> Result<Response, Vec<Problem>> {
    let now = app.clock.now();
    let (provider, tested) = prepared(app, visit, now).await?;
    let sent = send(app, visit, headers, (&provider, tested), now).await;
    sent.map_err(|refusal| vec![Problem::new(refusal, "")])
}

/// A draft's upstream is read anew, and what it says is kept: it is that which is tested. Of a connection in use nothing
/// is changed.
async fn prepared(
    app: &App,
    visit: &Visit,
    now: Timestamp,
) -> Result<(Provider, Tested), Vec<Problem>> {
    let problem = |refusal: Refusal| vec![Problem::new(refusal, "")];
    let missing = visit.connection.missing();
    if !missing.is_empty() {
        return Err(missing);
    }
    if visit.stored.status == Status::Draft {
        let mut rng = app.randomness.rng();
        let keys = app.saml_keys.keys();
        let revision = activate(&visit.connection, &keys, &app.egress, now, &mut rng).await?;
        let live = app.store.live_metadata(&visit.id).await;
        let live = live.map_err(|error| problem(error.into()))?;
        if let Some(revision) = revision
            && live.is_none_or(|live| live.sha256 != revision.revision.sha256)
        {
            app.store
                .put_draft_metadata(&visit.id, visit.stored.version, &revision)
                .await
                .map_err(|error| problem(moved_on(error)))?;
        }
    }
    opened(app, &visit.connection, now).await.map_err(problem)
}

fn moved_on(error: StoreError) -> Refusal {
    match error {
        StoreError::Conflict(_) => SetupRefusal::TestStale.into(),
        other => other.into(),
    }
}

/// The provider of a connection whatever its status, and exactly what it was opened from.
async fn opened(
    app: &App,
    connection: &Connection,
    now: Timestamp,
) -> Result<(Provider, Tested), Refusal> {
    let (metadata, beside) = app.store.live_trust(&connection.id).await?.unzip();
    let opening = Opening {
        connection,
        metadata: metadata
            .as_ref()
            .map(|revision| revision.document.as_bytes()),
        keys: &app.saml_keys.keys(),
        trusting: &app.registry.trusting(beside.unwrap_or_default()),
        egress: &app.egress,
        now,
    };
    let provider = Provider::open(opening).await?;
    let tested = Tested {
        version: connection.version,
        metadata: metadata.map(|revision| revision.sha256),
    };
    Ok((provider, tested))
}

async fn send(
    app: &Shared,
    visit: &Visit,
    headers: &HeaderMap,
    (provider, tested): (&Provider, Tested),
    now: Timestamp,
) -> Result<Response, Refusal> {
    let handle = Handle::random(&mut app.randomness.rng());
    let login = Login {
        site: visit.site.clone(),
        handle,
        hint: None,
        prompt: None,
        max_age: None,
        acr_values: Vec::new(),
        ui_locales: None,
    };
    let begun = provider.begin(&login, now, &mut app.randomness.rng())?;
    let mut steps = Steps::default();
    let note = format!("version {} of {}", tested.version, visit.id);
    steps.pass(TEST_STEP, note, now);
    let note = format!("sent to {}", destination(&begun.redirect));
    steps.pass("begin", note, now);
    let kept = Kept::Test(Box::new(PendingTest {
        tested,
        link: visit.session.link,
        provider: begun.pending,
        steps,
    }));
    let mut cookies = HeaderMap::new();
    let (site, of) = (&visit.site, (handle, &visit.id));
    pending::keep(app, site, (headers, &mut cookies), of, &kept, now).await?;
    let language = error::language(headers, None);
    let mut answer = to_upstream(begun.redirect, &visit.stored.display_name, language);
    answer.headers_mut().extend(cookies);
    answer
        .headers_mut()
        .insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(answer)
}

/// What is known of a test login when it has ended.
#[derive(Default)]
struct Story {
    steps: Steps,
    connection: Option<Connection>,
    identity: Option<VerifiedIdentity>,
}

/// Ends a test login at the upstream's answer: back to the setup page, whatever it was.
pub(crate) async fn end(
    app: &Shared,
    site: &Site,
    (id, handle): (&ConnectionId, Handle),
    opened: Opened<PendingTest>,
    callback: &Callback,
    headers: &HeaderMap,
) -> Response {
    let now = app.clock.now();
    let Opened {
        login: test,
        expired,
    } = opened;
    let mut story = Story {
        steps: test.steps.clone(),
        ..Story::default()
    };
    let verdict = if expired {
        Err(LoginRefusal::Expired.into())
    } else {
        verify(app, (id, handle), &test, callback, &mut story, now).await
    };
    let findings = tell(app, id, story, verdict, now);
    let ended = EndedTest {
        connection_id: id,
        tested: &test.tested,
        link: &test.link,
        handle,
        handle_until: later(now, app.limits.pending_seconds),
        passed: findings.trace.code.is_none(),
        findings: &serde_json::to_value(&findings).unwrap_or_default(),
        now,
    };
    let mut answer = match app.store.put_setup_test(ended).await {
        Ok(()) => Redirect::to(&format!("/setup/{id}/test")).into_response(),
        Err(StoreError::NotFound(_)) => reply::closed(headers, &SetupRefusal::SessionEnded.into()),
        Err(error) => {
            let refusal = match error {
                StoreError::Conflict(_) => LoginRefusal::AlreadyUsed.into(),
                other => Refusal::from(other),
            };
            let reference = &findings.trace.reference;
            error::page(headers, &refusal, reference, &Ways::default())
        }
    };
    let held = (headers, answer.headers_mut());
    pending::ended(app, site, held, (handle, id), now).await;
    answer
}

async fn verify(
    app: &App,
    (id, handle): (&ConnectionId, Handle),
    test: &PendingTest,
    callback: &Callback,
    story: &mut Story,
    now: Timestamp,
) -> Result<Foreseen, Refusal> {
    let note = "this browser began the test".to_owned();
    story.steps.pass("pending", note, now);
    let stored = app.store.connection(id).await?;
    let stored = stored.ok_or(SetupRefusal::TestStale)?;
    let connection = story
        .connection
        .insert(registry::from_row(&stored, &app.sealer)?);
    let (provider, tested) = opened(app, connection, now).await?;
    if tested != test.tested {
        return Err(SetupRefusal::TestStale
            .refuse()
            .expected(format_args!("version {}", test.tested.version))
            .found(format_args!("version {}", tested.version)));
    }
    let identity = decryption::complete(
        app,
        (&connection.id, &provider),
        (handle, &test.provider),
        callback,
        now,
        &mut story.steps,
    )
    .await?;
    let identity = story.identity.insert(identity);
    let attempt = SignIn {
        identity,
        handle,
        handle_until: now,
        connection,
        client_id: "",
        asked_organization: None,
        routed_by_domain: false,
        now,
    };
    let foreseen = foresee(&app.store, attempt).await?;
    let note = findings::note(&foreseen);
    story.steps.pass("people.sign_in", note, now);
    Ok(foreseen)
}

/// Keeps the trace beside those of the connection's logins, and makes the findings of it.
fn tell(
    app: &App,
    id: &ConnectionId,
    mut story: Story,
    verdict: Result<Foreseen, Refusal>,
    now: Timestamp,
) -> Findings {
    let code = verdict.as_ref().err().map(Refusal::code);
    if let Err(refusal) = &verdict
        && !story.steps.has_failed()
    {
        let area = refusal.code().split('.').next().unwrap_or_default();
        let name = if area == "people" {
            "people.sign_in"
        } else {
            area
        };
        story.steps.fail(name, refusal, now);
    }
    let connection = story.connection.as_ref();
    let mut trace = Trace {
        reference: new_reference(&mut app.randomness.rng()),
        connection_id: Some(id.to_string()),
        strategy: connection.map(|connection| connection.spec.strategy.clone()),
        connection_name: connection.map(|connection| connection.display_name.clone()),
        client_id: None,
        user_id: None,
        code: code.map(str::to_owned),
        steps: story.steps.as_slice().to_vec(),
        at: now.as_millisecond(),
        of_stranger: false,
    };
    trace.cut_to(app.limits.trace_bytes);
    let reference = trace.reference.as_str();
    tracing::info!(reference, connection_id = %id, code, "test login ended");
    app.traces.record(trace.clone());
    let identity = story
        .identity
        .zip(connection)
        .map(|(identity, connection)| findings::identity(&identity, &connection.options.common));
    Findings {
        trace,
        identity,
        outcome: verdict.ok().map(findings::outcome),
    }
}
