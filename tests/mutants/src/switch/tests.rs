use super::*;

const SOURCE: &str = "fn check(a: u8) -> bool {
    ready(a)?;
    if a > 1 && !odd(a) { return false; }
    match a { 0 if odd(a) => true, 1 => false, _ => items.any(|b| a == b) }
}
#[cfg(test)]
mod tests { fn never() { ready()?; } }
";

fn listed(genre: &str, start: (usize, usize), replacement: &str) -> Listed {
    Listed {
        file: "a.rs".to_owned(),
        genre: genre.to_owned(),
        start,
        function: "check".to_owned(),
        replacement: replacement.to_owned(),
        name: format!("{genre} {replacement}"),
    }
}

#[test]
fn each_mutant_stands_behind_its_number() {
    let list = [
        listed("FnValue", (2, 5), "true"),
        listed("BinaryOperator", (3, 10), "<"),
        listed("UnaryOperator", (3, 17), ""),
        listed("MatchArmGuard", (4, 20), "true"),
        listed("StructField", (9, 9), ""),
    ];
    let switched = switched("a.rs", SOURCE, &list, 1, &[7]).unwrap();
    assert_eq!(switched.unplaced, ["StructField "]);
    let names: Vec<&str> = switched
        .mutants
        .iter()
        .map(|mutant| &*mutant.name)
        .collect();
    assert_eq!(
        names,
        [
            "FnValue true",
            "a.rs:2:5: check left out: ready(a)? in check",
            "a.rs:3:8: condition never holds: a > 1 && !odd(a) in check",
            "a.rs:3:8: condition always holds: a > 1 && !odd(a) in check",
            "BinaryOperator <",
            "UnaryOperator ",
            "MatchArmGuard true",
            "a.rs:4:36: match arm left out: 1 in check",
            "a.rs:4:67: predicate of any never holds: a == b in check",
            "a.rs:4:67: predicate of any always holds: a == b in check",
        ]
    );
    for part in [
        "if crate::mutant::is(1) { return true; }",
        "if !crate::mutant::is(2) { ready(a)?; }",
        "if (crate::mutant::is(4) || !crate::mutant::is(3) && ((match crate::mutant::on() { 5u32 => a < 1 && !odd(a), _ => a > 1 && (if crate::mutant::is(6) { odd(a) } else { !odd(a) }) })))",
        "0 if ((odd(a))) => true, 1 if !crate::mutant::is(8) => false",
        "|b| (crate::mutant::is(10) || !crate::mutant::is(9) && (a == b))",
        "mod tests { fn never() { ready()?; } }",
    ] {
        assert!(switched.text.contains(part), "{part}\n{}", switched.text);
    }
}
