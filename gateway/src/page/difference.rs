//! Where two values differ, for people: the one run that is not the same, and a few words about it.

use std::fmt::Write;

/// Two values cut into what they share and the run that differs. Every part is made [`visible`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Difference {
    /// What both begin with.
    pub(super) before: String,
    /// The run that only the expected value has.
    pub(super) expected: String,
    /// The run that only the found value has.
    pub(super) found: String,
    /// What both end with.
    pub(super) after: String,
    /// The difference in words.
    pub(super) words: &'static str,
}

impl Difference {
    /// Compares by common beginning and end. Linear in the length of both.
    pub(super) fn between(expected: &str, found: &str) -> Self {
        let start = common_start(expected, found);
        let (expected_rest, found_rest) = (&expected[start..], &found[start..]);
        let end = common_end(expected_rest, found_rest);
        let (expected_run, after) = expected_rest.split_at(expected_rest.len() - end);
        let (found_run, _) = found_rest.split_at(found_rest.len() - end);
        Self {
            before: visible(&expected[..start]),
            expected: visible_run(expected_run),
            found: visible_run(found_run),
            after: visible(after),
            words: in_words(expected, found, expected_run, found_run),
        }
    }
}

/// Length in bytes of the common beginning, never inside a character with its combining marks.
fn common_start(left: &str, right: &str) -> usize {
    let same = left
        .chars()
        .zip(right.chars())
        .take_while(|(a, b)| a == b)
        .map(|(a, _)| a.len_utf8())
        .sum();
    let cut = [left, right]
        .iter()
        .any(|text| text[same..].starts_with(joins));
    if cut { whole_before(left, same) } else { same }
}

/// The start of the character that ends at `at`.
fn whole_before(text: &str, at: usize) -> usize {
    text[..at]
        .char_indices()
        .rev()
        .find(|(_, c)| !joins(*c))
        .map_or(0, |(start, _)| start)
}

/// Length in bytes of the common end, beginning with a whole character.
fn common_end(left: &str, right: &str) -> usize {
    let mut same = 0;
    let mut whole = 0;
    for (a, b) in left.chars().rev().zip(right.chars().rev()) {
        if a != b {
            break;
        }
        same += a.len_utf8();
        if !joins(a) {
            whole = same;
        }
    }
    whole
}

/// Whether a character belongs to the one before it: combining marks, variation selectors, joiners, skin tones.
fn joins(c: char) -> bool {
    matches!(c,
        '\u{300}'..='\u{36f}' | '\u{483}'..='\u{489}' | '\u{591}'..='\u{5bd}' | '\u{610}'..='\u{61a}'
        | '\u{64b}'..='\u{65f}' | '\u{1ab0}'..='\u{1aff}' | '\u{1dc0}'..='\u{1dff}' | '\u{200c}' | '\u{200d}'
        | '\u{20d0}'..='\u{20ff}' | '\u{fe00}'..='\u{fe0f}' | '\u{fe20}'..='\u{fe2f}' | '\u{1f3fb}'..='\u{1f3ff}')
}

fn in_words(expected: &str, found: &str, expected_run: &str, found_run: &str) -> &'static str {
    let blank = |run: &str| run.chars().all(|c| c.is_whitespace() || is_invisible(c));
    match (expected_run, found_run) {
        ("", "") => "Both values are the same.",
        ("", "/") => "Only a slash is different: what was found has one that is not expected.",
        ("/", "") => "Only a slash is different: what was found lacks the one that is expected.",
        ("s", "") if expected.starts_with("https:") => {
            "Only the scheme is different: https is expected, http was found."
        }
        ("", "s") if found.starts_with("https:") => {
            "Only the scheme is different: http is expected, https was found."
        }
        (_, "") if found.is_empty() => "Nothing was found.",
        (e, f) if blank(e) && blank(f) => "Only blank or invisible characters are different.",
        _ if expected.to_lowercase() == found.to_lowercase() => {
            "Only upper and lower case are different."
        }
        ("", _) => "What was found has something more; it is marked.",
        (_, "") => "What was found lacks something; the place is marked.",
        (e, f) if e.len() == expected.len() && f.len() == found.len() => {
            "The two values have nothing in common."
        }
        _ => "The marked parts are different.",
    }
}

