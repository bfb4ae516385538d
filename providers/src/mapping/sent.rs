//! What was sent instead of an attribute that is missing, in words for an administrator. The names are an upstream's own:
//! they are cut, and nothing invisible of them is left.

use std::fmt::Write as _;

use crate::nearest;
use crate::released::{Attribute, Released};
use crate::saml::assertion::is_plain;

/// The most names that are told.
const NAMES: usize = 8;
/// The most names that are compared.
const COMPARED: usize = 64;
/// The longest name that is told, in characters.
const NAME_CHARS: usize = 96;

/// The name that was probably meant by one that was not sent, and otherwise what was sent.
pub(super) fn instead_of(name: &str, sent: &Released) -> String {
    match nearest(name, sent) {
        Some(near) if near == name => "which was sent without a value".to_owned(),
        Some(near) if near.eq_ignore_ascii_case(name) => format!(
            "and {} was sent: upper and lower case are different names",
            shown(near)
        ),
        Some(near) => format!("and the nearest name that was sent is {}", shown(near)),
        None if sent.is_empty() => "and no attribute was sent at all".to_owned(),
        None => format!("and this was sent: {}", list(sent)),
    }
}

/// The name of those sent that was probably meant: the same in another case, the same end of a URI, its friendly name, or
/// a slip.
pub(super) fn nearest<'a>(name: &str, sent: &'a Released) -> Option<&'a str> {
    let all = || sent.iter().take(COMPARED);
    let same: [fn(&Attribute, &str) -> bool; 4] = [
        |attribute, name| attribute.name == name,
        |attribute, name| attribute.name.eq_ignore_ascii_case(name),
        |attribute, name| tail(&attribute.name).eq_ignore_ascii_case(tail(name)),
        |attribute, name| {
            let friendly = attribute.friendly_name.as_deref();
            friendly.is_some_and(|friendly| friendly.eq_ignore_ascii_case(name))
        },
    ];
    let known = same
        .iter()
        .find_map(|same| all().find(|attribute| same(attribute, name)));
    let known = known.map(|attribute| attribute.name.as_str());
    known.or_else(|| nearest::nearest(name, all().map(|attribute| attribute.name.as_str())))
}

/// The names that were sent, as many as one reads.
pub(super) fn list(sent: &Released) -> String {
    let mut names: Vec<_> = sent
        .iter()
        .take(NAMES)
        .map(|attribute| shown(&attribute.name))
        .collect();
    if sent.len() > NAMES {
        names.push(format!("{} more", sent.len() - NAMES));
    }
    if names.is_empty() {
        return "no attribute".to_owned();
    }
    names.join(", ")
}

/// A name as it can be shown.
pub(super) fn shown(name: &str) -> String {
    let mut text = String::new();
    for character in name.chars().take(NAME_CHARS) {
        if is_plain(character.encode_utf8(&mut [0; 4])) {
            text.push(character);
        } else {
            let _ = write!(text, "[U+{:04X}]", u32::from(character));
        }
    }
    if name.chars().nth(NAME_CHARS).is_some() {
        text.push('…');
    }
    format!("“{text}”")
}

/// The last part of a URI or URN; a plain name is its own.
fn tail(name: &str) -> &str {
    let cut = name.rsplit(['/', ':']).next();
    cut.filter(|tail| !tail.is_empty()).unwrap_or(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sent(names: &[&str]) -> Released {
        let names = names.iter().map(|name| ((*name).to_owned(), Vec::new()));
        names.collect()
    }

    #[test]
    fn the_nearest_name_is_told() {
        let claim = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/emailaddress";
        for (wanted, names, near) in [
            ("Email", &["groups", "email"][..], Some("email")),
            ("emailaddress", &["groups", claim], Some(claim)),
            (claim, &["groups", "emailAddress"], Some("emailAddress")),
            (
                "employeeNumber",
                &["groups", "employeNumber"],
                Some("employeNumber"),
            ),
            ("employeeNumber", &["groups", "sn"], None),
            ("employeeNumber", &[], None),
        ] {
            assert_eq!(nearest(wanted, &sent(names)), near, "{wanted}");
        }
        let by_oid = Released::from(vec![Attribute {
            name: "urn:oid:2.16.840.1.113730.3.1.3".to_owned(),
            friendly_name: Some("employeeNumber".to_owned()),
            ..Attribute::default()
        }]);
        let near = nearest("employeeNumber", &by_oid);
        assert_eq!(near, Some("urn:oid:2.16.840.1.113730.3.1.3"));
    }

    #[test]
    fn what_is_told_is_bounded_and_visible() {
        let names: Vec<String> = (0..300)
            .map(|number| format!("{number}\u{202e}\u{0}{}", "n".repeat(1000)))
            .collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let told = instead_of("missing", &sent(&names));
        assert!(told.chars().count() < 1200 && is_plain(&told), "{told}");
        assert!(
            told.ends_with("292 more") && told.contains("“0[U+202E][U+0000]nnn"),
            "{told}"
        );
        assert_eq!(list(&sent(&[])), "no attribute");
    }
}
