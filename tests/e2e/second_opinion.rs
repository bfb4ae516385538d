//! What the strict verifier accepted and another implementation did not: nobody is in, and everybody hears of it.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use fedgate_tests::browser::Browser;
use fedgate_tests::ending::{Ending, Refused};
use fedgate_tests::gateway::{Place, REDIRECT_URI, Remote, configuration_at};
use fedgate_tests::login::{answer, begin};
use fedgate_tests::process::{Process, free_address};
use fedgate_tests::rows::Rows;
use fedgate_tests::upstream::{ALICE, SamlUpstream};
use reqwest::Method;
use serde_json::{Value, json};
use tempfile::TempDir;

/// How long a trace may take until it can be read.
const WRITTEN: Duration = Duration::from_secs(5);
const LOOK_AGAIN: Duration = Duration::from_millis(20);

/// A gateway as a process of its own, which is told what the second opinion is to be.
struct Doubting {
    remote: Remote,
    folder: TempDir,
    _process: Process,
    _place: Place,
}

impl Doubting {
    fn start(opinion: &str) -> Self {
        let (address, place) = (free_address(), Place::fresh());
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("fedgate.toml");
        let text = configuration_at(&place, &address.to_string(), REDIRECT_URI, "");
        std::fs::write(&file, text).expect("a configuration");
        let mut command = Command::new(env!("CARGO_BIN_EXE_fedgate-crashing"));
        command.arg("serve").arg("--config").arg(&file);
        command.env("FEDGATE_SECOND_OPINION", opinion);
        command.stdout(Stdio::null()).stderr(Stdio::null());
        Self {
            remote: Remote {
                base: format!("http://{address}"),
            },
            folder,
            _process: Process::start(command, address),
            _place: place,
        }
    }

    /// An honest login at an honest identity provider.
    async fn login(&self) -> Ending {
        let idp = SamlUpstream::start().await;
        let connection = idp.connect(&self.remote, json!({})).await;
        let mut browser = Browser::new();
        let parameters = [("connection_id", connection.id.as_str())];
        let page = begin(&mut browser, &self.remote, &parameters).await;
        Ending::of(&answer(&mut browser, &page, ALICE, "").await)
    }

    /// The last step of the trace behind a reference; it is written soon after the answer.
    async fn last_step(&self, refused: &Refused) -> Value {
        let path = format!("/api/v1/logins/{}", refused.reference);
        let deadline = Instant::now() + WRITTEN;
        loop {
            let (status, read) = self.remote.api(Method::GET, &path, None).await;
            if status == 200 {
                let steps = read["login"]["steps"].as_array();
                return steps.and_then(|steps| steps.last()).expect("steps").clone();
            }
            assert!(Instant::now() < deadline, "no trace: {read}");
            tokio::time::sleep(LOOK_AGAIN).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn other_octets_or_no_signature_refuse_the_login_and_raise_an_event() {
    for (opinion, found) in [
        ("differs", "bytes, SHA-256"),
        ("refuses", "no sound signature"),
    ] {
        let gateway = Doubting::start(opinion);
        let refused = gateway.login().await.refused();
        assert_eq!(refused.code, "saml.second_opinion_differs", "{opinion}");
        let rows = Rows::count(gateway.folder.path()).await;
        assert_eq!((rows.users, rows.sessions), (0, 0), "{opinion}");
        assert_eq!(rows.events, 1, "{opinion}");
        let step = gateway.last_step(&refused).await;
        assert_eq!(step["name"], "saml.second_opinion", "{opinion}");
        let told = step["found"].as_str().expect("what was found");
        assert!(told.contains(found) && !told.contains('@'), "{told}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_opinion_that_does_not_come_in_time_refuses_the_login() {
    let gateway = Doubting::start("is late");
    let refused = gateway.login().await.refused();
    assert_eq!(refused.code, "saml.second_opinion_unavailable");
    let rows = Rows::count(gateway.folder.path()).await;
    assert_eq!((rows.users, rows.sessions), (0, 0));
}
