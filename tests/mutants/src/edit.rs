//! Insertions into a source text, some of them around others.

use std::cmp::Reverse;

/// Text to put around a stretch of the source; before it, where the stretch is empty.
pub(crate) struct Edit {
    pub(crate) start: usize,
    pub(crate) end: usize,
    pub(crate) before: String,
    pub(crate) behind: String,
}

/// The source with all edits. Of two, one lies within the other or they do not touch.
pub(crate) fn edited(source: &str, mut edits: Vec<Edit>) -> String {
    edits.sort_by_key(|edit| (edit.start, edit.start != edit.end, Reverse(edit.end)));
    within(source, (0, source.len()), &edits)
}

fn within(source: &str, (start, end): (usize, usize), edits: &[Edit]) -> String {
    let (mut text, mut done, mut rest) = (String::new(), start, edits);
    while let Some((edit, behind)) = rest.split_first() {
        let inner = behind
            .iter()
            .take_while(|inner| inner.start < edit.end)
            .count();
        text.push_str(&source[done..edit.start]);
        text.push_str(&edit.before);
        text.push_str(&within(source, (edit.start, edit.end), &behind[..inner]));
        text.push_str(&edit.behind);
        done = edit.end;
        rest = &behind[inner..];
    }
    text.push_str(&source[done..end]);
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn edits_nest() {
        let edit = |start, end, before: &str, behind: &str| Edit {
            start,
            end,
            before: before.to_owned(),
            behind: behind.to_owned(),
        };
        let edits = vec![
            edit(2, 3, "<", ">"),
            edit(0, 5, "(", ")"),
            edit(2, 2, "!", ""),
            edit(6, 7, "[", "]"),
        ];
        assert_eq!(edited("ab*cd ef", edits), "(ab!<*>cd) [e]f");
    }
}
