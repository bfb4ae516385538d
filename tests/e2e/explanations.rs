//! Misconfigurations of each SAML flavour, staged over HTTP: the setup page and the Management API explain every one in
//! that console's words. The table is `tests/src/explanations/table.txt`.

mod hostile;
mod metadata;

use fedgate_lab::key::KeyKind;
use fedgate_lab::person;
use fedgate_lab::saml_idp::Dialect;
use fedgate_providers::spec::Spec;
use fedgate_tests::browser::{Browser, Page};
use fedgate_tests::ending::Ending;
use fedgate_tests::explanations::{PASSES, Row, rows};
use fedgate_tests::gateway::{Gateway, client, read};
use fedgate_tests::login::answer;
use fedgate_tests::setup::{Administrator, code};
use fedgate_tests::upstream::{ALICE, SamlUpstream};
use reqwest::Method;
use serde_json::{Map, Value, json};
use url::Url;

use crate::saml_flow::FAST;

/// A gateway and an identity provider that speaks as the flavour.
struct Scene {
    gateway: Gateway,
    upstream: SamlUpstream,
    spec: &'static Spec,
    client: reqwest::Client,
    token: String,
}

/// What a row stages.
#[derive(Default)]
struct Staged<'a> {
    lie: &'a str,
    options: Map<String, Value>,
    metadata: Option<&'a str>,
    clock: i64,
    is_tile: bool,
}

/// What an administrator is told, wherever.
#[derive(Debug, Default)]
struct Told {
    code: String,
    page: String,
    trace: Option<Value>,
    fix: String,
    expected: String,
    found: String,
}

impl Scene {
    async fn of(flavour: &str) -> Self {
        let dialect = Dialect::named(flavour);
        let upstream = SamlUpstream::speaking(dialect, KeyKind::Rsa2048, person::acme()).await;
        let strategy = format!("saml:{flavour}");
        let gateway = Gateway::with(FAST).await;
        Self {
            token: gateway.api_token().await,
            gateway,
            upstream,
            spec: Spec::of(&strategy).expect("a flavour"),
            client: client(),
        }
    }

