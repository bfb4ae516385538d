//! From the fields of a form to the bytes of a message.

use std::borrow::Cow;

use base64::engine::general_purpose::STANDARD;
use base64::{DecodeError, Engine as _};

use super::refusal::SamlRefusal;
use super::xml::{MESSAGE_LIMITS, any_byte};
use crate::error::Refusal;

/// The longest RelayState that is accepted, in bytes.
pub const RELAY_STATE_BYTES: usize = 2048;

/// The message of a form, decoded.
///
/// The form must hold exactly one `SAMLResponse` and at most one `RelayState`; other fields are ignored.
///
/// # Errors
/// `saml.response_missing`, `saml.field_repeated`, `saml.relay_state_too_long`, and those of [`base64()`].
pub fn response_bytes(fields: &[(String, String)]) -> Result<Vec<u8>, Refusal> {
    let response = single(fields, "SAMLResponse")?.filter(|value| !value.is_empty());
    let relay_state = single(fields, "RelayState")?.unwrap_or_default();
    let response = response.ok_or(SamlRefusal::ResponseMissing)?;
    if relay_state.len() > RELAY_STATE_BYTES {
        return Err(SamlRefusal::RelayStateTooLong
            .refuse()
            .expected(format_args!("at most {RELAY_STATE_BYTES} bytes"))
            .found(format_args!("{} bytes", relay_state.len())));
    }
    base64(response)
}

/// Decodes base64 of the standard alphabet with its padding. Only line breaks and blanks are passed over.
///
/// # Errors
/// `saml.response_too_large` before anything is decoded, `saml.base64_truncated` when the last group of four
/// is not whole, `saml.base64_invalid` for anything else.
pub fn base64(text: &str) -> Result<Vec<u8>, Refusal> {
    let dense = without(text, |b| matches!(b, b'\r' | b'\n' | b' '));
    let limit = MESSAGE_LIMITS.bytes;
    if dense.len() > limit.div_ceil(3) * 4 {
        return Err(SamlRefusal::ResponseTooLarge
            .refuse()
            .expected(format_args!("at most {limit} bytes"))
            .found(format_args!("{} characters of base64", dense.len())));
    }
    STANDARD.decode(&*dense).map_err(|error| match error {
        DecodeError::InvalidByte(..) | DecodeError::InvalidLastSymbol { .. } => {
            SamlRefusal::Base64Invalid.refuse().detail(error)
        }
        _ => SamlRefusal::Base64Truncated
            .refuse()
            .found(format_args!("{} characters", dense.len())),
    })
}

/// Inflates a message of the HTTP-Redirect binding (RFC 1951, SAML bindings 3.4.4.1), to at most the longest message that is
/// read: what would become longer is given up on the way. Nothing where the octets are no DEFLATE.
pub fn inflate(deflated: &[u8]) -> Option<Vec<u8>> {
    miniz_oxide::inflate::decompress_to_vec_with_limit(deflated, MESSAGE_LIMITS.bytes).ok()
}

/// Decodes the base64 of an XML leaf (xs:base64Binary), in which any XML white space may stand.
pub(super) fn base64_leaf(text: &str) -> Option<Vec<u8>> {
    let dense = without(text, |b| matches!(b, b'\r' | b'\n' | b' ' | b'\t'));
    STANDARD.decode(&*dense).ok()
}

fn without(text: &str, is_passed_over: impl Fn(u8) -> bool) -> Cow<'_, [u8]> {
    // A vectorized look first: most messages come in one line.
    if !any_byte(text, |b| b <= b' ') {
        return Cow::Borrowed(text.as_bytes());
    }
    // Without a branch on what comes: strangers decide it.
    let mut dense = vec![0; text.len()];
    let mut length = 0;
    for byte in text.bytes() {
        dense[length] = byte;
        length += usize::from(!is_passed_over(byte));
    }
    dense.truncate(length);
    Cow::Owned(dense)
}

