//! Everything in the database that is sealed with the master key, box by box.

use super::query::{execute, fetch_all, fetch_optional};
use super::{Store, StoreError};

/// A table with boxes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// The root of keyed hashes, among the settings.
    MacRoot,
    /// Private keys of our own.
    Keys,
    /// Secret options of connections.
    Connections,
    /// Pairs that connections had.
    ReplacedPairs,
}

impl Place {
    /// Every place, in the order in which they are walked.
    pub const ALL: [Self; 4] = [
        Self::MacRoot,
        Self::Keys,
        Self::Connections,
        Self::ReplacedPairs,
    ];

    /// The word used in the store and in documents.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::MacRoot => "mac_root",
            Self::Keys => "keys",
            Self::Connections => "connections",
            Self::ReplacedPairs => "replaced_pairs",
        }
    }
}

/// One box with what it is sealed for.
#[derive(Clone, PartialEq, Eq)]
pub struct SealedBox {
    /// Its row: grows within its place.
    pub id: String,
    /// What it is sealed for.
    pub purpose: String,
    /// The row and column that it belongs to.
    pub context: String,
    /// The box.
    pub octets: Vec<u8>,
}

impl std::fmt::Debug for SealedBox {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SealedBox({}, {})", self.purpose, self.id)
    }
}

/// The setting that holds the root of keyed hashes, in hexadecimal.
pub const MAC_ROOT: &str = fedgate_certs::seal::MAC_ROOT;
/// What the pairs that connections had are sealed for.
pub const REPLACED_PAIR: &str = "replaced_pair";

type Row = (String, String, String, Vec<u8>);

impl Store {
    /// The boxes of a place after a row, in order.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`], [`StoreError::Corrupt`]
    pub async fn sealed_after(
        &self,
        place: Place,
        after: &str,
        most: i64,
    ) -> Result<Vec<SealedBox>, StoreError> {
        let mut reader = self.reader().await?;
        let rows: Vec<Row> = match place {
            Place::MacRoot => {
                let row = fetch_optional!(
                    reader,
                    (String,),
                    "SELECT value FROM settings WHERE name = $1 AND name > $2",
                    MAC_ROOT,
                    after
                )?;
                let name = || MAC_ROOT.to_owned();
                let boxes = row.map(|(hex,)| {
                    let octets = fedgate_certs::hex::octets(&hex);
                    let octets = octets.ok_or(StoreError::Corrupt("root of hashes"))?;
                    Ok::<Row, StoreError>((name(), name(), name(), octets))
                });
                boxes.into_iter().collect::<Result<_, _>>()?
            }
            Place::Keys => fetch_all!(
                reader,
                Row,
                "SELECT id, purpose, id, private_key FROM keys WHERE id > $1 ORDER BY id LIMIT $2",
                after,
                most
            )?,
            Place::Connections => fetch_all!(
                reader,
                Row,
                "SELECT id, 'connection', id, secrets FROM connections
                 WHERE secrets IS NOT NULL AND id > $1 ORDER BY id LIMIT $2",
                after,
                most
            )?,
            Place::ReplacedPairs => fetch_all!(
                reader,
                Row,
                "SELECT connection_id || ' ' || key_id, 'replaced_pair', connection_id || ' ' || key_id, private_key
                 FROM replaced_certificates WHERE connection_id || ' ' || key_id > $1
                 ORDER BY connection_id, key_id LIMIT $2",
                after,
                most
            )?,
        };
        let sealed = |(id, purpose, context, octets)| SealedBox {
            id,
            purpose,
            context,
            octets,
        };
        Ok(rows.into_iter().map(sealed).collect())
    }

    /// Puts another box in the place of one, unless that has changed; answers whether it had not. What is inside is the
    /// same: no version counts it.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`]
    pub async fn reseal(
        &self,
        place: Place,
        before: &SealedBox,
        after: &[u8],
    ) -> Result<bool, StoreError> {
        let mut transaction = self.begin().await?;
        let (id, old) = (before.id.as_str(), &before.octets[..]);
        let written = match place {
            Place::MacRoot => {
                let hex = |octets: &[u8]| fedgate_certs::hex::with_prefix("", octets);
                execute!(
                    transaction,
                    "UPDATE settings SET value = $3 WHERE name = $1 AND value = $2",
                    id,
                    hex(old),
                    hex(after)
                )
            }
            Place::Keys => execute!(
                transaction,
                "UPDATE keys SET private_key = $3 WHERE id = $1 AND private_key = $2",
                id,
                old,
                after
            ),
            Place::Connections => execute!(
                transaction,
                "UPDATE connections SET secrets = $3 WHERE id = $1 AND secrets = $2",
                id,
                old,
                after
            ),
            Place::ReplacedPairs => execute!(
                transaction,
                "UPDATE replaced_certificates SET private_key = $3
                 WHERE connection_id || ' ' || key_id = $1 AND private_key = $2",
                id,
                old,
                after
            ),
        }?;
        transaction.commit().await?;
        Ok(written > 0)
    }
}
