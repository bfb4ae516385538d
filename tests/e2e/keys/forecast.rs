//! What ends is foretold by the days to an outage, and told once.

use fedgate_tests::command::run;
use fedgate_tests::exposition;
use fedgate_tests::gateway::{Gateway, Place, client};
use fedgate_tests::replicas::becomes;
use fedgate_tests::upstream::SamlUpstream;
use reqwest::Method;
use serde_json::{Value, json};

use super::{DAY, SOON};

const CERTIFICATES: &str = "/api/v1/certificates";
const LOOKS: &str = "[limits]\nforecast_seconds = 1\n";

async fn table(gateway: &Gateway, query: &str) -> Vec<Value> {
    let (status, answer) = gateway
        .api(Method::GET, &format!("{CERTIFICATES}{query}"), None)
        .await;
    assert_eq!(status, 200, "{answer}");
    answer["certificates"].as_array().expect("rows").clone()
}

/// The days that were told so far.
async fn told(gateway: &Gateway) -> Vec<i64> {
    let events = gateway.app.store.waiting_events(100).await.expect("events");
    let expiring = events
        .iter()
        .filter(|event| event.kind == "certificate.expiring");
    expiring
        .map(|event| event.payload["days_to_outage"].as_i64().expect("days"))
        .collect()
}

/// The ids of what was told.
async fn events(gateway: &Gateway) -> Vec<i64> {
    let events = gateway.app.store.waiting_events(100).await.expect("events");
    let expiring = events
        .iter()
        .filter(|event| event.kind == "certificate.expiring");
    expiring.map(|event| event.id).collect()
}

/// The day so many days from now.
fn day(gateway: &Gateway, days: i64) -> String {
    let at = gateway.app.clock.now().as_second() + days * DAY;
    let at = fedgate_certs::Timestamp::from_second(at)
        .expect("a time")
        .to_string();
    at.split('T').next().expect("a day").to_owned()
}

async fn oauth(gateway: &Gateway, expires: &str) -> String {
    let options =
        json!({ "client_id": "c", "client_secret": "s", "client_secret_expires_at": expires });
    let body = json!({ "name": "Hub", "strategy": "oauth2:github", "options": options });
    let created = gateway.create_connection(body).await;
    assert_eq!(created["status"], "active", "{created}");
    created["id"].as_str().expect("an id").to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_secret_that_ends_is_told_at_each_number_of_days_once() {
    let mut gateway = Gateway::at(Place::fresh(), LOOKS, &[]).await;
    let id = oauth(&gateway, &day(&gateway, 70)).await;
    let rows = table(&gateway, "?within_days=100").await;
    assert_eq!(rows.len(), 1, "{rows:?}");
    let row = &rows[0];
    assert_eq!(
        (&row["kind"], &row["connection_id"], &row["outlook"]),
        (&json!("client_secret"), &json!(id), &json!("expires"))
    );
    assert_eq!(told(&gateway).await, Vec::<i64>::new());
    let mut expected = Vec::new();
    for (step, days) in [(12, 60), (30, 30), (22, 7), (6, 1)] {
        gateway.app.clock.step(step * DAY);
        expected.push(days);
        becomes(SOON, "it is told", async || {
            told(&gateway).await.len() == expected.len()
        })
        .await;
        assert!(*told(&gateway).await.last().expect("days") <= days);
    }
    // Another start, another look: nothing is told again.
    let metrics = client()
        .get(format!("{}/metrics", gateway.base))
        .send()
        .await;
    let metrics = metrics.expect("an answer").text().await.expect("text");
    let samples = exposition::read(&metrics).expect("samples");
    let name = "fedgate_certificate_outage_timestamp_seconds";
    assert!(
        samples.iter().any(|sample| sample.name == name),
        "{metrics}"
    );
    let last = events(&gateway).await.into_iter().max();
    gateway.restart().await;
    gateway.app.clock.step(70 * DAY);
    becomes(SOON, "it was looked at", async || {
        !gateway.app.forecasts.last().is_empty()
    })
    .await;
    tokio::time::sleep(std::time::Duration::from_millis(1500)).await;
    // Old ones may have been swept away meanwhile.
    let newest = events(&gateway).await.into_iter().max();
    assert!(newest <= last, "{newest:?}, {last:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_command_and_the_api_show_one_table_with_everything_that_ends() {
    let gateway = Gateway::at(Place::File, "", &[]).await;
    let idp = SamlUpstream::start().await;
    let connection = idp.connect(&gateway, json!({})).await;
    oauth(&gateway, &day(&gateway, 10)).await;
    let rows = table(&gateway, "").await;
    let of = |kind: &str| {
        rows.iter()
            .filter(|row| row["kind"] == kind)
            .collect::<Vec<_>>()
    };
    assert_eq!(of("key").len(), 4, "{rows:?}");
    assert!(
        of("key")
            .iter()
            .all(|row| row["outlook"] == "rotates_itself" && row["outage_at"].is_null())
    );
    let of_idp = of("idp_certificate");
    assert_eq!(of_idp[0]["connection_id"], json!(connection.id));
    assert_eq!(rows[0]["kind"], "client_secret");
    let ran = run(gateway.folder(), &["certs", "list"], &[]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert_eq!(ran.stdout.lines().count(), rows.len() + 1, "{ran:?}");
    for row in &rows {
        assert!(
            ran.stdout.contains(row["name"].as_str().expect("a name")),
            "{row}"
        );
    }
    let near = run(gateway.folder(), &["certs", "list", "--within", "30"], &[]);
    assert_eq!(near.stdout.lines().count(), 2, "{near:?}");
}
