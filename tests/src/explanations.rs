//! Misconfigurations of SAML identity providers, one a line, and the document that is written from them.

use std::fmt::Write as _;

use fedgate::catalogue::catalogued;
use fedgate_providers::connection::Binding;
use fedgate_providers::error::Blame;
use fedgate_providers::spec::Spec;

const TABLE: &str = include_str!("explanations/table.txt");
/// The code of a row that keeps nobody out.
pub const PASSES: &str = "passes";

/// One mistake and how it is explained.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// `okta` of `saml:okta`.
    pub flavour: &'static str,
    /// What is staged, word by word.
    pub staged: &'static str,
    /// The stable code, or [`PASSES`].
    pub code: &'static str,
    /// Who must act, as the table says it.
    pub who: &'static str,
    /// The label of the console's field; none where no field there mends it.
    pub field: Option<&'static str>,
    /// What was expected, as a pattern.
    pub expected: &'static str,
    /// What was found, as a pattern.
    pub found: &'static str,
    /// What happened, for people.
    pub symptom: &'static str,
}

impl Row {
    /// Who must act, as the catalogue says it.
    pub fn blame(&self) -> Blame {
        match self.who {
            "person" => Blame::Browser,
            "idp" => Blame::Upstream,
            "operator" => Blame::Operator,
            "application" => Blame::Application,
            other => panic!("nobody is called {other}"),
        }
    }

    /// The flavour's spec.
    pub fn spec(&self) -> &'static Spec {
        let strategy = format!("saml:{}", self.flavour);
        Spec::of(&strategy).unwrap_or_else(|| panic!("no {strategy}"))
    }
}

/// Every row of the table.
pub fn rows() -> Vec<Row> {
    let lines = TABLE
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines.map(row).collect()
}

fn row(line: &'static str) -> Row {
    let cells: Vec<_> = line.split(" | ").collect();
    let [flavour, staged, code, who, field, expected, found, symptom] = cells[..] else {
        panic!("not eight cells: {line}");
    };
    Row {
        flavour,
        staged,
        code,
        who,
        field: Some(field).filter(|field| *field != "-"),
        expected,
        found,
        symptom,
    }
}

/// `docs/TROUBLESHOOTING.md`
pub fn document() -> String {
    let mut text = String::from(HEAD);
    let rows = rows();
    let mut flavours: Vec<_> = rows.iter().map(|row| row.flavour).collect();
    flavours.dedup();
    for flavour in flavours {
        let of_flavour: Vec<_> = rows.iter().filter(|row| row.flavour == flavour).collect();
        section(&mut text, of_flavour[0].spec(), &of_flavour);
    }
    text
}

const HEAD: &str = "# Troubleshooting SAML, by identity provider\n\n\
    Generated from `tests/src/explanations/table.txt` by `cargo run -p fedgate-tests --bin write-troubleshooting`. Each row\n\
    was staged against an identity provider that speaks as that product does; the setup page, `GET /api/v1/logins/{reference}`\n\
    and `fedgate explain` said what stands here. [errors.md](errors.md) has every code, in general words.\n";

fn section(text: &mut String, spec: &Spec, rows: &[&Row]) {
    let _ = write!(text, "\n## {}\n\n", spec.label);
    if let Some(habits) = &spec.saml {
        let binding = match habits.protocol_binding {
            Binding::Redirect => "HTTP-Redirect",
            Binding::Post => "HTTP-POST",
        };
        let _ = writeln!(
            text,
            "Strategy `{}`. Unless its console says otherwise it signs {} with {} and sends a NameID of the format\n\
             `{}`; requests go there by {binding}.",
            spec.strategy,
            habits.signs.as_str(),
            habits.algorithms.first().map_or("", String::as_str),
            habits.sends_name_id,
        );
        if let Some(prefix) = &habits.audience_prefix {
            let _ = writeln!(
                text,
                "An audience may have `{prefix}` in front of the entity ID."
            );
        }
    }
    let _ = write!(
        text,
        "\n| what happened | code | who acts | what to change | where |\n|---|---|---|---|---|\n"
    );
    for row in rows {
        let _ = writeln!(text, "{}", line(spec, row));
    }
}

fn line(spec: &Spec, row: &Row) -> String {
    let Some(entry) = catalogued(row.code) else {
        return format!("| {} | none: nobody is kept out | | | |", row.symptom);
    };
    let who = match entry.blame {
        Blame::Browser => "the person",
        Blame::Upstream => "the identity provider's administrator",
        Blame::Operator => "the operator",
        Blame::Application => "the application's developer",
        Blame::Gateway => "the operator of the gateway",
    };
    let field = spec.field(entry).map_or("", |field| field.path);
    let fix = spec.in_console_words(
        &spec
            .fix_of(entry)
            .replace("{console}", &spec.console.product),
    );
    format!(
        "| {} | `{}` | {who} | {fix} | {field} |",
        row.symptom, row.code
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_names_what_the_catalogue_and_the_console_say() {
        let rows = rows();
        assert!(rows.len() >= 60, "{}", rows.len());
        for row in rows.iter().filter(|row| row.code != PASSES) {
            let entry = catalogued(row.code).unwrap_or_else(|| panic!("{row:?}"));
            assert_eq!(entry.blame, row.blame(), "{row:?}");
            let field = row.spec().field(entry).map(|field| field.label);
            assert_eq!(field, row.field, "{row:?}");
        }
    }
}
