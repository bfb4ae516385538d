//! Sign-out as browsers and identity providers meet it.

use fedgate_tests::gateway::Gateway;

#[tokio::test]
async fn single_logout_says_that_it_is_not_offered() {
    let gateway = Gateway::start().await;
    let address = format!(
        "{}/saml/conn_00000000000000000000000000000000/slo",
        gateway.base
    );
    let page = gateway.browser().open(&address).await;
    assert_eq!(page.status, 400);
    assert!(
        page.body.contains("logout.single_logout_unsupported"),
        "{}",
        page.body
    );
}
