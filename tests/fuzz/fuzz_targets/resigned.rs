//! A response that the octets describe, signed by a trusted key, written in one of many ways, and half of the time changed
//! behind the signature: accepted is only what is sound, and then it says what was signed.
#![no_main]

use fedgate_differential::verdict::judge;
use fedgate_fuzz::{SIGNER, counted};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|octets: &[u8]| counted(judge(octets, &SIGNER)));
