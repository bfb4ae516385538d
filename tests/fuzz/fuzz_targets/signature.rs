//! The text of a response changed by a script, and only then signed by a trusted key: whatever is accepted is covered, as
//! one finds who reads the signed octets alone.
#![no_main]

use fedgate_differential::verdict::judge_changed;
use fedgate_fuzz::{SIGNER, counted};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|octets: &[u8]| counted(judge_changed(octets, &SIGNER)));
