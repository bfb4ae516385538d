//! Scopes of the Management API: `read:connections` and the like.

/// What can be read and changed.
const NOUNS: [&str; 11] = [
    "connections",
    "applications",
    "application_connections",
    "organizations",
    "organization_connections",
    "organization_users",
    "users",
    "user_identities",
    "identities",
    "webhooks",
    "keys",
];
const VERBS: [&str; 4] = ["read", "create", "update", "delete"];
/// What can only be read.
const READ_ONLY: [&str; 3] = ["read:logins", "read:event_types", "read:certificates"];

/// Every scope, in a stable order.
pub fn all() -> impl Iterator<Item = String> {
    let pairs = NOUNS
        .iter()
        .flat_map(|noun| VERBS.iter().map(move |verb| format!("{verb}:{noun}")));
    pairs.chain(READ_ONLY.iter().map(|scope| (*scope).to_owned()))
}

/// Whether a scope is one of the Management API.
pub fn is_known(scope: &str) -> bool {
    let pair = scope
        .split_once(':')
        .is_some_and(|(verb, noun)| VERBS.contains(&verb) && NOUNS.contains(&noun));
    pair || READ_ONLY.contains(&scope)
}

/// The scope that a misspelt one was probably meant to be.
pub fn nearest(scope: &str) -> Option<String> {
    let known: Vec<String> = all().collect();
    fedgate_providers::nearest::nearest(scope, known.iter().map(String::as_str)).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_scope_is_known_and_a_slip_is_mended() {
        assert!(all().all(|scope| is_known(&scope)));
        assert!(!is_known("read:") && !is_known("drop:connections") && !is_known("create:logins"));
        assert_eq!(
            nearest("read:conections").as_deref(),
            Some("read:connections")
        );
    }
}
