//! The Management API: Kinde's shapes, so that its published client drives it unchanged.

pub mod scope;

use axum::Router;

use crate::app::Shared;

/// The paths of the Management API.
pub fn routes() -> Router<Shared> {
    Router::new()
}
