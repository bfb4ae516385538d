//! Bodies of forms.

use fedgate_providers::error::Refusal;
use http::HeaderMap;
use http::header::CONTENT_TYPE;

use super::refusal::OpRefusal;

const FORM: &str = "application/x-www-form-urlencoded";

/// The text of a posted form. Another media type is refused: reading JSON or multipart as a form would find nothing,
/// and say so in the wrong words.
///
/// # Errors
/// `op.request_malformed`
pub(crate) fn form<'b>(headers: &HeaderMap, body: &'b [u8]) -> Result<&'b str, Refusal> {
    let sent = headers
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    let media_type = sent.split(';').next().unwrap_or_default().trim();
    let malformed = || OpRefusal::RequestMalformed.refuse().expected(FORM);
    if !media_type.eq_ignore_ascii_case(FORM) {
        return Err(malformed().found(sent));
    }
    std::str::from_utf8(body).map_err(|_| malformed())
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    #[test]
    fn only_a_form_is_read_as_a_form() {
        for (media_type, sound) in [
            ("application/x-www-form-urlencoded", true),
            ("Application/X-WWW-Form-Urlencoded; charset=UTF-8", true),
            ("application/json", false),
            ("multipart/form-data; boundary=x", false),
            ("text/plain", false),
        ] {
            let headers =
                HeaderMap::from_iter([(CONTENT_TYPE, HeaderValue::from_static(media_type))]);
            match form(&headers, b"a=b") {
                Ok(text) => assert!(sound && text == "a=b", "{media_type}"),
                Err(refusal) => assert!(
                    !sound && refusal == OpRefusal::RequestMalformed,
                    "{media_type}"
                ),
            }
        }
        assert_eq!(
            form(&HeaderMap::new(), b"").expect_err("no type"),
            OpRefusal::RequestMalformed
        );
    }
}
