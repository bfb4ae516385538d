//! A store as it is after years: organizations, a connection for each with ten domains and its metadata, and people who
//! signed in. Made inside the database from one connection that the Management API made, so that every row is one that
//! the gateway could have written. Ids are random as its own are, since that decides how indexes grow.

use fedgate::app::Clock;

use crate::Outcome;
use crate::database::{Connection, Database};

/// Domains that lead to each connection.
pub(crate) const DOMAINS_PER_CONNECTION: u64 = 10;
/// How long marks live here, in milliseconds: longer than anybody measures.
const MARKED: i64 = 30 * 24 * 60 * 60 * 1000;
/// What sign-ins leave: payloads and sessions as long as the gateway's own.
const EVENT: &str = r#"{"user_id":"kp_00000000000000000000000000000000","identity_id":"identity_00000000000000000000000000000000","connection_id":"conn_00000000000000000000000000000000","client_id":"web","org_code":"org_00000000000","sid":"login_00000000000000000000000000000000"}"#;
const UPSTREAM_SESSION: &str = r#"{"name_id":"<saml:NameID Format=\"urn:oasis:names:tc:SAML:2.0:nameid-format:persistent\">person-000000</saml:NameID>","session_index":"_00000000000000000000000000000000"}"#;

/// How much there is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Amount {
    /// With a connection and an organization for every [`DOMAINS_PER_CONNECTION`].
    pub(crate) domains: u64,
    /// Each with an identity, a membership, a login session, two marks and an event.
    pub(crate) people: u64,
}

/// Words that differ between the databases.
struct Dialect {
    /// 32 random hex digits.
    random: &'static str,
    /// 16 and 32 random octets.
    octets: [&'static str; 2],
    /// A number as so many hex digits.
    hex: fn(&str, u32) -> String,
    before: &'static str,
    after: &'static str,
}

const SQLITE: Dialect = Dialect {
    random: "lower(hex(randomblob(16)))",
    octets: ["randomblob(16)", "randomblob(32)"],
    hex: |number, digits| format!("printf('%0{digits}x', {number})"),
    before: "PRAGMA journal_mode = OFF; PRAGMA foreign_keys = OFF; PRAGMA synchronous = OFF; PRAGMA cache_size = -400000; PRAGMA temp_store = MEMORY",
    after: "PRAGMA journal_mode = WAL",
};
const POSTGRES: Dialect = Dialect {
    random: "replace(CAST(gen_random_uuid() AS TEXT), '-', '')",
    octets: [
        "uuid_send(gen_random_uuid())",
        "uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid())",
    ],
    hex: |number, digits| format!("lpad(to_hex({number}), {digits}, '0')"),
    before: "SET session_replication_role = replica; SET synchronous_commit = off; SET work_mem = '64MB'",
    after: "VACUUM (ANALYZE); CHECKPOINT",
};

impl Dialect {
    fn of(database: &Database) -> &'static Self {
        match database {
            Database::Sqlite(_) => &SQLITE,
            Database::Postgres(_) => &POSTGRES,
        }
    }
}

/// Fills a database whose gateway is not running; `template` is the connection that all are like.
pub(crate) async fn seed(database: &Database, template: &str, amount: Amount) -> Outcome<()> {
    let dialect = Dialect::of(database);
    let mut connection = database.connect().await?;
    connection.run(dialect.before).await?;
    // What is older the gateway would sweep while it is measured.
    let now = Clock::default().now().as_millisecond();
    let connections = amount.domains.div_ceil(DOMAINS_PER_CONNECTION);
    for statement in tenants(dialect, template, connections, now) {
        run(&mut connection, &statement).await?;
    }
    if amount.people > 0 {
        for statement in people(dialect, amount.people, connections, now) {
            run(&mut connection, &statement).await?;
        }
    }
    for statement in dialect.after.split("; ") {
        run(&mut connection, statement).await?;
    }
    connection.close().await
}

/// So many domains that are like a pattern, spread over all of the store.
pub(crate) async fn some_domains(
    database: &Database,
    pattern: &str,
    count: u64,
) -> Outcome<Vec<String>> {
    let mut connection = database.connect().await?;
    let order = Dialect::of(database).random;
    let domains = connection
        .texts(&format!(
            "SELECT domain FROM connection_domains WHERE domain LIKE '{pattern}' ORDER BY {order} LIMIT {count}"
        ))
        .await?;
    connection.close().await?;
    Ok(domains)
}

async fn run(connection: &mut Connection, statement: &str) -> Outcome<()> {
    let done = connection.run(statement).await;
    done.map_err(|error| format!("{error}: {statement}").into())
}

