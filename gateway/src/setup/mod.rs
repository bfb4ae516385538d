//! The setup page of a connection, for the administrator of its identity provider: behind a one-time link, with the
//! values to copy, one thing to bring back, a test login and, once that passed, the step to active.

mod activate;
mod findings;
mod form;
pub mod link;
mod multipart;
mod refusal;
mod reply;
mod session;
mod settings;
pub(crate) mod test_login;
mod view;

pub use refusal::SetupRefusal;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::routing::{get, post};
use fedgate_providers::connection::METADATA_BYTES;

use crate::app::Shared;

/// Shortest lifetime of a link.
pub const LINK_SECONDS_LEAST: u64 = 5 * 60;
/// Lifetime of a link that names none.
pub const LINK_SECONDS: u64 = 7 * 24 * 60 * 60;
/// Longest lifetime of a link.
pub const LINK_SECONDS_MOST: u64 = 30 * 24 * 60 * 60;
/// How long a setup session lasts.
const SESSION_SECONDS: u64 = 8 * 60 * 60;
/// Setup sessions kept in one browser; the others make room.
const SESSIONS: usize = 4;
/// Largest body that the page posts: a metadata document and the fields around it.
const FORM_BYTES: usize = METADATA_BYTES + 64 * 1024;
/// What is read of a larger one, so that the browser gets to see why it was refused.
const DRAINED_BYTES: usize = 8 * 1024 * 1024;

/// The paths of the setup page.
pub fn routes() -> Router<Shared> {
    Router::new()
        .route("/setup/link/{token}", get(link::show).post(link::begin))
        .route(
            "/setup/{connection_id}",
            get(view::show).post(settings::save),
        )
        .route(
            "/setup/{connection_id}/test",
            get(view::show_test).post(test_login::begin),
        )
        .route("/setup/{connection_id}/activate", post(activate::activate))
        .layer(DefaultBodyLimit::disable())
}
