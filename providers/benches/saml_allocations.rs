//! What the verifier allocates for a document, from its octets to the fields of an identity. Apart from the other
//! measurements, since counting costs time itself.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a benchmark, whose set-up must hold"
)]

#[path = "saml_verifier/document.rs"]
#[allow(
    dead_code,
    reason = "shared with the other benchmark, which uses more of it"
)]
mod document;
#[path = "saml_verifier/ours.rs"]
mod ours;
#[path = "../src/saml/test_signer.rs"]
#[allow(
    dead_code,
    unreachable_pub,
    reason = "shared with the unit tests, which use more of it"
)]
mod test_signer;

fn main() {
    let keys = document::Keys::fresh();
    println!(
        "{:<30} {:>7} {:>11} {:>11} {:>9}",
        "document", "bytes", "allocations", "octets", "at once"
    );
    for case in document::cases(&keys) {
        ours::accept(&case, &keys);
        let counted = allocation_counter::measure(|| ours::accept(&case, &keys));
        println!(
            "{:<30} {:>7} {:>11} {:>11} {:>9}",
            case.name,
            case.xml.len(),
            counted.count_total,
            counted.bytes_total,
            counted.bytes_max,
        );
    }
}
