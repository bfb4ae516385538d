use super::*;
use crate::wrong::{SCENES, play};

async fn demo() -> Demo {
    Demo::start(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)))
        .await
        .unwrap()
}

fn stage(demo: &Demo) -> Stage {
    Stage {
        app: demo.app.clone(),
        application: demo.application.clone(),
        acme: demo.acme.clone(),
        globex: demo.globex.clone(),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_scene_ends_as_it_says() {
    let demo = demo().await;
    let stage = stage(&demo);
    let mut codes = Vec::new();
    for scene in &SCENES {
        let played = play(&stage, scene).await.unwrap();
        let code = played
            .trace
            .and_then(|trace| trace.code)
            .unwrap_or_default();
        assert_eq!(
            code.is_empty(),
            scene.name == "unverified-email",
            "{}",
            scene.name
        );
        codes.push((scene.name, code));
        if scene.name == "unverified-email" {
            let [alice, mallory] = played.seen.try_into().unwrap();
            assert_eq!((alice.verified, mallory.verified), (true, false));
            assert_eq!(alice.email, mallory.email);
            assert_ne!(alice.subject, mallory.subject);
        }
    }
    let code = |name: &str| {
        codes
            .iter()
            .find(|(scene, _)| *scene == name)
            .unwrap()
            .1
            .as_str()
    };
    assert_eq!(code("wrong-audience"), "saml.audience_mismatch");
    assert_eq!(code("wrong-recipient"), "saml.recipient_mismatch");
    assert_eq!(code("expired"), "saml.expired");
    assert_eq!(code("clock-skew"), "saml.not_yet_valid");
    assert_eq!(code("cancelled"), "saml.status_request_denied");
    assert_eq!(code("unknown-domain"), "route.unknown_domain");
    demo.stop().await.unwrap();
}
