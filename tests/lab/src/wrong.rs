//! "What goes wrong": real logins that fail, as the person and as the administrator see them.

mod page;
mod play;
mod scene;

pub use play::{Played, Seen, play};
pub use scene::{SCENES, Scene};

use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::get;
use fedgate::app::Shared;

use crate::application::Application;
use crate::page as frame;

/// What scenes are played with.
#[derive(Clone, Debug)]
pub struct Stage {
    /// The gateway, for its traces.
    pub app: Shared,
    /// The application that people start from.
    pub application: Arc<Application>,
    /// The id of Acme's connection (SAML).
    pub acme: String,
    /// The id of Globex's connection (OpenID Connect).
    pub globex: String,
}

/// `/wrong` and `/wrong/{scene}`, for merging into the application's pages.
pub fn router(stage: Arc<Stage>) -> Router {
    Router::new()
        .route("/wrong", get(list))
        .route("/wrong/{scene}", get(show))
        .with_state(stage)
}

async fn list() -> Response {
    page::list()
}

/// Plays a scene anew each time that it is looked at.
async fn show(State(stage): State<Arc<Stage>>, Path(name): Path<String>) -> Response {
    let Some(scene) = SCENES.iter().find(|scene| scene.name == name) else {
        return frame::message(
            StatusCode::NOT_FOUND,
            "No such scene",
            "The page “What goes wrong” lists them all.",
        );
    };
    match play(&stage, scene).await {
        Ok(played) => page::played(scene, &played),
        Err(error) => frame::failure(&error),
    }
}
