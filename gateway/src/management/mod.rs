//! The Management API: Kinde's shapes, so that its published client drives it unchanged.

pub mod scope;
