//! A genuine assertion, encrypted: edited before, so that the plain text is hostile, or after, so that its wrapping is;
//! or any octets in place of the cipher text. What is still accepted is what a genuine response says. The first octet
//! chooses, the others are the script or the octets.
#![no_main]

use fedgate_fuzz::encrypt::{encrypted, with_content};
use fedgate_fuzz::{GENUINE, edit, judge};
use libfuzzer_sys::fuzz_target;

/// Those whose assertion carries its own signature.
const SIGNED_INSIDE: [usize; 2] = [0, 3];

fuzz_target!(|octets: &[u8]| {
    let Some((chosen, rest)) = octets.split_first() else {
        return;
    };
    let genuine = GENUINE[SIGNED_INSIDE[usize::from(chosen & 1)]];
    let is_cbc = chosen & 2 != 0;
    match (chosen >> 2) % 3 {
        0 => {
            let hostile = String::from_utf8_lossy(&edit::edited(genuine, rest)).into_owned();
            judge(encrypted(&hostile, is_cbc).as_bytes());
        }
        1 => judge(&edit::edited(&encrypted(genuine, is_cbc), rest)),
        _ => judge(with_content(genuine, rest, is_cbc).as_bytes()),
    }
});
