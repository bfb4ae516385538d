use axum::body::Body;
use fedgate_providers::connection::ConnectionId;
use http::{Request, Response, StatusCode};
use serde_json::{Value, json};
use tower::ServiceExt as _;

use crate::app::Shared;
use crate::config::Config;
use crate::op::issue::{Issuer, api_token};

mod access;
mod connection;
mod document;
mod hostile;
mod lifecycle;
mod links;

const CERTIFICATE: &str = include_str!("tests/certificate.txt");

/// An opened gateway over a store in memory.
struct Gateway {
    app: Shared,
    _folder: tempfile::TempDir,
}

struct Answer {
    status: StatusCode,
    etag: Option<String>,
    text: String,
    json: Value,
}

impl Answer {
    async fn of(response: Response<Body>) -> Self {
        let (parts, body) = response.into_parts();
        let bytes = axum::body::to_bytes(body, usize::MAX).await.unwrap();
        let text = String::from_utf8(bytes.to_vec()).unwrap();
        let etag = parts
            .headers
            .get("etag")
            .map(|tag| tag.to_str().unwrap().to_owned());
        Self {
            status: parts.status,
            etag,
            json: serde_json::from_str(&text).unwrap_or_default(),
            text,
        }
    }

    /// Codes and fields of its errors.
    fn errors(&self) -> Vec<(&str, &str)> {
        let errors = self.json["errors"].as_array().expect(&self.text);
        errors
            .iter()
            .map(|e| {
                (
                    e["code"].as_str().unwrap(),
                    e["field"].as_str().unwrap_or_default(),
                )
            })
            .collect()
    }

    fn id(&self) -> &str {
        self.json["connection"]["id"].as_str().expect(&self.text)
    }
}

impl Gateway {
    async fn open() -> Self {
        Self::configured("[egress]\nallow_private = true\n").await
    }

    async fn configured(extra: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let scopes: Vec<String> = super::scope::all().collect();
        let text = format!(
            "[server]\npublic_url = \"https://login.example.com\"\n[store]\nurl = \"sqlite::memory:\"\n{extra}\n\
             [[applications]]\nclient_id = \"app\"\nredirect_uris = [\"https://app.example/cb\"]\n\
             [[applications]]\nclient_id = \"ops\"\nclient_secret = \"s\"\ngrant_types = [\"client_credentials\"]\nscopes = {scopes:?}\n"
        );
        let config = Config::parse(&text, &folder.path().join("fedgate.toml"), []).unwrap();
        Self {
            app: crate::serve::open(config).await.unwrap(),
            _folder: folder,
        }
    }

    fn token(&self, scopes: &[&str]) -> String {
        let scopes: Vec<String> = scopes.iter().map(|scope| (*scope).to_owned()).collect();
        let issuer = Issuer {
            keyring: &self.app.keyring.ring(),
            site: &self.app.site,
            seconds: 60,
            now: self.app.clock.now(),
        };
        api_token(&issuer, "ops", &scopes, &mut self.app.randomness.rng()).unwrap()
    }

    async fn send(&self, request: Request<Body>) -> Answer {
        Answer::of(
            super::routes(&self.app)
                .with_state(self.app.clone())
                .oneshot(request)
                .await
                .unwrap(),
        )
        .await
    }

    /// A request with every scope.
    async fn call(&self, method: &str, path: &str, body: Option<Value>) -> Answer {
        self.call_with(method, path, body, &[]).await
    }

    async fn call_with(
        &self,
        method: &str,
        path: &str,
        body: Option<Value>,
        headers: &[(&str, &str)],
    ) -> Answer {
        let scopes: Vec<String> = super::scope::all().collect();
        let token = self.token(&scopes.iter().map(String::as_str).collect::<Vec<_>>());
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .header("authorization", format!("Bearer {token}"));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let body = body.map_or_else(Body::empty, |body| Body::from(body.to_string()));
        self.send(request.body(body).unwrap()).await
    }

    async fn create(&self, body: Value) -> Answer {
        self.call("POST", "/api/v1/connections", Some(body)).await
    }

    async fn active(&self, name: &str) -> String {
        let options = json!({ "saml_idp_metadata_xml": metadata("https://idp.example.com") });
        let answer = self
            .create(json!({ "name": name, "strategy": "saml:okta", "options": options }))
            .await;
        assert_eq!(
            answer.json["connection"]["status"], "active",
            "{}",
            answer.text
        );
        answer.id().to_owned()
    }

    async fn read(&self, id: &str) -> Value {
        self.call("GET", &format!("/api/v1/connections/{id}"), None)
            .await
            .json["connection"]
            .clone()
    }
}

fn metadata(entity_id: &str) -> String {
    format!(
        r#"<md:EntityDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata" entityID="{entity_id}">
<md:IDPSSODescriptor protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol">
<md:KeyDescriptor use="signing"><ds:KeyInfo xmlns:ds="http://www.w3.org/2000/09/xmldsig#"><ds:X509Data><ds:X509Certificate>{CERTIFICATE}</ds:X509Certificate></ds:X509Data></ds:KeyInfo></md:KeyDescriptor>
<md:SingleSignOnService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect" Location="{entity_id}/sso"/>
<md:SingleSignOnService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST" Location="{entity_id}/sso"/>
</md:IDPSSODescriptor></md:EntityDescriptor>"#
    )
}
