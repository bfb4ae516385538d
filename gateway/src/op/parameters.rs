//! Request parameters as OAuth wants them: each at most once, empty means absent, bounded, no control characters.

use std::fmt;

use fedgate_providers::error::Refusal;
use percent_encoding::percent_decode_str;

use super::refusal::OpRefusal;

/// The most name=value pairs that one request may carry.
const MOST_PAIRS: usize = 100;

/// The decoded pairs of a query or of a form body, in order, repetitions kept.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Parameters(Vec<(String, String)>);

impl Parameters {
    /// Decodes `application/x-www-form-urlencoded` text strictly: octets that are not UTF-8 are refused, where
    /// replacing them would change a `state` that must come back verbatim.
    ///
    /// # Errors
    /// `op.request_malformed`, `op.request_too_large` above 100 pairs.
    pub(crate) fn parse(raw: &str) -> Result<Self, Refusal> {
        let mut pairs = Vec::new();
        for piece in raw.split('&').filter(|piece| !piece.is_empty()) {
            if pairs.len() == MOST_PAIRS {
                return Err(OpRefusal::RequestTooLarge
                    .refuse()
                    .expected(format!("at most {MOST_PAIRS} parameters")));
            }
            let (name, value) = piece.split_once('=').unwrap_or((piece, ""));
            let decoded = form_decode(name).zip(form_decode(value));
            pairs.push(
                decoded.ok_or_else(|| OpRefusal::RequestMalformed.refuse().expected("UTF-8"))?,
            );
        }
        Ok(Self(pairs))
    }

    /// The value of `name`; none where it is absent or empty (RFC 6749 3.1: "treated as if they were omitted").
    ///
    /// # Errors
    /// `op.parameter_repeated`, `op.parameter_too_long` above `most` bytes, `op.parameter_malformed` on a control
    /// character. The evidence names the parameter and never holds its value.
    pub(crate) fn one(&self, name: &str, most: usize) -> Result<Option<&str>, Refusal> {
        let mut values = self
            .0
            .iter()
            .filter(|(key, _)| key == name)
            .map(|(_, value)| value.as_str());
        let first = values.next();
        if values.next().is_some() {
            return Err(OpRefusal::ParameterRepeated.refuse().found(name));
        }
        match first {
            None | Some("") => Ok(None),
            Some(value) if value.len() > most => Err(OpRefusal::ParameterTooLong
                .refuse()
                .expected(format!("at most {most} bytes"))
                .found(name)),
            Some(value) if value.chars().any(char::is_control) => {
                Err(OpRefusal::ParameterMalformed
                    .refuse()
                    .expected("no control characters")
                    .found(name))
            }
            Some(value) => Ok(Some(value)),
        }
    }

    /// [`Parameters::one`], where absence is refused too.
    ///
    /// # Errors
    /// Those of [`Parameters::one`], and `op.parameter_missing`.
    pub(crate) fn required(&self, name: &str, most: usize) -> Result<&str, Refusal> {
        self.one(name, most)?
            .ok_or_else(|| OpRefusal::ParameterMissing.refuse().expected(name))
    }
}

/// Names alone: values are secrets, codes and addresses.
impl fmt::Debug for Parameters {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set()
            .entries(self.0.iter().map(|(name, _)| name))
            .finish()
    }
}

/// Reverses `application/x-www-form-urlencoded` on one name or value; none where the octets are not UTF-8.
pub(super) fn form_decode(piece: &str) -> Option<String> {
    let spaced = piece.replace('+', " ");
    percent_decode_str(&spaced)
        .decode_utf8()
        .ok()
        .map(std::borrow::Cow::into_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_decoded_as_a_form() {
        let parameters = Parameters::parse("state=a+b%2Bc%C3%A9&x").expect("well formed");
        assert_eq!(parameters.one("state", 100).expect("once"), Some("a b+cé"));
        assert_eq!(parameters.one("x", 100).expect("once"), None);
    }

    #[test]
    fn a_repeated_parameter_is_refused_even_when_one_of_the_two_is_empty() {
        let parameters = Parameters::parse("code=&code=b").expect("well formed");
        assert_eq!(
            parameters.one("code", 100).expect_err("twice"),
            OpRefusal::ParameterRepeated
        );
    }

    #[test]
    fn a_name_cannot_hide_its_repetition_behind_percent_encoding() {
        let parameters = Parameters::parse("code=a&%63ode=b").expect("well formed");
        assert_eq!(
            parameters.one("code", 100).expect_err("twice"),
            OpRefusal::ParameterRepeated
        );
    }

    #[test]
    fn octets_that_are_not_text_are_refused() {
        assert_eq!(
            Parameters::parse("state=%ff").expect_err("refused"),
            OpRefusal::RequestMalformed
        );
    }

    #[test]
    fn control_characters_are_refused() {
        let parameters = Parameters::parse("state=a%0d%0aSet-Cookie:x").expect("well formed");
        assert_eq!(
            parameters.one("state", 100).expect_err("split"),
            OpRefusal::ParameterMalformed
        );
    }

    #[test]
    fn a_long_value_and_too_many_pairs_are_refused() {
        let parameters = Parameters::parse("a=12345").expect("well formed");
        assert_eq!(
            parameters.one("a", 4).expect_err("long"),
            OpRefusal::ParameterTooLong
        );
        let flood = "a=1&".repeat(MOST_PAIRS + 1);
        assert_eq!(
            Parameters::parse(&flood).expect_err("flood"),
            OpRefusal::RequestTooLarge
        );
    }
}