/// Shows what cannot be seen or would disturb the rest of the line: controls, bidirectional controls, zero-width.
pub(super) fn visible(text: &str) -> String {
    text.chars()
        .fold(String::with_capacity(text.len()), |mut shown, c| {
            push_visible(&mut shown, c);
            shown
        })
}

/// As [`visible`], and the blanks at both ends of a run that differs too: they may be all that does.
fn visible_run(run: &str) -> String {
    let inner = run.trim_matches(' ');
    let leading = run.len() - run.trim_start_matches(' ').len();
    let trailing = run.len() - leading - inner.len();
    let shown = visible(inner)
        .replace('\u{a0}', "[U+00A0]")
        .replace('\u{200d}', "[U+200D]");
    format!("{}{shown}{}", "␣".repeat(leading), "␣".repeat(trailing))
}

fn push_visible(shown: &mut String, c: char) {
    match c {
        '\t' => shown.push('␉'),
        '\n' => shown.push('␊'),
        '\r' => shown.push('␍'),
        _ if c.is_control() || is_invisible(c) => _ = write!(shown, "[U+{:04X}]", u32::from(c)),
        _ => shown.push(c),
    }
}

/// Zero-width and bidirectional controls, the byte order mark, line separators, tags.
fn is_invisible(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{e0000}'..='\u{e007f}')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn runs(expected: &str, found: &str) -> (String, String, &'static str) {
        let difference = Difference::between(expected, found);
        (difference.expected, difference.found, difference.words)
    }

    #[test]
    fn the_run_that_differs_is_found() {
        let difference = Difference::between(
            "https://a.example/saml/1/acs",
            "https://b.example/saml/1/acs",
        );
        assert_eq!(
            (difference.before.as_str(), difference.after.as_str()),
            ("https://", ".example/saml/1/acs")
        );
        assert_eq!(
            (difference.expected.as_str(), difference.found.as_str()),
            ("a", "b")
        );
    }

    #[test]
    fn the_usual_mistakes_are_named() {
        assert!(runs("https://a/", "https://a").2.contains("slash"));
        assert!(runs("https://a", "http://a").2.contains("scheme"));
        assert!(runs("urn:Acme", "urn:acme").2.contains("case"));
        assert_eq!(runs("urn:acme", "urn:acme ").1, "␣");
        assert!(runs("urn:acme", "urn:acme\u{200b}").2.contains("invisible"));
        assert_eq!(runs("urn:acme", "urn:ac\u{a0}me").1, "[U+00A0]");
        assert_eq!(runs("abc", "").2, "Nothing was found.");
        assert_eq!(
            runs("abc", "xyz").2,
            "The two values have nothing in common."
        );
    }

    #[test]
    fn a_repeated_run_is_not_counted_twice() {
        assert_eq!(
            runs("aaa", "aaaa"),
            (
                String::new(),
                "a".to_owned(),
                "What was found has something more; it is marked."
            )
        );
        assert_eq!(runs("abab", "ab").0, "ab");
    }

    #[test]
    fn a_character_is_never_cut_from_its_marks() {
        assert_eq!(runs("cafe\u{301}s", "cafes").0, "e\u{301}");
        assert_eq!(runs("cafe\u{301}s", "cafes").1, "e");
        assert_eq!(runs("xe\u{301}", "xa\u{301}").1, "a\u{301}");
        assert_eq!(runs("e\u{301}", "e\u{300}").0, "e\u{301}");
    }

    #[test]
    fn parts_join_to_the_values_for_any_text() {
        let pieces = [
            "",
            "a",
            "e\u{301}",
            "\u{301}",
            "ß",
            "日",
            "ab",
            "\u{1f44d}\u{1f3fd}",
        ];
        for expected in pieces
            .iter()
            .flat_map(|a| pieces.iter().map(move |b| format!("{a}{b}")))
        {
            for found in pieces
                .iter()
                .flat_map(|a| pieces.iter().map(move |b| format!("{b}{a}")))
            {
                let d = Difference::between(&expected, &found);
                assert_eq!(
                    format!("{}{}{}", d.before, d.expected, d.after),
                    visible(&expected)
                );
                assert_eq!(
                    format!("{}{}{}", d.before, d.found, d.after),
                    visible(&found)
                );
            }
        }
    }

    #[test]
    fn controls_cannot_reorder_or_colour_a_line() {
        assert_eq!(visible("a\u{202e}b\u{1b}[31m"), "a[U+202E]b[U+001B][31m");
    }
}
