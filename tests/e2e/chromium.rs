//! Pages and whole logins in a real browser: cookies, redirects, auto-posted forms and the content security policy as
//! Chromium treats them.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use axum::Router;
use axum::extract::Path;
use axum::http::{StatusCode, header};
use axum::response::{Html, IntoResponse as _, Response};
use axum::routing::get;
use fedgate_lab::demo::Demo;
use fedgate_tests::counterparts::node;
use fedgate_tests::gateway::client;
use serde_json::{Value, json};

#[path = "../../gateway/examples/pages/samples.rs"]
#[expect(dead_code, reason = "other users of the samples need more of them")]
mod samples;

/// Of the samples, those that are looked at in a browser, each in the languages named.
const SAMPLES: [(&str, &[&str]); 16] = [
    ("sign-in", &["-en", "-ar"]),
    ("sign-in-malformed", &["-en", "-ar"]),
    ("single-sign-on", &["-en", "-de"]),
    ("refused", &["-en", "-ar"]),
    ("refused-long", &["-de"]),
    ("on-the-way", &["-en", "-ar"]),
    ("signed-out", &["-en", "-ar"]),
    ("setup-begin", &["-en"]),
    ("setup-closed", &["-en", "-ar"]),
    ("setup-incomplete", &["-en", "-ar"]),
    ("setup-google", &["-en", "-de"]),
    ("setup-oidc", &["-en", "-ar"]),
    ("setup-tested", &["-en", "-de"]),
    ("setup-hostile", &["-en"]),
    ("verdict-passed", &["-en", "-ar"]),
    ("verdict-failed", &["-en"]),
];
const EXPLANATIONS: [&str; 4] = [
    "explanation",
    "explanation-long",
    "explanation-hostile",
    "explanation-passed",
];

/// Runs a script of the counterparts and answers the JSON that it prints.
pub(crate) async fn run(mut command: Command) -> Value {
    let run = move || {
        let command = command.stdout(Stdio::piped()).stderr(Stdio::piped());
        command.output()
    };
    let output = tokio::task::spawn_blocking(run).await.expect("a task");
    let output = output.expect("node");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    serde_json::from_slice(&output.stdout).expect("JSON")
}

/// A new folder for screenshots, under the one that cargo builds in. They are kept.
pub(crate) fn screenshots(name: &str) -> PathBuf {
    let target = option_env!("CARGO_TARGET_DIR").map_or_else(
        || PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../target")),
        PathBuf::from,
    );
    let folder = target.join("screenshots").join(name);
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).expect("a folder");
    println!("screenshots: {}", folder.display());
    folder
}

async fn demo() -> Demo {
    let anywhere = SocketAddr::from(([127, 0, 0, 1], 0));
    Demo::start(anywhere).await.expect("a demo")
}

/// Serves the sample pages under the policy that the gateway sends.
async fn serve_samples(gateway: &str) -> String {
    let answer = client().get(format!("{gateway}/logout")).send().await;
    let answer = answer.expect("an answer");
    let policy = answer.headers()[header::CONTENT_SECURITY_POLICY].clone();
    let show = async move |Path(name): Path<String>| -> Response {
        let page = samples::pages()
            .into_iter()
            .find(|(other, _)| *other == name);
        match page {
            Some((_, html)) => {
                ([(header::CONTENT_SECURITY_POLICY, policy)], Html(html)).into_response()
            }
            None => StatusCode::NOT_FOUND.into_response(),
        }
    };
    let router = Router::new()
        .route("/samples/{name}", get(show))
        .merge(fedgate::page::routes());
    format!("{}/samples", serve(router).await)
}

async fn serve(router: Router) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await;
    let listener = listener.expect("a free port");
    let address = listener.local_addr().expect("an address");
    tokio::spawn(async move { axum::serve(listener, router).await });
    format!("http://{address}")
}

/// Every page of the gateway: the samples, and what a running one answers.
async fn pages_of_the_gateway(demo: &Demo) -> Vec<Value> {
    let gateway = &demo.app.site.base_url;
    let application = &demo.application.options().base_url;
    let samples = serve_samples(gateway).await;
    let named = SAMPLES.iter().flat_map(|(name, languages)| {
        languages
            .iter()
            .map(move |language| format!("{name}{language}"))
    });
    let sample = |name: String| json!({"url": format!("{samples}/{name}"), "still": name.starts_with("on-the-way"), "name": name, "light": true});
    let live = [
        ("live-sign-in", format!("{application}/sign-in")),
        ("live-not-found", format!("{gateway}/nothing")),
        (
            "live-refused",
            format!("{gateway}/login/callback/{}?state=none", demo.globex),
        ),
        ("live-signed-out", format!("{gateway}/logout")),
    ];
    let live = live.map(|(name, url)| json!({"name": name, "url": url, "light": true}));
    let explanations = EXPLANATIONS.map(ToOwned::to_owned);
    named.chain(explanations).map(sample).chain(live).collect()
}

