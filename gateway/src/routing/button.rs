//! The buttons of the sign-in page.

use fedgate_providers::connection::Status;
use fedgate_providers::error::Refusal;

use crate::app::App;
use crate::op::AuthorizeRequest;
use crate::page::Button;
use crate::store::connection::StoredConnection;

/// A connection that the sign-in page shows.
#[derive(Clone, Debug)]
pub struct Shown(StoredConnection);

impl Shown {
    /// Its button.
    pub fn button(&self) -> Button<'_> {
        Button {
            connection_id: self.0.id.as_str(),
            display_name: &self.0.display_name,
            strategy: &self.0.strategy,
        }
    }
}

/// The connections that a person may choose from: those of the organization that was asked for, else those enabled
/// for the application. One that domains route to is shown only if it is told to be.
///
/// # Errors
/// Those of the store.
pub async fn buttons(app: &App, request: &AuthorizeRequest) -> Result<Vec<Shown>, Refusal> {
    let connections = match &request.org_code {
        None => {
            app.store
                .application_connections(&request.client_id)
                .await?
        }
        Some(organization) => app.store.organization_connections(organization).await?,
    };
    let shown = connections
        .into_iter()
        .filter(|connection| connection.status == Status::Active && has_button(connection));
    Ok(shown.map(Shown).collect())
}

fn has_button(connection: &StoredConnection) -> bool {
    let domains = connection.options["home_realm_domains"].as_array();
    let forced = connection.options["is_force_show_sso_button"].as_bool();
    forced == Some(true) || domains.is_none_or(Vec::is_empty)
}
