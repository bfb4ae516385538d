use fedgate_providers::connection::Options;
use fedgate_providers::spec::Spec;

use super::*;

const METHODS: [&str; 6] = ["GET", "POST", "PUT", "PATCH", "DELETE", "TRACE"];

async fn document(gateway: &Gateway) -> Value {
    let request = Request::get("/api/v1/openapi.json");
    let answer = gateway.send(request.body(Body::empty()).unwrap()).await;
    assert_eq!(answer.status, StatusCode::OK);
    answer.json
}

fn paths(document: &Value) -> Vec<(String, Vec<String>)> {
    let paths = document["paths"].as_object().unwrap();
    let methods = |item: &Value| {
        let names = item.as_object().unwrap().keys();
        names.map(|name| name.to_ascii_uppercase()).collect()
    };
    paths
        .iter()
        .map(|(path, item)| (path.clone(), methods(item)))
        .collect()
}

fn filled(path: &str) -> String {
    path.replace(['{', '}'], "")
}

#[tokio::test]
async fn every_described_operation_is_there_and_nothing_else() {
    let gateway = Gateway::open().await;
    let document = document(&gateway).await;
    assert!(document["openapi"].as_str().unwrap().starts_with("3.1"));
    for (path, described) in paths(&document) {
        for method in METHODS {
            let request = Request::builder().method(method).uri(filled(&path));
            let answer = gateway.send(request.body(Body::empty()).unwrap()).await;
            let expected = if described.iter().any(|known| known == method) {
                (StatusCode::UNAUTHORIZED, vec![("op.token_missing", "")])
            } else {
                (
                    StatusCode::METHOD_NOT_ALLOWED,
                    vec![("api.method_not_allowed", "")],
                )
            };
            assert_eq!(
                (answer.status, answer.errors()),
                expected,
                "{method} {path}"
            );
        }
    }
}

#[tokio::test]
async fn every_reference_of_the_document_leads_somewhere() {
    let gateway = Gateway::open().await;
    let document = document(&gateway).await;
    let text = document.to_string();
    let references = text.split("\"$ref\":\"").skip(1);
    let mut found = 0;
    for reference in references.map(|rest| rest.split('"').next().unwrap()) {
        let pointer = reference.strip_prefix('#').unwrap();
        assert!(document.pointer(pointer).is_some(), "{reference}");
        found += 1;
    }
    assert!(found > 50);
}

#[tokio::test]
async fn each_operation_has_a_name_of_its_own_a_scope_and_its_refusals() {
    let gateway = Gateway::open().await;
    let document = document(&gateway).await;
    let mut names = std::collections::HashSet::new();
    for (path, methods) in paths(&document) {
        for method in methods {
            let operation = &document["paths"][&path][method.to_ascii_lowercase()];
            let name = operation["operationId"].as_str().unwrap();
            assert!(names.insert(name.to_owned()), "{name} twice");
            assert!(
                !operation["security"].as_array().unwrap().is_empty(),
                "{name}"
            );
            for status in ["400", "401", "403", "503"] {
                assert!(
                    operation["responses"][status].is_object(),
                    "{name} {status}"
                );
            }
        }
    }
}

#[test]
fn a_body_is_described_by_what_reads_it() {
    let schema = super::super::input::schema(true);
    let saml = &schema["oneOf"][0];
    assert_eq!(saml["title"], "SAML");
    assert_eq!(saml["additionalProperties"], false);
    let strategies = saml["properties"]["strategy"]["enum"].as_array().unwrap();
    assert!(strategies.contains(&json!("saml:okta")) && !strategies.contains(&json!("oidc:okta")));
    let options = &saml["properties"]["options"]["properties"];
    assert_eq!(options["saml_signing_private_key"]["writeOnly"], true);
    assert_eq!(options["home_realm_domains"]["maxItems"], 500);
    assert_eq!(options["saml_clock_skew_seconds"]["maximum"], 300);
    assert!(options["upstream_params"]["additionalProperties"]["oneOf"].is_array());
    assert!(options.get("client_secret").is_none());
    // Whatever a connection is read back with can be sent as it was described.
    for spec in Spec::all() {
        let shape = Options::shape(spec);
        let options = Options::from_json(spec, &serde_json::Map::new()).unwrap();
        assert!(
            options
                .to_json()
                .keys()
                .all(|name| shape.contains_key(name))
        );
    }
}
