//! Plays a scene by real HTTP: a browser of its own drives the login from the application to its end.

use fedgate::events::trace::Trace;
use serde_json::{Map, Value};
use url::Url;

use super::scene::Act;
use super::{Scene, Stage};
use crate::browser::{Browser, Page};
use crate::error::LabError;
use crate::oidc_op;
use crate::person::PASSWORD;
use crate::saml_idp::Lie;

const ALICE: &str = "alice@acme.test";
const STRANGER: &str = "pat@nowhere.test";
/// Recent logins of a connection among which one is looked for.
const TRACES: u32 = 50;

/// What came of a scene.
#[derive(Debug)]
pub struct Played {
    /// The page that the person ends on.
    pub page: Page,
    /// What the gateway kept of the login.
    pub trace: Option<Trace>,
    /// The users that the scene is about, where it signs somebody in.
    pub seen: Vec<Seen>,
}

/// A user as the application got to know it.
#[derive(Debug)]
pub struct Seen {
    /// `sub`
    pub subject: String,
    /// `name`
    pub name: String,
    /// `email`
    pub email: String,
    /// `email_verified`
    pub verified: bool,
    /// `ext_provider.name`
    pub connection: String,
}

/// Plays a scene.
///
/// # Errors
/// A part cannot be reached, or answers with a page that the scene does not know.
pub async fn play(stage: &Stage, scene: &Scene) -> Result<Played, LabError> {
    match scene.act {
        Act::Acme(lie) => {
            let mut browser = Browser::new()?;
            let answer = acme_answer(stage, &mut browser, lie).await?;
            let page = browser.submit(&answer, &answer.form()?).await?;
            refused(stage, page).await
        }
        Act::Replayed => {
            let mut browser = Browser::new()?;
            let answer = acme_answer(stage, &mut browser, Lie::Honest).await?;
            browser.submit(&answer, &answer.form()?).await?;
            let page = browser.submit(&answer, &answer.form()?).await?;
            refused(stage, page).await
        }
        Act::AnotherBrowser => {
            let answer = acme_answer(stage, &mut Browser::new()?, Lie::Honest).await?;
            let page = Browser::new()?.submit(&answer, &answer.form()?).await?;
            refused(stage, page).await
        }
        Act::Unverified => unverified(stage).await,
        Act::UnknownDomain => {
            let mut browser = Browser::new()?;
            let page = browser.open(&sign_in_url(stage, &[])?).await?;
            let form = page.form()?.with("email", STRANGER);
            let page = browser.submit(&page, &form).await?;
            refused(stage, page).await
        }
    }
}

/// Alice signs in at Acme's identity provider: the page that posts its answer.
async fn acme_answer(stage: &Stage, browser: &mut Browser, lie: Lie) -> Result<Page, LabError> {
    let login = browser
        .open(&sign_in_url(stage, &[("login_hint", ALICE)])?)
        .await?;
    submit_login(browser, &login, lie.name()).await
}

/// Alice comes from Acme; then Mallory from Globex, under the same address.
async fn unverified(stage: &Stage) -> Result<Played, LabError> {
    let mut browser = Browser::new()?;
    let answer = acme_answer(stage, &mut browser, Lie::Honest).await?;
    let page = browser.submit(&answer, &answer.form()?).await?;
    let alice = seen(stage, &browser, &page)?;
    let mut browser = Browser::new()?;
    let login = browser
        .open(&sign_in_url(stage, &[("connection_id", &stage.globex)])?)
        .await?;
    let page = submit_login(&mut browser, &login, oidc_op::Lie::UnverifiedEmail.name()).await?;
    let mallory = seen(stage, &browser, &page)?;
    stage.app.traces.flush().await;
    let traces = stage.app.store.traces(&stage.globex, TRACES).await;
    let traces = traces.map_err(|error| LabError::unexpected("the store", error))?;
    let hers = |trace: &Trace| trace.user_id.as_deref() == Some(&mallory.subject);
    let trace = traces.into_iter().find(hers);
    Ok(Played {
        page,
        trace,
        seen: vec![alice, mallory],
    })
}

async fn submit_login(browser: &mut Browser, login: &Page, lie: &str) -> Result<Page, LabError> {
    let form = login
        .form()?
        .with("email", ALICE)
        .with("password", PASSWORD)
        .with("lie", lie);
    browser.submit(login, &form).await
}

/// The page with the trace behind the reference that it shows.
async fn refused(stage: &Stage, page: Page) -> Result<Played, LabError> {
    stage.app.traces.flush().await;
    let trace = match page.reference() {
        Some(reference) => stage.app.store.trace(reference).await,
        None => Ok(None),
    };
    let trace = trace.map_err(|error| LabError::unexpected("the store", error))?;
    Ok(Played {
        page,
        trace,
        seen: Vec::new(),
    })
}

fn seen(stage: &Stage, browser: &Browser, page: &Page) -> Result<Seen, LabError> {
    let claims = browser
        .cookie(&page.url, crate::application::SESSION)
        .and_then(|id| stage.application.claims(id));
    let claims = claims.ok_or_else(|| LabError::unexpected("nobody was signed in", &page.url))?;
    let text = |claims: &Map<String, Value>, name: &str| {
        claims
            .get(name)
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned()
    };
    let upstream = claims
        .get("ext_provider")
        .and_then(Value::as_object)
        .cloned()
        .unwrap_or_default();
    Ok(Seen {
        subject: text(&claims, "sub"),
        name: crate::application::name(&claims),
        email: text(&claims, "email"),
        verified: claims.get("email_verified").and_then(Value::as_bool) == Some(true),
        connection: text(&upstream, "name"),
    })
}

fn sign_in_url(stage: &Stage, hints: &[(&str, &str)]) -> Result<Url, LabError> {
    let address = format!("{}/sign-in", stage.application.options().base_url);
    Url::parse_with_params(&address, hints)
        .map_err(|error| LabError::unexpected("the application's address", error))
}
