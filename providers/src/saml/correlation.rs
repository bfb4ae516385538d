//! Finding the login of a response that came without its RelayState.

use super::decode;
use super::xml::{Document, Mode};
use crate::error::Refusal;

/// The InResponseTo of an unverified response: good for finding the pending login that will judge it, for nothing else.
///
/// # Errors
/// What the decoder and the XML parser refuse.
pub fn in_response_to(fields: &[(String, String)]) -> Result<Option<String>, Refusal> {
    let bytes = decode::response_bytes(fields)?;
    let document = Document::parse(&bytes, Mode::Message)?;
    Ok(document.root().attribute("InResponseTo").map(str::to_owned))
}
