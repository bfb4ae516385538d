//! `/api/v1/openapi.json`: the `OpenAPI` 3.1 document, made from the routes themselves. It is open to everybody, as it
//! holds nothing but names that are public.

use fedgate_providers::login::Site;
use serde::Serialize;
use serde_json::{Map, Value, json};
use utoipa::ToSchema;
use utoipa::openapi::path::Paths;
use utoipa::openapi::security::{
    ClientCredentials, Flow, HttpAuthScheme, HttpBuilder, OAuth2, Scopes, SecurityScheme,
};
use utoipa::openapi::{Components, ComponentsBuilder, InfoBuilder, OpenApiBuilder, Server};

use super::answer::ProblemView;
use super::api::Api;
use super::scope;

/// The schema of what every success has.
pub(super) const SUCCESS: &str = "Success";
/// The schema of refusals.
pub(super) const ERRORS: &str = "Errors";
/// Names of the security schemes: two ways to describe the one access token.
pub(super) const SCHEMES: [&str; 2] = ["client_credentials", "bearer"];

/// What every successful answer has.
#[derive(Serialize, ToSchema)]
struct Success {
    /// `OK`
    #[schema(example = "OK")]
    code: String,
    /// What was done, for people.
    message: String,
}

/// Why a request was refused: every problem at once.
#[derive(Serialize, ToSchema)]
struct Errors {
    errors: Vec<ProblemView>,
    /// Who depends on what would be deleted or disabled.
    #[serde(skip_serializing_if = "Option::is_none")]
    dependants: Option<Value>,
}

/// The document as JSON.
pub(super) fn document(site: &Site, paths: Paths, api: Api) -> Value {
    let document = OpenApiBuilder::new()
        .info(
            InfoBuilder::new()
                .title("fedgate Management API")
                .version(env!("CARGO_PKG_VERSION"))
                .description(Some(ABOUT)),
        )
        .servers(Some([Server::new(site.url(""))]))
        .paths(paths)
        .components(Some(components(site, &api)))
        .build();
    let mut document = json!(document);
    if let Some(schemas) = document["components"]["schemas"].as_object_mut() {
        schemas.extend(api.bodies);
    }
    document
}

const ABOUT: &str = "Connections to identity providers, the applications and organizations that use them, and the \
    people who sign in. The shapes are Kinde's, so that its published client drives this API unchanged. Every refusal \
    has a stable code; docs/errors.md lists them. Members and query parameters that are not described are refused.";

fn components(site: &Site, api: &Api) -> Components {
    let mut builder = ComponentsBuilder::new()
        .schema(SUCCESS, <Success as utoipa::PartialSchema>::schema())
        .schema(ERRORS, <Errors as utoipa::PartialSchema>::schema());
    let mut beside = Vec::new();
    Errors::schemas(&mut beside);
    for (name, schema) in beside.iter().chain(&api.answers) {
        builder = builder.schema(name.clone(), schema.clone());
    }
    let [by_flow, by_header] = SCHEMES;
    let scopes = scope::all().map(|scope| {
        let (verb, noun) = scope.split_once(':').unwrap_or_default();
        let says = format!("{verb} {}", noun.replace('_', " "));
        (scope, says)
    });
    let flow = ClientCredentials::new(site.url("/oauth2/token"), scopes.collect::<Scopes>());
    let header = HttpBuilder::new()
        .scheme(HttpAuthScheme::Bearer)
        .bearer_format("JWT")
        .description(Some(
            "The access token from the token endpoint, or from `fedgate token create`.",
        ));
    builder
        .security_scheme(
            by_flow,
            SecurityScheme::OAuth2(OAuth2::new([Flow::ClientCredentials(flow)])),
        )
        .security_scheme(by_header, SecurityScheme::Http(header.build()))
        .build()
}

/// What a body may hold, as JSON Schema: written down by the very calls that read it.
#[derive(Debug, Default)]
pub(super) struct Shape {
    properties: Map<String, Value>,
    required: Vec<&'static str>,
}

impl Shape {
    /// A member, with its schema.
    pub(super) fn note(&mut self, name: &'static str, schema: Value) {
        self.properties.insert(name.to_owned(), schema);
    }

    /// A member that must be there.
    pub(super) fn require(&mut self, name: &'static str) {
        self.required.push(name);
        if let Some(schema) = self.properties.get_mut(name) {
            match schema["type"][0].as_str() {
                Some(other) if other != "string" => schema["type"] = json!(other),
                _ => {
                    schema["type"] = json!("string");
                    schema["pattern"] = json!("\\S");
                }
            }
        }
    }

    /// The schema of the object.
    pub(super) fn schema(self) -> Value {
        let mut schema = json!({
            "type": "object", "additionalProperties": false, "properties": self.properties,
        });
        if !self.required.is_empty() {
            schema["required"] = json!(self.required);
        }
        schema
    }
}
