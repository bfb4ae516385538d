//! A replica is killed while logins run; the other one goes on.

use std::net::SocketAddr;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use fedgate_test_servers::redis::Redis;
use fedgate_tests::balancer::Balancer;
use fedgate_tests::ending::Ending;
use fedgate_tests::gateway::{REDIRECT_URI, configuration};
use fedgate_tests::login::{begin, saml_response};
use fedgate_tests::process::{Process, free_address};
use fedgate_tests::replicas::{becomes, login, redeem};
use fedgate_tests::upstream::{ALICE, SamlUpstream};
use serde_json::json;

fn replica(folder: &Path, file: &str, address: SocketAddr, public_url: &str) -> Process {
    let text = configuration(&address.to_string(), REDIRECT_URI, "");
    let file = folder.join(file);
    std::fs::write(&file, text).expect("a configuration");
    let mut command = Command::new(env!("CARGO_BIN_EXE_fedgate-crashing"));
    command
        .args(["serve", "--config", &file.display().to_string()])
        .env("FEDGATE_SERVER__PUBLIC_URL", public_url)
        .env("FEDGATE_EPHEMERAL__URL", Redis::shared_url())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    Process::start(command, address)
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_killed_replica_began_is_finished_by_the_other() {
    let folder = tempfile::tempdir().expect("a folder");
    let balancer = Balancer::start().await;
    let gateway = balancer.choose(0).clone();
    let addresses = [free_address(), free_address()];
    let start = |number: usize| {
        let file = format!("replica{number}.toml");
        replica(folder.path(), &file, addresses[number], &gateway.base)
    };
    let _surviving = start(0);
    let mut killed = start(1);
    let bases = addresses.map(|address| format!("http://{address}"));
    balancer.serve(&[&bases[0], &bases[1]]);
    let idp = SamlUpstream::start().await;
    let connection = idp.connect(&gateway, json!({})).await;
    balancer.choose(1);
    let mut logins = Vec::new();
    for _ in 0..6 {
        let mut browser = gateway.browser();
        let page = begin(&mut browser, &gateway, &[("connection_id", &connection.id)]).await;
        let form = saml_response(&mut browser, &page, ALICE, "").await;
        logins.push((browser, form));
    }
    let kept = login(&gateway, &connection.id, ALICE).await.code();
    // Its answers to some of them are lost with it.
    let posts: Vec<_> = logins
        .iter()
        .map(|(browser, form)| {
            let (mut browser, form) = (browser.clone(), form.clone());
            tokio::spawn(async move { browser.try_submit(&form, &[]).await.is_some() })
        })
        .collect();
    tokio::task::yield_now().await;
    killed.kill();
    for post in posts {
        post.await.expect("an end");
    }
    balancer.choose(0);
    assert_eq!(redeem(&gateway, &kept).await.0, 200);
    for (browser, form) in &mut logins {
        match Ending::of(&browser.submit(form, &[]).await) {
            Ending::SignedIn { code } => {
                assert_eq!(redeem(&gateway, &code).await.0, 200);
                assert_eq!(redeem(&gateway, &code).await.1, "op.code_replayed");
            }
            other => assert_eq!(other.refused().code, "people.login_replayed"),
        }
    }
    assert_eq!(redeem(&gateway, &kept).await.1, "op.code_replayed");
    let _again = start(1);
    balancer.choose(1);
    becomes(Duration::from_secs(5), "it is back", async || {
        matches!(
            login(&gateway, &connection.id, ALICE).await,
            Ending::SignedIn { .. }
        )
    })
    .await;
}
