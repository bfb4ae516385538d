//! The outcome, as Markdown.

use std::collections::BTreeMap;

use crate::judge::Verdict;
use crate::switch::Mutant;

/// Prints a table by file and the mutants that were missed.
pub(crate) fn print(mutants: &[Mutant], verdicts: &[Verdict], unplaced: &[String]) {
    println!("| file | listed | caught | timed out | unviable | missed | own | caught | missed |");
    println!("|---|---|---|---|---|---|---|---|---|");
    let mut counts = BTreeMap::<&str, BTreeMap<(bool, Verdict), usize>>::new();
    for (mutant, verdict) in mutants.iter().zip(verdicts) {
        let count = counts.entry(&mutant.file).or_default();
        *count.entry((mutant.is_listed, *verdict)).or_default() += 1;
    }
    for (file, count) in counts {
        let of = |is_listed, verdict| count.get(&(is_listed, verdict)).copied().unwrap_or(0);
        let all = |listed| {
            count
                .iter()
                .filter(|((is, _), _)| *is == listed)
                .map(|(_, n)| n)
                .sum::<usize>()
        };
        println!(
            "| `{file}` | {} | {} | {} | {} | {} | {} | {} | {} |",
            all(true),
            of(true, Verdict::Caught),
            of(true, Verdict::TimedOut),
            of(true, Verdict::Unviable),
            of(true, Verdict::Missed),
            all(false),
            of(false, Verdict::Caught) + of(false, Verdict::TimedOut),
            of(false, Verdict::Missed),
        );
    }
    for (mutant, _) in mutants
        .iter()
        .zip(verdicts)
        .filter(|(_, verdict)| **verdict == Verdict::Missed)
    {
        println!("\nmissed: {}", mutant.name);
    }
    for name in unplaced {
        println!("\nnot made: {name}");
    }
}
