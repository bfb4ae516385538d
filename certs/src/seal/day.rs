//! Boxes that others keep for us and that die with their day's key.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rand::CryptoRng;
use zeroize::Zeroizing;

use super::{Family, KEY_ID_BYTES, Sealer, associated_data, open, seal};
use crate::Timestamp;
use crate::error::CertError;
use crate::json;

/// How many days after the one it was sealed on a box can still be opened.
pub const DAYS_KEPT: u32 = 2;
/// The longest sealed text that is opened, in octets.
pub const SEALED_TEXT_BYTES: usize = 256 * 1024;

const DAY_BYTES: usize = 4;
const EXPIRY_BYTES: usize = 8;
const SECONDS_A_DAY: i64 = 86_400;

/// What was in an authentic box.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Opened {
    /// The content.
    pub plain: Zeroizing<Vec<u8>>,
    /// Whether it has expired; what an expired box still allows is the caller's decision.
    pub expired: bool,
}

impl Sealer {
    /// Seals what a browser keeps for us, as base64url. `expires_at` counts in whole seconds; whatever it says,
    /// the box is dead [`DAYS_KEPT`] days later. `associated` must be given again to open it.
    ///
    /// # Errors
    /// `Unsealable` when `now` is before 1970, `OpenSsl`.
    pub fn seal_for_day(
        &self,
        purpose: &str,
        associated: &[&[u8]],
        plain: &[u8],
        expires_at: Timestamp,
        now: Timestamp,
        rng: &mut dyn CryptoRng,
    ) -> Result<String, CertError> {
        let day = day_of(now)?.to_be_bytes();
        let key = self.derive(&self.master, Family::Day, purpose, &day)?;
        let header = [self.header().as_slice(), &day].concat();
        let associated = associated_data(&header, purpose, associated);
        let expiry = expires_at.as_second().to_be_bytes();
        let plain = Zeroizing::new([&expiry, plain].concat());
        Ok(URL_SAFE_NO_PAD.encode(seal(&key, &header, &associated, &plain, rng)?))
    }

    /// Opens what [`Sealer::seal_for_day`] sealed with the same purpose and associated data, today or up to
    /// [`DAYS_KEPT`] days ago.
    ///
    /// # Errors
    /// `Unsealable`, `OpenSsl`.
    pub fn open_for_day(
        &self,
        purpose: &str,
        associated: &[&[u8]],
        text: &str,
        now: Timestamp,
    ) -> Result<Opened, CertError> {
        if text.len() > SEALED_TEXT_BYTES {
            return Err(CertError::Unsealable);
        }
        let boxed = json::base64url(text).ok_or(CertError::Unsealable)?;
        let (header, body) = boxed
            .split_at_checked(1 + KEY_ID_BYTES + DAY_BYTES)
            .ok_or(CertError::Unsealable)?;
        let (master, day) = self.opener(header).ok_or(CertError::Unsealable)?;
        check_day(day, now)?;
        let key = self.derive(master, Family::Day, purpose, day)?;
        let plain = open(&key, &associated_data(header, purpose, associated), body)?;
        let (expiry, content) = plain
            .split_first_chunk::<EXPIRY_BYTES>()
            .ok_or(CertError::Unsealable)?;
        let expired = i64::from_be_bytes(*expiry) <= now.as_second();
        Ok(Opened {
            plain: Zeroizing::new(content.to_vec()),
            expired,
        })
    }
}

/// Days since 1970 in UTC.
fn day_of(now: Timestamp) -> Result<u32, CertError> {
    u32::try_from(now.as_second().div_euclid(SECONDS_A_DAY)).map_err(|_| CertError::Unsealable)
}

/// The day stands in clear, so that it is checked before a key is derived for it.
fn check_day(day: &[u8], now: Timestamp) -> Result<(), CertError> {
    let day = u32::from_be_bytes(day.try_into().map_err(|_| CertError::Unsealable)?);
    match day_of(now)?.checked_sub(day) {
        Some(0..=DAYS_KEPT) => Ok(()),
        _ => Err(CertError::Unsealable),
    }
}
