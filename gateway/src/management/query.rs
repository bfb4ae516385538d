//! Query parameters: known ones once, the others refused.

use url::form_urlencoded;

use super::ApiRefusal;
use super::answer::ApiError;
use super::body::unknown;
use crate::store::page::PageRequest;

/// The longest query that is read, in bytes.
const QUERY_BYTES: usize = 4096;
/// Parameters that page through a list.
pub(super) const PAGING: [&str; 3] = ["starting_after", "ending_before", "page_size"];

/// A parsed query.
#[derive(Debug, Default)]
pub(super) struct Query(Vec<(String, String)>);

impl Query {
    /// Reads a raw query string in which only these names may occur, each once.
    ///
    /// # Errors
    /// `api.member_unknown`, `api.member_repeated`, `api.member_value`.
    pub(super) fn parse(raw: Option<&str>, known: &[&str]) -> Result<Self, ApiError> {
        let raw = raw.unwrap_or_default();
        if raw.len() > QUERY_BYTES {
            return Err(ApiError::whole(
                ApiRefusal::MemberValue
                    .refuse()
                    .expected(format_args!("a query of at most {QUERY_BYTES} bytes")),
            ));
        }
        let mut pairs: Vec<(String, String)> = Vec::new();
        for (name, value) in form_urlencoded::parse(raw.as_bytes()) {
            if !known.contains(&name.as_ref()) {
                return Err(ApiError::of(unknown(&name, known.iter().copied()), &name));
            }
            if pairs.iter().any(|(seen, _)| *seen == name) {
                return Err(ApiError::of(
                    ApiRefusal::MemberRepeated.refuse().found(&name),
                    &name,
                ));
            }
            pairs.push((name.into_owned(), value.into_owned()));
        }
        Ok(Self(pairs))
    }

    /// A parameter; blank is absent.
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        self.0
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, value)| value.as_str())
            .filter(|value| !value.is_empty())
    }

    /// Whether `confirm=true` is there.
    pub(super) fn is_confirmed(&self) -> bool {
        self.text("confirm") == Some("true")
    }

    /// The page that the cursors ask for.
    ///
    /// # Errors
    /// `api.member_value`
    pub(super) fn page(&self) -> Result<PageRequest<'_>, ApiError> {
        let (starting_after, ending_before) =
            (self.text("starting_after"), self.text("ending_before"));
        if starting_after.is_some() && ending_before.is_some() {
            let refusal = ApiRefusal::MemberValue
                .refuse()
                .expected("one of starting_after and ending_before");
            return Err(ApiError::of(refusal, "ending_before"));
        }
        let page_size = match self.text("page_size") {
            None => 0,
            Some(text) => text.parse().ok().filter(|size| *size > 0).ok_or_else(|| {
                ApiError::of(
                    ApiRefusal::MemberValue
                        .refuse()
                        .expected("a whole number from 1")
                        .found(text),
                    "page_size",
                )
            })?,
        };
        Ok(PageRequest {
            starting_after,
            ending_before,
            page_size,
        })
    }
}
