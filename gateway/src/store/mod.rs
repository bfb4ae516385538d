//! One store over SQL: SQLite embedded today, a second pool tomorrow; one SQL text for both.

pub mod application;
pub mod connection;
pub mod person;
