//! Pages of a list, newest first, with cursors.

/// Largest page.
pub const PAGE_MOST: usize = 500;

/// A place in a list. Unlike a row's id it stays where it is when that row goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Position {
    /// Milliseconds since the epoch.
    pub at: i64,
    /// The id, which decides among rows of one moment.
    pub id: String,
}

/// The longest id in a token, in bytes.
const ID_BYTES: usize = 64;

impl Position {
    /// Where a list without a cursor begins: before its newest row.
    pub(crate) fn newest() -> Self {
        Self {
            at: i64::MAX,
            id: String::new(),
        }
    }

    /// The text that callers send back as `next_token`.
    pub fn token(&self) -> String {
        format!("{}.{}", self.at, self.id)
    }

    /// Reads [`Position::token`].
    pub fn parse(token: &str) -> Option<Self> {
        let (at, id) = token.split_once('.')?;
        let sound = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
        let id = (id.len() <= ID_BYTES && id.bytes().all(sound)).then(|| id.to_owned())?;
        Some(Self {
            at: at.parse().ok()?,
            id,
        })
    }
}

/// Which page of a list.
#[derive(Clone, Copy, Debug, Default)]
pub struct PageRequest<'a> {
    /// The id after which (towards the older ones) the page begins.
    pub starting_after: Option<&'a str>,
    /// The id before which (towards the newer ones) the page ends.
    pub ending_before: Option<&'a str>,
    /// The place after which (towards the older ones) the page begins, instead of an id.
    pub position: Option<&'a Position>,
    /// Entries wanted, up to [`PAGE_MOST`]; 0 for [`PAGE_MOST`].
    pub page_size: usize,
}

/// One page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page<T> {
    /// Newest first.
    pub items: Vec<T>,
    /// Whether the list goes on in the direction of paging.
    pub has_more: bool,
}

impl PageRequest<'_> {
    /// The size in force.
    pub fn size(&self) -> usize {
        match self.page_size {
            0 => PAGE_MOST,
            size => size.min(PAGE_MOST),
        }
    }

    /// Rows to ask for: one more tells whether there are more.
    pub(crate) fn limit(&self) -> i64 {
        i64::try_from(self.size())
            .unwrap_or(i64::MAX)
            .saturating_add(1)
    }

    /// Where the page begins, if an id does not say so.
    pub(crate) fn start(&self) -> Position {
        self.position.cloned().unwrap_or_else(Position::newest)
    }

    /// Whether the page is read from its older end.
    pub(crate) fn is_backward(&self) -> bool {
        self.ending_before.is_some()
    }
}

impl<T> Page<T> {
    /// Cuts the extra row off and puts the newest first.
    pub(crate) fn of(mut items: Vec<T>, request: PageRequest<'_>) -> Self {
        let has_more = items.len() > request.size();
        items.truncate(request.size());
        if request.is_backward() {
            items.reverse();
        }
        Self { items, has_more }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_read_as_it_was_written_and_nothing_else_is_read() {
        let position = Position {
            at: 1_800_000_000_000,
            id: "kp_1".into(),
        };
        assert_eq!(position.token(), "1800000000000.kp_1");
        assert_eq!(Position::parse(&position.token()), Some(position));
        for bad in [
            "",
            ".",
            "1",
            "x.kp_1",
            "99999999999999999999.kp_1",
            "1.kp 1",
            "1.a%",
        ] {
            assert_eq!(Position::parse(bad), None, "{bad:?}");
        }
        assert_eq!(Position::parse(&format!("1.{}", "a".repeat(65))), None);
    }
}
