//! Who our users are, and what a sign-in changes: one transaction.

pub mod claim;
pub mod error;
pub mod identity;
pub mod link;
pub mod organization;
pub mod sign_in;
pub mod sync;
pub mod user;

pub use error::PeopleRefusal;
pub use sign_in::{SignIn, SignedIn, sign_in};
