use super::*;

#[tokio::test]
async fn a_complete_connection_is_active_at_once() {
    let gateway = Gateway::open().await;
    let answer = gateway
        .create(json!({
            "name": "okta", "display_name": "Sign in with Okta", "strategy": "saml:okta",
            "enabled_applications": ["app"],
            "options": { "saml_entity_id": "abc", "saml_idp_metadata_xml": metadata("https://idp.example.com"),
                "home_realm_domains": ["@Example.com"] },
        }))
        .await;
    assert_eq!(
        (answer.status, &answer.json["code"]),
        (StatusCode::CREATED, &json!("OK")),
        "{}",
        answer.text
    );
    let created = &answer.json["connection"];
    let base = format!("https://login.example.com/saml/{}", answer.id());
    assert_eq!(created["status"], "active");
    assert_eq!(created["missing"], json!([]));
    let setup = json!({ "acs_url": format!("{base}/acs"), "sp_entity_id": "abc", "metadata_url": format!("{base}/metadata"),
        "redirect_uri": null, "logout_url": format!("{base}/slo") });
    assert_eq!(created["setup"], setup);

    let read = gateway.read(answer.id()).await;
    assert_eq!(
        (&read["name"], &read["strategy"]),
        (&json!("okta"), &json!("saml:okta"))
    );
    assert_eq!(read["enabled_applications"], json!(["app"]));
    assert_eq!(
        read["options"]["home_realm_domains"],
        json!(["example.com"])
    );
    let id = ConnectionId::parse(answer.id()).unwrap();
    let live = gateway.app.store.live_metadata(&id).await.unwrap().unwrap();
    assert_eq!(live.document, metadata("https://idp.example.com"));
}

#[tokio::test]
async fn an_incomplete_one_is_a_draft_with_the_list_of_what_is_missing() {
    let gateway = Gateway::open().await;
    let answer = gateway
        .create(json!({ "name": "op", "strategy": "oidc:custom" }))
        .await;
    assert_eq!(
        (answer.status, &answer.json["connection"]["status"]),
        (StatusCode::CREATED, &json!("draft"))
    );
    let missing: Vec<_> = answer.json["connection"]["missing"]
        .as_array()
        .unwrap()
        .iter()
        .map(|m| &m["code"])
        .collect();
    let expected = [
        "connection.issuer_missing",
        "connection.client_id_missing",
        "connection.client_secret_missing",
    ];
    assert_eq!(missing, expected);
    let uri = format!("https://login.example.com/login/callback/{}", answer.id());
    assert_eq!(answer.json["connection"]["setup"]["redirect_uri"], uri);
    assert_eq!(
        gateway.read(answer.id()).await["missing"]
            .as_array()
            .unwrap()
            .len(),
        3
    );
}

#[tokio::test]
async fn an_entity_id_is_made_up_and_stays() {
    let gateway = Gateway::open().await;
    let answer = gateway
        .create(json!({ "name": "s", "strategy": "saml:custom" }))
        .await;
    let path = format!("/api/v1/connections/{}", answer.id());
    let entity_id = format!("https://login.example.com/saml/{}/metadata", answer.id());
    assert_eq!(
        answer.json["connection"]["setup"]["sp_entity_id"],
        entity_id
    );
    for (method, body) in [
        ("PATCH", json!({"name": "t"})),
        ("PUT", json!({"options": {"is_trusted": true}})),
    ] {
        assert_eq!(
            gateway.call(method, &path, Some(body)).await.status,
            StatusCode::OK
        );
        assert_eq!(
            gateway.read(answer.id()).await["options"]["saml_entity_id"],
            entity_id
        );
    }
}

#[tokio::test]
async fn service_provider_metadata_is_there_for_a_draft() {
    let gateway = Gateway::open().await;
    let answer = gateway
        .create(json!({ "name": "s", "strategy": "saml:custom" }))
        .await;
    let read = async |id: &str| {
        gateway
            .send(
                Request::get(format!("/saml/{id}/metadata"))
                    .body(Body::empty())
                    .unwrap(),
            )
            .await
    };
    let document = read(answer.id()).await;
    assert_eq!(document.status, StatusCode::OK);
    assert!(
        document.text.contains(
            answer.json["connection"]["setup"]["acs_url"]
                .as_str()
                .unwrap()
        ),
        "{}",
        document.text
    );
    assert!(
        document.text.contains(
            answer.json["connection"]["setup"]["sp_entity_id"]
                .as_str()
                .unwrap()
        )
    );
    let oidc = gateway
        .create(json!({ "name": "o", "strategy": "oidc:custom" }))
        .await;
    for id in [oidc.id(), "conn_0", "conn_00000000000000000000000000000000"] {
        assert_eq!(read(id).await.errors(), [("api.connection_unknown", "")]);
    }
}

