//! Who belongs to an organization.

use fedgate_certs::Timestamp;
use serde_json::json;

use super::page::{Page, PageRequest, Position};
use super::person::{self, User};
use super::query::{execute, fetch_all, fetch_built, push_list};
use super::{Store, StoreError, Transaction, outbox, time};

/// A user of an organization.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// Who.
    pub user: User,
    /// Since when.
    pub joined_at: Timestamp,
}

impl Member {
    /// Where the member stands in the list.
    pub fn position(&self) -> Position {
        Position {
            at: self.joined_at.as_millisecond(),
            id: self.user.id.clone(),
        }
    }
}

/// What a change of members came to, by user id.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MembersChanged {
    /// They are members from now on.
    pub added: Vec<String>,
    /// They were members already.
    pub present: Vec<String>,
    /// They are no members any more.
    pub removed: Vec<String>,
}

#[derive(sqlx::FromRow)]
struct Row {
    #[sqlx(flatten)]
    user: person::Row,
    joined_at: i64,
}

impl Store {
    /// Makes users members and takes others out, all of it or nothing. Doing it twice changes nothing. The login
    /// sessions in the organization of those taken out end.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] for an unknown organization, or an unknown user to add.
    pub async fn change_members(
        &self,
        code: &str,
        add: &[String],
        remove: &[String],
        now: Timestamp,
    ) -> Result<MembersChanged, StoreError> {
        let mut transaction = self.begin().await?;
        let mut changed = MembersChanged::default();
        for user_id in add {
            let list = if join(&mut transaction, code, user_id, now).await? {
                &mut changed.added
            } else {
                &mut changed.present
            };
            list.push(user_id.clone());
        }
        for user_id in remove {
            if leave(&mut transaction, code, user_id, now).await? {
                changed.removed.push(user_id.clone());
            }
        }
        transaction.commit().await?;
        Ok(changed)
    }

    /// A page of an organization's members, newest first. Of `request`, the place and the size count.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`], [`StoreError::Corrupt`]
    pub async fn members(
        &self,
        code: &str,
        request: PageRequest<'_>,
    ) -> Result<Page<Member>, StoreError> {
        let start = request.start();
        let mut reader = self.reader().await?;
        let rows = fetch_all!(reader, Row,
            "SELECT u.*, m.created_at AS joined_at FROM memberships m JOIN users u ON u.id = m.user_id
             WHERE m.organization_code = $1 AND (m.created_at, m.user_id) < ($2, $3)
             ORDER BY m.created_at DESC, m.user_id DESC LIMIT $4", code, start.at, start.id, request.limit())?;
        let members = rows.into_iter().map(|row| {
            Ok(Member {
                user: row.user.read()?,
                joined_at: time(row.joined_at)?,
            })
        });
        Ok(Page::of(
            members.collect::<Result<_, StoreError>>()?,
            request,
        ))
    }

    /// User and organization of every membership that these users have, in order.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`]
    pub async fn memberships(
        &self,
        user_ids: &[String],
    ) -> Result<Vec<(String, String)>, StoreError> {
        if user_ids.is_empty() {
            return Ok(Vec::new());
        }
        let mut reader = self.reader().await?;
        fetch_built!(reader, (String, String), query, {
            query.push("SELECT user_id, organization_code FROM memberships WHERE user_id IN ");
            push_list!(query, user_ids);
            query.push(" ORDER BY user_id, organization_code");
        })
    }
}

/// Makes a user a member in an open transaction; answers whether the user was none.
///
/// # Errors
/// [`StoreError::NotFound`] for an unknown user or organization.
pub(crate) async fn join(
    transaction: &mut Transaction,
    code: &str,
    user_id: &str,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let joined = execute!(
        *transaction,
        "INSERT INTO memberships (organization_code, user_id, created_at) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
        code,
        user_id,
        now.as_millisecond()
    )?;
    if joined == 0 {
        return Ok(false);
    }
    tell(transaction, "organization.member_added", code, user_id, now).await?;
    Ok(true)
}

async fn leave(
    transaction: &mut Transaction,
    code: &str,
    user_id: &str,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let left = execute!(
        *transaction,
        "DELETE FROM memberships WHERE organization_code = $1 AND user_id = $2",
        code,
        user_id
    )?;
    if left == 0 {
        return Ok(false);
    }
    execute!(
        *transaction,
        "UPDATE login_sessions SET ended_at = $3 WHERE organization_code = $1 AND ended_at IS NULL
           AND identity_id IN (SELECT id FROM identities WHERE user_id = $2)",
        code,
        user_id,
        now.as_millisecond()
    )?;
    tell(
        transaction,
        "organization.member_removed",
        code,
        user_id,
        now,
    )
    .await?;
    Ok(true)
}

async fn tell(
    transaction: &mut Transaction,
    kind: &str,
    code: &str,
    user_id: &str,
    now: Timestamp,
) -> Result<(), StoreError> {
    let payload = json!({ "user_id": user_id, "org_code": code });
    outbox::append(transaction, kind, &payload, now).await
}
