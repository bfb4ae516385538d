//! The explanation as plain text, for a terminal.

use super::difference::{Difference, visible};
use super::explanation::{Explanation, Shown};

/// The longest line, in characters.
pub(super) const COLUMNS: usize = 100;

const LABEL: usize = 15;

/// Lines of up to [`COLUMNS`] characters, without any control character but the line's end.
pub(super) fn explanation(of: &Explanation<'_>) -> String {
    let mut out = String::new();
    paragraph(&mut out, "", &of.heading().replace('\u{2011}', "-"));
    field(&mut out, "Reference", &visible(&of.trace.reference));
    field(&mut out, "When", &of.when());
    optional(&mut out, "Connection", of.connection());
    optional(&mut out, "Application", of.client_id());
    if let Some(code) = of.code() {
        field(&mut out, "Code", &code);
        field(&mut out, "Meaning", of.meaning());
    }
    out.push('\n');
    for step in &of.trace.steps {
        shown(&mut out, &Shown::new(step, of.trace));
    }
    if of.entry.is_some() {
        out.push('\n');
        field(&mut out, "Who must act", &of.who());
        field(&mut out, "Where", &of.place());
        field(&mut out, "What to change", &of.fix());
    }
    out
}

fn shown(out: &mut String, step: &Shown) {
    let verdict = if step.failed { "FAILED" } else { "passed" };
    wrapped(
        out,
        &format!("{verdict}  "),
        &" ".repeat(8),
        &format!("{}  {}", step.name, step.elapsed),
    );
    if let Some(note) = &step.note {
        paragraph(out, "        ", note);
    }
    match (&step.compared, &step.expected, &step.found) {
        (Some(compared), _, _) => comparison(out, compared),
        (None, Some(expected), _) => wrapped(out, "        expected  ", &" ".repeat(18), expected),
        (None, None, Some(found)) => wrapped(out, "        found     ", &" ".repeat(18), found),
        (None, None, None) => {}
    }
}

/// Both values under each other in pieces of one line, the run that differs underlined.
fn comparison(out: &mut String, of: &Difference) {
    value(
        out,
        "        expected  ",
        &of.before,
        &of.expected,
        &of.after,
    );
    value(out, "        found     ", &of.before, &of.found, &of.after);
    paragraph(out, "        ", of.words);
}

fn value(out: &mut String, label: &str, before: &str, run: &str, after: &str) {
    let marked = before.chars().count();
    let marked = marked..marked + run.chars().count().max(1);
    let characters: Vec<char> = before
        .chars()
        .chain(run.chars())
        .chain(after.chars())
        .collect();
    let width = COLUMNS - label.len();
    let lines = characters.len().max(marked.end).div_ceil(width);
    for line in 0..lines {
        let columns = line * width..(line + 1) * width;
        let piece: String = characters.iter().skip(columns.start).take(width).collect();
        let carets: String = columns
            .map(|column| if marked.contains(&column) { '^' } else { ' ' })
            .collect();
        let margin = if line == 0 {
            label.to_owned()
        } else {
            " ".repeat(label.len())
        };
        push_line(out, &format!("{margin}{piece}"));
        if carets.contains('^') {
            push_line(out, &format!("{}{carets}", " ".repeat(label.len())));
        }
    }
}

fn field(out: &mut String, label: &str, text: &str) {
    wrapped(
        out,
        &format!("{label:<LABEL$} "),
        &" ".repeat(LABEL + 1),
        text,
    );
}

fn optional(out: &mut String, label: &str, text: Option<String>) {
    if let Some(text) = text {
        field(out, label, &text);
    }
}

fn paragraph(out: &mut String, margin: &str, text: &str) {
    wrapped(out, margin, margin, text);
}

/// Breaks at blanks, and inside a word only where it is longer than a line.
fn wrapped(out: &mut String, first: &str, margin: &str, text: &str) {
    let room = COLUMNS - margin.chars().count().max(first.chars().count());
    let mut line = first.to_owned();
    let mut used = 0;
    for word in text.split(' ').flat_map(|word| pieces(word, room)) {
        let length = word.chars().count();
        if used > 0 && used + 1 + length > room {
            push_line(out, &line);
            margin.clone_into(&mut line);
            used = 0;
        }
        if used > 0 {
            line.push(' ');
            used += 1;
        }
        line.push_str(&word);
        used += length;
    }
    push_line(out, &line);
}

fn pieces(word: &str, room: usize) -> Vec<String> {
    word.chars()
        .collect::<Vec<_>>()
        .chunks(room)
        .map(|piece| piece.iter().collect())
        .collect()
}

fn push_line(out: &mut String, line: &str) {
    out.push_str(line.trim_end());
    out.push('\n');
}
