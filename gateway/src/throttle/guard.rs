//! Where limits meet requests: who is over one is answered before anything of the request is read.
//!
//! Callbacks and the token endpoint are not here: an upstream's answer is turned away only once it is plain that this
//! browser began no such login, and a client only by its own failures.

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use fedgate_providers::error::{Blame, Refusal};
use http::{HeaderMap, HeaderValue, StatusCode, header};

use super::Limit;
use crate::app::{App, Shared};
use crate::client_address::ClientAddress;
use crate::error::{self, GatewayRefusal, Ways};
use crate::events::trace::new_reference;
use crate::login::CONTINUE_PATH;
use crate::op::{AUTHORIZE_PATH, LOGOUT_PATH};
use crate::telemetry::request::Told;
use crate::{management, op};

/// The middleware: turns away whoever is over the limit of that path, and counts who is refused.
pub async fn watch(State(app): State<Shared>, request: Request, next: Next) -> Response {
    let path = request.uri().path();
    let client = request.extensions().get::<ClientAddress>();
    let (Some(limit), Some(address)) = (limit_of(path), client.and_then(ClientAddress::counted))
    else {
        return next.run(request).await;
    };
    let now = app.clock.now();
    if let Some(seconds) = app.throttle.wait(limit, &[&address], now) {
        let refusal = refusal(&app, limit, seconds);
        let mut answer = if limit == Limit::ApiAddress {
            management::refused(refusal.clone())
        } else {
            page(&app, request.headers(), &refusal)
        };
        too_many(&mut answer, &refusal, seconds);
        return answer;
    }
    let answer = next.run(request).await;
    if is_refused(limit, &answer) {
        let counting = (&app.ephemeral, &*app.metrics);
        app.throttle
            .refused(counting, limit, &[&address], now)
            .await;
    }
    answer
}

/// The limit that a path's refused requests count for.
fn limit_of(path: &str) -> Option<Limit> {
    match path {
        CONTINUE_PATH => Some(Limit::SignInAddress),
        AUTHORIZE_PATH | LOGOUT_PATH | "/login/again" => Some(Limit::RequestAddress),
        _ if path.starts_with("/setup/") => Some(Limit::RequestAddress),
        _ if path.starts_with("/api/") => Some(Limit::ApiAddress),
        _ => None,
    }
}

/// What an operator, an upstream or the gateway itself has to mend is nobody's attempt, however many people meet it. On
/// the sign-in page it is: whoever types addresses to see which lead somewhere.
fn is_refused(limit: Limit, answer: &Response) -> bool {
    if limit == Limit::ApiAddress {
        return answer.status() == StatusCode::UNAUTHORIZED;
    }
    let told = answer.extensions().get::<Told>();
    let blame = told.and_then(|told| told.refusal.as_ref());
    blame.is_some_and(|refusal| match refusal.entry().blame {
        Blame::Browser | Blame::Application => answer.status().is_client_error(),
        Blame::Operator => limit == Limit::SignInAddress,
        Blame::Upstream | Blame::Gateway => false,
    })
}

/// `gateway.rate_limited`, counted.
pub fn refusal(app: &App, limit: Limit, seconds: u64) -> Refusal {
    app.metrics.limited(limit.as_str());
    GatewayRefusal::RateLimited
        .refuse()
        .expected(format_args!("at most [limits] {} a minute", limit.as_str()))
        .detail(format_args!("{seconds} seconds are left"))
}

/// The page of a person who is over a limit. No trace is kept of it: that is what the limit is for.
pub fn page(app: &App, headers: &HeaderMap, refusal: &Refusal) -> Response {
    let reference = new_reference(&mut app.randomness.rng());
    error::page(headers, refusal, &reference, &Ways::default())
}

/// The token endpoint's answer.
pub fn oauth(refusal: &Refusal, seconds: u64) -> Response {
    let mut answer = op::refused(refusal);
    too_many(&mut answer, refusal, seconds);
    answer
}

/// RFC 6585 4
pub fn too_many(answer: &mut Response, refusal: &Refusal, seconds: u64) {
    *answer.status_mut() = StatusCode::TOO_MANY_REQUESTS;
    let seconds = HeaderValue::from(seconds);
    answer.headers_mut().insert(header::RETRY_AFTER, seconds);
    if answer.extensions().get::<Told>().is_none() {
        Told::refused(answer, refusal, None);
    }
}
