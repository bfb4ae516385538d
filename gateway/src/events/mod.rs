//! What happened: the outbox of events for other systems, and the traces of logins for administrators.

pub mod trace;