/// The numbers from 1 as `n (i)`.
fn count(to: u64) -> String {
    format!("WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {to})")
}

fn tenants(dialect: &Dialect, template: &str, connections: u64, now: i64) -> Vec<String> {
    let random = dialect.random;
    let numbers = count(connections);
    let code = format!("'org_' || {}", (dialect.hex)("n.i", 11));
    let others = format!("c.id <> '{template}'");
    vec![
        format!(
            "INSERT INTO organizations (code, name, external_id, is_allow_registrations, is_auto_membership_enabled, created_at)
             {numbers} SELECT {code}, 'Organization ' || n.i, 'customer-' || n.i, FALSE, TRUE, {now} + n.i FROM n"
        ),
        format!(
            "INSERT INTO connections (id, version, name, display_name, strategy, status, organization_code, options,
                created_at, updated_at)
             {numbers} SELECT 'conn_' || {random}, 1, 'c' || n.i, 'Company ' || n.i, c.strategy, c.status, {code}, c.options,
                {now} + n.i, {now} + n.i FROM n, connections c WHERE c.id = '{template}'"
        ),
        format!(
            "INSERT INTO metadata_revisions (id, connection_id, source, document, sha256, fetched_at, state)
             SELECT 'meta_' || {random}, c.id, m.source, m.document, m.sha256, m.fetched_at, m.state
             FROM metadata_revisions m, connections c WHERE m.connection_id = '{template}' AND m.state = 'live' AND {others}"
        ),
        format!(
            "INSERT INTO connection_domains (domain, connection_id)
             {} SELECT substr(c.id, 6, 12) || '-' || n.i || '.example', c.id FROM connections c, n WHERE {others}",
            count(DOMAINS_PER_CONNECTION)
        ),
        format!(
            "INSERT INTO application_connections (client_id, connection_id) SELECT 'web', c.id FROM connections c WHERE {others}"
        ),
    ]
}

fn people(dialect: &Dialect, people: u64, connections: u64, now: i64) -> Vec<String> {
    let (random, [login, assertion]) = (dialect.random, dialect.octets);
    let numbers = count(people);
    let code = format!(
        "'org_' || {}",
        (dialect.hex)(&format!("p.i % {connections} + 1"), 11)
    );
    let sid = format!(
        "'login_' || {} || substr({random}, 1, 20)",
        (dialect.hex)(&format!("{now} + p.i"), 12)
    );
    vec![
        "CREATE TEMPORARY TABLE numbered AS SELECT row_number() OVER () AS i, id FROM connections".to_owned(),
        "CREATE INDEX numbered_by_i ON numbered (i)".to_owned(),
        format!(
            "INSERT INTO users (id, email, email_verified, given_name, family_name, name, created_at, updated_at)
             {numbers} SELECT 'kp_' || {random}, 'person-' || n.i || '@company.example', TRUE, 'Ada', 'Osei', 'Ada Osei',
                {now} + n.i, {now} + n.i FROM n"
        ),
        "CREATE TEMPORARY TABLE people AS SELECT row_number() OVER () AS i, id FROM users".to_owned(),
        format!(
            "INSERT INTO identities (id, user_id, connection_id, issuer, subject, type, created_at)
             SELECT 'identity_' || {random}, p.id, c.id, 'https://idp.company.example/entity', 'person-' || p.i, 'enterprise',
                {now} + p.i FROM people p JOIN numbered c ON c.i = p.i % {connections} + 1"
        ),
        format!(
            "INSERT INTO memberships (organization_code, user_id, created_at) SELECT {code}, p.id, {now} FROM people p"
        ),
        format!(
            "INSERT INTO login_sessions (sid, user_id, identity_id, client_id, connection_id, organization_code,
                upstream_session, created_at)
             SELECT {sid}, p.user_id, p.id, 'web', p.connection_id, 'org_00000000000', '{UPSTREAM_SESSION}', {now} + p.i
             FROM (SELECT row_number() OVER () AS i, id, user_id, connection_id FROM identities) AS p"
        ),
        format!(
            "INSERT INTO marks (kind, key, expires_at) SELECT 'login', {login}, {now} + {MARKED} + p.i FROM people p"
        ),
        format!(
            "INSERT INTO marks (kind, key, expires_at)
             SELECT 'assertion', {assertion}, {now} + {MARKED} + p.i FROM people p"
        ),
        format!(
            "INSERT INTO outbox (type, payload, created_at)
             SELECT 'user.authenticated', '{EVENT}', {now} + p.i FROM people p"
        ),
    ]
}
