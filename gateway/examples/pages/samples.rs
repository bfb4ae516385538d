//! Every page with usual and with awkward contents. Shared by the example and by the tests of the pages.

#[path = "setup.rs"]
mod setup;

use axum::http::StatusCode;
use fedgate::events::trace::Trace;
use fedgate::page::{
    Button, EmailError, Explanation, Language, OnTheWay, RefusedPage, SignInPage, SignedOut,
};
use fedgate_providers::login::{Step, Verdict};
use fedgate_providers::saml::SamlRefusal;
use fedgate_providers::spec::Spec;

/// Markup, quotes, a direction override and a template's own signs, as a name from outside.
pub(crate) const HOSTILE: &str =
    "\"><script>alert(1)</script><img src=x onerror=alert(1)>'\u{202e}{{ 7*7 }}{}&amp;";

const LONG: &str = "Donaudampfschifffahrtsgesellschaft und Söhne International Holdings (Customer Success Portal, Staging)";

const BUTTONS: [Button<'static>; 5] = [
    Button {
        connection_id: "conn_01",
        display_name: "Google",
        strategy: "oauth2:google",
    },
    Button {
        connection_id: "conn_02",
        display_name: "Microsoft",
        strategy: "oauth2:microsoft",
    },
    Button {
        connection_id: "conn_03",
        display_name: "GitHub",
        strategy: "oauth2:github",
    },
    Button {
        connection_id: "conn_04",
        display_name: "Acme",
        strategy: "saml:okta",
    },
    Button {
        connection_id: "conn_05",
        display_name: "Discord",
        strategy: "oauth2:discord",
    },
];

/// A name for the file, and the page.
pub(crate) fn pages() -> Vec<(String, String)> {
    let mut pages = Vec::new();
    for language in Language::ALL {
        let named = [
            sign_in_pages(language),
            error_pages(language),
            refused_pages(language),
            other_pages(language),
            setup::pages(language),
        ];
        let tag = language.tag();
        pages.extend(
            named
                .into_iter()
                .flatten()
                .map(|(name, html)| (format!("{name}-{tag}"), html)),
        );
    }
    pages.push(("explanation".to_owned(), explanation(&story("Acme"))));
    pages.push(("explanation-long".to_owned(), explanation(&long_story())));
    pages.push((
        "explanation-hostile".to_owned(),
        explanation(&story(HOSTILE)),
    ));
    pages.push(("explanation-bare".to_owned(), explanation(&bare_story())));
    pages.push(("explanation-passed".to_owned(), passed()));
    pages
}

type Named = Vec<(&'static str, String)>;

fn sign_in_pages(language: Language) -> Named {
    let long = [
        Button {
            display_name: LONG,
            ..BUTTONS[3]
        },
        BUTTONS[0],
    ];
    let hostile = [Button {
        connection_id: HOSTILE,
        display_name: HOSTILE,
        strategy: HOSTILE,
    }];
    let hostile = SignInPage {
        email: HOSTILE,
        request: HOSTILE,
        action: HOSTILE,
        ..sign_in(HOSTILE, &hostile, language)
    };
    vec![
        (
            "sign-in",
            sign_in("Contoso Travel", &BUTTONS, language).html(),
        ),
        ("sign-in-long", sign_in(LONG, &long, language).html()),
        ("sign-in-hostile", hostile.html()),
        (
            "single-sign-on",
            sign_in("Contoso Travel", &[], language).html(),
        ),
    ]
}

fn error_pages(language: Language) -> Named {
    let with = |error| {
        let page = sign_in("Contoso Travel", &BUTTONS, language);
        SignInPage {
            email: "someone@example",
            email_error: Some(error),
            ..page
        }
        .html()
    };
    vec![
        ("sign-in-empty", with(EmailError::Empty)),
        ("sign-in-malformed", with(EmailError::Malformed)),
        ("sign-in-no-way", with(EmailError::NoWay)),
    ]
}

fn refused_pages(language: Language) -> Named {
    let bare = RefusedPage {
        application: None,
        application_url: None,
        start_again: None,
        ..refused("", language)
    };
    let hostile = RefusedPage {
        says: HOSTILE,
        code: HOSTILE,
        reference: HOSTILE,
        application_url: Some("javascript:alert(1)"),
        start_again: Some("//evil.example"),
        ..refused(HOSTILE, language)
    };
    vec![
        ("refused", refused("Contoso Travel", language).html()),
        (
            "refused-long",
            RefusedPage {
                says: LONG,
                ..refused(LONG, language)
            }
            .html(),
        ),
        ("refused-bare", bare.html()),
        ("refused-hostile", hostile.html()),
    ]
}

fn other_pages(language: Language) -> Named {
    let usual = signed_out("Contoso Travel", "Acme", language);
    let both = SignedOut {
        ended_at_provider: true,
        not_sent_on: None,
        ..usual.clone()
    };
    let bare = SignedOut {
        application: None,
        connection_name: None,
        application_url: None,
        ..usual.clone()
    };
    let hostile = SignedOut {
        application_url: Some("data:text/html,x"),
        ..signed_out(HOSTILE, HOSTILE, language)
    };
    vec![
        ("on-the-way", on_the_way("Acme", language)),
        ("on-the-way-hostile", on_the_way(HOSTILE, language)),
        ("signed-out", usual.html()),
        ("signed-out-both", both.html()),
        ("signed-out-bare", bare.html()),
        ("signed-out-hostile", hostile.html()),
    ]
}

/// The explanation for a terminal.
pub(crate) fn text() -> String {
    [story("Acme"), long_story(), story(HOSTILE)]
        .iter()
        .map(|trace| explain(trace).text() + "\n")
        .collect()
}

fn sign_in<'a>(
    application: &'a str,
    connections: &'a [Button<'a>],
    language: Language,
) -> SignInPage<'a> {
    SignInPage {
        application,
        request: "c2VhbGVk",
        action: "/login/continue",
        email: "",
        email_error: None,
        code: None,
        reference: None,
        connections,
        language,
    }
}

