//! What the ephemeral store refuses, as a person, an application and an operator are told.

use fedgate_providers::error::Refusal;

use super::EphemeralError;

fedgate_providers::refusals! {
    /// What the ephemeral store refuses.
    pub enum EphemeralRefusal in "ephemeral" {
        /// Redis did not answer in time, is not reachable, or refuses to write; the log names the cause.
        Unavailable = "unavailable", Gateway,
            says "Signing in is interrupted for a moment.",
            fix "Look at the Redis that [ephemeral] url names; the gateway takes it up again by itself. Whoever was signing in starts again.";
        /// Redis may drop what is alive when its memory is full: its maxmemory-policy is not noeviction.
        Evicts = "evicts", Operator,
            says "Signing in is not possible at the moment.",
            fix "Set maxmemory-policy noeviction on every node of that Redis, and give it a database of its own.";
        /// Redis does not do what the gateway needs of it: a version before 6.2, or a user without the commands that docs/OPERATIONS.md lists.
        Unsuitable = "unsuitable", Operator,
            says "Signing in is not possible at the moment.",
            fix "Use Redis 6.2 or Valkey 7.2 and newer, and allow the gateway's user the commands listed in docs/OPERATIONS.md.";
    }
}

impl EphemeralError {
    /// The refusal of a request that met this error. A full store is told by `full`, which knows what it was full of.
    pub fn refusal(self, full: impl Into<Refusal>) -> Refusal {
        match self {
            Self::Full => full.into().detail(self),
            Self::Unavailable(_) => EphemeralRefusal::Unavailable.refuse().detail(self),
        }
    }
}
