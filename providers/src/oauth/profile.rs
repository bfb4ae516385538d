//! From the documents of a login to the one set of claims that the identity is written from: the fields that the spec
//! places, whose account is let in, and what is known of the address.

use serde_json::{Map, Value};

use super::document::{Documents, scalar};
use super::habits::Habits;
use crate::error::Refusal;
use crate::oidc::OidcRefusal;
use crate::oidc::claims::is_subject;
use crate::oidc::mapping::{PLACED, Profile, is_true};
use crate::spec::oauth::{Admission, Authority, Source, Statement};

/// The tenant of Microsoft's personal accounts.
const CONSUMERS: &str = "9188040d-6c67-4c5b-b112-36a304b66dad";

/// Writes the profile. `signed` is what the ID token proved, where there is one.
///
/// # Errors
/// `oidc.subject_missing`, `oidc.account_not_admitted`.
pub(super) fn profile(
    habits: &Habits,
    documents: &Documents,
    signed: Option<Profile>,
    issuer: &str,
) -> Result<Profile, Refusal> {
    let spec = habits.spec();
    for rule in &spec.admits {
        admit(rule, habits, documents)?;
    }
    let unsigned = signed.is_none();
    let mut profile = signed.unwrap_or_else(|| Profile {
        issuer: issuer.to_owned(),
        members: first_answer(habits, documents),
        ..Profile::default()
    });
    if let Some(subject) = subject(habits, documents) {
        profile.subject = subject?;
    }
    let fields = &spec.fields;
    let placed: [(&str, &[Source]); 7] = [
        ("email", &fields.email),
        ("email_verified", &fields.email_verified),
        ("given_name", &fields.given_name),
        ("family_name", &fields.family_name),
        ("name", &fields.name),
        ("picture", &fields.picture),
        ("groups", &fields.groups),
    ];
    for (name, sources) in placed {
        if !sources.is_empty() || unsigned {
            profile.members.shift_remove(name);
        }
        if let Some(value) = documents.first(sources, habits) {
            profile.members.insert(name.to_owned(), value);
        }
    }
    state_address(habits, documents, &mut profile);
    Ok(profile)
}

/// What the first call told, without what has its own place: a profile's `email` is no statement about an address.
fn first_answer(habits: &Habits, documents: &Documents) -> Map<String, Value> {
    let first = habits.spec().calls.first();
    let told = first
        .and_then(|call| documents.document(&call.name))
        .and_then(Value::as_object);
    let others = told
        .into_iter()
        .flatten()
        .filter(|(name, _)| !PLACED.contains(&name.as_str()));
    others
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect()
}

/// The subject by the spec's own rule; `None` where it has none and the ID token's counts.
fn subject(habits: &Habits, documents: &Documents) -> Option<Result<String, Refusal>> {
    let fields = &habits.spec().fields;
    let (rule, found) = match (&fields.subject, &fields.subject_path) {
        (Some(template), _) => (template, documents.fill(template)),
        (None, Some(path)) => {
            let path_of_it = habits.fill(path);
            let found = path_of_it.and_then(|path| scalar(documents.find(&path)?));
            (path, found)
        }
        (None, None) => return None,
    };
    let found = found.map(|subject| {
        if fields.lower_case_subject {
            subject.to_lowercase()
        } else {
            subject
        }
    });
    let sound = found.filter(|subject| is_subject(subject));
    Some(sound.ok_or_else(|| OidcRefusal::SubjectMissing.refuse().expected(rule)))
}

fn admit(rule: &Admission, habits: &Habits, documents: &Documents) -> Result<(), Refusal> {
    if rule
        .when
        .as_ref()
        .is_some_and(|condition| !habits.holds(condition, documents))
    {
        return Ok(());
    }
    let option = rule
        .option
        .as_deref()
        .map_or(&[][..], |name| habits.values(name));
    if rule.one_of.is_empty() && rule.none_of.is_empty() && option.is_empty() {
        return Ok(());
    }
    let found = documents.find(&rule.value).and_then(as_text);
    let among = |list: &[String]| {
        found
            .as_ref()
            .is_some_and(|found| list.iter().any(|one| one.eq_ignore_ascii_case(found)))
    };
    let admitted = found.is_some()
        && (rule.one_of.is_empty() || among(&rule.one_of))
        && (option.is_empty() || among(option))
        && !among(&rule.none_of);
    if admitted {
        return Ok(());
    }
    let expected = [&rule.one_of[..], option].concat().join(" | ");
    let expected = if expected.is_empty() {
        format!("not {}", rule.none_of.join(" | "))
    } else {
        expected
    };
    Err(OidcRefusal::AccountNotAdmitted
        .refuse()
        .expected(expected)
        .found(found.as_deref().unwrap_or("nothing"))
        .detail(&rule.value))
}

fn as_text(value: &Value) -> Option<String> {
    value
        .as_bool()
        .map(|flag| flag.to_string())
        .or_else(|| scalar(value))
}

/// Puts what is known of the address where the identity is written from.
fn state_address(habits: &Habits, documents: &Documents, profile: &mut Profile) {
    let trust = &habits.spec().email;
    let counts = trust
        .only_when
        .as_ref()
        .is_none_or(|condition| habits.holds(condition, documents));
    let statement = if counts {
        statement(trust.verified, documents, &profile.members)
    } else {
        Some(false)
    };
    profile.authoritative = match trust.authoritative {
        Authority::Never => false,
        Authority::GmailOrHostedDomain => {
            let address = profile.members.get("email").and_then(Value::as_str);
            let at_gmail =
                address.is_some_and(|address| address.to_ascii_lowercase().ends_with("@gmail.com"));
            at_gmail || documents.find("claims/hd").is_some_and(Value::is_string)
        }
    };
    match statement {
        Some(verified) => profile
            .members
            .insert("email_verified".to_owned(), verified.into()),
        None => profile.members.shift_remove("email_verified"),
    };
}

fn statement(rule: Statement, documents: &Documents, members: &Map<String, Value>) -> Option<bool> {
    let claimed = members.get("email_verified").and_then(is_true);
    // `xms_edov` comes as true, "true", 1 or "1"; what is there and is none of them says no.
    let owner = documents
        .find("claims/xms_edov")
        .map(|value| is_true(value) == Some(true));
    match rule {
        Statement::Claim => claimed,
        Statement::Confirmed => Some(true),
        Statement::Never => Some(false),
        Statement::Unstated => None,
        Statement::DomainOwner => {
            let personal = documents.find("claims/tid").and_then(Value::as_str) == Some(CONSUMERS);
            Some(owner.unwrap_or(personal))
        }
        Statement::Directory => {
            let is_guest = documents
                .find("claims/acct")
                .is_some_and(|acct| is_true(acct) == Some(true))
                || documents.find("claims/idp").is_some();
            if is_guest { Some(false) } else { owner }
        }
    }
}
