//! An explanation as indented text.

use std::fmt::Write as _;

use serde_json::Value;

/// Lays an object out: one line a value, groups indented, items of a list set off by a dash.
pub(super) fn lay_out(value: &Value) -> String {
    let mut text = String::new();
    members(&mut text, value, 0);
    text
}

fn members(text: &mut String, value: &Value, depth: usize) {
    let Some(object) = value.as_object() else {
        return;
    };
    let width = object
        .iter()
        .filter(|(_, value)| is_plain(value))
        .map(|(name, _)| name.len())
        .max()
        .unwrap_or(0);
    for (name, value) in object {
        let label = name.replace('_', " ");
        let indent = "  ".repeat(depth);
        match value {
            Value::Object(_) => {
                let _ = writeln!(text, "{indent}{label}");
                members(text, value, depth + 1);
            }
            Value::Array(items) => {
                let _ = writeln!(text, "{indent}{label}");
                for item in items {
                    entry(text, item, depth + 1);
                }
            }
            plain => {
                let _ = writeln!(text, "{indent}{label:width$}  {}", shown(plain));
            }
        }
    }
}

fn entry(text: &mut String, item: &Value, depth: usize) {
    let indent = "  ".repeat(depth);
    if is_plain(item) {
        let _ = writeln!(text, "{indent}- {}", shown(item));
        return;
    }
    let mut inner = String::new();
    members(&mut inner, item, depth + 1);
    // The first line of the group stands behind the dash.
    let _ = write!(text, "{indent}- {}", inner.trim_start());
}

fn is_plain(value: &Value) -> bool {
    !matches!(value, Value::Array(_) | Value::Object(_))
}

/// Without what would let a document write to the terminal instead of on it.
fn shown(value: &Value) -> String {
    let text = match value {
        Value::String(text) => text.clone(),
        Value::Bool(true) => "yes".to_owned(),
        Value::Bool(false) => "no".to_owned(),
        other => other.to_string(),
    };
    text.chars()
        .map(|character| {
            if character.is_control() {
                '\u{fffd}'
            } else {
                character
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn groups_are_indented_and_values_aligned() {
        let value = json!({
            "kind": "x", "entity_id": "urn:idp", "keys": [{"use": "signing", "subject": "CN=a"}], "formats": ["b"],
        });
        let expected = "kind       x\nentity id  urn:idp\nkeys\n  - use      signing\n    subject  CN=a\nformats\n  - b\n";
        assert_eq!(lay_out(&value), expected);
    }

    #[test]
    fn a_document_cannot_steer_the_terminal() {
        assert_eq!(
            lay_out(&json!({"a": "\u{1b}[2J\u{9b}x"})),
            "a  \u{fffd}[2J\u{fffd}x\n"
        );
    }
}
