//! Who our users are, and what a sign-in changes: one transaction.
