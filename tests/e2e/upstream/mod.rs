//! Logins through every OAuth and OpenID Connect strategy, against the lab's own idea of each provider.

mod invented;
mod lies;
mod options;
mod strategy;

use std::sync::Arc;

use fedgate::app::Clock;
use fedgate_lab::person::{self, Person};
use fedgate_lab::social::{Lie, Social, SocialOptions};
use fedgate_tests::browser::{Browser, Page};
use fedgate_tests::gateway::{Gateway, SECRET};
use fedgate_tests::upstream::{BOB, Connected};
use reqwest::header::LOCATION;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::saml_flow::FAST;

/// The tenant of the lab's organization at Microsoft.
const TENANT: &str = "1c2d3e4f-0000-4aaa-8bbb-123456789abc";
/// Everything between scheme and path that a browser is sent to is the lab's.
const CLIENT: &str = "fedgate";

/// A gateway whose ways out all lead to the lab.
struct Scene {
    gateway: Gateway,
    lab: Arc<Social>,
    base: String,
}

impl Scene {
    async fn start() -> Self {
        let gateway = Gateway::with(FAST).await;
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let base = format!("http://{}", listener.local_addr().expect("an address"));
        let options = SocialOptions {
            base_url: base.clone(),
            people: person::globex(),
            client_id: CLIENT.to_owned(),
            client_secret: SECRET.to_owned(),
            organization: "globex.test".to_owned(),
        };
        let lab = Arc::new(Social::new(options, Arc::new(Clock::default())).expect("keys"));
        let router = Arc::clone(&lab).router();
        tokio::spawn(async move { axum::serve(listener, router).await });
        gateway.app.egress.detour(base.parse().expect("a URL"));
        Self { gateway, lab, base }
    }

    /// An active connection of a strategy.
    async fn connect(&self, strategy: &str, options: Value) -> Connected {
        self.gateway.connect(self.body(strategy, &options)).await
    }

    /// What creates one.
    fn body(&self, strategy: &str, options: &Value) -> Value {
        let mut all = json!({ "client_id": CLIENT, "client_secret": SECRET });
        if strategy == "oauth2:apple" {
            let key = self.lab.client_key_pem().expect("a key");
            all = json!({ "client_id": CLIENT, "private_key": key, "team_id": "LABTEAM001", "key_id": "LABKEY0001" });
        }
        for (name, value) in options.as_object().expect("options") {
            all[name] = value.clone();
        }
        json!({
            "name": strategy, "strategy": strategy, "status": "active",
            "enabled_applications": ["web"], "options": all,
        })
    }

    /// The upstream's login page.
    async fn begin(&self, browser: &mut Browser, connection: &Connected) -> Page {
        self.begin_asking(browser, connection, &[]).await
    }

    async fn begin_asking(
        &self,
        browser: &mut Browser,
        connection: &Connected,
        more: &[(&str, &str)],
    ) -> Page {
        let asked = [&[("connection_id", connection.id.as_str())], more].concat();
        let page = browser.step(&self.gateway.authorize_url(&asked)).await;
        let location = page.headers.get(LOCATION);
        let location = location.and_then(|location| location.to_str().ok());
        let location = location.unwrap_or_else(|| panic!("no way on: {}", page.body));
        let there = location.replacen("https://", &format!("{}/", self.base), 1);
        browser.open(&there).await
    }

    /// A login from its beginning to its end.
    async fn login(&self, connection: &Connected, lie: Lie) -> Page {
        let mut browser = Browser::new();
        let page = self.begin(&mut browser, connection).await;
        self.answer(&mut browser, &page, lie).await
    }

    async fn answer(&self, browser: &mut Browser, page: &Page, lie: Lie) -> Page {
        let fields = [("email", BOB), ("password", "lab"), ("lie", lie.name())];
        let page = browser.submit(&page.form(), &fields).await;
        match page.forms().first() {
            Some(form) if form.action.path().starts_with("/login/callback/") => {
                browser.submit(form, &[]).await
            }
            _ => page,
        }
    }
}

fn bob() -> Person {
    person::globex().remove(0)
}
