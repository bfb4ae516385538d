//! SimpleSAMLphp gets another key while it runs, and nobody tells the gateway.

use fedgate_tests::counterparts::Signs;
use fedgate_tests::ending::Ending;
use fedgate_tests::login::begin;
use serde_json::json;

use super::{gateway_and_application, saml_connection, sign_in_at_simplesamlphp};

/// Times that its key is replaced.
const ROLLS: usize = 3;
/// Logins after each.
const LOGINS: usize = 4;

#[tokio::test(flavor = "multi_thread")]
async fn simplesamlphp_with_its_key_replaced_while_it_runs_locks_nobody_out() {
    let (gateway, _) = gateway_and_application("").await;
    let idp = saml_connection(&gateway, Signs::Both, json!({})).await;
    let mut signed_in = 0;
    for roll in 0..=ROLLS {
        if roll > 0 {
            idp.replace_key();
            // Later than the last reading counts as this one.
            gateway.app.clock.step(4);
        }
        for _ in 0..LOGINS {
            let mut browser = gateway.browser();
            let asked = [("login_hint", "alice@acme.test")];
            let login = begin(&mut browser, &gateway, &asked).await;
            let page = sign_in_at_simplesamlphp(&mut browser, &login, "alice").await;
            Ending::of(&page).code();
            signed_in += 1;
        }
    }
    println!("{signed_in} logins, {ROLLS} replaced keys, none failed");
}
