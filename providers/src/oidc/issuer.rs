//! Who an ID token, a callback or a metadata document says that it is from, compared with who it may be from.
//!
//! An issuer is one text, or a template with one claim in braces: `https://login.example/{claims/tid}/v2.0`. The claim is
//! the GUID of a tenant, and the text must be the template with that very GUID in it.

use serde_json::{Map, Value};

use super::OidcRefusal;
use crate::error::Refusal;

/// The issuer of a token's claims. Several spellings of one issuer are one: the first, with the tenant filled in.
///
/// # Errors
/// `oidc.issuer_mismatch`, and `oidc.malformed` for one that is no text.
pub(crate) fn named(members: &Map<String, Value>, issuers: &[String]) -> Result<String, Refusal> {
    let text = |name: &str| members.get(name).and_then(Value::as_str);
    if members
        .get("iss")
        .is_some_and(|iss| !iss.is_string() && !iss.is_null())
    {
        return Err(OidcRefusal::Malformed.refuse().expected("iss"));
    }
    let found = text("iss");
    let own = issuers.first().map_or("", String::as_str);
    let fits = |issuer: &String| {
        found.is_some_and(|found| filled(issuer, &text).as_deref() == Some(found))
    };
    match filled(own, &text) {
        Some(own) if issuers.iter().any(fits) => Ok(own),
        expected => Err(OidcRefusal::IssuerMismatch
            .refuse()
            .expected(expected.as_deref().unwrap_or(own))
            .found(found.unwrap_or("no iss"))),
    }
}

/// Whether an issuer outside a token is one of that template: the same text, or the template with any tenant.
pub(crate) fn fits(issuer: &str, found: &str) -> bool {
    let Some((before, _, after)) = template(issuer) else {
        return issuer == found;
    };
    found
        .strip_prefix(before)
        .and_then(|rest| rest.strip_suffix(after))
        .is_some_and(is_guid)
}

/// Whether a text is the template itself, as a provider for all tenants writes it: `{tenantid}` in place of the GUID.
pub(crate) fn is_template_of(issuer: &str, found: &str) -> bool {
    let Some((before, _, after)) = template(issuer) else {
        return false;
    };
    found
        .strip_prefix(before)
        .and_then(|rest| rest.strip_suffix(after))
        .is_some_and(|name| name == "{tenantid}" || name == "{tenant}")
}

fn filled<'m>(issuer: &str, claim: &impl Fn(&str) -> Option<&'m str>) -> Option<String> {
    let Some((before, name, after)) = template(issuer) else {
        return Some(issuer.to_owned());
    };
    let value = claim(name).filter(|value| is_guid(value))?;
    Some(format!("{before}{value}{after}"))
}

fn template(issuer: &str) -> Option<(&str, &str, &str)> {
    let (before, rest) = issuer.split_once("{claims/")?;
    let (name, after) = rest.split_once('}')?;
    Some((before, name, after))
}

/// 8-4-4-4-12 lower-case hex digits: one spelling, so that one tenant is one issuer.
fn is_guid(text: &str) -> bool {
    let groups: Vec<&str> = text.splitn(6, '-').collect();
    let lengths: Vec<usize> = groups.iter().map(|group| group.len()).collect();
    let hex = |b: u8| matches!(b, b'0'..=b'9' | b'a'..=b'f');
    lengths == [8, 4, 4, 4, 12] && groups.iter().all(|group| group.bytes().all(hex))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const TENANT: &str = "1c2d3e4f-0000-4aaa-8bbb-123456789abc";
    const OTHER: &str = "deadbeef-0000-4000-8000-000000000666";

    fn of(claims: &Value) -> Result<String, Refusal> {
        let issuers = ["https://l.example/{claims/tid}/v2.0".to_owned()];
        named(claims.as_object().unwrap(), &issuers)
    }

    #[test]
    fn a_tenants_issuer_is_that_tenants_alone() {
        let own = format!("https://l.example/{TENANT}/v2.0");
        assert_eq!(of(&json!({"iss": own, "tid": TENANT})).unwrap(), own);
        for (iss, tid) in [
            (own.clone(), json!(OTHER)),
            (own.clone(), Value::Null),
            (own.to_uppercase(), json!(TENANT)),
            (
                "https://l.example/{tenantid}/v2.0".into(),
                json!("{tenantid}"),
            ),
            ("https://l.example/x/../v2.0".into(), json!("x/..")),
            (format!("https://l.example/{TENANT}/v2.0/"), json!(TENANT)),
            (format!("https://evil.example/{TENANT}/v2.0"), json!(TENANT)),
        ] {
            let claims = json!({"iss": iss, "tid": tid});
            assert_eq!(
                of(&claims).unwrap_err(),
                OidcRefusal::IssuerMismatch,
                "{claims}"
            );
        }
    }

    #[test]
    fn spellings_of_one_issuer_are_one() {
        let issuers = ["https://a.example".to_owned(), "a.example".to_owned()];
        for iss in &issuers {
            let claims = json!({ "iss": iss });
            assert_eq!(
                named(claims.as_object().unwrap(), &issuers).unwrap(),
                issuers[0]
            );
        }
    }

    #[test]
    fn metadata_for_all_tenants_names_none() {
        let template = "https://l.example/{claims/tid}/v2.0";
        assert!(is_template_of(
            template,
            "https://l.example/{tenantid}/v2.0"
        ));
        assert!(!is_template_of(
            template,
            &format!("https://l.example/{TENANT}/v2.0")
        ));
        assert!(fits(template, &format!("https://l.example/{TENANT}/v2.0")));
        assert!(!fits(template, "https://l.example/contoso.com/v2.0"));
    }
}
