//! Keys and certificates: what seals, signs and is trusted. No HTTP and no SQL live here.

pub use jiff::Timestamp;
