//! The process is killed at each arrow of the line: the login burns or is there, and is never there twice.

use std::net::SocketAddr;
use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;
use std::process::{Command, Stdio};

use fedgate_tests::browser::{Browser, Form};
use fedgate_tests::ending::Ending;
use fedgate_tests::gateway::{Place, REDIRECT_URI, Remote, configuration_at};
use fedgate_tests::login::{answer, begin, saml_response};
use fedgate_tests::process::{Process, free_address};
use fedgate_tests::rows::Rows;
use fedgate_tests::upstream::{ALICE, BOB, Connected, OidcUpstream, SamlUpstream};
use serde_json::json;
use tempfile::TempDir;

/// SIGABRT: what a crash point ends the process with.
const ABORTED: i32 = 6;
/// Before the commit: whatever was read, verified or written, nothing of it is there.
const BEFORE: [&str; 3] = ["verified", "sign_in.read", "sign_in.written"];
/// After it: the login is there, and its code is lost.
const AFTER: [&str; 3] = ["sign_in.committed", "signed_in", "code_kept"];
const ONE_LOGIN: Rows = Rows {
    users: 1,
    identities: 1,
    memberships: 0,
    sessions: 1,
    marks: 2,
    events: 2,
};

/// A gateway as a process on files that outlive it.
struct Crashing {
    remote: Remote,
    address: SocketAddr,
    folder: TempDir,
    process: Process,
    _place: Place,
}

impl Crashing {
    /// One that aborts at a point.
    fn start(point: &str) -> Self {
        let address = free_address();
        let folder = tempfile::tempdir().expect("a folder");
        let place = Place::fresh();
        let text = configuration_at(&place, &address.to_string(), REDIRECT_URI, "");
        std::fs::write(folder.path().join("fedgate.toml"), text).expect("a configuration");
        Self {
            remote: Remote {
                base: format!("http://{address}"),
            },
            process: serve(folder.path(), address, Some(point)),
            address,
            folder,
            _place: place,
        }
    }

    /// Waits for its end, which must be the crash, and starts it again on the same files, without crash points.
    fn died_and_starts_again(&mut self) {
        assert_eq!(self.process.wait().signal(), Some(ABORTED));
        self.process = serve(self.folder.path(), self.address, None);
    }

    async fn rows(&self) -> Rows {
        Rows::count(self.folder.path()).await
    }
}

fn serve(folder: &Path, address: SocketAddr, crash_at: Option<&str>) -> Process {
    let mut command = Command::new(env!("CARGO_BIN_EXE_fedgate-crashing"));
    command
        .arg("serve")
        .arg("--config")
        .arg(folder.join("fedgate.toml"));
    if let Some(point) = crash_at {
        command.env("FEDGATE_CRASH_AT", point);
    }
    command.stdout(Stdio::null()).stderr(Stdio::null());
    Process::start(command, address)
}

/// Drives a login until the process dies of its callback.
async fn until_the_crash(point: &str) -> (Crashing, SamlUpstream, Connected, Browser, Form) {
    let mut gateway = Crashing::start(point);
    let idp = SamlUpstream::start().await;
    let connection = idp.connect(&gateway.remote, json!({})).await;
    let mut browser = Browser::new();
    let page = begin(
        &mut browser,
        &gateway.remote,
        &[("connection_id", &connection.id)],
    )
    .await;
    let form = saml_response(&mut browser, &page, ALICE, "").await;
    assert!(
        browser.try_submit(&form, &[]).await.is_none(),
        "{point}: it answered"
    );
    gateway.died_and_starts_again();
    (gateway, idp, connection, browser, form)
}

