use super::*;
use crate::op::testing::{CHALLENGE, application, parameters, public_application};

const CALLBACK: &str = "redirect_uri=https%3A%2F%2Fapp.test%2Fcb";

fn sound() -> String {
    format!("client_id=web&{CALLBACK}&response_type=code&scope=openid+email&state=s1")
}

fn page(application: &Application, raw: &str) -> Refusal {
    match validate(application, &parameters(raw)) {
        Err(Rejected::Page(refusal)) => refusal,
        other => panic!("{raw}: {other:?}"),
    }
}

fn refused(application: &Application, raw: &str) -> (ReturnTo, Refusal) {
    match validate(application, &parameters(raw)) {
        Err(Rejected::Redirect(return_to, refusal)) => (return_to, refusal),
        other => panic!("{raw}: {other:?}"),
    }
}

fn with(extra: &str) -> Refusal {
    refused(&application(), &format!("{}&{extra}", sound())).1
}

#[test]
fn a_sound_request_is_read_whole() {
    let raw = format!(
        "{}&nonce=n&code_challenge={CHALLENGE}&code_challenge_method=S256&prompt=login&max_age=0&acr_values=a++b\
         &ui_locales=de&login_hint=ada%40acme.test&connection_id=conn_1&org_code=org_1&response_mode=query&scope2=x",
        sound()
    );
    let request = validate(&application(), &parameters(&raw)).expect("accepted");
    assert_eq!(request.redirect_uri, "https://app.test/cb");
    assert_eq!(request.state.as_deref(), Some("s1"));
    assert_eq!(request.nonce.as_deref(), Some("n"));
    assert_eq!(request.scope, ["openid", "email"]);
    assert_eq!(request.code_challenge.as_deref(), Some(CHALLENGE));
    assert_eq!(request.max_age, Some(0));
    assert_eq!(request.acr_values, ["a", "b"]);
    assert_eq!(request.login_hint.as_deref(), Some("ada@acme.test"));
    assert_eq!(request.connection_id.as_deref(), Some("conn_1"));
    assert_eq!(request.org_code.as_deref(), Some("org_1"));
}

#[test]
fn unknown_scopes_are_ignored_and_openid_is_required() {
    let raw = sound().replace("openid+email", "openid+offline+openid+x");
    assert_eq!(
        validate(&application(), &parameters(&raw))
            .expect("accepted")
            .scope,
        ["openid"]
    );
    for scope in ["email", "", "openidx", "OpenID"] {
        let raw = sound().replace("openid+email", scope);
        assert_eq!(
            refused(&application(), &raw).1,
            OpRefusal::OpenidScopeMissing,
            "{scope}"
        );
    }
}

#[test]
fn a_redirect_uri_that_is_not_exactly_registered_gets_a_page() {
    for uri in [
        "https://app.test/cb/",
        "https://app.test/CB",
        "https://APP.test/cb",
        "http://app.test/cb",
        "https://app.test/cb/../cb",
        "https://app.test/cb?x",
        "https://app.test:443/cb",
        "https://app.test/cb%23",
        "https://app.test/c%62",
        "https://app.test",
        "https://app.test.evil.test/cb",
        "https://app.test@evil.test/cb",
        "//app.test/cb",
        "https://app.test/cb#",
        " https://app.test/cb",
    ] {
        let encoded: String = url::form_urlencoded::byte_serialize(uri.as_bytes()).collect();
        let raw = format!("client_id=web&redirect_uri={encoded}&response_type=code&scope=openid");
        assert_eq!(
            page(&application(), &raw),
            OpRefusal::RedirectUriMismatch,
            "{uri}"
        );
    }
}

#[test]
fn a_missing_or_doubled_redirect_uri_gets_a_page() {
    assert_eq!(
        page(&application(), "client_id=web&response_type=code"),
        OpRefusal::ParameterMissing
    );
    let doubled = format!("{}&redirect_uri=https%3A%2F%2Fevil.test", sound());
    assert_eq!(page(&application(), &doubled), OpRefusal::ParameterRepeated);
}

