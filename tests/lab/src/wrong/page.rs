//! The page "What goes wrong".

use askama::Template;
use axum::http::StatusCode;
use axum::response::Response;
use fedgate::catalogue::catalogued;
use fedgate::page::{Explanation, Fragment};
use fedgate_providers::spec::Spec;

use super::{Played, SCENES, Scene, Seen};
use crate::page::respond;

/// The ten buttons.
pub(super) fn list() -> Response {
    respond(
        StatusCode::OK,
        &Wrong {
            scenes: &SCENES,
            scene: None,
            person: String::new(),
            admin: None,
            seen: &[],
        },
    )
}

/// The buttons, and a scene as both see it.
pub(super) fn played(scene: &Scene, played: &Played) -> Response {
    let explanation = played.trace.as_ref().map(|trace| Explanation {
        trace,
        entry: trace.code.as_deref().and_then(catalogued),
        spec: trace.strategy.as_deref().and_then(Spec::of),
    });
    let page = Wrong {
        scenes: &SCENES,
        scene: Some(scene),
        person: inert(&played.page.html),
        admin: explanation.map(|explanation| explanation.fragment()),
        seen: &played.seen,
    };
    respond(StatusCode::OK, &page)
}

/// The very page, with its links pointed at windows that its sandbox does not open, and without the script that it
/// would not run: it is for looking at.
fn inert(html: &str) -> String {
    const END: &str = "</script>";
    let script = html
        .find("<script")
        .zip(html.find(END).map(|at| at + END.len()));
    let (before, after) = match script {
        Some((from, to)) if from < to => (&html[..from], &html[to..]),
        _ => (html, ""),
    };
    format!("{before}{after}")
        .replacen("<head>", "<head><base target=\"_blank\">", 1)
        .replace(" autofocus", "")
}

#[derive(Template)]
#[template(path = "wrong.html")]
struct Wrong<'a> {
    scenes: &'a [Scene],
    scene: Option<&'a Scene>,
    person: String,
    admin: Option<Fragment<'a>>,
    seen: &'a [Seen],
}

impl Wrong<'_> {
    fn is_shown(&self, scene: &Scene) -> bool {
        self.scene.is_some_and(|shown| shown.name == scene.name)
    }
}
