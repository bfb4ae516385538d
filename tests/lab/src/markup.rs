//! A scanner of start tags, enough for the forms of known pages and for the requests of a known service provider.

/// The most tags that are read of one document.
const TAGS: usize = 20_000;

/// A start tag with its attributes, in order and unescaped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tag {
    /// As written, with its prefix.
    pub name: String,
    /// Name and value; a bare name has an empty value.
    pub attributes: Vec<(String, String)>,
    /// What stands between this tag and the next `<`, unescaped and trimmed.
    pub text: String,
}

/// A form of a page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Form {
    /// As written in the page.
    pub action: String,
    /// Its inputs; buttons are left out.
    pub fields: Vec<(String, String)>,
}

impl Tag {
    /// The value of an attribute.
    pub fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }

    /// The name without a prefix.
    pub fn local_name(&self) -> &str {
        self.name.rsplit(':').next().unwrap_or_default()
    }
}

/// The start and end tags of a document; the name of an end tag begins with `/`.
pub fn tags(document: &str) -> Vec<Tag> {
    document
        .split('<')
        .skip(1)
        .take(TAGS)
        .filter_map(tag)
        .collect()
}

/// The first form of a page.
pub fn form(page: &str) -> Option<Form> {
    let mut inside = tags(page).into_iter().skip_while(|tag| tag.name != "form");
    let action = inside
        .next()?
        .attribute("action")
        .unwrap_or_default()
        .to_owned();
    let fields = inside
        .take_while(|tag| tag.name != "/form")
        .filter(|tag| tag.name == "input")
        .filter_map(|tag| {
            let value = tag.attribute("value").unwrap_or_default().to_owned();
            tag.attribute("name").map(|name| (name.to_owned(), value))
        })
        .collect();
    Some(Form { action, fields })
}

impl Form {
    /// Fills in a field, which is added where the page has none of that name.
    #[must_use]
    pub fn with(mut self, name: &str, value: &str) -> Self {
        match self.fields.iter_mut().find(|(key, _)| key == name) {
            Some((_, old)) => value.clone_into(old),
            None => self.fields.push((name.to_owned(), value.to_owned())),
        }
        self
    }
}

fn tag(piece: &str) -> Option<Tag> {
    let (inside, text) = split_tag(piece)?;
    let inside = inside.trim_end_matches('/');
    let end = inside
        .find(|c: char| c.is_ascii_whitespace())
        .unwrap_or(inside.len());
    let (name, mut rest) = inside.split_at(end);
    let mut attributes = Vec::new();
    while let Some((attribute, behind)) = attribute(rest) {
        attributes.push(attribute);
        rest = behind;
    }
    Some(Tag {
        name: name.to_owned(),
        attributes,
        text: unescaped(text.trim()),
    })
}

/// At the `>` that stands in no quotes.
fn split_tag(piece: &str) -> Option<(&str, &str)> {
    let mut quote = None;
    for (at, c) in piece.char_indices() {
        match (c, quote) {
            ('>', None) => return Some((&piece[..at], &piece[at + 1..])),
            ('"' | '\'', None) => quote = Some(c),
            (c, Some(open)) if c == open => quote = None,
            _ => {}
        }
    }
    None
}

fn attribute(text: &str) -> Option<((String, String), &str)> {
    let text = text.trim_start();
    if text.is_empty() {
        return None;
    }
    let end = text
        .find(|c: char| c == '=' || c.is_ascii_whitespace())
        .unwrap_or(text.len());
    let (name, rest) = text.split_at(end);
    let quoted = rest.strip_prefix('=').and_then(|rest| {
        let quote = rest.chars().next().filter(|c| matches!(c, '"' | '\''))?;
        rest[1..].split_once(quote)
    });
    match quoted {
        Some((value, behind)) => Some(((name.to_owned(), unescaped(value)), behind)),
        None => Some((
            (name.to_owned(), String::new()),
            rest.trim_start_matches('='),
        )),
    }
}

fn unescaped(text: &str) -> String {
    let mut pieces = text.split('&');
    let mut out = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        let decoded = piece
            .split_once(';')
            .and_then(|(name, rest)| Some((entity(name)?, rest)));
        if let Some((c, rest)) = decoded {
            out.push(c);
            out.push_str(rest);
        } else {
            out.push('&');
            out.push_str(piece);
        }
    }
    out
}

fn entity(name: &str) -> Option<char> {
    match name {
        "amp" => Some('&'),
        "lt" => Some('<'),
        "gt" => Some('>'),
        "quot" => Some('"'),
        "apos" => Some('\''),
        _ => {
            let number = name.strip_prefix('#')?;
            let code = match number.strip_prefix(['x', 'X']) {
                Some(hex) => u32::from_str_radix(hex, 16).ok()?,
                None => number.parse().ok()?,
            };
            char::from_u32(code)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_is_read_with_its_values_unescaped() {
        let page = r#"<p title="a > b">x</p><form method="post" action="/a?x=1&amp;y=2">
            <input type="hidden" name="state" value="&quot;a&#x26;b&#39;"><input name=bare><button name="no">Go</button></form>"#;
        let form = form(page).unwrap();
        assert_eq!(form.action, "/a?x=1&y=2");
        assert_eq!(form.fields[0], ("state".to_owned(), "\"a&b'".to_owned()));
        assert_eq!(form.with("state", "z").fields[0].1, "z");
    }

    #[test]
    fn garbage_ends_in_nothing() {
        for text in [
            "",
            "<",
            "<<<",
            "<a b",
            "<a b=\"",
            "<a =>",
            "&;&#xffffffff;",
            "<a b='\">",
        ] {
            let _ = tags(text);
            assert_eq!(form(text), None);
        }
    }
}