#[test]
fn a_missing_or_doubled_client_id_gets_a_page() {
    for (raw, leaf) in [
        ("x=1", OpRefusal::ParameterMissing),
        ("client_id=", OpRefusal::ParameterMissing),
        ("client_id=a&client_id=b", OpRefusal::ParameterRepeated),
    ] {
        match client_id(&parameters(raw)) {
            Err(Rejected::Page(refusal)) => assert_eq!(refusal, leaf, "{raw}"),
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn a_dangerous_uri_is_not_followed_even_if_it_was_registered() {
    let uri = "javascript:alert(1)";
    let application = Application {
        redirect_uris: vec![uri.into()],
        ..application()
    };
    let raw = format!("client_id=web&redirect_uri={uri}&response_type=code&scope=openid");
    assert_eq!(page(&application, &raw), OpRefusal::RedirectUriMismatch);
}

#[test]
fn a_state_that_is_doubled_or_split_is_refused_without_sending_it_back() {
    for (raw, leaf) in [
        (
            format!("{}&state=s2", sound()),
            OpRefusal::ParameterRepeated,
        ),
        (
            sound().replace("state=s1", "state=a%0d%0aX:b"),
            OpRefusal::ParameterMalformed,
        ),
        (
            sound().replace(
                "state=s1",
                &format!("state={}", "x".repeat(STATE_BYTES + 1)),
            ),
            OpRefusal::ParameterTooLong,
        ),
    ] {
        let (return_to, refusal) = refused(&application(), &raw);
        assert_eq!(refusal, leaf);
        assert_eq!(return_to.state, None);
    }
}

#[test]
fn tokens_in_the_browser_are_not_offered() {
    for response_type in [
        "token",
        "id_token",
        "code+id_token",
        "code+token",
        "none",
        "CODE",
    ] {
        let raw = sound().replace(
            "response_type=code",
            &format!("response_type={response_type}"),
        );
        assert_eq!(
            refused(&application(), &raw).1,
            OpRefusal::ResponseTypeUnsupported,
            "{response_type}"
        );
    }
    let raw = sound().replace("response_type=code", "");
    assert_eq!(refused(&application(), &raw).1, OpRefusal::ParameterMissing);
    for mode in ["fragment", "form_post", "query.jwt", "web_message"] {
        assert_eq!(
            with(&format!("response_mode={mode}")),
            OpRefusal::ResponseModeUnsupported,
            "{mode}"
        );
    }
}

#[test]
fn request_objects_and_self_registration_are_not_read() {
    assert_eq!(with("request=eyJ"), OpRefusal::RequestObjectUnsupported);
    assert_eq!(
        with("request=a&request=b"),
        OpRefusal::RequestObjectUnsupported
    );
    assert_eq!(
        with("request_uri=http%3A%2F%2F169.254.169.254%2F"),
        OpRefusal::RequestUriUnsupported
    );
    assert_eq!(
        with("registration=%7B%7D"),
        OpRefusal::RegistrationUnsupported
    );
}

#[test]
fn a_public_client_must_send_a_challenge() {
    let raw = sound().replace("client_id=web", "client_id=spa");
    assert_eq!(
        refused(&public_application(), &raw).1,
        OpRefusal::PkceRequired
    );
    let raw = format!("{raw}&code_challenge={CHALLENGE}&code_challenge_method=S256");
    assert!(validate(&public_application(), &parameters(&raw)).is_ok());
}

#[test]
fn pkce_cannot_be_downgraded() {
    assert_eq!(with("code_challenge_method=S256"), OpRefusal::PkceRequired);
    assert_eq!(
        with(&format!("code_challenge={CHALLENGE}")),
        OpRefusal::PkceMethodUnsupported
    );
    for method in ["plain", "s256", "S512", "none"] {
        let extra = format!("code_challenge={CHALLENGE}&code_challenge_method={method}");
        assert_eq!(with(&extra), OpRefusal::PkceMethodUnsupported, "{method}");
    }
    for challenge in [
        "short",
        &format!("{CHALLENGE}="),
        &CHALLENGE.replace('-', "%2B"),
    ] {
        let extra = format!("code_challenge={challenge}&code_challenge_method=S256");
        assert_eq!(
            with(&extra),
            OpRefusal::PkceChallengeMalformed,
            "{challenge}"
        );
    }
}

#[test]
fn no_page_is_asked_for_means_login_required_once_the_request_is_sound() {
    assert_eq!(with("prompt=none"), OpRefusal::LoginRequired);
    assert_eq!(with("prompt=none&max_age=x"), OpRefusal::ParameterMalformed);
}

#[test]
fn prompts_are_known_words_and_none_stands_alone() {
    for prompt in ["none+login", "login+none", "Login", "loginx"] {
        assert_eq!(
            with(&format!("prompt={prompt}")),
            OpRefusal::ParameterMalformed,
            "{prompt}"
        );
    }
    let raw = format!("{}&prompt=login+consent", sound());
    let request = validate(&application(), &parameters(&raw)).expect("accepted");
    assert_eq!(request.prompt.as_deref(), Some("login consent"));
}

#[test]
fn max_age_is_a_whole_number_of_seconds() {
    for max_age in [
        "-1",
        "%2B1",
        "1.5",
        "99999999999999999999",
        "4294967295",
        "x",
        "0x10",
        "1+",
    ] {
        assert_eq!(
            with(&format!("max_age={max_age}")),
            OpRefusal::ParameterMalformed,
            "{max_age}"
        );
    }
}

#[test]
fn every_value_has_a_longest() {
    for name in [
        "nonce",
        "login_hint",
        "ui_locales",
        "connection_id",
        "org_code",
        "acr_values",
        "prompt",
    ] {
        let extra = format!("{name}={}", "x".repeat(SCOPE_BYTES + 1));
        assert_eq!(with(&extra), OpRefusal::ParameterTooLong, "{name}");
    }
    assert_eq!(
        with(&format!("acr_values={}", "a+".repeat(MOST_ACR_VALUES + 1))),
        OpRefusal::ParameterTooLong
    );
}

#[test]
fn an_application_for_client_credentials_signs_nobody_in() {
    let application = Application {
        grant_types: vec!["client_credentials".into()],
        ..application()
    };
    assert_eq!(
        refused(&application, &sound()).1,
        OpRefusal::GrantTypeNotAllowed
    );
}
