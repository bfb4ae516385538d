//! What a caller says about a connection, read whole.

use fedgate_providers::connection::{ConnectionRefusal, Options, Problem, Status};
use fedgate_providers::spec::Spec;
use serde_json::{Map, Value, json};

use super::ApiRefusal;
use super::answer::ApiError;
use super::body::{Members, choices};
use super::view::STATUSES;

/// The longest name, in bytes.
const NAME_BYTES: usize = 256;
/// The most applications that one request enables.
const APPLICATIONS_MOST: usize = 1000;

/// The members of a request about a connection. `None` where the request is silent.
#[derive(Debug)]
pub(super) struct Input {
    pub(super) spec: &'static Spec,
    pub(super) name: Option<String>,
    pub(super) display_name: Option<String>,
    pub(super) status: Option<Status>,
    pub(super) organization: Belonging,
    pub(super) enabled_applications: Option<Vec<String>>,
    /// Only a connection whose test login passed as it is goes active.
    pub(super) require_test: bool,
    pub(super) options: Options,
}

/// What the request says about the connection's organization.
#[derive(Debug)]
pub(super) enum Belonging {
    /// Nothing.
    Unchanged,
    /// It has none.
    Nobody,
    /// The one with this code.
    Organization(String),
}

impl Belonging {
    /// The organization that follows on `before`.
    pub(super) fn after(self, before: Option<String>) -> Option<String> {
        match self {
            Self::Unchanged => before,
            Self::Nobody => None,
            Self::Organization(code) => Some(code),
        }
    }
}

