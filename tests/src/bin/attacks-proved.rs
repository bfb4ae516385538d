//! `attacks-proved forget` before a test run; `attacks-proved` after it: fails on an entry of a catalogue that no test
//! proved, and on a `docs/SECURITY.md` that tells something else; `attacks-proved write` writes it.

use std::process::ExitCode;

use fedgate_tests::catalogue::{self, Catalogue};

fn main() -> ExitCode {
    let argument = std::env::args().nth(1);
    if argument.as_deref() == Some("forget") {
        catalogue::forget();
        return ExitCode::SUCCESS;
    }
    let mut is_whole = true;
    for catalogue in Catalogue::ALL {
        for number in catalogue.missing() {
            println!(
                "no test proves entry {number} of the catalogue {}",
                catalogue.name()
            );
            is_whole = false;
        }
    }
    let (proved, written) = catalogue::document();
    let path = catalogue::document_path();
    let up_to_date = match argument.as_deref() {
        Some("write") => std::fs::write(&path, proved).is_ok(),
        _ => proved == written,
    };
    if !up_to_date {
        println!(
            "docs/SECURITY.md is out of date: run `cargo run -p fedgate-tests --bin attacks-proved write`"
        );
    }
    if is_whole && up_to_date {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}
