//! An administrator's way through the setup page of a connection.

use reqwest::Method;
use serde_json::{Value, json};

use crate::browser::{Browser, Page};
use crate::gateway::Remote;
use crate::login;

/// An administrator with a setup session, in a browser that says where its requests come from.
#[derive(Debug)]
pub struct Administrator {
    /// The browser.
    pub browser: Browser,
    /// `/setup/conn_…`
    pub path: String,
    /// The connection.
    pub id: String,
    base: String,
}

/// A browser that tells the site of its requests, as every one does today.
pub fn browser() -> Browser {
    let mut browser = Browser::new();
    browser.set_header("sec-fetch-site", "same-origin");
    browser
}

/// The address of a new setup link.
pub async fn link(gateway: &Remote, id: &str) -> String {
    let path = format!("/api/v1/connections/{id}/setup_link");
    let (status, answer) = gateway.api(Method::POST, &path, Some(json!({}))).await;
    assert_eq!(status, 201, "{answer}");
    answer["setup_link"]["url"]
        .as_str()
        .expect("a link")
        .to_owned()
}

/// Creates a draft and answers its id.
pub async fn draft(gateway: &Remote, strategy: &str, options: Value) -> String {
    let body = json!({"name": "Acme", "strategy": strategy, "status": "draft",
        "enabled_applications": ["web"], "options": options});
    let created = gateway.create_connection(body).await;
    assert_eq!(created["status"], "draft", "{created}");
    created["id"].as_str().expect("an id").to_owned()
}

impl Administrator {
    /// Opens a new link of a connection.
    pub async fn of(gateway: &Remote, id: &str) -> Self {
        let mut browser = browser();
        let shown = browser.open(&link(gateway, id).await).await;
        let page = browser.submit(&shown.form(), &[]).await;
        let path = format!("/setup/{id}");
        assert_eq!(page.url.path(), path, "{}", page.body);
        Self {
            browser,
            path,
            id: id.to_owned(),
            base: gateway.base.clone(),
        }
    }

    /// The setup page.
    pub async fn page(&mut self) -> Page {
        let url = format!("{}{}", self.base, self.path);
        self.browser.open(&url).await
    }

    /// The verdict of the last test.
    pub async fn verdict(&mut self) -> Page {
        let url = format!("{}{}/test", self.base, self.path);
        self.browser.open(&url).await
    }

    /// Saves what was brought back.
    pub async fn save(&mut self, values: &[(&str, &str)]) -> Page {
        let form = self.page().await.form_to(&self.path);
        self.browser.submit(&form, values).await
    }

    /// Saves an uploaded file.
    pub async fn upload(&mut self, file: &[u8]) -> Page {
        let form = self.page().await.form_to(&self.path);
        self.browser
            .upload(&form, &[], ("metadata_file", file))
            .await
    }

    /// Presses the button of the test: the identity provider's login page, or the setup page with what is wrong.
    pub async fn begin_test(&mut self) -> Page {
        let form = self.page().await.form_to(&format!("{}/test", self.path));
        self.browser.submit(&form, &[]).await
    }

    /// Tests as a person who signs in at the identity provider: the verdict.
    pub async fn test(&mut self, person: &str, lie: &str) -> Page {
        let login = self.begin_test().await;
        login::answer(&mut self.browser, &login, person, lie).await
    }

    /// Presses the button of the activation.
    pub async fn activate(&mut self) -> Page {
        let form = self.page().await;
        let form = form.form_to(&format!("{}/activate", self.path));
        self.browser.submit(&form, &[]).await
    }

    /// The state in sight.
    pub async fn state(&mut self) -> String {
        state(&self.page().await)
    }
}

/// The state that a page shows.
pub fn state(page: &Page) -> String {
    let text = page.text(".state span:nth-of-type(2)");
    text.unwrap_or_else(|| panic!("no state on {}: {}", page.url, page.body))
}

/// The code of a problem or of a refusal that a page shows.
pub fn code(page: &Page) -> String {
    [
        ".problem dl div:last-child code",
        ".verdict.failed .code code",
        ".evidence code",
    ]
    .iter()
    .find_map(|css| page.text(css))
    .unwrap_or_else(|| format!("{} {}", page.status, page.url.path()))
}
