//! What happened: the traces of logins for administrators. (Events for other systems wait in the store's outbox.)

pub mod trace;
mod writer;

pub use writer::Traces;
