//! Query parameters: known ones once, the others refused.

use fedgate_providers::connection::Problem;
use fedgate_providers::error::Refusal;
use url::form_urlencoded;

use super::ApiRefusal;
use super::answer::ApiError;
use super::body::{PROBLEMS_MOST, unknown};
use super::operation::{Kind, QueryParameter};
use crate::store::page::{PAGE_MOST, Page, PageRequest, Position};

/// The longest query that is read, in bytes.
const QUERY_BYTES: usize = 4096;

/// Parameters that page through a list.
pub(super) const PAGING: [QueryParameter; 3] = [
    QueryParameter {
        name: "starting_after",
        says: "The id behind which the page begins: the last one of the page before.",
        kind: Kind::Text,
    },
    QueryParameter {
        name: "ending_before",
        says: "The id before which the page ends: the first one of the page behind. Not beside starting_after.",
        kind: Kind::Text,
    },
    QueryParameter {
        name: "page_size",
        says: "Entries wanted; 500 at most, and where it is absent.",
        kind: Kind::Count,
    },
];

/// Parameters that page through a list in Kinde's way.
pub(super) const TOKEN_PAGING: [QueryParameter; 2] = [
    NEXT_TOKEN,
    QueryParameter {
        name: "page_size",
        says: "Entries wanted; 500 at most, 10 where it is absent.",
        kind: Kind::Count,
    },
];
/// Where a page begins, whatever has come or gone since the page before.
pub(super) const NEXT_TOKEN: QueryParameter = QueryParameter {
    name: "next_token",
    says: "The next_token of the page before.",
    kind: Kind::Text,
};
/// The size of a page in Kinde's way whose size nobody names.
const PAGE_USUAL: usize = 10;

/// The parameter by which a caller goes on although others depend on what goes away.
pub(super) const CONFIRM: QueryParameter = QueryParameter {
    name: "confirm",
    says: "Go on although others depend on it.",
    kind: Kind::Boolean,
};

/// Where the page behind this one begins, if there is one.
pub(super) fn next_token<T>(page: &Page<T>, position: fn(&T) -> Position) -> Option<String> {
    let last = page.items.last().filter(|_| page.has_more)?;
    Some(position(last).token())
}

/// A parsed query.
#[derive(Clone, Debug, Default)]
pub(super) struct Query(Vec<(String, String)>);

impl Query {
    /// Reads a raw query string in which only these parameters may occur, each once.
    ///
    /// # Errors
    /// Every problem: `api.member_unknown`, `api.member_repeated`, `api.member_missing`, `api.member_value`.
    pub(super) fn parse(raw: Option<&str>, known: &[QueryParameter]) -> Result<Self, ApiError> {
        let raw = raw.unwrap_or_default();
        if raw.len() > QUERY_BYTES {
            return Err(ApiError::whole(
                ApiRefusal::MemberValue
                    .refuse()
                    .expected(format_args!("a query of at most {QUERY_BYTES} bytes")),
            ));
        }
        let mut query = Self::default();
        let mut problems = Vec::new();
        for (name, value) in form_urlencoded::parse(raw.as_bytes()) {
            if let Err(refusal) = query.take(&name, value.into_owned(), known) {
                problems.push(Problem::new(refusal, name));
            }
        }
        let absent = |parameter: &&QueryParameter| {
            parameter.kind == Kind::Required && query.text(parameter.name).is_none()
        };
        for parameter in known.iter().filter(absent) {
            problems.push(Problem::new(ApiRefusal::MemberMissing, parameter.name));
        }
        problems.truncate(PROBLEMS_MOST);
        if problems.is_empty() {
            Ok(query)
        } else {
            Err(problems.into())
        }
    }

    fn take(&mut self, name: &str, value: String, known: &[QueryParameter]) -> Result<(), Refusal> {
        let Some(parameter) = known.iter().find(|known| known.name == name) else {
            return Err(unknown(name, known.iter().map(|known| known.name)));
        };
        if self.0.iter().any(|(seen, _)| seen == name) {
            return Err(ApiRefusal::MemberRepeated.refuse().found(name));
        }
        let digits =
            || value.bytes().all(|b| b.is_ascii_digit()) && value.bytes().any(|b| b != b'0');
        let (sound, expected) = match parameter.kind {
            Kind::Text | Kind::Required => (true, ""),
            Kind::Boolean => (value == "true" || value == "false", "true | false"),
            Kind::Count => (digits(), "a whole number from 1"),
        };
        if !sound {
            return Err(ApiRefusal::MemberValue
                .refuse()
                .expected(expected)
                .found(value));
        }
        self.0.push((name.to_owned(), value));
        Ok(())
    }

    /// A parameter; blank is absent.
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        self.0
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, value)| value.as_str())
            .filter(|value| !value.is_empty())
    }

    /// A count, as it was checked when the query was read.
    pub(super) fn count(&self, name: &str) -> Option<u64> {
        self.text(name)?.parse().ok()
    }

    /// Whether `confirm=true` is there.
    pub(super) fn is_confirmed(&self) -> bool {
        self.text(CONFIRM.name) == Some("true")
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
        Ok(PageRequest {
            starting_after,
            ending_before,
            page_size: self.page_size(0),
            ..PageRequest::default()
        })
    }

    /// The place that `next_token` names; none for the newest end of the list.
    ///
    /// # Errors
    /// `api.member_value`
    pub(super) fn position(&self) -> Result<Option<Position>, ApiError> {
        let Some(text) = self.text(NEXT_TOKEN.name) else {
            return Ok(None);
        };
        let position = Position::parse(text).ok_or_else(|| {
            let refusal = ApiRefusal::MemberValue.refuse().found(text);
            ApiError::of(
                refusal.expected("the next_token of the page before"),
                NEXT_TOKEN.name,
            )
        })?;
        Ok(Some(position))
    }

    /// The page that begins at a [`Query::position`].
    pub(super) fn page_from<'p>(&self, position: Option<&'p Position>) -> PageRequest<'p> {
        PageRequest {
            position,
            page_size: self.page_size(PAGE_USUAL),
            ..PageRequest::default()
        }
    }

    /// More digits than a number has ask for more than there is on a page.
    fn page_size(&self, usual: usize) -> usize {
        self.text("page_size")
            .map_or(usual, |text| text.parse().unwrap_or(PAGE_MOST))
    }

    /// The words of a list that commas separate, blanks aside.
    ///
    /// # Errors
    /// `api.member_value` for more than `most`.
    pub(super) fn words(&self, name: &str, most: usize) -> Result<Vec<String>, ApiError> {
        let words = self.text(name).unwrap_or_default().split(',');
        let words: Vec<String> = words
            .map(str::trim)
            .filter(|word| !word.is_empty())
            .map(str::to_owned)
            .collect();
        if words.len() > most {
            let refusal = ApiRefusal::MemberValue.refuse();
            let expected = format!("at most {most} values");
            return Err(ApiError::of(refusal.expected(expected), name));
        }
        Ok(words)
    }

    /// Which of these words a list names.
    ///
    /// # Errors
    /// `api.member_value` for any other word.
    pub(super) fn choices<const N: usize>(
        &self,
        name: &str,
        known: [&str; N],
    ) -> Result<[bool; N], ApiError> {
        let words = self.words(name, usize::MAX)?;
        if let Some(other) = words.iter().find(|word| !known.contains(&word.as_str())) {
            let refusal = ApiRefusal::MemberValue.refuse().found(other);
            return Err(ApiError::of(refusal.expected(known.join(" | ")), name));
        }
        Ok(known.map(|word| words.iter().any(|named| named == word)))
    }
}
