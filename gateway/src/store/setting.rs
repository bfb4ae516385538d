//! Facts about the database itself: `sealed_with` names the master key that its secrets are sealed with.

use super::query::{execute, fetch_optional};
use super::{Store, StoreError, Transaction};

impl Store {
    /// Reads a fact.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`]
    pub async fn setting(&self, name: &str) -> Result<Option<String>, StoreError> {
        let mut reader = self.reader().await?;
        let row = fetch_optional!(
            reader,
            (String,),
            "SELECT value FROM settings WHERE name = $1",
            name
        )?;
        Ok(row.map(|(value,)| value))
    }

    /// Writes a fact unless it is there already, and answers the one that is there.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`]
    pub async fn put_setting_once(&self, name: &str, value: &str) -> Result<String, StoreError> {
        let mut transaction = self.begin().await?;
        execute!(
            transaction,
            "INSERT INTO settings (name, value) VALUES ($1, $2) ON CONFLICT DO NOTHING",
            name,
            value
        )?;
        let row = fetch_optional!(
            transaction,
            (String,),
            "SELECT value FROM settings WHERE name = $1",
            name
        )?;
        transaction.commit().await?;
        row.map(|(value,)| value)
            .ok_or(StoreError::NotFound("setting"))
    }

    /// Writes a fact, whatever was there.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`]
    pub async fn put_setting(&self, name: &str, value: &str) -> Result<(), StoreError> {
        let mut transaction = self.begin().await?;
        execute!(
            transaction,
            "INSERT INTO settings (name, value) VALUES ($1, $2)
             ON CONFLICT (name) DO UPDATE SET value = excluded.value",
            name,
            value
        )?;
        transaction.commit().await
    }

    /// Whether anything in the database is sealed with the master key.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`]
    pub async fn holds_sealed(&self) -> Result<bool, StoreError> {
        let mut reader = self.reader().await?;
        let row = fetch_optional!(
            reader,
            (bool,),
            "SELECT EXISTS (SELECT 1 FROM keys) OR EXISTS (SELECT 1 FROM connections WHERE secrets IS NOT NULL)
                OR EXISTS (SELECT 1 FROM settings WHERE name = 'mac_root')"
        )?;
        Ok(row.is_some_and(|(any,)| any))
    }
}

/// Lets transactions that begin by naming the same thing take turns: each waits here for the end of the one before it.
pub(super) async fn take_turns(
    transaction: &mut Transaction,
    about: &'static str,
) -> Result<(), StoreError> {
    execute!(
        *transaction,
        "INSERT INTO settings (name, value) VALUES ($1, '') ON CONFLICT (name) DO UPDATE SET value = ''",
        about
    )?;
    Ok(())
}
