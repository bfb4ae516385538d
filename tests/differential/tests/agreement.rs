//! The strict verifier and samael on documents by chance: what the strict one accepts, the other accepts, over the very
//! same octets.

use fedgate_differential::run::{Run, Tally};

#[test]
fn what_the_strict_verifier_accepts_the_other_accepts_over_the_same_octets() {
    let Tally {
        documents,
        accepted,
        disagreements,
        ..
    } = Run::new(1).of(600);
    assert!(disagreements.is_empty(), "{disagreements:#?}");
    assert!(
        documents > 500 && accepted > 200,
        "{accepted} of {documents}"
    );
}
