//! The gateway with the servers that it works with: SQLite alone, or PostgreSQL and Redis under one or two replicas.

use std::path::{Path, PathBuf};

use fedgate_test_servers::postgres::Postgres;
use fedgate_test_servers::redis::Redis;
use tempfile::TempDir;

use crate::Outcome;
use crate::database::Database;
use crate::gateway::{Gateway, Place};
use crate::process::{self, Memory};
use crate::redis::info;

/// PostgreSQL as it is run for people, unlike for tests: it waits for its disk, and has room.
pub(crate) const POSTGRES: &[&str] = &[
    "fsync=on",
    "synchronous_commit=on",
    "shared_buffers=512MB",
    "max_wal_size=2GB",
    "checkpoint_timeout=15min",
];

/// What runs together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Sqlite,
    /// PostgreSQL, and what lives shortly in the one replica's memory.
    Postgres,
    /// PostgreSQL and Redis, and so many replicas.
    Servers(u32),
}

/// It, running. It ends in this order.
#[derive(Debug)]
pub(crate) struct Arrangement {
    pub(crate) gateways: Vec<Gateway>,
    pub(crate) place: Place,
    redis: Option<Redis>,
    /// Where PostgreSQL's processes work.
    postgres: Option<(Postgres, PathBuf)>,
    _folder: TempDir,
}

/// CPU time used so far, in milliseconds.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Cpu {
    /// Of all replicas.
    pub(crate) gateway: f64,
    pub(crate) postgres: f64,
    pub(crate) redis: f64,
}

/// What servers count.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Counts {
    /// Commands of Redis, those inside scripts included.
    pub(crate) commands: f64,
    /// Octets of data in Redis.
    pub(crate) memory: f64,
    /// Octets of PostgreSQL's write-ahead log.
    pub(crate) wal: f64,
    pub(crate) transactions: f64,
}

impl Cpu {
    pub(crate) fn since(self, before: Self) -> Self {
        Self {
            gateway: self.gateway - before.gateway,
            postgres: self.postgres - before.postgres,
            redis: self.redis - before.redis,
        }
    }

    pub(crate) fn per(self, logins: f64) -> Self {
        Self {
            gateway: self.gateway / logins,
            postgres: self.postgres / logins,
            redis: self.redis / logins,
        }
    }
}

impl Counts {
    pub(crate) fn since(self, before: Self) -> Self {
        Self {
            commands: self.commands - before.commands,
            memory: self.memory - before.memory,
            wal: self.wal - before.wal,
            transactions: self.transactions - before.transactions,
        }
    }

    pub(crate) fn per(self, logins: f64) -> Self {
        Self {
            commands: self.commands / logins,
            memory: self.memory / logins,
            wal: self.wal / logins,
            transactions: self.transactions / logins,
        }
    }
}

impl Kind {
    pub(crate) fn name(self) -> String {
        match self {
            Self::Sqlite => "SQLite".to_owned(),
            Self::Postgres => "PostgreSQL".to_owned(),
            Self::Servers(1) => "PostgreSQL and Redis".to_owned(),
            Self::Servers(replicas) => format!("PostgreSQL and Redis, {replicas} replicas"),
        }
    }
}

impl Arrangement {
    pub(crate) async fn start(kind: Kind, binary: &Path) -> Outcome<Self> {
        let folder = tempfile::tempdir()?;
        let (postgres, redis, replicas) = match kind {
            Kind::Sqlite => (None, None, 1),
            Kind::Postgres => (Some(Postgres::with(POSTGRES)), None, 1),
            Kind::Servers(replicas) => (
                Some(Postgres::with(POSTGRES)),
                Some(Redis::start()),
                replicas,
            ),
        };
        let mut place = match &postgres {
            None => Place::on_sqlite(binary, folder.path()),
            Some(server) => Place::on(binary, folder.path(), Database::Postgres(server.database())),
        };
        if let Some(redis) = &redis {
            place = place.with("FEDGATE_EPHEMERAL__URL", &redis.url());
        }
        let mut gateways = vec![Gateway::start(&place)?];
        for _ in 1..replicas {
            gateways.push(Gateway::replica(&place)?);
        }
        let data = data_directory(&place.database).await?;
        Ok(Self {
            gateways,
            place,
            redis,
            postgres: postgres.zip(data),
            _folder: folder,
        })
    }

    pub(crate) fn cpu(&self) -> Outcome<Cpu> {
        let mut cpu = Cpu::default();
        for gateway in &self.gateways {
            cpu.gateway += gateway.cpu_milliseconds()?;
        }
        if let Some((_, folder)) = &self.postgres {
            cpu.postgres = process::cpu_milliseconds_in(folder);
        }
        if let Some(redis) = &self.redis {
            cpu.redis = info(&redis.url())?.cpu;
        }
        Ok(cpu)
    }

    /// What the servers count; none of them for SQLite.
    pub(crate) async fn counts(&self) -> Outcome<Option<Counts>> {
        if self.postgres.is_none() {
            return Ok(None);
        }
        let mut connection = self.place.database.connect().await?;
        let numbers = connection
            .numbers(
                "SELECT CAST(pg_current_wal_lsn() - '0/0' AS BIGINT), CAST(xact_commit + xact_rollback AS BIGINT)
                 FROM pg_stat_database WHERE datname = current_database()",
            )
            .await?;
        connection.close().await?;
        let [wal, transactions] = numbers[..] else {
            return Err("two numbers were asked for".into());
        };
        let redis = self.redis.as_ref().map(|redis| info(&redis.url()));
        let redis = redis.transpose()?.unwrap_or_default();
        #[expect(clippy::cast_precision_loss, reason = "counts far below 2^52")]
        Ok(Some(Counts {
            commands: redis.commands,
            memory: redis.memory,
            wal: wal as f64,
            transactions: transactions as f64,
        }))
    }

    /// Of the gateway that has most.
    pub(crate) fn memory(&self) -> Outcome<Memory> {
        let mut most = Memory::default();
        for gateway in &self.gateways {
            let memory = gateway.memory()?;
            if memory.resident > most.resident {
                most = memory;
            }
        }
        Ok(most)
    }
}

/// Where the processes of a server work.
async fn data_directory(database: &Database) -> Outcome<Option<PathBuf>> {
    if let Database::Sqlite(_) = database {
        return Ok(None);
    }
    let mut connection = database.connect().await?;
    let data = connection.texts("SHOW data_directory").await?;
    connection.close().await?;
    Ok(data.first().map(PathBuf::from))
}
