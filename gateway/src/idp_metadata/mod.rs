//! What SAML identity providers say of themselves, kept up to date: read on a schedule, compared with what is live,
//! taken over or held for a person; and read at once where a login comes with a key that nobody here knows.

pub(crate) mod decided;
pub(crate) mod refresh;
mod refresher;
pub mod rescue;
pub(crate) mod source;

pub(crate) use refresher::run;
