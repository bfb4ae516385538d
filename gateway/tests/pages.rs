//! What holds for every page, with usual and with hostile contents.

#![allow(
    clippy::expect_used,
    reason = "a test says what it relies on by failing"
)]

#[path = "../examples/pages/samples.rs"]
mod samples;

use std::collections::{BTreeMap, HashSet};

use axum::body::Body;
use axum::http::{Request, StatusCode, header};
use fedgate::page::{
    Explanation, Language, RefusedPage, SCRIPT, STYLESHEET, Strings, refused, routes,
};
use fedgate::people::PeopleRefusal;
use fedgate_providers::egress::EgressRefusal;
use fedgate_providers::error::Catalogued;
use fedgate_providers::oauth::OauthRefusal;
use fedgate_providers::oidc::OidcRefusal;
use fedgate_providers::saml::SamlRefusal;
use fedgate_providers::saml::metadata::MetadataRefusal;
use fedgate_providers::spec::Spec;
use tower::ServiceExt;

const ICONS: &str = include_str!("../assets/icons.svg");
const LOGO: &str = include_str!("../assets/logo.svg");
const VOID: [&str; 4] = ["meta", "link", "input", "br"];

/// A tag as written: `/p`, `input`, with its attributes.
struct Tag<'a> {
    name: &'a str,
    attributes: Vec<(&'a str, &'a str)>,
}

impl Tag<'_> {
    fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes
            .iter()
            .find(|(key, _)| *key == name)
            .map(|(_, value)| *value)
    }
}

/// Every `<` of a page begins a tag, since all else is escaped; every value stands in double quotes.
fn tags(html: &str) -> Vec<Tag<'_>> {
    html.split('<')
        .skip(1)
        .map(|rest| tag(rest.split_once('>').expect("a tag is closed").0))
        .collect()
}

fn tag(text: &str) -> Tag<'_> {
    let (name, mut rest) = text.split_once(' ').unwrap_or((text, ""));
    let mut attributes = Vec::new();
    while !rest.trim_matches([' ', '/']).is_empty() {
        let (key, quoted) = match rest.split_once("=\"") {
            Some((key, quoted)) if !key.trim().contains(' ') => (key.trim(), quoted),
            _ => {
                let (key, after) = rest
                    .trim_start()
                    .split_once(' ')
                    .unwrap_or((rest.trim(), ""));
                attributes.push((key, ""));
                rest = after;
                continue;
            }
        };
        let (value, after) = quoted.split_once('"').expect("a value is closed");
        attributes.push((key, value));
        rest = after;
    }
    Tag {
        name: name.trim_end_matches('/'),
        attributes,
    }
}

#[test]
fn tags_are_balanced_whatever_is_put_in() {
    for (page, html) in samples::pages() {
        let mut open = Vec::new();
        for tag in tags(&html) {
            match tag.name.strip_prefix('/') {
                Some(name) => assert_eq!(open.pop(), Some(name), "{page}"),
                None if VOID.contains(&tag.name) || matches!(tag.name, "!doctype" | "use") => {}
                None => open.push(tag.name),
            }
        }
        assert!(open.is_empty(), "{page}: {open:?}");
    }
}

#[test]
fn nothing_from_outside_becomes_markup_or_a_link() {
    for (page, html) in samples::pages() {
        for danger in [
            "<script>alert",
            "<img",
            "href=\"javascript",
            "href=\"//",
            "href=\"data",
        ] {
            assert!(!html.contains(danger), "{page}: {danger}");
        }
        if page.contains("hostile") {
            assert!(html.contains("&#60;script&#62;alert(1)"), "{page}");
        }
    }
}

#[test]
fn no_script_and_no_style_is_inline() {
    for (page, html) in samples::pages() {
        for tag in tags(&html) {
            assert_ne!(tag.name, "style", "{page}");
            assert!(
                tag.name != "script" || tag.attribute("src").is_some(),
                "{page}"
            );
            for (key, _) in &tag.attributes {
                assert!(*key != "style" && !key.starts_with("on"), "{page}: {key}");
            }
        }
    }
}

#[test]
fn labels_and_descriptions_point_at_what_is_there() {
    for (page, html) in samples::pages() {
        let tags = tags(&html);
        let ids: Vec<&str> = tags.iter().filter_map(|tag| tag.attribute("id")).collect();
        let unique: HashSet<&str> = ids.iter().copied().collect();
        assert_eq!(ids.len(), unique.len(), "{page}: {ids:?}");
        for tag in &tags {
            for reference in ["for", "aria-describedby", "aria-labelledby"] {
                assert!(
                    tag.attribute(reference)
                        .is_none_or(|id| unique.contains(id)),
                    "{page}: {reference}"
                );
            }
            if tag.name == "input" && tag.attribute("type") != Some("hidden") {
                let id = tag.attribute("id").expect("a field has an id");
                assert!(
                    tags.iter()
                        .any(|label| label.name == "label" && label.attribute("for") == Some(id)),
                    "{page}"
                );
            }
        }
    }
}

