//! A change to a connection: read, checked whole, written if nobody else wrote in between. The Management API and the
//! setup page go through here alike.

use fedgate_providers::connection::{
    Connection, ConnectionId, ConnectionRefusal, Options, Problem, ProtocolOptions, Status,
};
use fedgate_providers::spec::Spec;
use serde_json::{Map, Value, json};

use super::ApiRefusal;
use super::activation::activate;
use super::answer::ApiError;
use super::input::{Change, Input};
use super::replaced::replacement;
use crate::app::App;
use crate::idp_metadata::decided;
use crate::registry::{self, SECRET_PURPOSE};
use crate::store::connection::{Beside, StoredConnection};
use crate::store::metadata_revision::Adopted;

/// What is asked of a connection that exists.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Asked<'a> {
    /// The members that change.
    pub(crate) body: &'a Map<String, Value>,
    /// They take the place of all that are there but secrets, in place of joining them.
    pub(crate) whole: bool,
    /// Whoever depends on the connection has been looked at.
    pub(crate) confirmed: bool,
    /// A draft's upstream is read as well, so that what is wrong with it is a problem of the change.
    pub(crate) read_draft: bool,
    /// Told in the outbox, in the transaction of the change.
    pub(crate) event: Option<&'static str>,
}

/// What a change left.
#[derive(Debug)]
pub(crate) struct Changed {
    /// The row as written, but for its version.
    pub(crate) stored: StoredConnection,
    /// Its version from now on.
    pub(crate) version: i64,
    /// What keeps it from being activated.
    pub(crate) missing: Vec<Problem>,
}

/// Changes a connection.
///
/// # Errors
/// Every problem; nothing is written then.
pub(crate) async fn apply(
    app: &App,
    before: &StoredConnection,
    asked: Asked<'_>,
) -> Result<Changed, ApiError> {
    let opened = registry::from_row(before, &app.sealer);
    let change = match (&opened, asked.whole) {
        (opened, true) => {
            Change::Replace(opened.as_ref().ok().map(|connection| &connection.options))
        }
        (Ok(connection), false) => Change::Merge(&connection.options),
        (Err(refusal), false) => return Err(ApiError::whole(refusal.clone())),
    };
    let input = Input::read(asked.body, Spec::of(&before.strategy), &change)?;
    if input.require_test && input.status == Some(Status::Active) {
        return activate_tested(app, before, &asked).await;
    }
    let applications = input.enabled_applications.clone();
    let asked_for_active = input.status == Some(Status::Active);
    let after = changed(app, before, input)?;
    check_references(
        app,
        after.organization_code.as_deref(),
        applications.as_deref().unwrap_or_default(),
    )
    .await?;
    if after.status == Status::Disabled && before.status != Status::Disabled {
        check_dependants(app, before, asked.confirmed).await?;
    }
    // Whoever asks for active outright gets the upstream read anew: a key that it rolled is trusted from then on.
    let settled = opened.is_ok_and(|opened| {
        before.status == Status::Active && opened.options.protocol == after.options.protocol
    }) && !asked_for_active;
    let revision = read_upstream(app, &after, settled, asked.read_draft).await?;
    let stored = row(app, &after, Some(before))?;
    let payload = asked.event.map(|kind| (kind, event(&stored)));
    let replaced = match registry::from_row(before, &app.sealer) {
        Ok(before) => replacement(app, &before, &after)?,
        Err(_) => None,
    };
    let beside = Beside {
        replaced: replaced.as_ref(),
        domains: Some(&after.options.common.home_realm_domains),
        applications: applications.as_deref(),
        metadata: revision.as_ref(),
        event: payload.as_ref().map(|(kind, payload)| (*kind, payload)),
    };
    let version = app
        .store
        .update_connection(&stored, before.version, beside)
        .await?;
    app.registry.forget(&stored.id).await;
    Ok(Changed {
        missing: after.missing(),
        stored,
        version,
    })
}

/// `status: active` with `require_test`: the connection stays what was tested, and nothing is read anew.
async fn activate_tested(
    app: &App,
    before: &StoredConnection,
    asked: &Asked<'_>,
) -> Result<Changed, ApiError> {
    let untested = || ConnectionRefusal::Untested.refuse();
    let mut members = asked.body.keys();
    if let Some(other) = members.find(|name| !["status", "require_test"].contains(&name.as_str())) {
        let refusal = untested().detail(format_args!("{other} would change what was tested"));
        return Err(ApiError::of(refusal, "require_test"));
    }
    let version = app
        .store
        .activate_tested(&before.id, before.version, app.clock.now())
        .await?
        .ok_or_else(|| ApiError::of(untested(), "require_test"))?;
    app.registry.forget(&before.id).await;
    Ok(Changed {
        stored: StoredConnection {
            status: Status::Active,
            ..before.clone()
        },
        version,
        missing: Vec::new(),
    })
}