    async fn stage(&self, row: &Row) -> (Told, Vec<(&'static str, String)>) {
        let staged = Staged::read(row.staged);
        let options = Value::Object(staged.options.clone());
        let created = self.draft(options).await;
        let id = text(&created["id"]);
        let value = |name: &str| text(&created["setup"][name]);
        let values = vec![
            ("{acs}", value("acs_url")),
            ("{sp}", value("sp_entity_id")),
            ("{idp}", self.upstream.idp.entity_id()),
        ];
        let mut it = Administrator::of(&self.gateway, &id).await;
        self.upstream.clock.step(staged.clock);
        let told = if staged.is_tile {
            self.tile(&mut it, &values).await
        } else {
            self.test(&mut it, &staged).await
        };
        self.upstream.clock.step(-staged.clock);
        (told, values)
    }

    /// A test login from the setup page, or what it says when that cannot even begin.
    async fn test(&self, it: &mut Administrator, staged: &Staged<'_>) -> Told {
        let document = metadata::document(&self.upstream, staged.metadata);
        let saved = it.save(&[("metadata_xml", &document)]).await;
        if saved.text(".problem").is_some() {
            return problem(&saved);
        }
        let login = it.begin_test().await;
        if login.text(".problem").is_some() {
            return problem(&login);
        }
        let verdict = answer(&mut it.browser, &login, ALICE, staged.lie).await;
        self.verdict(&verdict).await
    }

    async fn verdict(&self, verdict: &Page) -> Told {
        let reference = verdict.text(".about code");
        let reference = reference.unwrap_or_else(|| panic!("no reference: {}", verdict.body));
        let trace = self.trace(&reference).await;
        let remedy = |row: usize| {
            let text = verdict.text(&format!(".remedy div:nth-of-type({row}) dd"));
            text.unwrap_or_default()
        };
        Told {
            code: verdict
                .text(".verdict.failed .code code")
                .unwrap_or(PASSES.to_owned()),
            page: [remedy(1), remedy(2)].join("\n"),
            fix: remedy(3),
            ..of_trace(trace)
        }
    }

    /// The identity provider's portal sends an answer to no request.
    async fn tile(&self, it: &mut Administrator, values: &[(&'static str, String)]) -> Told {
        let document = metadata::document(&self.upstream, None);
        it.save(&[("metadata_xml", &document)]).await;
        let address = self
            .upstream
            .idp
            .entity_id()
            .replace("/metadata", "/unsolicited");
        let url = Url::parse_with_params(
            &address,
            [("acs", &values[0].1), ("audience", &values[1].1)],
        );
        let mut browser = Browser::new();
        let login = browser.open(url.expect("an address").as_str()).await;
        let page = answer(&mut browser, &login, ALICE, "").await;
        let refused = Ending::of(&page).refused();
        let told = of_trace(self.trace(&refused.reference).await);
        Told {
            code: refused.code,
            fix: told
                .trace
                .as_ref()
                .map_or_else(String::new, |trace| text(&trace["fix"])),
            ..told
        }
    }

    async fn draft(&self, options: Value) -> Value {
        let body = json!({"name": "Acme", "strategy": self.spec.strategy, "status": "draft",
            "enabled_applications": ["web"], "options": options});
        let (status, answer) = self
            .api(Method::POST, "/api/v1/connections", Some(body))
            .await;
        assert_eq!(status, 201, "{answer}");
        answer["connection"].clone()
    }

    async fn trace(&self, reference: &str) -> Value {
        self.gateway.app.traces.flush().await;
        let path = format!("/api/v1/logins/{reference}");
        let (status, answer) = self.api(Method::GET, &path, None).await;
        assert_eq!(status, 200, "{reference}: {answer}");
        answer["login"].clone()
    }

    /// Calls the Management API with one client and one token for all rows: there are many.
    async fn api(&self, method: Method, path: &str, body: Option<Value>) -> (u16, Value) {
        let url = format!("{}{path}", self.gateway.base);
        let mut request = self.client.request(method, url).bearer_auth(&self.token);
        if let Some(body) = body {
            let body = body.to_string();
            request = request
                .header("content-type", "application/json")
                .body(body);
        }
        read(request).await
    }
}

impl<'a> Staged<'a> {
    fn read(words: &'a str) -> Self {
        let mut staged = Self::default();
        for word in words.split(' ') {
            match word.split_once('=') {
                None if word == "tile" => staged.is_tile = true,
                None => staged.lie = word,
                Some(("clock", seconds)) => staged.clock = seconds.parse().expect("seconds"),
                Some(("metadata", kind)) => staged.metadata = Some(kind),
                Some((option, value)) => {
                    let name = match option {
                        "policy" => "saml_signature_policy",
                        "subject" => "saml_user_id_key_attr",
                        "binding" => "protocol_binding",
                        other => panic!("no option {other}"),
                    };
                    staged.options.insert(name.to_owned(), json!(value));
                }
            }
        }
        staged
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn of_trace(trace: Value) -> Told {
    let steps = trace["steps"].as_array().expect("steps");
    let last = steps.last().cloned().unwrap_or_default();
    let notes = || {
        steps
            .iter()
            .map(|step| text(&step["note"]))
            .collect::<Vec<_>>()
            .join("\n")
    };
    let found = if trace["code"].is_null() {
        notes()
    } else {
        text(&last["found"])
    };
    Told {
        expected: text(&last["expected"]),
        found,
        trace: Some(trace),
        ..Told::default()
    }
}

/// What the setup page says of metadata that it does not take.
fn problem(page: &Page) -> Told {
    let rows: Vec<(String, String)> = (1..=6)
        .filter_map(|row| {
            let cell =
                |name: &str| page.text(&format!(".problem dl div:nth-of-type({row}) {name}"));
            Some((cell("dt")?, cell("dd")?))
        })
        .collect();
    let cell = |label: &str| {
        let row = rows.iter().find(|(name, _)| name.starts_with(label));
        row.map(|(_, value)| value.clone()).unwrap_or_default()
    };
    Told {
        code: code(page),
        fix: cell("What to change"),
        expected: cell("Expected"),
        found: cell("Found"),
        ..Told::default()
    }
}

/// Whether a value is what the table says.
fn is_like(pattern: &str, value: &str, values: &[(&'static str, String)]) -> bool {
    let pattern = values
        .iter()
        .fold(pattern.to_owned(), |text, (name, value)| {
            text.replace(name, value)
        });
    match pattern.as_str() {
        "*" => true,
        "-" => value.is_empty(),
        _ => match pattern.strip_prefix('~') {
            Some(part) => value.contains(part),
            None => value == pattern,
        },
    }
}

/// What is amiss with what was told.
fn amiss(row: &Row, told: &Told, values: &[(&'static str, String)]) -> Vec<String> {
    let mut amiss = Vec::new();
    let mut wants = |holds: bool, what: String| {
        if !holds {
            amiss.push(format!("{} {}: {what}", row.flavour, row.staged));
        }
    };
    wants(
        told.code == row.code,
        format!("{} instead of {}", told.code, row.code),
    );
    let skips_found = row.code == PASSES && row.found == "-";
    wants(
        is_like(row.expected, &told.expected, values),
        format!("expected {:?}", told.expected),
    );
    wants(
        skips_found || is_like(row.found, &told.found, values),
        format!("found {:?}", told.found),
    );
    if row.code == PASSES {
        return amiss;
    }
    if let Some(field) = row.field {
        wants(
            told.fix.contains(&format!("“{field}”")),
            format!("the fix is {:?}", told.fix),
        );
    }
    wants(
        !told.fix.is_empty() && !told.fix.contains('{'),
        format!("the fix is {:?}", told.fix),
    );
    if let Some(trace) = &told.trace {
        wants(
            trace["blame"] == row.blame().as_str(),
            format!("blame {}", trace["blame"]),
        );
        wants(
            trace["field"].as_str() == row.field,
            format!("field {}", trace["field"]),
        );
        wants(
            row.field.is_none() || trace["path"].is_string(),
            "no path".to_owned(),
        );
    }
    if !told.page.is_empty() {
        let who = match row.who {
            "idp" => format!(
                "The administrator of Acme’s identity provider ({}).",
                row.spec().label
            ),
            "person" => "The person who signs in".to_owned(),
            "operator" => "The operator of this gateway".to_owned(),
            _ => "The developer of the application".to_owned(),
        };
        wants(
            told.page.contains(&who),
            format!("{who} is not in {:?}", told.page),
        );
        let path = trace_path(told).filter(|_| row.who == "idp");
        wants(
            path.is_none_or(|path| told.page.contains(&path)),
            format!("where: {:?}", told.page),
        );
    }
    amiss
}

fn trace_path(told: &Told) -> Option<String> {
    Some(told.trace.as_ref()?["path"].as_str()?.to_owned())
}

async fn every_row_of(flavour: &str) {
    let scene = Scene::of(flavour).await;
    let mut all = Vec::new();
    for row in rows().iter().filter(|row| row.flavour == flavour) {
        let (told, values) = scene.stage(row).await;
        all.extend(amiss(row, &told, &values));
    }
    assert!(all.is_empty(), "{all:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_mistakes_of_an_okta_administrator_are_explained_in_oktas_words() {
    every_row_of("okta").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_mistakes_of_an_entra_administrator_are_explained_in_entras_words() {
    every_row_of("microsoft").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_mistakes_of_a_google_administrator_are_explained_in_googles_words() {
    every_row_of("google").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_mistakes_of_a_cloudflare_administrator_are_explained_in_cloudflares_words() {
    every_row_of("cloudflare").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_mistakes_of_a_lastpass_administrator_are_explained_in_lastpasss_words() {
    every_row_of("lastpass").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_mistakes_at_any_other_identity_provider_are_explained_in_general_words() {
    every_row_of("custom").await;
}

#[test]
fn every_flavour_has_its_mistakes() {
    let rows = rows();
    let saml = Spec::all().filter(|spec| spec.protocol() == "saml");
    for spec in saml {
        let of_flavour = rows
            .iter()
            .filter(|row| row.spec().strategy == spec.strategy);
        assert!(of_flavour.count() >= 20, "{}", spec.strategy);
    }
}
