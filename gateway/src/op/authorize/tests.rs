use http::header::LOCATION;

use super::*;
use crate::op::testing::{CHALLENGE, Parts, grant, rng, site};

async fn page(raw: Result<&str, Refusal>) -> Refusal {
    match read(&Parts::new().await.context(), raw).await {
        Err(Rejected::Page(refusal)) => refusal,
        other => panic!("{other:?}"),
    }
}

fn location(response: &Response) -> &str {
    response.headers()[LOCATION].to_str().expect("ASCII")
}

#[tokio::test]
async fn a_request_of_a_registered_application_is_read() {
    let raw = format!(
        "client_id=spa&redirect_uri=https%3A%2F%2Fapp.test%2Fcb&response_type=code&scope=openid\
         &code_challenge={CHALLENGE}&code_challenge_method=S256"
    );
    let request = read(&Parts::new().await.context(), Ok(&raw))
        .await
        .expect("accepted");
    assert_eq!(request.client_id, "spa");
}

#[tokio::test]
async fn an_unknown_client_gets_a_page_and_never_a_redirect() {
    for client in ["nobody", "WEB", "web%20", "%27%20OR%201%3D1"] {
        let raw = format!(
            "client_id={client}&redirect_uri=https%3A%2F%2Fapp.test%2Fcb&response_type=code"
        );
        assert_eq!(page(Ok(&raw)).await, OpRefusal::ClientUnknown, "{client}");
    }
}

#[tokio::test]
async fn a_huge_or_unreadable_request_gets_a_page() {
    assert_eq!(
        page(Ok(&"a".repeat(8 * 1024 + 1))).await,
        OpRefusal::RequestTooLarge
    );
    assert_eq!(page(Ok("client_id=%ff")).await, OpRefusal::RequestMalformed);
    assert_eq!(
        page(Err(OpRefusal::RequestMalformed.into())).await,
        OpRefusal::RequestMalformed
    );
}

#[tokio::test]
async fn the_answer_carries_code_state_and_issuer() {
    let parts = Parts::new().await;
    let response = answer(
        &parts.context(),
        &grant(),
        &Code::presented("c1"),
        &mut rng(),
    )
    .await
    .expect("kept");
    assert_eq!(
        location(&response),
        "https://app.test/cb?code=c1&state=the+state&iss=https%3A%2F%2Flogin.test"
    );
}

#[test]
fn a_refusal_goes_back_with_its_code_state_and_issuer() {
    let to = ReturnTo {
        redirect_uri: "https://app.test/cb?tenant=1".into(),
        state: Some("s".into()),
    };
    let response = refused(&site(), &to, &OpRefusal::LoginRequired.into());
    assert_eq!(
        location(&response),
        "https://app.test/cb?tenant=1&error=login_required\
         &error_description=op.login_required%3A+You+have+to+sign+in+to+continue.&state=s&iss=https%3A%2F%2Flogin.test"
    );
}

#[test]
fn the_way_back_on_a_page_is_the_one_of_a_redirect() {
    let request = grant().request;
    let response = error_redirect(&site(), &request, "access_denied", "people.x: No.");
    assert_eq!(
        location(&response),
        error_location(&site(), &request, "access_denied", "people.x: No.")
    );
}

#[test]
fn a_description_holds_only_what_the_standard_allows() {
    let description = "a.b: “Says\r\n\"\\é” so.";
    let location = error_location(&site(), &grant().request, "access_denied", description);
    assert!(
        location.contains("error_description=a.b%3A+Says+so.&state="),
        "{location}"
    );
}
