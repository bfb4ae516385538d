//! PostgreSQL and Redis over TLS: reached with the authority that signed for them, and with no other.

use std::path::PathBuf;
use std::process::Command;

use fedgate_test_servers::postgres::{Postgres, execute};
use fedgate_test_servers::redis::Redis;
use fedgate_tests::gateway::{Place, Remote};
use fedgate_tests::process::{Process, free_address};
use fedgate_tests::tls::Pair;
use tempfile::TempDir;

use super::process::{output, program};
use super::scene::{Logins, codes_or_interrupted};

const NAME: &str = "localhost";

/// Both servers with one certificate, which is in a file.
struct Servers {
    postgres: Postgres,
    _redis: Redis,
    redis_url: String,
    folder: TempDir,
}

impl Servers {
    fn start() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let pair = Pair::new(&[NAME]);
        std::fs::write(folder.path().join("ours.pem"), &pair.certificate).expect("a file");
        let others = Pair::new(&[NAME]).certificate;
        std::fs::write(folder.path().join("others.pem"), others).expect("a file");
        let (redis, port) = Redis::with_tls(&pair.certificate, &pair.private);
        Self {
            postgres: Postgres::with_tls(&pair.certificate, &pair.private),
            _redis: redis,
            redis_url: format!("rediss://{NAME}:{port}"),
            folder,
        }
    }

    fn authority(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A database whose server must prove its name by that authority.
    fn database(&self, authority: &str) -> String {
        let url = self.postgres.database().replace("127.0.0.1", NAME);
        let file = self.authority(authority);
        format!("{url}?sslmode=verify-full&sslrootcert={}", file.display())
    }

    /// Redis has no such parameter: OpenSSL's own variable names the authorities of a process.
    fn with_redis(&self, command: &mut Command, authority: &str) {
        command
            .env("FEDGATE_EPHEMERAL__URL", &self.redis_url)
            .env("SSL_CERT_FILE", self.authority(authority));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn logins_go_over_tls_to_both_servers() {
    let servers = Servers::start();
    let (url, address) = (servers.database("ours.pem"), free_address());
    let (_folder, mut command) = program(&Place::Url(url.clone()), address);
    servers.with_redis(&mut command, "ours.pem");
    let _process = Process::start(command, address);
    let remote = Remote {
        base: format!("http://{address}"),
    };
    let logins = Logins::prepare(&remote, 2).await;
    let codes = codes_or_interrupted(logins.send()).await;
    assert_eq!(codes.len(), 2);
    logins.redeem_twice(&codes, true).await;
    let in_the_clear = "SELECT count(*) FROM pg_stat_ssl JOIN pg_stat_activity USING (pid)
         WHERE application_name = 'fedgate' AND NOT ssl";
    assert_eq!(execute(&url, in_the_clear), "0");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_another_authority_signed_for_is_refused_at_start() {
    let servers = Servers::start();
    let database = Place::Url(servers.database("others.pem"));
    let (_folder, command) = program(&database, free_address());
    let refused = output(command);
    assert!(refused.contains("store.unavailable"), "{refused}");
    let database = Place::Url(servers.database("ours.pem"));
    let (_folder, mut command) = program(&database, free_address());
    servers.with_redis(&mut command, "others.pem");
    let refused = output(command);
    assert!(refused.contains("ephemeral.unavailable"), "{refused}");
}
