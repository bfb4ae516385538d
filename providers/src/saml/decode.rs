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
/// `saml.response_missing`, `saml.field_repeated`, `saml.relay_state_too_long`, and those of [`base64`].
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
    let dense = without(text, &['\r', '\n', ' ']);
    let limit = MESSAGE_LIMITS.bytes;
    if dense.len() > limit.div_ceil(3) * 4 {
        return Err(SamlRefusal::ResponseTooLarge
            .refuse()
            .expected(format_args!("at most {limit} bytes"))
            .found(format_args!("{} characters of base64", dense.len())));
    }
    decode(&dense).map_err(|error| match error {
        DecodeError::InvalidByte(..) | DecodeError::InvalidLastSymbol { .. } => {
            SamlRefusal::Base64Invalid.refuse().detail(error)
        }
        _ if dense.len().is_multiple_of(4) => SamlRefusal::Base64Invalid.refuse().detail(error),
        _ => SamlRefusal::Base64Truncated
            .refuse()
            .found(format_args!("{} characters", dense.len())),
    })
}

/// Decodes the base64 of an XML leaf (xs:base64Binary), in which any XML white space may stand.
pub(super) fn base64_leaf(text: &str) -> Option<Vec<u8>> {
    STANDARD
        .decode(&*without(text, &['\r', '\n', ' ', '\t']))
        .ok()
}

/// Decodes whole blocks in a way that the compiler can vectorize, several times as fast as symbol by symbol,
/// and leaves the rest, and every mistake, to the library.
fn decode(dense: &str) -> Result<Vec<u8>, DecodeError> {
    // The last group may hold padding.
    let (blocks, _) = dense.as_bytes()[..dense.len().saturating_sub(4)].as_chunks::<BLOCK>();
    let mut octets = vec![0; blocks.len() * BLOCK_OCTETS];
    let (places, _) = octets.as_chunks_mut::<BLOCK_OCTETS>();
    let decoded = blocks
        .iter()
        .zip(places)
        .map(|(block, place)| decode_block(block, place));
    let good = decoded.take_while(|good| *good).count();
    octets.truncate(good * BLOCK_OCTETS);
    STANDARD
        .decode_vec(&dense.as_bytes()[good * BLOCK..], &mut octets)
        .map_err(|error| at_offset(error, good * BLOCK))?;
    Ok(octets)
}

/// Symbols in one block.
const BLOCK: usize = 64;

/// What they stand for.
const BLOCK_OCTETS: usize = BLOCK / 4 * 3;

/// Decodes a block, unless there is a foreign symbol in it.
fn decode_block(block: &[u8; BLOCK], octets: &mut [u8; BLOCK_OCTETS]) -> bool {
    let codes = block.map(code_of);
    if codes.contains(&0) {
        return false;
    }
    let sextets = codes.map(|code| code.wrapping_sub(1));
    let (groups, _) = sextets.as_chunks::<8>();
    let (places, _) = octets.as_chunks_mut::<6>();
    for (group, place) in groups.iter().zip(places) {
        // Eight sextets side by side become four times 12, twice 24, then 48 bits.
        let bits = u64::from_be_bytes(*group);
        let bits = (bits & 0x3f00_3f00_3f00_3f00) >> 2 | bits & 0x003f_003f_003f_003f;
        let bits = (bits & 0x0fff_0000_0fff_0000) >> 4 | bits & 0x0000_0fff_0000_0fff;
        let bits = (bits & 0x00ff_ffff_0000_0000) >> 8 | bits & 0x0000_0000_00ff_ffff;
        place.copy_from_slice(&bits.to_be_bytes()[2..]);
    }
    true
}

/// One more than the value of a symbol (RFC 4648 4, table 1), 0 for a foreign one; without branches.
fn code_of(symbol: u8) -> u8 {
    let within = |first: u8, last: u8, value: u8| {
        let offset = symbol.wrapping_sub(first);
        if offset <= last - first {
            offset + value + 1
        } else {
            0
        }
    };
    within(b'A', b'Z', 0)
        | within(b'a', b'z', 26)
        | within(b'0', b'9', 52)
        | within(b'+', b'+', 62)
        | within(b'/', b'/', 63)
}

/// The mistake with its place in the whole text.
fn at_offset(error: DecodeError, done: usize) -> DecodeError {
    match error {
        DecodeError::InvalidByte(offset, byte) => DecodeError::InvalidByte(offset + done, byte),
        other => other,
    }
}

fn without<'t>(text: &'t str, passed_over: &[char]) -> Cow<'t, str> {
    // A vectorized look first: most messages come in one line.
    let any = any_byte(text, |b| b <= b' ');
    if any {
        Cow::Owned(text.replace(passed_over, ""))
    } else {
        Cow::Borrowed(text)
    }
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
        for cut in ["PGEvPg", "PGEvPg=", "PGEvP", "PGEvPGE"] {
            assert_eq!(
                base64(cut).unwrap_err(),
                SamlRefusal::Base64Truncated,
                "{cut}"
            );
        }
    }

    proptest::proptest! {
        #[test]
        fn blocks_decode_as_the_library_decodes(octets in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..400)) {
            proptest::prop_assert_eq!(decode(&STANDARD.encode(&octets)).unwrap(), octets);
        }

        #[test]
        fn blocks_refuse_what_the_library_refuses(
            octets in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..200),
            at in 0..400_usize,
            symbol in "[ -~]",
        ) {
            let mut text = STANDARD.encode(&octets);
            let at = at.min(text.len());
            text.replace_range(at..(at + 1).min(text.len()), &symbol);
            proptest::prop_assert_eq!(decode(&text).ok(), STANDARD.decode(&text).ok());
        }
    }

    #[test]
    fn every_symbol_has_the_librarys_value() {
        for symbol in 0..=u8::MAX {
            let text = [symbol, b'A', b'A', b'A'];
            let expected = STANDARD.decode(text).ok().map(|octets| octets[0] >> 2);
            assert_eq!(code_of(symbol).checked_sub(1), expected, "{symbol}");
        }
    }

    #[test]
    fn size_is_refused_before_decoding() {
        let long = "A".repeat(MESSAGE_LIMITS.bytes.div_ceil(3) * 4 + 1);
        assert_eq!(base64(&long).unwrap_err(), SamlRefusal::ResponseTooLarge);
    }
}