/// How options of the request meet those that are there.
pub(super) enum Change<'a> {
    /// There are none.
    Create,
    /// Members of the request replace those that are there.
    Merge(&'a Options),
    /// The request's options take the place of all but secrets.
    Replace(Option<&'a Options>),
}

impl Input {
    /// Reads a body. `spec` is that of the connection; none at its creation.
    ///
    /// # Errors
    /// Every problem at once.
    pub(super) fn read(
        body: &Map<String, Value>,
        spec: Option<&'static Spec>,
        change: &Change<'_>,
    ) -> Result<Self, ApiError> {
        let mut members = Members::new(body);
        let input = members_of(&mut members, spec, change);
        members.finish()?;
        // Where it is absent, its problems have been told.
        input.ok_or_else(|| ApiError::whole(ApiRefusal::BodyMalformed))
    }
}

/// The schema of a body: of a creation, one for each protocol; of a change, whatever the protocol.
pub(super) fn schema(creating: bool) -> Value {
    let kinds: Vec<Value> = PROTOCOLS
        .iter()
        .filter_map(|protocol| Spec::of(&format!("{protocol}:custom")))
        .map(|spec| protocol_schema(spec, creating))
        .collect();
    if creating {
        json!({ "oneOf": kinds })
    } else {
        json!({ "anyOf": kinds })
    }
}

/// Protocols that connections speak; each has a strategy `custom`.
const PROTOCOLS: [&str; 3] = ["saml", "oidc", "oauth2"];

fn protocol_schema(spec: &'static Spec, creating: bool) -> Value {
    let strategies: Vec<&str> = Spec::all()
        .filter(|known| known.protocol() == spec.protocol())
        .map(|known| known.strategy.as_str())
        .collect();
    let empty = Options::from_json(spec, &Map::new());
    let change = match (&empty, creating) {
        (Ok(options), false) => Change::Merge(options),
        _ => Change::Create,
    };
    let mut schema = Members::schema(|members| {
        members_of(members, Some(spec), &change);
        members.note("strategy", || {
            if creating {
                json!({ "enum": strategies })
            } else {
                choices(&strategies)
            }
        });
        members.note("options", || {
            json!({
                "type": ["object", "null"], "additionalProperties": false,
                "properties": options_of(spec.protocol()),
            })
        });
    });
    schema["title"] = json!(spec.protocol().to_uppercase());
    if creating {
        schema["required"] = json!(["strategy"]);
        schema["anyOf"] = ["name", "display_name"]
            .map(|name| {
                let given = json!({ "type": "string", "pattern": "\\S" });
                json!({ "required": [name], "properties": { name: given } })
            })
            .into();
    }
    schema
}

/// The options of every strategy of a protocol: which of them belong to which is told by the answer to a wrong one.
fn options_of(protocol: &str) -> Map<String, Value> {
    let mut all: Map<String, Value> = Map::new();
    for spec in Spec::all().filter(|spec| spec.protocol() == protocol) {
        for (name, mut shape) in Options::shape(spec) {
            if let (Some(words), Some(known)) = (
                shape.get_mut("enum").and_then(Value::as_array_mut),
                all.get_mut(&name)
                    .and_then(|known| known.get_mut("enum")?.as_array_mut()),
            ) {
                words.retain(|word| !known.contains(word));
                known.append(words);
            } else {
                all.entry(name).or_insert(shape);
            }
        }
    }
    all
}

fn members_of(
    members: &mut Members<'_>,
    spec: Option<&'static Spec>,
    change: &Change<'_>,
) -> Option<Input> {
    let strategy = read_strategy(members, spec);
    let name = members.text("name", NAME_BYTES).map(str::to_owned);
    let display_name = members.text("display_name", NAME_BYTES).map(str::to_owned);
    let nameless = members.is_blank("name") && members.is_blank("display_name");
    if nameless && matches!(change, Change::Create) {
        members.refuse(ApiRefusal::MemberMissing, "name");
    }
    let status = members.choice("status", &STATUSES).and_then(Status::parse);
    let organization = read_organization(members);
    let enabled_applications = members.texts("enabled_applications", APPLICATIONS_MOST);
    let enabled_applications =
        enabled_applications.map(|ids| ids.into_iter().map(str::to_owned).collect());
    // A connection is made before anything of it can be tested.
    let require_test = !matches!(change, Change::Create) && members.boolean("require_test");
    let given = members.object("options");
    let spec = strategy?;
    let options = match read_options(spec, given, change) {
        Ok(options) => options,
        Err(problems) => {
            members.add(problems);
            return None;
        }
    };
    Some(Input {
        spec,
        name,
        display_name,
        status,
        organization,
        enabled_applications,
        require_test,
        options,
    })
}

fn read_options(
    spec: &'static Spec,
    given: Option<&Map<String, Value>>,
    change: &Change<'_>,
) -> Result<Options, Vec<Problem>> {
    let empty = Map::new();
    let given = given.unwrap_or(&empty);
    match change {
        Change::Create | Change::Replace(None) => Options::from_json(spec, given),
        Change::Merge(before) => before.merged(spec, given),
        Change::Replace(Some(before)) => before.replaced(spec, given),
    }
}

fn read_strategy(members: &mut Members<'_>, fixed: Option<&'static Spec>) -> Option<&'static Spec> {
    let text = members.text("strategy", NAME_BYTES);
    match (text, fixed) {
        (None, Some(spec)) => Some(spec),
        (Some(text), Some(spec)) => {
            if text != spec.strategy {
                members.refuse(
                    ApiRefusal::StrategyFixed
                        .refuse()
                        .expected(&spec.strategy)
                        .found(text),
                    "strategy",
                );
            }
            Some(spec)
        }
        (None, None) => {
            if members.is_blank("strategy") {
                members.refuse(ApiRefusal::MemberMissing, "strategy");
            }
            None
        }
        (Some(text), None) => {
            let spec = Spec::of(text);
            if spec.is_none() {
                let known = Spec::all()
                    .map(|spec| spec.strategy.as_str())
                    .collect::<Vec<_>>()
                    .join(" | ");
                members.refuse(
                    ConnectionRefusal::StrategyUnknown
                        .refuse()
                        .expected(known)
                        .found(text),
                    "strategy",
                );
            }
            spec
        }
    }
}

fn read_organization(members: &mut Members<'_>) -> Belonging {
    let named = members.names("organization_code");
    match members.text("organization_code", NAME_BYTES) {
        Some(code) => Belonging::Organization(code.to_owned()),
        None if named => Belonging::Nobody,
        None => Belonging::Unchanged,
    }
}
