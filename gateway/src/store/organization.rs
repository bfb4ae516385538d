//! Organizations and their connections.

use fedgate_certs::Timestamp;
use fedgate_providers::connection::ConnectionId;
use serde_json::json;

use super::page::{Page, PageRequest, Position};
use super::query::{execute, fetch_all, fetch_optional};
use super::{Store, StoreError, Transaction, outbox, time};

/// A group of users that signs in through its own connections.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Organization {
    /// `org_` and 11 hex digits.
    pub code: String,
    /// What people read.
    pub name: String,
    /// The operator's own id.
    pub external_id: Option<String>,
    /// Unique where there is one.
    pub handle: Option<String>,
    /// Whether people may register themselves.
    pub is_allow_registrations: bool,
    /// Whether whoever asks to sign in to it becomes a member.
    pub is_auto_membership_enabled: bool,
    /// Grows by one at each change.
    pub version: i64,
    /// When it was made.
    pub created_at: Timestamp,
}

impl Organization {
    /// Where the organization stands in a list.
    pub fn position(&self) -> Position {
        Position {
            at: self.created_at.as_millisecond(),
            id: self.code.clone(),
        }
    }
}

/// Who would notice if an organization went away.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, sqlx::FromRow)]
pub struct OrganizationDependants {
    /// Its members.
    pub users: i64,
    /// Connections of other owners that are enabled for it.
    pub connections: i64,
}

impl OrganizationDependants {
    /// Whether anybody would.
    pub fn any(&self) -> bool {
        self.users + self.connections > 0
    }
}

#[derive(sqlx::FromRow)]
struct Row {
    code: String,
    name: String,
    external_id: Option<String>,
    handle: Option<String>,
    is_allow_registrations: bool,
    is_auto_membership_enabled: bool,
    version: i64,
    created_at: i64,
}

impl Row {
    fn read(self) -> Result<Organization, StoreError> {
        Ok(Organization {
            code: self.code,
            name: self.name,
            external_id: self.external_id,
            handle: self.handle,
            is_allow_registrations: self.is_allow_registrations,
            is_auto_membership_enabled: self.is_auto_membership_enabled,
            version: self.version,
            created_at: time(self.created_at)?,
        })
    }
}

