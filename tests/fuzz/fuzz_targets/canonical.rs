//! Elements that the octets describe: every way of writing them has one canonical form, which is its own.
#![no_main]

use fedgate_differential::verdict::judge_canonical;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|octets: &[u8]| judge_canonical(octets));
