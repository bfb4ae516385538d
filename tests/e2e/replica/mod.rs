//! Two replicas on one database and one Redis.

mod change;
mod kill;
mod login;
