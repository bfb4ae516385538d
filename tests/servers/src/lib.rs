//! Servers of a test's own: on free loopback ports, in folders of their own, ended with the test, also when the test
//! is killed. A server that cannot be started fails the test and says what to install.

pub mod postgres;
pub mod process;
pub mod redis;
pub mod xmlsec;
