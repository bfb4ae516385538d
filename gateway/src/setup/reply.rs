//! How the setup page answers where there is nothing to show, and who may see it at all.

use axum::body::Body;
use axum::response::Response;
use fedgate_providers::connection::{Connection, ConnectionId};
use fedgate_providers::error::Refusal;
use fedgate_providers::login::Site;
use http::HeaderMap;

use super::SetupRefusal;
use super::form::Form;
use super::session::{Session, check_origin};
use crate::app::{App, Shared};
use crate::error;
use crate::login::start::check_browser;
use crate::page::{self, ClosedPage};
use crate::registry;
use crate::store::connection::StoredConnection;

/// Who asks, and for what: a session that is open, and the connection that it is for.
pub(super) struct Visit {
    pub(super) site: Site,
    pub(super) id: ConnectionId,
    pub(super) session: Session,
    pub(super) stored: StoredConnection,
    pub(super) connection: Connection,
}

impl Visit {
    /// A GET of a page.
    ///
    /// # Errors
    /// `setup.session_missing`, also for a connection that does not exist; `setup.session_ended`.
    pub(super) async fn of(app: &App, id: &str, headers: &HeaderMap) -> Result<Self, Refusal> {
        let site = app.site.clone();
        let id = ConnectionId::parse(id).ok_or(SetupRefusal::SessionMissing)?;
        let session = Session::of(app, &site, headers, &id, app.clock.now()).await?;
        let stored = app.store.connection(&id).await?;
        let stored = stored.ok_or(SetupRefusal::SessionEnded)?;
        let connection = registry::from_row(&stored, &app.sealer)?;
        Ok(Self {
            site,
            id,
            session,
            stored,
            connection,
        })
    }

    /// A POST of a page: from this site, in a whole window.
    ///
    /// # Errors
    /// `setup.cross_site`, `login.embedded`, and those of [`Visit::of`].
    pub(super) async fn posted(app: &App, id: &str, headers: &HeaderMap) -> Result<Self, Refusal> {
        let site = &app.site;
        check_origin(site, headers)?;
        check_browser(site, headers)?;
        Self::of(app, id, headers).await
    }

    /// A POST of a button alone: its form holds nothing but the session's token.
    ///
    /// # Errors
    /// Those of [`Visit::posted`], [`Form::read`] and [`Visit::check_form`].
    pub(super) async fn pressed(
        app: &Shared,
        id: &str,
        headers: &HeaderMap,
        body: Body,
    ) -> Result<Self, Refusal> {
        let visit = Self::posted(app, id, headers).await?;
        let form = Form::read(headers, body).await?;
        visit.check_form(app, Some(form.short("token")))?;
        Ok(visit)
    }

    /// Whether the form belongs to the session.
    ///
    /// # Errors
    /// `setup.form_unreadable`
    pub(super) fn check_form(&self, app: &Shared, token: Option<&str>) -> Result<(), Refusal> {
        self.session.check_form(app, &self.id, token)
    }
}

/// A page that says why there is nothing to set up here. It never tells whether a connection exists.
pub(super) fn closed(headers: &HeaderMap, refusal: &Refusal) -> Response {
    let entry = refusal.entry();
    tracing::info!(code = entry.code, "setup refused");
    page::setup_closed(&ClosedPage {
        says: entry.says,
        fix: entry.fix,
        code: entry.code,
        status: error::status(entry),
        language: error::language(headers, None),
    })
}
