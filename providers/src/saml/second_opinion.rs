//! A second opinion: another implementation verifies the very document that the strict verifier accepted, with the same
//! keys, and must find the same octets signed.
//!
//! It is asked behind the strict verifier only. What it would make of other documents does not matter: samael fetches
//! what a Reference names before it looks at any signature, and takes documents that are no XML.
//!
//! Which one is asked, the build decides: samael with the feature `second-opinion`, what a test says with
//! `lying-oracle`, nobody without either.

#[cfg(feature = "lying-oracle")]
mod lying;
#[cfg(feature = "second-opinion")]
pub mod samael;

use std::time::Duration;

use fedgate_certs::Timestamp;
use fedgate_certs::trust::{Trust, sha256};
use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;
use tokio::time::timeout;

use super::refusal::SamlRefusal;
use crate::error::Refusal;
use crate::login::Steps;

/// The most opinions that are formed at once, each on a thread of its own; further logins wait.
pub const OPINIONS: usize = 8;
/// How long a login waits for its opinion: hundreds of times what one takes.
pub const PATIENCE: Duration = Duration::from_secs(2);

const STEP: &str = "saml.second_opinion";

/// What the strict verifier accepted.
#[derive(Clone, Debug)]
pub struct Witness {
    /// The whole document.
    pub document: Vec<u8>,
    /// What the outermost signature covers, in canonical form.
    pub octets: Vec<u8>,
    /// The keys of the connection.
    pub trust: Trust,
}

/// Says which octets a signature of a document covers, or why none is sound. It may block.
pub type Oracle = fn(&[u8], &Trust) -> Result<Vec<u8>, String>;

/// Asks for the second opinion, where this build has one, and records it as a step.
///
/// # Errors
/// `saml.second_opinion_differs`, `saml.second_opinion_unavailable`.
pub async fn agree(witness: Witness, now: Timestamp, steps: &mut Steps) -> Result<(), Refusal> {
    let Some(oracle) = oracle() else {
        return Ok(());
    };
    match ask(oracle, witness).await {
        Ok(()) => {
            steps.pass(STEP, "the same octets are signed".to_owned(), now);
            Ok(())
        }
        Err(refusal) => {
            steps.fail(STEP, &refusal, now);
            Err(refusal)
        }
    }
}

fn oracle() -> Option<Oracle> {
    #[cfg(feature = "lying-oracle")]
    if let Some(lie) = lying::oracle() {
        return Some(lie);
    }
    #[cfg(feature = "second-opinion")]
    return Some(samael::signed_octets);
    #[cfg(not(feature = "second-opinion"))]
    None
}

async fn ask(oracle: Oracle, witness: Witness) -> Result<(), Refusal> {
    static AT_ONCE: Semaphore = Semaphore::const_new(OPINIONS);
    let opinion = async {
        let permit = AT_ONCE.acquire().await.map_err(unavailable)?;
        // The permit goes with the thread: one that nobody waits for any more still counts.
        let judged = spawn_blocking(move || {
            let _permit = permit;
            compare(oracle, &witness)
        });
        judged.await.map_err(unavailable)?
    };
    timeout(PATIENCE, opinion)
        .await
        .unwrap_or_else(|elapsed| Err(unavailable(elapsed)))
}

fn compare(oracle: Oracle, witness: &Witness) -> Result<(), Refusal> {
    let ours = &witness.octets;
    match oracle(&witness.document, &witness.trust) {
        Ok(octets) if octets == *ours => Ok(()),
        // Their fingerprints and the place, not the octets: those are an assertion.
        Ok(octets) => {
            let alike = ours.iter().zip(&octets).take_while(|(a, b)| a == b);
            Err(SamlRefusal::SecondOpinionDiffers
                .refuse()
                .expected(fingerprint(ours))
                .found(fingerprint(&octets))
                .detail(format_args!("they part at byte {}", alike.count())))
        }
        Err(why) => Err(SamlRefusal::SecondOpinionDiffers
            .refuse()
            .expected(fingerprint(ours))
            .found("no sound signature")
            .detail(why)),
    }
}

fn fingerprint(octets: &[u8]) -> String {
    let start = sha256(octets)[..8].try_into().map_or(0, u64::from_be_bytes);
    format!("{} bytes, SHA-256 {start:016x}…", octets.len())
}

fn unavailable(cause: impl std::fmt::Display) -> Refusal {
    SamlRefusal::SecondOpinionUnavailable.refuse().detail(cause)
}