/// The person signs in from the start and is the same user.
async fn fresh_login(gateway: &Crashing, connection: &Connected, sessions: i64) {
    let mut browser = Browser::new();
    let page = begin(
        &mut browser,
        &gateway.remote,
        &[("connection_id", &connection.id)],
    )
    .await;
    let code = Ending::of(&answer(&mut browser, &page, ALICE, "").await).code();
    assert_eq!(gateway.remote.redeem(&code).await["email"], ALICE);
    let rows = gateway.rows().await;
    assert_eq!(
        (rows.users, rows.identities, rows.sessions),
        (1, 1, sessions)
    );
    assert_eq!((rows.marks, rows.events), (2 * sessions, 1 + sessions));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crash_before_the_commit_leaves_nothing_and_the_same_answer_still_completes() {
    for point in BEFORE {
        let (gateway, _idp, connection, mut browser, form) = until_the_crash(point).await;
        assert_eq!(gateway.rows().await, Rows::default(), "{point}");
        let code = Ending::of(&browser.submit(&form, &[]).await).code();
        assert_eq!(
            gateway.remote.redeem(&code).await["email"],
            ALICE,
            "{point}"
        );
        assert_eq!(gateway.rows().await, ONE_LOGIN, "{point}");
        fresh_login(&gateway, &connection, 2).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crash_after_the_commit_burns_the_login_and_doubles_nothing() {
    for point in AFTER {
        let (gateway, _idp, connection, mut browser, form) = until_the_crash(point).await;
        assert_eq!(gateway.rows().await, ONE_LOGIN, "{point}");
        for _ in 0..2 {
            let refused = Ending::of(&browser.submit(&form, &[]).await).refused();
            assert_eq!(refused.code, "people.login_replayed", "{point}");
            assert!(refused.again.is_some(), "{point}");
        }
        assert_eq!(gateway.rows().await, ONE_LOGIN, "{point}");
        fresh_login(&gateway, &connection, 2).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crash_before_the_person_leaves_only_costs_the_click() {
    let mut gateway = Crashing::start("begun");
    let idp = SamlUpstream::start().await;
    let connection = idp.connect(&gateway.remote, json!({})).await;
    let mut browser = Browser::new();
    let url = gateway
        .remote
        .authorize_url(&[("connection_id", &connection.id)]);
    assert!(browser.try_open(&url).await.is_err());
    gateway.died_and_starts_again();
    assert_eq!(gateway.rows().await, Rows::default());
    fresh_login(&gateway, &connection, 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_of_openid_connect_is_not_redeemed_twice_after_a_crash() {
    let mut gateway = Crashing::start("verified");
    let op = OidcUpstream::start().await;
    let connection = op.connect(&gateway.remote, json!({})).await;
    let mut browser = Browser::new();
    let page = begin(
        &mut browser,
        &gateway.remote,
        &[("connection_id", &connection.id)],
    )
    .await;
    // The browser stops at the provider's redirect, so that the very callback can come again.
    let fields = [("email", BOB), ("password", "lab"), ("lie", "")];
    let left = browser.submit_step(&page.form(), &fields).await;
    let callback = left.location().expect("a callback");
    assert!(browser.try_open(callback.as_str()).await.is_err());
    gateway.died_and_starts_again();
    assert_eq!(gateway.rows().await, Rows::default());
    let refused = Ending::of(&browser.open(callback.as_str()).await).refused();
    assert_eq!(refused.code, "oauth.code_rejected");
    let page = browser.open(&refused.again.expect("start again")).await;
    Ending::of(&answer(&mut browser, &page, BOB, "").await).code();
    let rows = gateway.rows().await;
    assert_eq!((rows.users, rows.sessions, rows.events), (1, 1, 2));
}

#[tokio::test(flavor = "multi_thread")]
async fn kill_without_warning_in_the_middle_of_many_logins_doubles_nothing() {
    let mut gateway = Crashing::start("nowhere");
    let idp = SamlUpstream::start().await;
    let connection = idp.connect(&gateway.remote, json!({})).await;
    let mut logins = Vec::new();
    for _ in 0..12 {
        let mut browser = Browser::new();
        let page = begin(
            &mut browser,
            &gateway.remote,
            &[("connection_id", &connection.id)],
        )
        .await;
        let form = saml_response(&mut browser, &page, ALICE, "").await;
        logins.push((browser, form));
    }
    let posts: Vec<_> = logins
        .iter()
        .map(|(browser, form)| {
            let (mut browser, form) = (browser.clone(), form.clone());
            tokio::spawn(async move { browser.try_submit(&form, &[]).await.is_some() })
        })
        .collect();
    tokio::task::yield_now().await;
    gateway.process.kill();
    let mut answered = 0;
    for post in posts {
        answered += i64::from(post.await.expect("an end"));
    }
    gateway.process = serve(gateway.folder.path(), gateway.address, None);
    let rows = gateway.rows().await;
    assert!(
        rows.sessions >= answered && rows.users <= 1,
        "{rows:?}, {answered} answered"
    );
    assert_eq!(
        (rows.marks, rows.events),
        (2 * rows.sessions, rows.users + rows.sessions)
    );
    for (browser, form) in &mut logins {
        match Ending::of(&browser.submit(form, &[]).await) {
            Ending::SignedIn { .. } => {}
            other => assert_eq!(other.refused().code, "people.login_replayed"),
        }
    }
    let rows = gateway.rows().await;
    assert_eq!(
        (
            rows.users,
            rows.identities,
            rows.sessions,
            rows.marks,
            rows.events
        ),
        (1, 1, 12, 24, 13)
    );
}
