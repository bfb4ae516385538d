//! A client of the Management API, as an operator's script would have it.

use reqwest::header::CONTENT_TYPE;
use reqwest::{Client, RequestBuilder};
use serde_json::{Value, json};
use url::form_urlencoded;

use crate::browser;
use crate::error::LabError;

/// Holds a token of the client-credentials grant.
#[derive(Clone, Debug)]
pub struct Management {
    http: Client,
    gateway: String,
    token: String,
}

impl Management {
    /// Fetches a token with all scopes of the client.
    ///
    /// # Errors
    /// The gateway cannot be reached, or gives none.
    pub async fn open(
        gateway: &str,
        client_id: &str,
        client_secret: &str,
    ) -> Result<Self, LabError> {
        let http = browser::client()?;
        let form = form_urlencoded::Serializer::new(String::new())
            .extend_pairs([
                ("grant_type", "client_credentials"),
                ("client_id", client_id),
                ("client_secret", client_secret),
                ("audience", &format!("{gateway}/api")),
            ])
            .finish();
        let request = http
            .post(format!("{gateway}/oauth2/token"))
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(form);
        let answer = send(request).await?;
        Ok(Self {
            token: text(&answer, "/access_token")?,
            http,
            gateway: gateway.to_owned(),
        })
    }

    /// Posts JSON to a path such as `/api/v1/connections`.
    ///
    /// # Errors
    /// The gateway cannot be reached, or answers with errors, which are told.
    pub async fn post(&self, path: &str, body: &Value) -> Result<Value, LabError> {
        let request = self
            .http
            .post(format!("{}{path}", self.gateway))
            .header(CONTENT_TYPE, "application/json");
        send(request.bearer_auth(&self.token).body(body.to_string())).await
    }

    /// Makes an organization; its code.
    ///
    /// # Errors
    /// As [`Self::post`].
    pub async fn create_organization(&self, name: &str) -> Result<String, LabError> {
        let body = json!({ "name": name, "is_auto_membership_enabled": true });
        text(
            &self.post("/api/v1/organization", &body).await?,
            "/organization/code",
        )
    }

    /// Makes a connection, which must be complete; its id.
    ///
    /// # Errors
    /// As [`Self::post`]; the connection is not active.
    pub async fn create_connection(&self, body: &Value) -> Result<String, LabError> {
        let answer = self.post("/api/v1/connections", body).await?;
        if text(&answer, "/connection/status")? != "active" {
            return Err(LabError::unexpected(
                "a connection is not complete",
                &answer,
            ));
        }
        text(&answer, "/connection/id")
    }

    /// Makes a draft; the one-time link to its setup page.
    ///
    /// # Errors
    /// As [`Self::post`].
    pub async fn create_draft(&self, body: &Value) -> Result<String, LabError> {
        let answer = self.post("/api/v1/connections", body).await?;
        let id = text(&answer, "/connection/id")?;
        let path = format!("/api/v1/connections/{id}/setup_link");
        let answer = self.post(&path, &json!({})).await?;
        text(&answer, "/setup_link/url")
    }
}

async fn send(request: RequestBuilder) -> Result<Value, LabError> {
    let response = request.send().await?;
    let status = response.status();
    let body = browser::text(response).await?;
    match serde_json::from_str(&body) {
        Ok(answer) if status.is_success() => Ok(answer),
        _ => Err(LabError::unexpected(
            "the Management API answered",
            format!("{status} {body}"),
        )),
    }
}

fn text(answer: &Value, pointer: &str) -> Result<String, LabError> {
    let found = answer
        .pointer(pointer)
        .and_then(Value::as_str)
        .map(str::to_owned);
    found.ok_or_else(|| {
        LabError::unexpected(
            "the Management API's answer lacks something",
            format!("{pointer} in {answer}"),
        )
    })
}
