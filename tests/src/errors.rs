//! `docs/errors.md`, written from the catalogue.

use std::fmt::Write as _;

use fedgate::catalogue::catalogue;
use fedgate::error::status;
use fedgate_providers::spec::Spec;

/// The document's text.
pub fn document() -> String {
    let mut text = String::from(HEAD);
    let mut area = "";
    for entry in catalogue() {
        let (this, _) = entry.code.split_once('.').unwrap_or_default();
        if this != area {
            area = this;
            let _ = write!(text, "\n## `{area}`\n");
        }
        let kinde = entry
            .kinde
            .map_or_else(String::new, |number| format!(" · Kinde {number}"));
        let status = status(entry).as_u16();
        let _ = write!(
            text,
            "\n### `{}`\n\n{}\n\n",
            entry.code,
            entry.meaning.trim()
        );
        let _ = writeln!(
            text,
            "- Who must act: {}{kinde} · as a page: HTTP {status}",
            entry.blame.as_str()
        );
        let _ = writeln!(text, "- The person reads: “{}”", entry.says);
        let _ = writeln!(text, "- Fix: {}", in_words(entry.fix));
    }
    text
}

const HEAD: &str = "# Error codes\n\n\
    Generated from the code by `cargo run -p fedgate-tests --bin write-errors`; a test compares. Codes are append-only.\n\
    Words in “quotes” within a fix are fields of the identity provider's console; pages and `fedgate explain` write them\n\
    in the words of that connection's vendor.\n";

/// The fix in the words of the generic spec of whichever protocol has them.
fn in_words(fix: &str) -> String {
    let specs = ["saml:custom", "oidc:custom"]
        .into_iter()
        .filter_map(Spec::of);
    specs.fold(fix.to_owned(), |text, spec| spec.in_console_words(&text))
}