async fn read_upstream(
    app: &App,
    after: &Connection,
    settled: bool,
    read_draft: bool,
) -> Result<Option<Adopted>, ApiError> {
    let wanted = match after.status {
        Status::Active => !settled,
        Status::Draft => read_draft,
        Status::Disabled => false,
    };
    if !wanted {
        return Ok(None);
    }
    let (now, mut rng) = (app.clock.now(), app.randomness.rng());
    let mut adopted = activate(after, &app.saml_keys.keys(), &app.egress, now, &mut rng).await?;
    if let Some(adopted) = &mut adopted {
        let kept = decided::keep_overlap(app, &after.id, adopted, now).await;
        kept.map_err(ApiError::whole)?;
    }
    Ok(adopted)
}

fn event(stored: &StoredConnection) -> Value {
    json!({ "connection_id": stored.id.as_str(), "version": stored.version + 1 })
}

/// The connection that a change leaves.
fn changed(app: &App, before: &StoredConnection, input: Input) -> Result<Connection, ApiError> {
    let status = input.status.unwrap_or(before.status);
    if status == Status::Draft && before.status != Status::Draft {
        let refusal = ApiRefusal::StatusChange
            .refuse()
            .expected("active | disabled")
            .found("draft");
        return Err(ApiError::of(refusal, "status"));
    }
    let mut options = input.options;
    name_entity(
        app,
        &before.id,
        &mut options,
        before.options["saml_entity_id"].as_str(),
    );
    Ok(Connection {
        id: before.id.clone(),
        version: before.version,
        name: input.name.unwrap_or_else(|| before.name.clone()),
        display_name: input
            .display_name
            .unwrap_or_else(|| before.display_name.clone()),
        spec: input.spec,
        status,
        organization_code: input.organization.after(before.organization_code.clone()),
        options,
    })
}

pub(super) fn name_entity(
    app: &App,
    id: &ConnectionId,
    options: &mut Options,
    before: Option<&str>,
) {
    if let ProtocolOptions::Saml(saml) = &mut options.protocol
        && saml.entity_id.is_empty()
    {
        let made_up = || app.site.url(&format!("/saml/{id}/metadata"));
        saml.entity_id = before.map_or_else(made_up, str::to_owned);
    }
}

/// The row of a connection, its secrets sealed for this connection alone.
pub(super) fn row(
    app: &App,
    connection: &Connection,
    before: Option<&StoredConnection>,
) -> Result<StoredConnection, ApiError> {
    let now = app.clock.now();
    let secrets = connection.options.secrets();
    let sealed = if secrets.is_empty() {
        None
    } else {
        let plain = zeroize::Zeroizing::new(Value::Object(secrets).to_string());
        let id = connection.id.as_str();
        let sealed = app.sealer.seal_secret(
            SECRET_PURPOSE,
            id,
            plain.as_bytes(),
            &mut app.randomness.rng(),
        );
        Some(sealed.map_err(|error| {
            tracing::error!(%error, connection = id, "a secret could not be sealed");
            ApiError::whole(crate::store::StoreRefusal::Unavailable)
        })?)
    };
    Ok(StoredConnection {
        id: connection.id.clone(),
        version: connection.version,
        name: connection.name.clone(),
        display_name: connection.display_name.clone(),
        strategy: connection.spec.strategy.clone(),
        status: connection.status,
        organization_code: connection.organization_code.clone(),
        options: Value::Object(connection.options.to_json()),
        secrets: sealed,
        created_at: before.map_or(now, |before| before.created_at),
        updated_at: now,
    })
}

/// Organization and applications exist: told one by one, which a foreign key cannot.
pub(super) async fn check_references(
    app: &App,
    organization: Option<&str>,
    applications: &[String],
) -> Result<(), ApiError> {
    let mut problems = Vec::new();
    if let Some(code) = organization
        && app.store.organization(code).await?.is_none()
    {
        problems.push(Problem::new(
            ApiRefusal::MemberValue
                .refuse()
                .expected("the code of an organization")
                .found(code),
            "organization_code",
        ));
    }
    for (index, client_id) in applications.iter().enumerate() {
        if app.store.application(client_id).await?.is_none() {
            let refusal = ApiRefusal::MemberValue
                .refuse()
                .expected("the client_id of an application")
                .found(client_id);
            problems.push(Problem::new(
                refusal,
                format!("enabled_applications.{index}"),
            ));
        }
    }
    if problems.is_empty() {
        Ok(())
    } else {
        Err(problems.into())
    }
}

pub(super) async fn check_dependants(
    app: &App,
    stored: &StoredConnection,
    confirmed: bool,
) -> Result<(), ApiError> {
    let dependants = app.store.dependants(&stored.id).await?;
    if confirmed || !dependants.any() {
        return Ok(());
    }
    let applications = app.store.dependent_applications(&stored.id).await?;
    let counted = format!(
        "{} users, {} applications, {} domains",
        dependants.users, dependants.applications, dependants.domains
    );
    let refusal = ApiRefusal::ConfirmationRequired
        .refuse()
        .expected("confirm=true")
        .found(counted);
    let domains = stored.options["home_realm_domains"].clone();
    let listed =
        json!({ "users": dependants.users, "applications": applications, "domains": domains });
    Err(ApiError::of(refusal, "confirm").with("dependants", listed))
}
