//! The known name that a misspelt one was probably meant to be.

/// The longest name that is compared, in bytes: the comparison is quadratic in it.
const NAME_BYTES: usize = 64;

/// The known name nearest to `name`, if one is near enough to be meant: at most a third of its letters differ.
pub fn nearest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    if name.len() > NAME_BYTES {
        return None;
    }
    let name = name.to_ascii_lowercase();
    known
        .into_iter()
        .filter(|candidate| candidate.len() <= NAME_BYTES)
        .map(|candidate| (distance(&name, candidate), candidate))
        .filter(|(distance, candidate)| *distance * 3 <= candidate.len().max(3))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// Levenshtein distance over bytes.
fn distance(a: &str, b: &str) -> usize {
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, left) in a.bytes().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, right) in b.bytes().enumerate() {
            let substituted = diagonal + usize::from(left != right);
            diagonal = row[j + 1];
            row[j + 1] = substituted.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    const KNOWN: [&str; 3] = ["public_url", "listen", "trusted_proxies"];

    #[test]
    fn a_slip_is_mended() {
        for (slip, meant) in [
            ("publicurl", "public_url"),
            ("Listen", "listen"),
            ("trusted_proxy", "trusted_proxies"),
        ] {
            assert_eq!(nearest(slip, KNOWN), Some(meant), "{slip}");
        }
    }

    #[test]
    fn a_stranger_is_not_guessed_at() {
        for stranger in ["", "x", "database", &"public_url".repeat(100)] {
            assert_eq!(nearest(stranger, KNOWN), None, "{stranger}");
        }
    }
}
