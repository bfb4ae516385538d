//! Sentences with a name from outside in them.

use std::fmt;

use askama::Template;
use askama::filters::HtmlSafe;

/// A sentence with one name in it, such as “Sign in to {application}”.
///
/// In HTML the name is escaped and isolated with `bdi`, so that a name in another script cannot reorder the sentence.
#[derive(Clone, Copy, Debug, Template)]
#[template(source = "{{ before }}<bdi>{{ name }}</bdi>{{ after }}", ext = "html")]
pub(super) struct Phrase<'a> {
    before: &'a str,
    name: &'a str,
    after: &'a str,
}

/// Written by its own template, which escapes the three parts.
impl HtmlSafe for Phrase<'_> {}

impl<'a> Phrase<'a> {
    /// Puts `name` where `text` has `{}`, or at the end of a text that lacks it.
    pub(super) fn new(text: &'a str, name: &'a str) -> Self {
        let (before, after) = text.split_once("{}").unwrap_or((text, ""));
        Self {
            before,
            name,
            after,
        }
    }

    /// Without markup, for a window title or a mail.
    pub(super) fn plain(&self) -> Plain<'a> {
        Plain(*self)
    }
}

/// A phrase without markup.
#[derive(Clone, Copy, Debug)]
pub(super) struct Plain<'a>(Phrase<'a>);

impl fmt::Display for Plain<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}{}", self.0.before, self.0.name, self.0.after)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_escaped_and_isolated() {
        let phrase = Phrase::new("Sign in to {}.", "<b>{}&amp;");
        assert_eq!(
            phrase.to_string(),
            "Sign in to <bdi>&#60;b&#62;{}&#38;amp;</bdi>."
        );
        assert_eq!(phrase.plain().to_string(), "Sign in to <b>{}&amp;.");
    }
}
