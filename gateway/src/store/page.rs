//! Pages of a list, newest first, with cursors.

/// Largest page.
pub const PAGE_MOST: usize = 500;

/// Which page of a list.
#[derive(Clone, Copy, Debug, Default)]
pub struct PageRequest<'a> {
    /// The id after which (towards the older ones) the page begins.
    pub starting_after: Option<&'a str>,
    /// The id before which (towards the newer ones) the page ends.
    pub ending_before: Option<&'a str>,
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
