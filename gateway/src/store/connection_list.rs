//! Lists of connections, in pages.

use super::connection::{Row, StoredConnection};
use super::page::{Page, PageRequest};
use super::query::{fetch_all, fetch_optional};
use super::{Store, StoreError};

/// Which connections a list is about.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Among<'a> {
    /// Every one.
    #[default]
    All,
    /// The one that this domain leads to.
    Domain(&'a str),
    /// Those that are enabled for this application.
    Application(&'a str),
    /// This organization's own, and those that are enabled for it.
    Organization(&'a str),
}

/// The page towards the older entries and the one towards the newer ones. `$1` is what the list is about, `$2` the
/// cursor, `$3` the limit. Each list has texts of its own, so that a database takes the index of each.
macro_rules! statements {
    ($those:literal) => {
        [
            concat!(
                "SELECT * FROM connections c WHERE ",
                $those,
                " AND (CAST($2 AS TEXT) IS NULL
                   OR (c.created_at, c.id) < (SELECT created_at, id FROM connections WHERE id = $2))
                  ORDER BY c.created_at DESC, c.id DESC LIMIT $3"
            ),
            concat!(
                "SELECT * FROM connections c WHERE ",
                $those,
                " AND (c.created_at, c.id) > (SELECT created_at, id FROM connections WHERE id = $2)
                  ORDER BY c.created_at, c.id LIMIT $3"
            ),
        ]
    };
}

impl<'a> Among<'a> {
    fn name(self) -> Option<&'a str> {
        match self {
            Self::All => None,
            Self::Domain(name) | Self::Application(name) | Self::Organization(name) => Some(name),
        }
    }

    fn statements(self) -> [&'static str; 2] {
        match self {
            Self::All => statements!("CAST($1 AS TEXT) IS NULL"),
            Self::Domain(_) => statements!(
                "c.id IN (SELECT connection_id FROM connection_domains WHERE domain = $1)"
            ),
            Self::Application(_) => statements!(
                "c.id IN (SELECT connection_id FROM application_connections WHERE client_id = $1)"
            ),
            Self::Organization(_) => statements!(
                "c.id IN (SELECT id FROM connections WHERE organization_code = $1
                    UNION SELECT connection_id FROM organization_connections WHERE organization_code = $1)"
            ),
        }
    }
}

impl Store {
    /// A page of connections, newest first.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] for a cursor that names no connection.
    pub async fn connections(
        &self,
        among: Among<'_>,
        request: PageRequest<'_>,
    ) -> Result<Page<StoredConnection>, StoreError> {
        let mut reader = self.reader().await?;
        let cursor = request.starting_after.or(request.ending_before);
        if let Some(cursor) = cursor
            && fetch_optional!(
                reader,
                (String,),
                "SELECT id FROM connections WHERE id = $1",
                cursor
            )?
            .is_none()
        {
            return Err(StoreError::NotFound("connection"));
        }
        let [older, newer] = among.statements();
        let sql = if request.is_backward() { newer } else { older };
        let rows = fetch_all!(reader, Row, sql, among.name(), cursor, request.limit())?;
        let connections = rows.into_iter().map(Row::read).collect::<Result<_, _>>()?;
        Ok(Page::of(connections, request))
    }
}
