//! `differential DOCUMENTS [SEED]` judges so many documents by the strict verifier and by samael, and fails where the
//! second does not say what the first said.

use std::process::ExitCode;
use std::time::Instant;

use fedgate_differential::run::Run;

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1).map(|argument| argument.parse());
    let (Some(Ok(documents)), Ok(seed)) = (arguments.next(), arguments.next().unwrap_or(Ok(1)))
    else {
        println!("usage: differential DOCUMENTS [SEED]");
        return ExitCode::from(2);
    };
    let start = Instant::now();
    let tally = Run::new(seed).of(documents);
    println!("documents                        {}", tally.documents);
    println!("accepted by both, same octets    {}", tally.accepted);
    println!(
        "of these, changed before signing {}",
        tally.accepted_changed
    );
    println!(
        "disagreements                    {}",
        tally.disagreements.len()
    );
    println!(
        "seconds                          {:.0}",
        start.elapsed().as_secs_f64()
    );
    for (code, count) in &tally.refused {
        println!("refused by the strict one        {count:>7} {code}");
    }
    for disagreement in &tally.disagreements {
        println!("\n== {}\n{}", disagreement.other, disagreement.xml);
    }
    if tally.disagreements.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}