impl Store {
    /// Adds an organization.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] if the code or the handle is taken.
    pub async fn create_organization(&self, organization: &Organization) -> Result<(), StoreError> {
        let mut transaction = self.begin().await?;
        execute!(
            transaction,
            "INSERT INTO organizations (code, name, external_id, handle, is_allow_registrations,
                is_auto_membership_enabled, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7)",
            &organization.code,
            &organization.name,
            organization.external_id.as_deref(),
            organization.handle.as_deref(),
            organization.is_allow_registrations,
            organization.is_auto_membership_enabled,
            organization.created_at.as_millisecond()
        )?;
        let now = organization.created_at;
        tell(
            &mut transaction,
            "organization.created",
            &organization.code,
            now,
        )
        .await?;
        transaction.commit().await
    }

    /// Changes an organization whose version is still that of `organization`, and answers the new version.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] of `"organization"` for another version, of `"row"` if the handle is taken;
    /// [`StoreError::NotFound`]
    pub async fn update_organization(
        &self,
        organization: &Organization,
        now: Timestamp,
    ) -> Result<i64, StoreError> {
        let mut transaction = self.begin().await?;
        let changed = execute!(transaction,
            "UPDATE organizations SET version = version + 1, name = $3, external_id = $4, handle = $5,
                is_allow_registrations = $6, is_auto_membership_enabled = $7 WHERE code = $1 AND version = $2",
            &organization.code, organization.version, &organization.name, organization.external_id.as_deref(),
            organization.handle.as_deref(), organization.is_allow_registrations,
            organization.is_auto_membership_enabled)?;
        if changed == 0 {
            return Err(missing_or_changed(&mut transaction, &organization.code).await?);
        }
        tell(
            &mut transaction,
            "organization.updated",
            &organization.code,
            now,
        )
        .await?;
        transaction.commit().await?;
        Ok(organization.version + 1)
    }

    /// Removes an organization with its memberships and links, if its version is the expected one.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] of `"organization"` for another version, of `"connections"` while connections
    /// belong to it; [`StoreError::NotFound`]
    pub async fn delete_organization(
        &self,
        code: &str,
        expected: Option<i64>,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let mut transaction = self.begin().await?;
        let deleted = execute!(
            transaction,
            "DELETE FROM organizations WHERE code = $1 AND version = COALESCE($2, version)",
            code,
            expected
        )
        .map_err(|error| match error {
            StoreError::NotFound(_) => StoreError::Conflict("connections"),
            other => other,
        })?;
        if deleted == 0 {
            return Err(missing_or_changed(&mut transaction, code).await?);
        }
        tell(&mut transaction, "organization.deleted", code, now).await?;
        transaction.commit().await
    }

    /// Who depends on an organization, beside the connections that belong to it and keep it.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`]
    pub async fn organization_dependants(
        &self,
        code: &str,
    ) -> Result<OrganizationDependants, StoreError> {
        let mut reader = self.reader().await?;
        let row = fetch_optional!(reader, OrganizationDependants,
            "SELECT (SELECT COUNT(*) FROM memberships WHERE organization_code = $1) AS users,
                    (SELECT COUNT(*) FROM organization_connections WHERE organization_code = $1) AS connections", code)?;
        Ok(row.unwrap_or_default())
    }

    /// Reads an organization.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`], [`StoreError::Corrupt`]
    pub async fn organization(&self, code: &str) -> Result<Option<Organization>, StoreError> {
        let mut reader = self.reader().await?;
        fetch_optional!(
            reader,
            Row,
            "SELECT * FROM organizations WHERE code = $1",
            code
        )?
        .map(Row::read)
        .transpose()
    }

    /// A page of organizations, newest first.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] for a cursor that names no organization.
    pub async fn organizations(
        &self,
        request: PageRequest<'_>,
    ) -> Result<Page<Organization>, StoreError> {
        let mut reader = self.reader().await?;
        let cursor = request.starting_after.or(request.ending_before);
        if let Some(cursor) = cursor
            && fetch_optional!(
                reader,
                (String,),
                "SELECT code FROM organizations WHERE code = $1",
                cursor
            )?
            .is_none()
        {
            return Err(StoreError::NotFound("organization"));
        }
        let rows = if request.is_backward() {
            fetch_all!(reader, Row,
                "SELECT * FROM organizations
                 WHERE (created_at, code) > (SELECT created_at, code FROM organizations WHERE code = $1)
                 ORDER BY created_at, code LIMIT $2", request.ending_before, request.limit())
        } else {
            let start = request.start();
            fetch_all!(reader, Row,
                "SELECT * FROM organizations WHERE (created_at, code) < ($2, $3) AND (CAST($1 AS TEXT) IS NULL
                    OR (created_at, code) < (SELECT created_at, code FROM organizations WHERE code = $1))
                 ORDER BY created_at DESC, code DESC LIMIT $4",
                request.starting_after, start.at, start.id, request.limit())
        }?;
        Ok(Page::of(
            rows.into_iter().map(Row::read).collect::<Result<_, _>>()?,
            request,
        ))
    }

    /// Ids of the connections that an organization's people may use: its own and those linked to it, in order.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`], [`StoreError::Corrupt`]
    pub async fn organization_connection_ids(
        &self,
        code: &str,
    ) -> Result<Vec<ConnectionId>, StoreError> {
        let mut reader = self.reader().await?;
        let rows = fetch_all!(reader, (String,),
            "SELECT id FROM connections WHERE organization_code = $1
             UNION SELECT connection_id FROM organization_connections WHERE organization_code = $1 ORDER BY 1", code)?;
        rows.iter().map(|(id,)| super::connection::id(id)).collect()
    }

    /// Links a connection to an organization, or takes that back; doing it twice changes nothing.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] if either is unknown.
    pub async fn link_organization(
        &self,
        code: &str,
        id: &ConnectionId,
        enabled: bool,
    ) -> Result<(), StoreError> {
        let mut transaction = self.begin().await?;
        super::connection::count_link(&mut transaction, id).await?;
        if enabled {
            execute!(transaction,
                "INSERT INTO organization_connections (organization_code, connection_id) VALUES ($1, $2)
                 ON CONFLICT DO NOTHING", code, id.as_str())?;
        } else {
            execute!(
                transaction,
                "DELETE FROM organization_connections WHERE organization_code = $1 AND connection_id = $2",
                code,
                id.as_str()
            )?;
        }
        transaction.commit().await
    }
}

async fn tell(
    transaction: &mut Transaction,
    kind: &str,
    code: &str,
    now: Timestamp,
) -> Result<(), StoreError> {
    outbox::append(transaction, kind, &json!({ "org_code": code }), now).await
}

async fn missing_or_changed(
    transaction: &mut Transaction,
    code: &str,
) -> Result<StoreError, StoreError> {
    let found = fetch_optional!(
        *transaction,
        (i64,),
        "SELECT version FROM organizations WHERE code = $1",
        code
    )?;
    Ok(match found {
        Some(_) => StoreError::Conflict("organization"),
        None => StoreError::NotFound("organization"),
    })
}
