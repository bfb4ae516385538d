//! `codes-covered forget` before a test run; `codes-covered` after it: fails on a code that no test produced.

use std::process::ExitCode;

use fedgate_tests::seen;

fn main() -> ExitCode {
    if std::env::args().nth(1).as_deref() == Some("forget") {
        seen::forget();
        return ExitCode::SUCCESS;
    }
    let missing = seen::missing();
    let known = fedgate::catalogue::catalogue().len();
    for code in &missing {
        println!("no test produces {code}");
    }
    println!(
        "{} of {known} error codes were produced through the public interface",
        known - missing.len()
    );
    if missing.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}
