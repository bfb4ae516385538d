//! Whether each login made exactly what it should have: nobody lost, nobody twice.

use crate::Outcome;
use crate::database::Database;
use crate::login::Path;

/// What the database must hold after the logins of some paths, and nothing else.
const KEPT: &str = "SELECT (SELECT count(*) FROM users), (SELECT count(*) FROM identities),
    (SELECT count(*) FROM (SELECT DISTINCT connection_id, issuer, subject FROM identities) AS people),
    (SELECT count(DISTINCT user_id) FROM identities),
    (SELECT count(*) FROM outbox WHERE type = 'user.created'),
    (SELECT count(*) FROM login_sessions), (SELECT count(*) FROM marks WHERE kind = 'login'),
    (SELECT count(*) FROM outbox WHERE type = 'user.authenticated')";
const NAMES: [&str; 8] = [
    "users",
    "identities",
    "distinct subjects",
    "users with an identity",
    "events of new users",
    "login sessions",
    "marks of logins",
    "events of logins",
];

/// Counts users, identities, sessions, marks and events after all logins have ended.
///
/// # Errors
/// What is too much or too little.
pub(crate) async fn check(database: &Database, paths: &[&Path]) -> Outcome<String> {
    let mut connection = database.connect().await?;
    let kept = connection.numbers(KEPT).await?;
    connection.close().await?;
    let made = paths.iter().map(|path| path.made());
    let (people, logins) = made.fold((0, 0), |(people, logins), (more, others)| {
        (people + more, logins + others)
    });
    for (index, (name, found)) in NAMES.iter().zip(&kept).enumerate() {
        let expected = if index < 5 { people } else { logins };
        if u64::try_from(*found)? != expected {
            return Err(format!("{name}: {expected} expected, {found} found").into());
        }
    }
    Ok(format!(
        "{logins} logins of {people} people, and exactly as many sessions, marks, users and identities"
    ))
}
