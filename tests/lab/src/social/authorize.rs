//! The authorization endpoints, and their one login page.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::{Form, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Redirect, Response};
use serde_json::json;
use url::Url;

use super::facts::Pkce;
use super::{Grant, Lie, PERSONALITIES, Personality, Social};
use crate::oidc_op::random_text;
use crate::page::{self, AutoPost, LoginPage};
use crate::person;

/// What the login form carries along.
const CARRIED: [&str; 8] = [
    "at",
    "client_id",
    "redirect_uri",
    "response_mode",
    "state",
    "nonce",
    "code_challenge",
    "response_type",
];

type Fields = BTreeMap<String, String>;

pub(super) fn ask(lab: &Social, personality: &'static Personality, query: &str) -> Response {
    // Blanks are %20: some of them read a plus as a plus.
    let plus = query.contains('+');
    let mut fields: Fields = url::form_urlencoded::parse(query.as_bytes())
        .into_owned()
        .collect();
    fields.insert("at".to_owned(), personality.authorize.to_owned());
    let problem = plus
        .then_some("a blank that is a plus")
        .or_else(|| problem(lab, personality, &fields));
    match problem {
        Some(problem) => page::message(StatusCode::BAD_REQUEST, "This request is refused", problem),
        None => show(lab, personality, &fields, false),
    }
}

pub(super) async fn login(State(lab): State<Arc<Social>>, Form(fields): Form<Fields>) -> Response {
    let found = PERSONALITIES
        .iter()
        .find(|one| one.authorize == value(&fields, "at"));
    let Some(personality) = found else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let people = &lab.options.people;
    let found = person::find(
        people,
        value(&fields, "person"),
        value(&fields, "email"),
        value(&fields, "password"),
    );
    let Some(person) = found else {
        return show(&lab, personality, &fields, true);
    };
    let lie = Lie::named(value(&fields, "lie"));
    let code = random_text();
    lab.grants.keep(Grant {
        personality,
        code: Some(code.clone()).filter(|_| lie != Lie::UsedCode),
        access_token: random_text(),
        redirect_uri: value(&fields, "redirect_uri").to_owned(),
        nonce: stated(&fields, "nonce"),
        code_challenge: stated(&fields, "code_challenge"),
        person: person.clone(),
        lie,
    });
    leave(personality, &fields, lie, &code, person)
}

fn problem(lab: &Social, personality: &Personality, fields: &Fields) -> Option<&'static str> {
    let challenge = fields.contains_key("code_challenge");
    let demanded = |(name, wanted): &(&str, &str)| value(fields, name) == *wanted;
    let scope = value(fields, "scope");
    let scopes: Vec<&str> = personality
        .scope
        .split(' ')
        .filter(|one| !one.is_empty())
        .collect();
    let has_scopes = scopes
        .iter()
        .all(|one| scope.split(' ').any(|other| other == *one));
    if value(fields, "client_id") != lab.options.client_id {
        Some("the client is not known")
    } else if value(fields, "response_type") != "code" {
        Some("only response_type=code is served")
    } else if personality.pkce == Pkce::Refused && challenge {
        Some("code_challenge is not known")
    } else if personality.pkce == Pkce::Demanded && !challenge {
        Some("code_challenge is missing")
    } else if challenge && value(fields, "code_challenge_method") != "S256" {
        Some("only S256 is served")
    } else if !personality.demands.iter().all(demanded) {
        Some("a parameter is missing")
    } else if !has_scopes {
        Some("a scope is missing")
    } else {
        None
    }
}

fn leave(
    personality: &Personality,
    fields: &Fields,
    lie: Lie,
    code: &str,
    person: &crate::person::Person,
) -> Response {
    let mut parameters = vec![("state".to_owned(), value(fields, "state").to_owned())];
    let mut say = |name: &str, value: &str| parameters.push((name.to_owned(), value.to_owned()));
    if lie == Lie::Cancelled {
        say("error", personality.cancelled);
    } else {
        say("code", code);
    }
    match (lie, personality.callback_issuer) {
        (Lie::OtherCallbackIssuer, _) => say("iss", "https://another-issuer.test"),
        (_, Some(issuer)) => say("iss", issuer),
        _ => {}
    }
    let redirect_uri = value(fields, "redirect_uri");
    if value(fields, "response_mode") == "form_post" {
        let name = json!({ "firstName": person.given_name, "lastName": person.family_name });
        // The address here is nobody's word: whoever posts the form can write it.
        let user = json!({ "name": name, "email": "victim@acme.test" });
        say("user", &user.to_string());
        let form = AutoPost {
            action: redirect_uri,
            fields: &parameters,
        };
        return page::respond(StatusCode::OK, &form);
    }
    match Url::parse(redirect_uri) {
        Ok(mut url) => {
            url.query_pairs_mut().extend_pairs(parameters);
            Redirect::to(url.as_str()).into_response()
        }
        Err(_) => StatusCode::BAD_REQUEST.into_response(),
    }
}

fn show(lab: &Social, personality: &Personality, fields: &Fields, wrong: bool) -> Response {
    let carried = CARRIED.map(|name| (name, value(fields, name).to_owned()));
    let lies: Vec<_> = Lie::ALL
        .iter()
        .map(|lie| (lie.name(), lie.label(), *lie == Lie::Honest))
        .collect();
    let page = LoginPage {
        provider: personality.name,
        service: value(fields, "redirect_uri"),
        fields: &carried,
        email: value(fields, "login_hint"),
        wrong,
        people: &lab.options.people,
        lies: &lies,
    };
    let status = if wrong {
        StatusCode::UNAUTHORIZED
    } else {
        StatusCode::OK
    };
    page::respond(status, &page)
}

fn value<'f>(fields: &'f Fields, name: &str) -> &'f str {
    fields.get(name).map_or("", String::as_str)
}

fn stated(fields: &Fields, name: &str) -> Option<String> {
    Some(value(fields, name).to_owned()).filter(|text| !text.is_empty())
}
