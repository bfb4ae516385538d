//! People whose answers from the identity provider are at hand, and what must hold once they are all through.

use std::time::{Duration, Instant};

use fedgate_tests::browser::{Browser, Form};
use fedgate_tests::ending::Ending;
use fedgate_tests::gateway::{REDIRECT_URI, Remote, SECRET, client};
use fedgate_tests::login::{begin, saml_response};
use fedgate_tests::rows::Rows;
use fedgate_tests::upstream::{ALICE, SamlUpstream};
use serde_json::json;
use tokio::task::JoinHandle;

/// How long a gateway may take to recover.
const RECOVERY: Duration = Duration::from_secs(30);

/// Logins of one person, each up to the answer of the identity provider, which is not sent yet.
pub(super) struct Logins {
    remote: Remote,
    ready: Vec<(Browser, Form)>,
    _idp: SamlUpstream,
}

impl Logins {
    pub(super) async fn prepare(remote: &Remote, count: usize) -> Self {
        let idp = SamlUpstream::start().await;
        let connection = idp.connect(remote, json!({})).await;
        let mut ready = Vec::new();
        for _ in 0..count {
            let mut browser = Browser::new();
            let page = begin(&mut browser, remote, &[("connection_id", &connection.id)]).await;
            let form = saml_response(&mut browser, &page, ALICE, "").await;
            ready.push((browser, form));
        }
        Self {
            remote: remote.clone(),
            ready,
            _idp: idp,
        }
    }

    /// Sends all answers at once; none where the gateway went away instead of answering.
    pub(super) fn send(&self) -> Vec<JoinHandle<Option<Ending>>> {
        let each = self.ready.iter().cloned();
        each.map(|(mut browser, form)| {
            tokio::spawn(async move {
                let page = browser.try_submit(&form, &[]).await?;
                Some(Ending::of(&page))
            })
        })
        .collect()
    }

    /// Sends every answer again until all people are in, and then once more.
    ///
    /// The ones whose login was committed are told that it was used, and nobody else is: `committed` of them were.
    pub(super) async fn settle(&self, committed: usize) -> Vec<String> {
        let mut codes = Vec::new();
        let mut used = 0;
        for round in 0..2 {
            for sent in self.send() {
                match sent.await.expect("an end").expect("an answer") {
                    Ending::SignedIn { code } if round == 0 => codes.push(code),
                    ending => {
                        assert_eq!(ending.refused().code, "people.login_replayed");
                        used += usize::from(round == 0);
                    }
                }
            }
        }
        assert!(used >= committed, "{used} of {committed} are remembered");
        codes
    }

    /// The rows that so many logins of one person leave.
    pub(super) fn rows(&self) -> Rows {
        let count = i64::try_from(self.ready.len()).expect("a count");
        Rows {
            users: 1,
            identities: 1,
            memberships: 0,
            sessions: count,
            marks: 2 * count,
            events: 1 + count,
        }
    }

    /// Each code is worth one token, at most: what a failing store burnt is burnt.
    pub(super) async fn redeem_twice(&self, codes: &[String], all: bool) {
        for code in codes {
            let fields = [
                ("grant_type", "authorization_code"),
                ("code", code),
                ("redirect_uri", REDIRECT_URI),
                ("client_id", "web"),
                ("client_secret", SECRET),
            ];
            let (first, answer) = self.remote.token(&fields).await;
            assert!(!all || first == 200, "{answer}");
            let (second, answer) = self.remote.token(&fields).await;
            assert_eq!((second, &answer["error"]), (400, &json!("invalid_grant")));
        }
    }
}

/// The codes of logins that ended well; the others were told that the store is not there, and nothing else.
pub(super) async fn codes_or_interrupted(sent: Vec<JoinHandle<Option<Ending>>>) -> Vec<String> {
    let mut codes = Vec::new();
    for login in sent {
        match login.await.expect("an end").expect("an answer") {
            Ending::SignedIn { code } => codes.push(code),
            ending => assert_eq!(ending.refused().code, "store.unavailable"),
        }
    }
    codes
}

/// Waits until the gateway says that it is ready, or that it is not.
pub(super) async fn await_ready(remote: &Remote, ready: bool) {
    let deadline = Instant::now() + RECOVERY;
    let status = if ready { 200 } else { 503 };
    loop {
        let answer = client().get(format!("{}/readyz", remote.base)).send().await;
        if answer.is_ok_and(|answer| answer.status() == status) {
            return;
        }
        assert!(Instant::now() < deadline, "not {status}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
