//! One operation of the Management API: what the document tells of it, and what the router holds requests to.

use http::StatusCode;
use serde_json::{Map, Value, json};
use utoipa::openapi::path::{
    Operation as Described, OperationBuilder, Parameter, ParameterBuilder, ParameterIn,
};
use utoipa::openapi::request_body::RequestBodyBuilder;
use utoipa::openapi::schema::{AllOfBuilder, Object, ObjectBuilder, Type};
use utoipa::openapi::security::SecurityRequirement;
use utoipa::openapi::{
    ContentBuilder, HeaderBuilder, Ref, RefOr, Required, Response, ResponseBuilder, Schema,
};
use utoipa::{PartialSchema, ToSchema};

use super::document::{ERRORS, SCHEMES, SUCCESS};

/// A parameter in a path.
#[derive(Clone, Copy, Debug)]
pub(super) struct PathParameter {
    /// As in the braces.
    pub(super) name: &'static str,
    /// What it is.
    pub(super) says: &'static str,
    /// What it looks like; others are found nowhere.
    pub(super) example: &'static str,
}

/// A parameter in a query.
#[derive(Clone, Copy, Debug)]
pub(super) struct QueryParameter {
    pub(super) name: &'static str,
    pub(super) says: &'static str,
    pub(super) kind: Kind,
}

/// What a query parameter's value is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Any text; blank is absent.
    Text,
    /// A text without which the request is refused.
    Required,
    /// `true` or `false`.
    Boolean,
    /// A whole number from 1.
    Count,
}

/// An operation in the making.
pub(super) struct Operation {
    id: &'static str,
    summary: &'static str,
    pub(super) scopes: &'static [&'static str],
    pub(super) query: Vec<QueryParameter>,
    body: Option<&'static str>,
    pub(super) body_schema: Map<String, Value>,
    answer: (StatusCode, RefOr<Schema>),
    pub(super) answer_schemas: Vec<(String, RefOr<Schema>)>,
    tagged: bool,
    conditional: bool,
    refusals: Vec<u16>,
}

impl Operation {
    /// `id` is Kinde's name of the operation where Kinde has it. Any one of the scopes is enough.
    pub(super) fn new(
        id: &'static str,
        summary: &'static str,
        scopes: &'static [&'static str],
    ) -> Self {
        Self {
            id,
            summary,
            scopes,
            query: Vec::new(),
            body: None,
            body_schema: Map::new(),
            answer: (StatusCode::OK, reference(SUCCESS)),
            answer_schemas: Vec::new(),
            tagged: false,
            conditional: false,
            refusals: vec![400, 401, 403, 503],
        }
    }

    /// Takes these query parameters.
    pub(super) fn query(mut self, parameters: &[QueryParameter]) -> Self {
        self.query.extend_from_slice(parameters);
        self
    }

    /// Takes a JSON object: its name in the document, and its schema.
    pub(super) fn takes(mut self, name: &'static str, schema: Value) -> Self {
        self.body = Some(name);
        self.body_schema.insert(name.to_owned(), schema);
        self
    }

    /// Answers `code`, `message` and the members of `T`.
    pub(super) fn answers<T: ToSchema>(mut self, status: StatusCode) -> Self {
        let whole = AllOfBuilder::new()
            .item(reference(SUCCESS))
            .item(self.component::<T>());
        self.answer = (status, RefOr::T(Schema::AllOf(whole.build())));
        self
    }

    /// Answers `T` alone, as Kinde does here and there.
    pub(super) fn answers_bare<T: ToSchema>(mut self, status: StatusCode) -> Self {
        self.answer = (status, self.component::<T>());
        self
    }

    /// The answer's `ETag` is the version.
    pub(super) fn tagged(mut self) -> Self {
        self.tagged = true;
        self
    }

    /// `If-Match` is looked at, and another version refused.
    pub(super) fn conditional(mut self) -> Self {
        self.conditional = true;
        self.conflicts()
    }

    /// What is there may stand against it (409).
    pub(super) fn conflicts(mut self) -> Self {
        self.refusals.push(409);
        self
    }

    /// What the path names may be none that it can be done with (422).
    pub(super) fn suits(mut self) -> Self {
        self.refusals.push(422);
        self
    }

    /// What the query names may be nowhere (404), as what the path names.
    pub(super) fn finds(mut self) -> Self {
        self.refusals.push(404);
        self
    }

    /// The operation as the document has it.
    pub(super) fn described(self, path: &str, parameters: &[PathParameter]) -> Described {
        let has_cursor = self
            .query
            .iter()
            .any(|known| known.name == "starting_after");
        let mut refusals = self.refusals;
        if has_cursor || !parameters.is_empty() {
            refusals.push(404);
        }
        if self.body.is_some() {
            refusals.extend([413, 422]);
        } else if !self.query.is_empty() {
            refusals.push(422);
        }
        let (status, schema) = self.answer;
        let done = answer("Done.", schema, self.tagged);
        let mut operation = OperationBuilder::new()
            .operation_id(Some(self.id))
            .summary(Some(self.summary))
            .tag(tag(path))
            .securities(Some(securities(self.scopes)))
            .response(status.as_str(), done);
        for parameter in parameters {
            operation = operation.parameter(in_path(parameter));
        }
        for parameter in &self.query {
            operation = operation.parameter(in_query(parameter));
        }
        if self.conditional {
            operation = operation.parameter(if_match());
        }
        if let Some(name) = self.body {
            let content = ContentBuilder::new().schema(Some(reference(name))).build();
            let body = RequestBodyBuilder::new()
                .required(Some(Required::True))
                .content("application/json", content);
            operation = operation.request_body(Some(body.build()));
        }
        refusals
            .into_iter()
            .fold(operation, |operation, status| {
                operation.response(
                    status.to_string(),
                    answer(refusal_says(status), reference(ERRORS), false),
                )
            })
            .build()
    }

    fn component<T: ToSchema>(&mut self) -> RefOr<Schema> {
        self.answer_schemas
            .push((T::name().into_owned(), <T as PartialSchema>::schema()));
        T::schemas(&mut self.answer_schemas);
        reference(&T::name())
    }
}

