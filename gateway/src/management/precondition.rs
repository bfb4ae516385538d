//! Lost updates: the version of a row is its entity tag.

use axum::response::Response;
use http::{HeaderMap, HeaderValue, header};

use super::ApiRefusal;
use super::answer::ApiError;

/// RFC 9110 13.1.1: `*` or a list of entity tags; ours are versions. Without the header nothing is asked.
///
/// # Errors
/// `api.lost_update`
pub(super) fn check_version(headers: &HeaderMap, version: i64) -> Result<(), ApiError> {
    let Some(value) = headers.get(header::IF_MATCH) else {
        return Ok(());
    };
    let tag = format!("\"{version}\"");
    let text = value.to_str().unwrap_or_default();
    let matches = text
        .split(',')
        .map(str::trim)
        .any(|one| one == "*" || one == tag);
    if matches {
        Ok(())
    } else {
        Err(ApiError::whole(
            ApiRefusal::LostUpdate.refuse().expected(tag).found(text),
        ))
    }
}

/// The version that a write must still find, where the caller asked for one: what [`check_version`] saw may have changed.
pub(super) fn version_asked(headers: &HeaderMap, version: i64) -> Option<i64> {
    headers.contains_key(header::IF_MATCH).then_some(version)
}

/// An answer with the version that it tells of as its `ETag`.
pub(super) fn tagged(mut response: Response, version: i64) -> Response {
    if let Ok(tag) = HeaderValue::try_from(format!("\"{version}\"")) {
        response.headers_mut().insert(header::ETAG, tag);
    }
    response
}
