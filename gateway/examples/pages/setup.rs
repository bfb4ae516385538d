//! The setup page in its states, with usual and with awkward contents.

use axum::http::StatusCode;
use fedgate::catalogue::catalogued;
use fedgate::page::{
    ClosedPage, FieldKind, Findings, FoundEmail, FoundIdentity, KeptUpstream, Language, Notice,
    Outcome, SetupField, SetupPage, SetupState, ShownProblem, TEST_STEP, VerdictPage, Whose, Why,
    setup_begin_html,
};
use fedgate_providers::connection::Problem;
use fedgate_providers::saml::metadata::MetadataRefusal;
use fedgate_providers::spec::Spec;

use super::{HOSTILE, story};

const ID: &str = "conn_0190a7c2b7d64f6e9d1b5a3c2e4f6a8b";

/// A name for the file, and the page.
pub(crate) fn pages(language: Language) -> Vec<(&'static str, String)> {
    let page = |strategy, state| setup("Acme", strategy, state, language);
    let tested = SetupPage {
        last_test: Some(true),
        kept: Some(kept("https://acme.okta.example/exk1fcia6d6EMsf331d8")),
        ..page("saml:okta", SetupState::Tested)
    };
    let active = SetupPage {
        notice: Some(Notice::Activated),
        state: SetupState::Active,
        ..tested.clone()
    };
    let saved = SetupPage {
        notice: Some(Notice::Saved),
        ..page("oidc:custom", SetupState::Untested)
    };
    let closed = ClosedPage {
        says: "This setup link was used already.",
        fix: "Go on in the browser where it was opened, or ask whoever sent the link for a new one.",
        code: "setup.link_used",
        status: StatusCode::GONE,
        language,
    };
    vec![
        ("setup-begin", setup_begin_html("/setup/link/x", language)),
        ("setup-closed", closed.html()),
        (
            "setup-incomplete",
            page("saml:okta", SetupState::Incomplete).html(),
        ),
        (
            "setup-microsoft",
            page("saml:microsoft", SetupState::Stale).html(),
        ),
        ("setup-google", wrong(language).html()),
        ("setup-oidc", saved.html()),
        ("setup-tested", tested.html()),
        ("setup-active", active.html()),
        ("setup-hostile", hostile(language).html()),
        ("verdict-passed", verdict("Acme", true, language)),
        ("verdict-failed", verdict("Acme", false, language)),
        ("verdict-hostile", verdict(HOSTILE, true, language)),
    ]
}

fn kept(entity_id: &str) -> KeptUpstream {
    KeptUpstream {
        picked_up: None,
        entity_id: entity_id.to_owned(),
        keys: 2,
        read_at: "2026-11-24T13:30:40Z".to_owned(),
    }
}

fn setup<'a>(
    name: &'a str,
    strategy: &str,
    state: SetupState,
    language: Language,
) -> SetupPage<'a> {
    let spec = Spec::of(strategy).expect("a spec");
    let value = |word: &str| match word {
        "acs" => format!("https://login.example.com/saml/{ID}/acs"),
        "redirect_uri" => format!("https://login.example.com/login/callback/{ID}"),
        _ => format!("https://login.example.com/saml/{ID}/metadata"),
    };
    let wording = &spec.console.setup;
    let names: &[(&'static str, FieldKind)] = if spec.protocol() == "saml" {
        &[
            ("metadata_url", FieldKind::Line),
            ("metadata_file", FieldKind::File),
            ("metadata_xml", FieldKind::Text),
        ]
    } else {
        &[
            ("issuer", FieldKind::Line),
            ("client_id", FieldKind::Line),
            ("client_secret", FieldKind::Secret(true)),
        ]
    };
    let first = wording.bring[0].0.as_str();
    let (fields, other_fields) = names
        .iter()
        .map(|(name, kind)| SetupField {
            name,
            label: wording
                .bring
                .iter()
                .find(|(word, _)| word == name)
                .map(|(_, label)| label.clone()),
            value: String::new(),
            kind: *kind,
            problem: None,
        })
        .partition(|field| spec.protocol() != "saml" || field.name == first);
    SetupPage {
        connection_id: ID,
        display_name: name,
        spec,
        state,
        values: wording
            .copy
            .iter()
            .map(|(word, label)| (label.clone(), value(word)))
            .collect(),
        more_values: vec![("SP metadata URL".to_owned(), value("metadata"))],
        fields,
        other_fields,
        kept: None,
        token: "dG9rZW4".to_owned(),
        problems: Vec::new(),
        notice: None,
        last_test: None,
        language,
    }
}

fn problem(found: &str) -> ShownProblem {
    let refusal = MetadataRefusal::NoIdentityProvider
        .refuse()
        .expected("an IDPSSODescriptor for SAML 2.0")
        .found(found);
    let spec = Spec::of("saml:google").expect("a spec");
    ShownProblem::new(&Problem::new(refusal, "x"), spec)
}

fn wrong(language: Language) -> SetupPage<'static> {
    let mut page = setup("Acme", "saml:google", SetupState::Incomplete, language);
    page.fields[0].problem = Some(problem("SPSSODescriptor"));
    page
}

fn hostile(language: Language) -> SetupPage<'static> {
    let mut page = setup(HOSTILE, "saml:custom", SetupState::Stale, language);
    page.kept = Some(kept(HOSTILE));
    page.problems = vec![problem(HOSTILE)];
    for field in page.fields.iter_mut().chain(&mut page.other_fields) {
        HOSTILE.clone_into(&mut field.value);
        field.problem = Some(problem(HOSTILE));
    }
    page
}

fn verdict(name: &str, passed: bool, language: Language) -> String {
    let mut trace = story(name);
    trace.client_id = None;
    TEST_STEP.clone_into(&mut trace.steps[0].name);
    if passed {
        trace.steps.pop();
        trace.code = None;
    }
    let hostile = name == HOSTILE;
    let text = |usual: &str| if hostile { HOSTILE } else { usual }.to_owned();
    let identity = FoundIdentity {
        subject: text("00u1a2b3c4d5e6f7g8h9"),
        issuer: text("http://www.okta.com/exk1fcia6d6EMsf331d8"),
        email: Some(FoundEmail {
            address: text("alice@acme.example"),
            why: if hostile { Why::Foreign } else { Why::Trusted },
        }),
        given_name: Some(text("Alice")),
        family_name: Some(text("Anders")),
        name: Some(text("Alice Anders")),
        groups: vec![text("Everyone"), text("Engineering")],
        attributes: vec![(text("department"), vec![text("Research")])],
    };
    let findings = Findings {
        identity: passed.then_some(identity),
        outcome: passed.then(|| Outcome {
            whose: Whose::New,
            organization: Some("org_1a2b3c4d5e6".to_owned()),
            joins: true,
        }),
        trace,
    };
    VerdictPage {
        connection_id: ID,
        display_name: name,
        spec: Spec::of("saml:okta").expect("a spec"),
        state: if passed {
            SetupState::Tested
        } else {
            SetupState::Untested
        },
        entry: findings.trace.code.as_deref().and_then(catalogued),
        findings: Some(&findings),
        token: "dG9rZW4".to_owned(),
        language,
    }
    .html()
}
