//! What is brought back: wrong, too large, hostile, uploaded, pasted.

use super::*;

async fn google(gateway: &Gateway) -> Administrator {
    let id = draft(gateway, "saml:google", json!({})).await;
    Administrator::of(gateway, &id).await
}

#[tokio::test(flavor = "multi_thread")]
async fn each_problem_is_tied_to_the_field_that_was_used() {
    let gateway = Gateway::start().await;
    let mut it = google(&gateway).await;
    let nobody = "http://127.0.0.1:9/metadata";
    let deep = format!("{}{}", "<a>".repeat(10_000), "</a>".repeat(10_000));
    let bomb = "<!DOCTYPE x [<!ENTITY a \"aaaaaaaaaa\"><!ENTITY b \"&a;&a;&a;&a;\">]><x>&b;</x>";
    let weak = Document {
        certificates: vec!["AAAA".into()],
        ..Document::default()
    }
    .xml();
    let old = Document {
        attributes: "validUntil=\"2020-01-01T00:00:00Z\"".into(),
        ..Document::default()
    }
    .xml();
    let soap = Document {
        binding: "SOAP",
        ..Document::default()
    }
    .xml();
    #[rustfmt::skip]
    let cases = [
        ("metadata_url", "", "metadata_file", "connection.metadata_missing"),
        ("metadata_url", "not a URL", "metadata_url", "connection.option_url"),
        ("metadata_url", "ftp://idp.example/", "metadata_url", "connection.option_url"),
        ("metadata_url", nobody, "metadata_url", "egress.unreachable"),
        ("metadata_xml", "<x/>", "metadata_xml", "metadata.not_metadata"),
        ("metadata_xml", deep.as_str(), "metadata_xml", "metadata.not_xml"),
        ("metadata_xml", bomb, "metadata_xml", "metadata.not_xml"),
        ("metadata_xml", weak.as_str(), "metadata_xml", "metadata.certificate_unusable"),
        ("metadata_xml", old.as_str(), "metadata_xml", "metadata.expired"),
        ("metadata_xml", soap.as_str(), "metadata_xml", "metadata.sso_missing"),
    ];
    for (field, value, tied, expected) in cases {
        let page = it.save(&[(field, value)]).await;
        assert_eq!(
            (page.status.as_u16(), code(&page).as_str()),
            (422, expected),
            "{value:.60}"
        );
        let described = page.attribute(&format!("#{tied}"), "aria-describedby");
        assert_eq!(described, Some(format!("{tied}-problem")), "{value:.60}");
        if field == tied {
            let kept = match field {
                "metadata_xml" => page.text("#metadata_xml"),
                _ => page.attribute("#metadata_url", "value"),
            };
            assert_eq!(kept.as_deref(), Some(value), "what was typed stays");
        }
        assert_eq!(it.state().await, INCOMPLETE, "nothing of it is saved");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_is_read_with_and_without_a_byte_order_mark() {
    let gateway = Gateway::start().await;
    for prefix in ["", "\u{feff}", "\r\n"] {
        let mut it = google(&gateway).await;
        let xml = format!("{prefix}{}", Document::default().xml());
        let page = it.upload(xml.as_bytes()).await;
        assert_eq!(state(&page), UNTESTED, "{}", page.body);
        has(&page, "https://idp.example");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_is_none_is_refused() {
    let gateway = Gateway::start().await;
    let mut it = google(&gateway).await;
    let sound = Document::default().xml();
    let wide: Vec<u8> = sound.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let three: Vec<u8> = b"<a>".repeat(1_000_000);
    #[rustfmt::skip]
    let cases: [(&[u8], &str); 5] = [
        (b"", "connection.metadata_missing"),
        (b"\xff\xfe\x00", "setup.upload_unreadable"),
        (&wide, "setup.upload_unreadable"),
        (b"%PDF-1.7", "metadata.not_xml"),
        (&three, "setup.upload_too_large"),
    ];
    for (file, expected) in cases {
        let page = it.upload(file).await;
        assert_eq!(
            (page.status.as_u16(), code(&page).as_str()),
            (422, expected)
        );
        let described = page.attribute("#metadata_file", "aria-describedby");
        assert_eq!(described.as_deref(), Some("metadata_file-problem"));
    }
    let four: Vec<u8> = b"<a>".repeat(1_400_000);
    assert_eq!(code(&it.upload(&four).await), "setup.upload_too_large");
    assert_eq!(it.state().await, INCOMPLETE);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_way_replaces_the_other() {
    let (gateway, _upstream, mut it) = saml(json!({})).await;
    let page = it
        .save(&[("metadata_xml", &Document::default().xml())])
        .await;
    assert_eq!(state(&page), UNTESTED, "{}", page.body);
    let path = format!("/api/v1/connections/{}", it.id);
    let options = |answer: Value| answer["connection"]["options"].clone();
    let after = options(gateway.api(Method::GET, &path, None).await.1);
    assert!(
        after["saml_idp_metadata_url"].is_null() && after["saml_idp_metadata_xml"].is_string(),
        "{after}"
    );
    has(&page, "https://idp.example");
    assert_eq!(
        page.attribute("#metadata_url", "value").as_deref(),
        Some("")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hostile_name_is_shown_as_text() {
    let gateway = Gateway::start().await;
    let body = json!({"name": "x", "display_name": "<script>alert(1)</script>", "strategy": "saml:google", "status": "draft"});
    let created = gateway.create_connection(body).await;
    let id = created["id"].as_str().expect("an id");
    let mut it = Administrator::of(&gateway, id).await;
    let document = Document {
        entity_id: "urn:&lt;script>alert(2)&lt;/script>&#x202e;".into(),
        ..Document::default()
    };
    let page = it.upload(document.xml().as_bytes()).await;
    assert_eq!(state(&page), UNTESTED, "{}", page.body);
    assert!(!page.body.contains("<script>alert"), "{}", page.body);
    has(&page, "&#60;script&#62;alert(1)");
    has(&page, "&#60;script&#62;alert(2)");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_is_told_in_the_outbox_and_a_connection_in_use_is_not_changed() {
    let (gateway, _upstream, mut it) = saml(json!({})).await;
    let told = |kind: &str| {
        let (store, kind) = (gateway.app.store.clone(), kind.to_owned());
        async move {
            let events = store.waiting_events(100).await.expect("events");
            events
                .into_iter()
                .filter(|event| event.kind == kind)
                .count()
        }
    };
    assert_eq!(told("connection.updated").await, 1);
    let form = it.page().await.form_to(&it.path);
    assert_eq!(state(&it.test(ALICE, "").await), TESTED);
    it.activate().await;
    assert_eq!(told("connection.activated").await, 1);
    for (form, values) in [(form, [("metadata_xml", "<x/>")])] {
        let page = it.browser.submit(&form, &values).await;
        assert_eq!(
            (page.status.as_u16(), code(&page).as_str()),
            (422, "setup.not_draft")
        );
        assert_eq!(state(&page), ACTIVE);
    }
}