/// The demo's own pages.
fn pages_of_the_demo(demo: &Demo) -> [Value; 4] {
    let application = &demo.application.options().base_url;
    [
        json!({"name": "demo-start", "url": application}),
        json!({"name": "demo-wrong", "url": format!("{application}/wrong"), "columns": true}),
        json!({"name": "demo-wrong-audience", "url": format!("{application}/wrong/wrong-audience"), "columns": true}),
        json!({"name": "demo-idp", "url": format!("{application}/sign-in?login_hint=bob%40globex.test")}),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn every_page_holds_in_light_and_dark_narrow_wide_and_zoomed_with_a_keyboard_alone() {
    let demo = demo().await;
    let mut pages = pages_of_the_gateway(&demo).await;
    pages.extend(pages_of_the_demo(&demo));
    let mut command = node("pages.mjs");
    command
        .env("PAGES", Value::Array(pages).to_string())
        .env("SHOTS", screenshots("pages"));
    let amiss = run(command).await;
    assert_eq!(amiss, json!([]), "{amiss:#}");
}

/// A page with one fault for each check: a checker that finds nothing proves nothing.
const FAULTS: &str = "<!doctype html><html lang=\"en\"><head><title>Faults</title><link rel=\"stylesheet\" href=\"/faults.css\"></head>\
    <body><h1>Faults</h1><p class=\"pale\">pale</p><div class=\"broad\">broad</div><p><a href=\"/one\">one</a></p>\
    <p><a href=\"/two\" tabindex=\"1\">two</a> <a href=\"/three\">three</a></p><img alt=\"\" src=\"http://elsewhere.test/x.png\"><script>x()</script></body></html>";
const FAULTY_STYLE: &str =
    ".pale { color: #aaa } .broad { width: 2000px } :focus-visible { outline: none }";

#[tokio::test(flavor = "multi_thread")]
async fn a_page_with_faults_is_found_out() {
    let policy = "default-src 'none'; style-src 'self'; img-src http:";
    let page = async move || ([(header::CONTENT_SECURITY_POLICY, policy)], Html(FAULTS));
    let style = async || ([(header::CONTENT_TYPE, "text/css")], FAULTY_STYLE);
    let router = Router::new()
        .route("/", get(page))
        .route("/faults.css", get(style));
    let pages = json!([{"name": "faults", "url": serve(router).await, "light": true}]);
    let mut command = node("pages.mjs");
    command
        .env("PAGES", pages.to_string())
        .env("SHOTS", screenshots("faults"));
    let amiss = run(command).await.to_string();
    for fault in [
        "(light-wide): console: Executing inline script violates",
        "(light-wide): request to elsewhere.test",
        "(light-wide): scrolls sideways",
        "(light-wide): color-contrast",
        "(light-wide): no focus to be seen",
        "(light-wide): Tab order is 1,0,2",
        "(dark-narrow-no-scripts): scrolls sideways",
        "(light-zoom): scrolls sideways",
    ] {
        assert!(amiss.contains(fault), "{fault}: {amiss}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn people_sign_in_and_out_by_keyboard_with_and_without_scripts() {
    let demo = demo().await;
    let mut command = node("demo.mjs");
    command
        .env("DEMO_URL", &demo.application.options().base_url)
        .env("DEMO_PASSWORD", fedgate_lab::person::PASSWORD)
        .env("SHOTS", screenshots("demo"));
    let seen = run(command).await;
    let seen = seen.as_array().expect("a list");
    assert_eq!(seen.len(), 4);
    for page in seen {
        assert_eq!(page["amiss"], json!([]), "{page:#}");
        let text = page["text"].as_str().expect("text");
        let email = page["email"].as_str().expect("an address");
        assert!(
            text.contains("Signed in as") && text.contains(email),
            "{page:#}"
        );
        let out = page["out"].as_str().expect("text");
        assert!(out.contains("You are signed out"), "{page:#}");
    }
}