fn single<'f>(fields: &'f [(String, String)], name: &str) -> Result<Option<&'f str>, Refusal> {
    let mut values = fields
        .iter()
        .filter(|(key, _)| key == name)
        .map(|(_, value)| value.as_str());
    let first = values.next();
    match values.next() {
        None => Ok(first),
        Some(_) => Err(SamlRefusal::FieldRepeated.refuse().found(name)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        pairs
            .iter()
            .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()))
            .collect()
    }

    fn refusal(pairs: &[(&str, &str)]) -> Refusal {
        response_bytes(&fields(pairs)).unwrap_err()
    }

    #[test]
    fn line_breaks_and_blanks_are_passed_over() {
        let decoded = response_bytes(&fields(&[("SAMLResponse", "PGEv\r\nPg =\n="), ("x", "y")]));
        assert_eq!(decoded.unwrap(), b"<a/>");
    }

    #[test]
    fn a_form_without_a_response_is_refused() {
        assert_eq!(
            refusal(&[("RelayState", "r")]),
            SamlRefusal::ResponseMissing
        );
        assert_eq!(
            refusal(&[("SAMLResponse", "")]),
            SamlRefusal::ResponseMissing
        );
        assert_eq!(
            refusal(&[("samlresponse", "PGEvPg==")]),
            SamlRefusal::ResponseMissing
        );
    }

    #[test]
    fn a_repeated_field_is_refused() {
        let twice = [("SAMLResponse", "PGEvPg=="), ("SAMLResponse", "PGEvPg==")];
        assert_eq!(refusal(&twice), SamlRefusal::FieldRepeated);
        let relay = [
            ("SAMLResponse", "PGEvPg=="),
            ("RelayState", "a"),
            ("RelayState", "a"),
        ];
        assert_eq!(refusal(&relay), SamlRefusal::FieldRepeated);
    }

    #[test]
    fn a_long_relay_state_is_refused() {
        let long = "r".repeat(RELAY_STATE_BYTES + 1);
        let form = [("SAMLResponse", "PGEvPg=="), ("RelayState", long.as_str())];
        assert_eq!(refusal(&form), SamlRefusal::RelayStateTooLong);
        assert!(response_bytes(&fields(&[form[0], ("RelayState", &long[1..])])).is_ok());
    }

    #[test]
    fn garbage_is_told_from_a_cut() {
        for garbage in [
            "PGEv_g==",
            "PGE*Pg==",
            "PGEvPh==",
            "PG=vPg==",
            "PGEvPg===",
            "PGEv\tPg==",
            "é",
            "====",
        ] {
            assert_eq!(
                base64(garbage).unwrap_err(),
                SamlRefusal::Base64Invalid,
                "{garbage}"
            );
        }
        // White space alone is the base64 of nothing; that nothing is no XML is said later.
        assert_eq!(base64(" \r\n"), Ok(Vec::new()));
        for cut in ["PGEvPg", "PGEvPg=", "PGEvP", "PGEvPGE"] {
            assert_eq!(
                base64(cut).unwrap_err(),
                SamlRefusal::Base64Truncated,
                "{cut}"
            );
        }
    }

    #[test]
    fn what_inflates_beyond_the_limit_is_given_up() {
        let deflated = |bytes: usize| {
            let octets = vec![b'a'; bytes];
            miniz_oxide::deflate::compress_to_vec(&octets, 9)
        };
        let most = MESSAGE_LIMITS.bytes;
        assert_eq!(
            inflate(&deflated(most)).map(|octets| octets.len()),
            Some(most)
        );
        assert_eq!(inflate(&deflated(most + 1)), None);
        assert_eq!(inflate(&deflated(1000 * most)), None);
        assert_eq!(inflate(b"<a/>"), None);
    }

    #[test]
    fn size_is_refused_before_decoding() {
        let long = "A".repeat(MESSAGE_LIMITS.bytes.div_ceil(3) * 4 + 1);
        assert_eq!(base64(&long).unwrap_err(), SamlRefusal::ResponseTooLarge);
        assert!(base64(&long[1..]).is_ok());
    }
}
