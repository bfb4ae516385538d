//! An authorization code: what nobody guesses, and whose share of the store it counts against.

use std::fmt;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use openssl::sha::sha256;
use rand::CryptoRng;

/// Octets that nobody guesses.
const RANDOM_BYTES: usize = 32;
/// Octets of the hash of whom a code counts against.
const OWNER_BYTES: usize = 6;
/// The same in base64url.
const OWNER_CHARACTERS: usize = 8;

/// Whom an entry counts against: a name's hash, so that it is short and fits into any key.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Owner([u8; OWNER_CHARACTERS]);

impl Owner {
    /// Entries that count against nobody.
    pub(super) const NOBODY: Self = Self(*b"________");

    /// The owner of that name; of two names of one hash each counts against both, and nothing else.
    pub(super) fn named(name: &str) -> Self {
        Self::read(&URL_SAFE_NO_PAD.encode(&sha256(name.as_bytes())[..OWNER_BYTES]))
    }

    pub(super) fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default()
    }

    /// The owner that a text ends with, or nobody.
    fn read(text: &str) -> Self {
        let is_ours = |octet: &u8| octet.is_ascii_alphanumeric() || matches!(octet, b'-' | b'_');
        match text.as_bytes().last_chunk::<OWNER_CHARACTERS>() {
            Some(owner) if owner.iter().all(is_ours) => Self(*owner),
            _ => Self::NOBODY,
        }
    }
}

impl fmt::Debug for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// An authorization code. The stores know it by its SHA-256 alone: what they show to anybody redeems nothing.
#[derive(Clone, PartialEq, Eq)]
pub struct Code {
    text: String,
    hash: [u8; 32],
    owner: Owner,
}

impl Code {
    /// A new code that counts against the share of `owner`, which is a connection's id.
    pub fn draw(owner: &str, rng: &mut dyn CryptoRng) -> Self {
        let mut random = [0; RANDOM_BYTES];
        rng.fill_bytes(&mut random);
        let owner = Owner::named(owner);
        Self::presented(&format!(
            "{}{}",
            URL_SAFE_NO_PAD.encode(random),
            owner.as_str()
        ))
    }

    /// The code that somebody presents. Whatever it is, it names one place in the store.
    pub fn presented(text: &str) -> Self {
        Self {
            text: text.to_owned(),
            hash: sha256(text.as_bytes()),
            owner: Owner::read(text),
        }
    }

    /// The code itself, for the application.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    pub(super) fn hash(&self) -> [u8; 32] {
        self.hash
    }

    pub(super) fn owner(&self) -> Owner {
        self.owner
    }
}

/// Without the code.
impl fmt::Debug for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Code(of {:?})", self.owner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::{SeedableRng as _, rngs::StdRng};

    #[test]
    fn a_code_is_read_as_it_was_drawn_and_is_never_shown() {
        let mut rng = StdRng::seed_from_u64(1);
        let code = Code::draw("conn_1", &mut rng);
        assert_eq!(Code::presented(code.as_str()), code);
        assert_eq!(code.owner(), Owner::named("conn_1"));
        assert_ne!(Code::draw("conn_1", &mut rng), code);
        assert!(!format!("{code:?}").contains(&code.as_str()[..8]));
    }

    #[test]
    fn whatever_is_presented_names_one_place() {
        for text in ["", "c1", "}{}{}{}{", "ünïcödë-ünïcödë"] {
            assert_eq!(Code::presented(text).owner(), Owner::NOBODY, "{text}");
        }
    }
}
