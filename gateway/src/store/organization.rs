//! Organizations, their connections and their members.

use fedgate_certs::Timestamp;
use fedgate_providers::connection::ConnectionId;

use super::page::{Page, PageRequest};
use super::query::{execute, fetch_all, fetch_optional};
use super::{Store, StoreError, time};

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
    /// When it was made.
    pub created_at: Timestamp,
}

#[derive(sqlx::FromRow)]
struct Row {
    code: String,
    name: String,
    external_id: Option<String>,
    handle: Option<String>,
    is_allow_registrations: bool,
    is_auto_membership_enabled: bool,
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
        transaction.commit().await
    }

    /// Changes an organization.
    ///
    /// # Errors
    /// [`StoreError::NotFound`]; [`StoreError::Conflict`] if the handle is taken.
    pub async fn update_organization(&self, organization: &Organization) -> Result<(), StoreError> {
        let mut transaction = self.begin().await?;
        let changed = execute!(transaction,
            "UPDATE organizations SET name = $2, external_id = $3, handle = $4, is_allow_registrations = $5,
                is_auto_membership_enabled = $6 WHERE code = $1",
            &organization.code, &organization.name, organization.external_id.as_deref(), organization.handle.as_deref(),
            organization.is_allow_registrations, organization.is_auto_membership_enabled)?;
        transaction.commit().await?;
        if changed == 0 {
            Err(StoreError::NotFound("organization"))
        } else {
            Ok(())
        }
    }

    /// Removes an organization with its memberships and links.
    ///
    /// # Errors
    /// [`StoreError::NotFound`]; [`StoreError::Conflict`] while connections belong to it.
    pub async fn delete_organization(&self, code: &str) -> Result<(), StoreError> {
        let mut transaction = self.begin().await?;
        let deleted = execute!(
            transaction,
            "DELETE FROM organizations WHERE code = $1",
            code
        )
        .map_err(|error| match error {
            StoreError::NotFound(_) => StoreError::Conflict("organization"),
            other => other,
        })?;
        transaction.commit().await?;
        if deleted == 0 {
            Err(StoreError::NotFound("organization"))
        } else {
            Ok(())
        }
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
            fetch_all!(reader, Row,
                "SELECT * FROM organizations WHERE CAST($1 AS TEXT) IS NULL
                    OR (created_at, code) < (SELECT created_at, code FROM organizations WHERE code = $1)
                 ORDER BY created_at DESC, code DESC LIMIT $2", request.starting_after, request.limit())
        }?;
        Ok(Page::of(
            rows.into_iter().map(Row::read).collect::<Result<_, _>>()?,
            request,
        ))
    }

    /// Connections that an organization's people may use: its own and those linked to it, by id.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`], [`StoreError::Corrupt`]
    pub async fn organization_connections(
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

    /// Makes a user a member; doing it twice changes nothing.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] if either is unknown.
    pub async fn add_member(
        &self,
        code: &str,
        user_id: &str,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let mut transaction = self.begin().await?;
        execute!(
            transaction,
            "INSERT INTO memberships (organization_code, user_id, created_at) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
            code,
            user_id,
            now.as_millisecond()
        )?;
        transaction.commit().await
    }

    /// Codes of the organizations that a user is a member of, in order.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`]
    pub async fn memberships(&self, user_id: &str) -> Result<Vec<String>, StoreError> {
        let mut reader = self.reader().await?;
        let rows = fetch_all!(
            reader,
            (String,),
            "SELECT organization_code FROM memberships WHERE user_id = $1 ORDER BY organization_code",
            user_id
        )?;
        Ok(rows.into_iter().map(|(code,)| code).collect())
    }
}