#[test]
fn every_page_names_its_language_its_direction_and_itself() {
    for (page, html) in samples::pages() {
        let tags = tags(&html);
        let root = tags.iter().find(|tag| tag.name == "html").expect("html");
        let language = if page.starts_with("explanation") {
            "en"
        } else {
            page.rsplit('-').next().expect("a tag")
        };
        assert_eq!(root.attribute("lang"), Some(language), "{page}");
        assert_eq!(
            root.attribute("dir"),
            Some(if language == "ar" { "rtl" } else { "ltr" }),
            "{page}"
        );
        assert_eq!(
            tags.iter().filter(|tag| tag.name == "h1").count(),
            1,
            "{page}"
        );
        assert!(!html.contains("<title></title>"), "{page}");
    }
}

#[test]
fn a_page_with_all_that_it_loads_is_under_30_kilobytes() {
    let assets = STYLESHEET.len() + SCRIPT.len() + ICONS.len() + LOGO.len();
    for (page, html) in samples::pages() {
        assert!(
            html.len() + assets < 30_000,
            "{page}: {} + {assets}",
            html.len()
        );
    }
}

#[test]
fn an_error_is_tied_to_its_field_and_what_was_typed_stays() {
    let pages: BTreeMap<String, String> = samples::pages().into_iter().collect();
    for language in Language::ALL {
        let html = &pages[&format!("sign-in-malformed-{}", language.tag())];
        let tags = tags(html);
        let field = tags
            .iter()
            .find(|tag| tag.attribute("name") == Some("email"))
            .expect("the field");
        assert_eq!(field.attribute("value"), Some("someone@example"));
        assert_eq!(field.attribute("aria-invalid"), Some("true"));
        assert_eq!(field.attribute("autocomplete"), Some("username"));
        let error = tags
            .iter()
            .find(|tag| tag.attribute("id") == field.attribute("aria-describedby"))
            .expect("the error");
        assert_eq!(error.attribute("role"), Some("alert"));
    }
}

#[test]
fn the_explanation_for_a_terminal_has_short_lines_and_no_controls() {
    let text = samples::text();
    for line in text.lines() {
        assert!(line.chars().count() <= 100, "{line}");
        assert!(
            !line.contains(char::is_control) && !line.contains('\u{202e}'),
            "{line:?}"
        );
    }
    assert!(text.contains("“Audience URI (SP Entity ID)”"));
}

#[test]
fn a_hostile_mail_subject_adds_no_header() {
    let page = RefusedPage {
        says: "a\r\nBcc: x@evil.example&cc=x",
        code: "saml.x&bcc=x@evil.example",
        reference: "FG\r\n?&to=x@evil.example",
        status: StatusCode::BAD_REQUEST,
        application: Some("&bcc=x"),
        application_url: None,
        start_again: None,
        language: Language::English,
    };
    let html = page.html();
    let start = html.find("mailto:").expect("the mail");
    let mail = &html[start..start + html[start..].find('"').expect("its end")];
    assert!(
        mail.matches("&#38;").count() == 1 && !mail.contains('@') && mail.matches('=').count() == 2,
        "{mail}"
    );
}

#[test]
fn a_refusal_has_its_own_status_and_is_not_cached() {
    let page = RefusedPage {
        says: "x",
        code: "saml.x",
        reference: "FG-1",
        status: StatusCode::BAD_GATEWAY,
        application: None,
        application_url: None,
        start_again: None,
        language: Language::German,
    };
    let response = refused(&page);
    assert_eq!(response.status(), StatusCode::BAD_GATEWAY);
    assert_eq!(response.headers()[header::CACHE_CONTROL], "no-store");
}

#[tokio::test]
async fn assets_are_kept_for_ever_under_their_hash_only() {
    let pages = samples::pages();
    let tags = tags(&pages[0].1);
    let style = tags
        .iter()
        .filter_map(|tag| tag.attribute("href"))
        .find(|href| href.contains(".css"))
        .expect("a link");
    for (address, caching) in [
        (style, "immutable"),
        ("/assets/fedgate.css?v=0", "max-age=300"),
        ("/assets/logo.svg", "max-age=300"),
    ] {
        let request = Request::get(address)
            .body(Body::empty())
            .expect("a request");
        let response = routes::<()>().oneshot(request).await.expect("an answer");
        assert_eq!(response.status(), StatusCode::OK);
        let header = response.headers()[header::CACHE_CONTROL]
            .to_str()
            .expect("text");
        assert!(header.contains(caching), "{address}: {header}");
    }
}

