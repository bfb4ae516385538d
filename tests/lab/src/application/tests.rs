use axum::body::Body;
use axum::http::{Request, StatusCode};
use tower::ServiceExt as _;

use super::*;

fn application() -> Arc<Application> {
    let options = ApplicationOptions {
        base_url: "http://127.0.0.1:9".to_owned(),
        gateway: "http://127.0.0.1:9".to_owned(),
        client_id: "demo".to_owned(),
        client_secret: "secret".to_owned(),
    };
    Arc::new(Application::new(options, Arc::new(Clock::default())).unwrap())
}

async fn answer(app: &Arc<Application>, path: &str, cookies: &str) -> (StatusCode, String) {
    let request = Request::get(path)
        .header(header::COOKIE, cookies)
        .body(Body::empty())
        .unwrap();
    let response = app.clone().router().oneshot(request).await.unwrap();
    let status = response.status();
    let octets = axum::body::to_bytes(response.into_body(), 1 << 20)
        .await
        .unwrap();
    (status, String::from_utf8(octets.to_vec()).unwrap())
}

#[tokio::test]
async fn a_callback_that_this_browser_did_not_begin_is_refused() {
    let app = application();
    for (path, cookies) in [
        ("/cb?code=a&state=b", ""),
        ("/cb?code=a&state=b", "demo_sign_in=x"),
        ("/cb?error=x", ""),
    ] {
        let (status, html) = answer(&app, path, cookies).await;
        assert_eq!(status, StatusCode::BAD_REQUEST);
        assert!(
            html.contains("This browser did not begin this sign-in"),
            "{html}"
        );
    }
}

#[tokio::test]
async fn nobody_is_signed_in_at_first() {
    let (status, html) = answer(&application(), "/", "demo_session=forged").await;
    assert_eq!(status, StatusCode::OK);
    assert!(html.contains("href=\"/sign-in\""), "{html}");
}

#[tokio::test]
async fn a_browser_at_another_name_of_this_machine_is_sent_to_the_one_that_is_registered() {
    let request = Request::get("/sign-in?login_hint=a")
        .header(header::HOST, "localhost:9")
        .body(Body::empty())
        .unwrap();
    let response = application().router().oneshot(request).await.unwrap();
    assert_eq!(
        response.headers()[header::LOCATION],
        "http://127.0.0.1:9/sign-in?login_hint=a"
    );
}
