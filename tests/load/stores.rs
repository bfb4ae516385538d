//! Small and large stores on either database: what they do to a start, to memory, to routes, and how large rows are.

use std::fmt::Write as _;
use std::path::Path;
use std::time::Duration;

use fedgate_test_servers::postgres::Postgres;

use crate::arrangement::POSTGRES;
use crate::database::Database;
use crate::gateway::{Gateway, Place};
use crate::routes::{self, Begun, Routes};
use crate::seed::{Amount, DOMAINS_PER_CONNECTION, seed, some_domains};
use crate::size::{self, Sizes};
use crate::table::{head, microseconds, milliseconds, percentile, row, spread};
use crate::{Outcome, StoreOptions, scenario, table};

/// How long a gateway is left alone before its memory is read.
const IDLE: Duration = Duration::from_secs(1);
/// Domains of the small store.
const FEW: u64 = 1_000;
/// Domains whose routes are asked for: as many in a large store as the small one has, since a processor's caches would
/// else tell more than the stores.
const ROUTED: u64 = FEW;
/// Connections that are opened.
const OPENED: u64 = 5_000;
/// For as long as domains are asked for, nothing that was opened is forgotten.
const KEEP_ALL: [(&str, &str); 2] = [
    ("FEDGATE_LIMITS__CACHED_PROVIDERS", "100000"),
    ("FEDGATE_LIMITS__CACHE_SECONDS", "3600"),
];

/// One store, measured.
#[derive(Debug)]
struct Measured {
    store: &'static str,
    domains: u64,
    /// From the start of the process to its first answer.
    starts: Vec<Duration>,
    /// The very first, which makes database and keys.
    first: Duration,
    /// Resident when nobody has asked for anything, in MiB.
    idle: f64,
    routes: Routes,
    begun: Begun,
    sizes: Sizes,
}

/// Measures every store and prints the tables.
///
/// # Errors
/// What kept a store from being measured; the others are.
pub(crate) async fn measure(options: &StoreOptions, binary: &Path) -> Outcome<()> {
    let (mut all, mut problems) = (Vec::new(), String::new());
    for on_postgres in [false, true] {
        for amount in amounts(options, on_postgres) {
            match one(on_postgres, amount, options, binary).await {
                Ok(measured) => all.push(measured),
                Err(error) => {
                    let _ = writeln!(problems, "{amount:?}: {error}");
                }
            }
        }
    }
    table::print("start", &starts(&all));
    table::print("routes", &routes(&all));
    table::print("providers", &providers(&all));
    let largest = all.iter().filter(|one| one.domains == options.domains);
    table::print(
        "sizes",
        &size::table(largest.map(|one| (one.store, &one.sizes))),
    );
    if problems.is_empty() {
        Ok(())
    } else {
        Err(problems.into())
    }
}

/// Whoever has a million people has PostgreSQL.
fn amounts(options: &StoreOptions, on_postgres: bool) -> [Amount; 2] {
    [
        Amount {
            domains: FEW,
            people: 0,
        },
        Amount {
            domains: options.domains,
            people: if on_postgres { options.people } else { 0 },
        },
    ]
}

async fn one(
    on_postgres: bool,
    amount: Amount,
    options: &StoreOptions,
    binary: &Path,
) -> Outcome<Measured> {
    let folder = tempfile::tempdir()?;
    let server = on_postgres.then(|| Postgres::with(POSTGRES));
    let place = match &server {
        None => Place::on_sqlite(binary, folder.path()),
        Some(server) => Place::on(binary, folder.path(), Database::Postgres(server.database())),
    };
    let gateway = Gateway::start(&place)?;
    let first = gateway.started_in;
    let ((template, _), _) = scenario::saml(&gateway).await?;
    gateway.end()?;
    seed(&place.database, &template, amount).await?;
    let (starts, idle) = timed_starts(&place, options.starts)?;
    let domains = some_domains(&place.database, "%", ROUTED).await?;
    Ok(Measured {
        store: place.database.name(),
        domains: amount.domains,
        first,
        starts,
        idle,
        routes: routes::measure(&place.database, &domains).await?,
        begun: begun(&place).await?,
        sizes: size::measure(&place.database).await?,
    })
}

/// Times starts; and the memory of the last one, which nobody asks for anything.
fn timed_starts(place: &Place, count: u32) -> Outcome<(Vec<Duration>, f64)> {
    let (mut starts, mut idle) = (Vec::new(), 0.0);
    for number in 1..=count {
        let gateway = Gateway::start(place)?;
        starts.push(gateway.started_in);
        if number == count {
            std::thread::sleep(IDLE);
            idle = gateway.memory()?.resident;
        }
        gateway.end()?;
    }
    Ok((starts, idle))
}

/// One domain of each connection, over HTTP.
async fn begun(place: &Place) -> Outcome<Begun> {
    let domains = some_domains(&place.database, "%-1.example", OPENED).await?;
    let mut place = place.clone();
    for (name, value) in KEEP_ALL {
        place = place.with(name, value);
    }
    let gateway = Gateway::start(&place)?;
    let begun = routes::begin_logins(&gateway, &domains).await?;
    gateway.end()?;
    Ok(begun)
}

fn starts(all: &[Measured]) -> String {
    let mut text = head(&[
        "store",
        "domains",
        "connections, organizations",
        "start to first answer, ms",
        "very first start, ms",
        "resident, idle, MiB",
    ]);
    for one in all {
        let times = one.starts.iter().copied().map(milliseconds).collect();
        text += &row(&[
            one.store.to_owned(),
            one.domains.to_string(),
            one.domains.div_ceil(DOMAINS_PER_CONNECTION).to_string(),
            spread(times, 0),
            format!("{:.0}", milliseconds(one.first)),
            format!("{:.1}", one.idle),
        ]);
    }
    text
}

fn routes(all: &[Measured]) -> String {
    let mut text = head(&[
        "store",
        "domains",
        "warm p50, p99 µs",
        "cold p50, p99 µs",
        "HTTP warm p50, p99 ms",
        "HTTP cold p50, p99 ms",
    ]);
    for one in all {
        let pair = |times: &[Duration], unit: fn(Duration) -> f64, digits: usize| {
            let of = |percent| unit(percentile(times, percent));
            format!("{:.digits$}, {:.digits$}", of(50), of(99))
        };
        text += &row(&[
            one.store.to_owned(),
            one.domains.to_string(),
            pair(&one.routes.warm, microseconds, 2),
            pair(&one.routes.cold, microseconds, 0),
            pair(&one.begun.warm, milliseconds, 2),
            pair(&one.begun.cold, milliseconds, 2),
        ]);
    }
    text
}

fn providers(all: &[Measured]) -> String {
    let mut text = head(&[
        "store",
        "connections opened",
        "resident before, MiB",
        "resident after, MiB",
        "KiB for each",
    ]);
    for one in all {
        let begun = &one.begun;
        text += &row(&[
            one.store.to_owned(),
            begun.opened.to_string(),
            format!("{:.1}", begun.before),
            format!("{:.1}", begun.after),
            format!(
                "{:.1}",
                (begun.after - begun.before) * 1024.0 / begun.opened.max(1.0)
            ),
        ]);
    }
    text
}