/// The refusals of the areas that a login passes through.
fn catalogue() -> Vec<&'static Catalogued> {
    let mut entries = Vec::new();
    entries.extend(SamlRefusal::ALL.iter().map(|leaf| leaf.entry()));
    entries.extend(MetadataRefusal::ALL.iter().map(|leaf| leaf.entry()));
    entries.extend(OauthRefusal::ALL.iter().map(|leaf| leaf.entry()));
    entries.extend(OidcRefusal::ALL.iter().map(|leaf| leaf.entry()));
    entries.extend(EgressRefusal::ALL.iter().map(|leaf| leaf.entry()));
    entries.extend(PeopleRefusal::ALL.iter().map(|leaf| leaf.entry()));
    entries
}

#[test]
fn the_remedy_is_told_once_with_and_without_a_failed_step() {
    for (page, html) in samples::pages() {
        let explains = page.starts_with("explanation") && page != "explanation-passed";
        let refused = explains || page.starts_with("verdict-failed");
        assert_eq!(
            html.matches("Who must act").count(),
            usize::from(refused),
            "{page}"
        );
    }
}

#[test]
fn every_fix_is_in_plain_words_with_any_console_and_without() {
    let trace = samples::story("Acme");
    for entry in catalogue() {
        for spec in Spec::all().map(Some).chain([None]) {
            let text = Explanation {
                trace: &trace,
                entry: Some(entry),
                spec,
            }
            .text();
            assert!(!text.contains(['{', '}']), "{}: {text}", entry.code);
        }
    }
}

#[test]
fn nine_refusals_in_ten_are_told_in_every_language() {
    for language in Language::ALL
        .into_iter()
        .filter(|language| *language != Language::English)
    {
        let entries = catalogue();
        let untold: Vec<_> = entries
            .iter()
            .filter(|entry| Strings::of(language).sentence(entry.says).is_none())
            .map(|entry| entry.says)
            .collect();
        assert!(
            untold.len() * 10 <= entries.len(),
            "{language:?} lacks {untold:#?}"
        );
    }
}

/// The variables of the light theme, and those of the dark one over them.
fn themes() -> [BTreeMap<&'static str, [f64; 3]>; 2] {
    let mut blocks = STYLESHEET
        .split(":root {")
        .skip(1)
        .map(|block| block.split('}').next().unwrap_or_default());
    let light: BTreeMap<_, _> = variables(blocks.next().expect("light")).collect();
    let mut dark = light.clone();
    dark.extend(variables(blocks.next().expect("dark")));
    [light, dark]
}

fn variables(block: &'static str) -> impl Iterator<Item = (&'static str, [f64; 3])> {
    block.lines().filter_map(|line| {
        let (name, value) = line.trim().trim_end_matches(';').split_once(": #")?;
        let channel = |at: usize| {
            u8::from_str_radix(&value[at..at + 2], 16)
                .map(|byte| f64::from(byte) / 255.0)
                .ok()
        };
        Some((
            name.strip_prefix("--")?,
            [channel(0)?, channel(2)?, channel(4)?],
        ))
    })
}

/// WCAG 2.2, relative luminance and contrast ratio.
fn contrast(a: [f64; 3], b: [f64; 3]) -> f64 {
    let linear = |c: f64| {
        if c <= 0.04045 {
            c / 12.92
        } else {
            ((c + 0.055) / 1.055).powf(2.4)
        }
    };
    let luminance =
        |[r, g, b]: [f64; 3]| 0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b);
    let (a, b) = (luminance(a), luminance(b));
    (a.max(b) + 0.05) / (a.min(b) + 0.05)
}

#[test]
fn text_has_contrast_in_both_themes() {
    let surfaces = ["card", "raised", "page"];
    let mut pairs = vec![
        ("on-accent", "accent", 4.5),
        ("on-mark", "mark", 4.5),
        ("card", "muted", 4.5),
        ("edge", "card", 3.0),
    ];
    for text in ["text", "muted", "accent", "danger", "good", "caution"] {
        pairs.extend(surfaces.map(|surface| (text, surface, 4.5)));
    }
    for theme in themes() {
        for (text, surface, least) in &pairs {
            let ratio = contrast(theme[text], theme[surface]);
            assert!(ratio >= *least, "{text} on {surface}: {ratio:.2}");
        }
    }
}