fn on_the_way(connection_name: &str, language: Language) -> String {
    let fields = vec![
        ("SAMLRequest".to_owned(), "PHNhbWw+".repeat(600)),
        ("RelayState".to_owned(), connection_name.to_owned()),
    ];
    OnTheWay {
        action: "https://acme.example/sso/saml?a=1&b=2",
        fields: &fields,
        connection_name,
        language,
    }
    .html()
}

fn refused(application: &str, language: Language) -> RefusedPage<'_> {
    RefusedPage {
        says: "The sign-in answer from your organization's identity provider could not be read.",
        code: "saml.xml_malformed",
        reference: "FG-7K3QX9TB",
        status: StatusCode::BAD_REQUEST,
        application: Some(application),
        application_url: Some("https://app.example/"),
        start_again: Some("/login/again?r=FG-7K3QX9TB"),
        language,
    }
}

fn signed_out<'a>(application: &'a str, connection: &'a str, language: Language) -> SignedOut<'a> {
    SignedOut {
        application: Some(application),
        application_url: Some("https://app.example/"),
        connection_name: Some(connection),
        ended_at_provider: false,
        not_sent_on: None,
        language,
    }
}

fn explain(trace: &Trace) -> Explanation<'_> {
    Explanation {
        trace,
        entry: Some(SamlRefusal::AudienceMismatch.entry()),
        spec: Spec::of("saml:okta"),
    }
}

fn explanation(trace: &Trace) -> String {
    explain(trace).html()
}

fn passed() -> String {
    let mut trace = story("Acme");
    trace.steps.pop();
    trace.code = None;
    Explanation {
        trace: &trace,
        entry: None,
        spec: Spec::of("saml:okta"),
    }
    .html()
}

fn step(name: &str, note: &str, at: i64) -> Step {
    let (name, note) = (name.to_owned(), Some(note.to_owned()));
    Step {
        name,
        note,
        verdict: Verdict::Passed,
        code: None,
        expected: None,
        found: None,
        at: 1_790_000_000_000 + at,
    }
}

/// A login that fails at the audience.
pub(crate) fn story(name: &str) -> Trace {
    let hostile = name == HOSTILE;
    let failed = Step {
        verdict: Verdict::Failed,
        code: Some("saml.audience_mismatch".to_owned()),
        expected: Some("https://login.example.com/saml/conn_0123/metadata".to_owned()),
        found: Some(if hostile {
            HOSTILE.to_owned()
        } else {
            "https://login.example.com/saml/conn_0123".to_owned()
        }),
        ..step(
            "saml.audience",
            if hostile {
                HOSTILE
            } else {
                "AudienceRestriction"
            },
            8_431,
        )
    };
    Trace {
        reference: "FG-7K3QX9TB".to_owned(),
        connection_id: Some("conn_0190a7c2b7d64f6e9d1b5a3c2e4f6a8b".to_owned()),
        strategy: Some("saml:okta".to_owned()),
        connection_name: Some(name.to_owned()),
        client_id: Some(if hostile { HOSTILE } else { "contoso-travel" }.to_owned()),
        user_id: None,
        code: Some("saml.audience_mismatch".to_owned()),
        steps: vec![
            step("login.start", "Sent by contoso-travel", 0),
            step("route.domain", "acme.example", 3),
            step(
                "saml.request",
                "HTTP-Redirect to https://acme.okta.example/app/sso/saml",
                6,
            ),
            step("saml.response", "1 assertion", 8_420),
            step(
                "saml.signature",
                "The assertion, RSA-SHA256, by the key 5f:a2:…:90",
                8_429,
            ),
            failed,
        ],
        of_stranger: false,
        at: 1_790_000_008_431,
    }
}

/// Refused before its first step, and nothing is known of it.
fn bare_story() -> Trace {
    Trace {
        connection_id: None,
        strategy: None,
        connection_name: None,
        client_id: None,
        steps: Vec::new(),
        ..story("Acme")
    }
}

fn long_story() -> Trace {
    let mut trace = story("Acme");
    trace.connection_name = Some(LONG.to_owned());
    if let Some(failed) = trace.steps.last_mut() {
        failed.expected = Some(format!(
            "https://login.example.com/{}/conn_0123",
            "very-long-path/".repeat(20)
        ));
        failed.found = Some(format!(
            "https://login.example.com/{}/conn_0124 ",
            "very-long-path/".repeat(20)
        ));
    }
    trace.steps.splice(
        1..1,
        (0..30).map(|n| step(&format!("saml.check_{n}"), LONG, 10 + n)),
    );
    trace
}
