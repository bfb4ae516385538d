//! The proof that everything sealed opens: every box is opened once, and what was in it is wiped.

use fedgate_certs::seal::Sealer;

use crate::store::sealed::Place;
use crate::store::{Store, StoreError};

/// Boxes that are read at once.
const AT_ONCE: i64 = 500;
/// The most boxes that are named which do not open.
const NAMED: usize = 100;

/// The boxes of one place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Counted {
    /// Where they are.
    pub place: Place,
    /// How many open with the master key.
    pub current: u64,
    /// How many open with the previous one.
    pub previous: u64,
    /// How many do not open.
    pub failed: u64,
}

/// What came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verified {
    /// Each place.
    pub places: Vec<Counted>,
    /// Boxes that do not open, by place and row.
    pub failures: Vec<(Place, String)>,
}

impl Verified {
    /// How many boxes of all places together are of one kind.
    pub fn sum(&self, of: fn(&Counted) -> u64) -> u64 {
        self.places.iter().map(of).sum()
    }
}

/// Opens every box of a store.
///
/// # Errors
/// The store's.
pub async fn verify(store: &Store, sealer: &Sealer) -> Result<Verified, StoreError> {
    let mut verified = Verified {
        places: Vec::new(),
        failures: Vec::new(),
    };
    for place in Place::ALL {
        let mut counted = Counted {
            place,
            current: 0,
            previous: 0,
            failed: 0,
        };
        let mut after = String::new();
        loop {
            let boxes = store.sealed_after(place, &after, AT_ONCE).await?;
            let Some(last) = boxes.last() else { break };
            after.clone_from(&last.id);
            for sealed in boxes {
                let opened = sealer.open_secret(&sealed.purpose, &sealed.context, &sealed.octets);
                match (opened.is_ok(), sealer.is_current(&sealed.octets)) {
                    (true, true) => counted.current += 1,
                    (true, false) => counted.previous += 1,
                    (false, _) => {
                        counted.failed += 1;
                        if verified.failures.len() < NAMED {
                            verified.failures.push((place, sealed.id));
                        }
                    }
                }
            }
        }
        verified.places.push(counted);
    }
    Ok(verified)
}
