//! A genuine response, its elements copied, moved, removed and their values exchanged: what is still accepted is what
//! a genuine response says. The first octet chooses the response, the others are the script.
#![no_main]

use fedgate_fuzz::{GENUINE, edit, judge};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|octets: &[u8]| {
    if let Some((chosen, script)) = octets.split_first() {
        judge(&edit::edited(
            GENUINE[usize::from(*chosen) % GENUINE.len()],
            script,
        ));
    }
});
