//! `attacks-proved forget` before a test run; `attacks-proved` after it: fails on an entry of the catalogue that no test
//! proved, and on a `docs/SECURITY.md` that tells something else; `attacks-proved write` writes it.

use std::process::ExitCode;

use fedgate_tests::catalogue;

fn main() -> ExitCode {
    let argument = std::env::args().nth(1);
    if argument.as_deref() == Some("forget") {
        catalogue::forget();
        return ExitCode::SUCCESS;
    }
    let missing = catalogue::missing();
    for number in &missing {
        println!("no test proves entry {number} of the catalogue");
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
    if missing.is_empty() && up_to_date {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}