/// A reference to a schema of the document.
pub(super) fn reference(name: &str) -> RefOr<Schema> {
    RefOr::Ref(Ref::from_schema_name(name))
}

/// The schema of one of a few words.
pub(crate) fn words<'w>(words: impl IntoIterator<Item = &'w str>) -> Object {
    ObjectBuilder::new()
        .schema_type(Type::String)
        .enum_values(Some(words))
        .build()
}

/// The first segment of a path, in the plural.
fn tag(path: &str) -> String {
    let segment = path.trim_start_matches('/').split('/').next();
    let segment = segment.unwrap_or_default();
    let plural = if segment.ends_with('s') { "" } else { "s" };
    format!("{segment}{plural}")
}

fn securities(scopes: &'static [&'static str]) -> Vec<SecurityRequirement> {
    scopes
        .iter()
        .flat_map(|scope| SCHEMES.map(|scheme| SecurityRequirement::new(scheme, [*scope])))
        .collect()
}

fn answer(says: &str, schema: RefOr<Schema>, tagged: bool) -> Response {
    let content = ContentBuilder::new().schema(Some(schema)).build();
    let answer = ResponseBuilder::new()
        .description(says)
        .content("application/json", content);
    if !tagged {
        return answer.build();
    }
    let tag = HeaderBuilder::new()
        .schema(Some(text_schema()))
        .description(Some("The version, to be sent in If-Match."))
        .build();
    answer.header("ETag", tag).build()
}

fn refusal_says(status: u16) -> &'static str {
    match status {
        400 => "The request is not as described here: every problem at once.",
        401 => "There is no access token, or it is not valid (any more).",
        403 => "The access token has none of the scopes.",
        404 => "There is no such thing.",
        409 => "It changed in the meantime, is taken, or others depend on it.",
        413 => "The body is too large.",
        422 => "The request is as described here, but a value in it cannot be accepted.",
        _ => "The gateway cannot answer at the moment.",
    }
}

fn in_path(parameter: &PathParameter) -> Parameter {
    ParameterBuilder::new()
        .name(parameter.name)
        .parameter_in(ParameterIn::Path)
        .required(Required::True)
        .description(Some(parameter.says))
        .schema(Some(text_schema()))
        .example(Some(json!(parameter.example)))
        .build()
}

fn in_query(parameter: &QueryParameter) -> Parameter {
    let schema: RefOr<Schema> = match parameter.kind {
        Kind::Text => text_schema(),
        Kind::Required => ObjectBuilder::new()
            .schema_type(Type::String)
            .min_length(Some(1))
            .build()
            .into(),
        Kind::Boolean => ObjectBuilder::new()
            .schema_type(Type::Boolean)
            .build()
            .into(),
        Kind::Count => ObjectBuilder::new()
            .schema_type(Type::Integer)
            .minimum(Some(1))
            .build()
            .into(),
    };
    let required = if parameter.kind == Kind::Required {
        Required::True
    } else {
        Required::False
    };
    ParameterBuilder::new()
        .name(parameter.name)
        .parameter_in(ParameterIn::Query)
        .required(required)
        .description(Some(parameter.says))
        .schema(Some(schema))
        .build()
}

fn if_match() -> Parameter {
    ParameterBuilder::new()
        .name("If-Match")
        .parameter_in(ParameterIn::Header)
        .required(Required::False)
        .description(Some(
            "The ETag of the version that is to be changed; another one is refused with 409.",
        ))
        .schema(Some(text_schema()))
        .example(Some(json!("\"3\"")))
        .build()
}

fn text_schema() -> RefOr<Schema> {
    ObjectBuilder::new()
        .schema_type(Type::String)
        .build()
        .into()
}