#[tokio::test]
async fn every_problem_of_a_body_is_told_at_once() {
    let gateway = Gateway::open().await;
    let answer = gateway
        .create(json!({
            "strategy": "saml:okta", "display_nam": "x", "status": "on", "enabled_applications": ["app", 1],
            "options": { "home_realm_domains": ["com"], "saml_entityid": "x" },
        }))
        .await;
    assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
    let expected = [
        ("api.member_missing", "name"),
        ("api.member_value", "status"),
        ("api.member_type", "enabled_applications.1"),
        ("connection.domain", "options.home_realm_domains.0"),
        ("connection.option_unknown", "options.saml_entityid"),
        ("api.member_unknown", "display_nam"),
    ];
    assert_eq!(answer.errors(), expected);
    assert!(
        answer.text.contains("display_name"),
        "the nearest name is told"
    );
}

#[tokio::test]
async fn strategy_organization_and_applications_must_exist() {
    let gateway = Gateway::open().await;
    let answer = gateway.create(json!({ "name": "x" })).await;
    assert_eq!(answer.errors(), [("api.member_missing", "strategy")]);
    let answer = gateway
        .create(json!({ "name": "x", "strategy": "saml:nobody" }))
        .await;
    assert_eq!(
        answer.errors(),
        [("connection.strategy_unknown", "strategy")]
    );
    let body = json!({ "name": "x", "strategy": "saml:okta", "organization_code": "org_0", "enabled_applications": ["app", "no"] });
    let expected = [
        ("api.member_value", "organization_code"),
        ("api.member_value", "enabled_applications.1"),
    ];
    assert_eq!(gateway.create(body).await.errors(), expected);
}

#[tokio::test]
async fn a_domain_leads_to_one_connection() {
    let gateway = Gateway::open().await;
    let with = |domains: Value| json!({ "name": "x", "strategy": "saml:okta", "options": { "home_realm_domains": domains } });
    assert_eq!(
        gateway
            .create(with(json!(["a.example", "b.example"])))
            .await
            .status,
        StatusCode::CREATED
    );
    let answer = gateway
        .create(with(json!(["c.example", "@B.example", "a.example"])))
        .await;
    assert_eq!(answer.status, StatusCode::CONFLICT);
    let expected = [
        ("connection.domain_taken", "options.home_realm_domains.1"),
        ("connection.domain_taken", "options.home_realm_domains.2"),
    ];
    assert_eq!(answer.errors(), expected);
    assert_eq!(
        gateway.create(with(json!(["c.example"]))).await.status,
        StatusCode::CREATED
    );
}

#[tokio::test]
async fn lists_have_pages_and_a_domain_filter() {
    let gateway = Gateway::open().await;
    for n in 0..3 {
        let options = json!({ "home_realm_domains": [format!("d{n}.example")] });
        gateway
            .create(json!({ "name": format!("n{n}"), "strategy": "saml:okta", "options": options }))
            .await;
        gateway.app.clock.step(1);
    }
    let list = async |query: &str| {
        gateway
            .call("GET", &format!("/api/v1/connections{query}"), None)
            .await
    };
    let names = |answer: &Answer| -> Vec<String> {
        answer.json["connections"]
            .as_array()
            .expect(&answer.text)
            .iter()
            .map(|c| c["name"].as_str().unwrap().to_owned())
            .collect()
    };
    let first = list("?page_size=2").await;
    assert_eq!(
        (names(&first), &first.json["has_more"]),
        (vec!["n2".into(), "n1".into()], &json!(true))
    );
    let cursor = first.json["connections"][1]["id"].as_str().unwrap();
    let second = list(&format!("?page_size=2&starting_after={cursor}")).await;
    assert_eq!(
        (names(&second), &second.json["has_more"]),
        (vec!["n0".into()], &json!(false))
    );
    assert_eq!(
        names(&list("?home_realm_domain=%40D1.example").await),
        ["n1"]
    );
    assert!(names(&list("?home_realm_domain=no.example").await).is_empty());

    assert_eq!(
        list("?page_size=0").await.errors(),
        [("api.member_value", "page_size")]
    );
    assert_eq!(
        list("?home_realm_domain=com").await.errors(),
        [("api.member_value", "home_realm_domain")]
    );
    assert_eq!(
        list("?page_sise=2").await.errors(),
        [("api.member_unknown", "page_sise")]
    );
    assert_eq!(
        list("?page_size=2&page_size=3").await.errors(),
        [("api.member_repeated", "page_size")]
    );
    assert_eq!(
        list("?starting_after=a&ending_before=b").await.errors(),
        [("api.member_value", "ending_before")]
    );
    assert_eq!(
        list("?starting_after=nobody").await.errors(),
        [("api.connection_unknown", "")]
    );
}
