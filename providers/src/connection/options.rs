//! Options between their JSON, in Kinde's names, and their types.

use fedgate_certs::Timestamp;
use serde_json::{Map, Value, json};

use super::domain::home_realm_domains;
use super::reader::Reader;
use super::setting::{self, check_client_key};
use super::signing::{REQUEST_SIGNATURES, check_signing, date, legacy_sha1_until};
use super::upstream::{upstream_params, upstream_params_json};
use super::{
    Binding, ClientAuthMethod, CommonOptions, Connection, ConnectionRefusal, NameIdFormat,
    OauthOptions, Options, Problem, ProtocolOptions, SamlOptions, SignaturePolicy,
};
use crate::spec::Spec;

/// The longest metadata document, in bytes.
pub const METADATA_BYTES: usize = 2 * 1024 * 1024;
/// The longest PEM text, in bytes.
const PEM_BYTES: usize = 32 * 1024;
/// The longest client secret, in bytes.
const SECRET_BYTES: usize = 4096;
/// The most scopes of one connection.
const SCOPES_MOST: usize = 50;
/// The widest clock skew, in seconds.
const CLOCK_SKEW_SECONDS_MOST: u32 = 300;
/// The clock skew of a connection that names none, in seconds.
const CLOCK_SKEW_SECONDS: u32 = 60;

const BINDINGS: [(&str, Binding); 2] = [
    ("HTTP-REDIRECT", Binding::Redirect),
    ("HTTP-POST", Binding::Post),
];
const NAME_ID_FORMATS: [(&str, NameIdFormat); 4] = [
    ("Unspecified", NameIdFormat::Unspecified),
    ("Email address", NameIdFormat::EmailAddress),
    ("Persistent", NameIdFormat::Persistent),
    ("Transient", NameIdFormat::Transient),
];
const SIGNATURE_POLICIES: [(&str, SignaturePolicy); 4] = [
    ("any", SignaturePolicy::Any),
    ("assertion_signed", SignaturePolicy::Assertion),
    ("response_signed", SignaturePolicy::Response),
    ("both", SignaturePolicy::Both),
];
const CLIENT_AUTH_METHODS: [(&str, ClientAuthMethod); 3] = [
    ("client_secret_basic", ClientAuthMethod::Basic),
    ("client_secret_post", ClientAuthMethod::Post),
    ("none", ClientAuthMethod::Public),
];

impl Options {
    /// Reads options, secrets included, in Kinde's names. `null` and blank texts count as absent.
    ///
    /// # Errors
    /// Every problem at once, each with the path of its member (`options.home_realm_domains.0`).
    pub fn from_json(
        spec: &'static Spec,
        members: &Map<String, Value>,
    ) -> Result<Self, Vec<Problem>> {
        let mut reader = Reader::new(members);
        let options = read(&mut reader, spec);
        let problems = reader.finish();
        if problems.is_empty() {
            Ok(options)
        } else {
            Err(problems)
        }
    }

    /// What [`Options::from_json`] takes: the JSON Schema of each member, by name.
    pub fn shape(spec: &'static Spec) -> Map<String, Value> {
        Reader::shape(|reader| {
            read(reader, spec);
        })
    }

    /// The options that a change leaves: members of `patch` replace, `null` removes, the rest stays, secrets too.
    ///
    /// # Errors
    /// As [`Options::from_json`].
    pub fn merged(
        &self,
        spec: &'static Spec,
        patch: &Map<String, Value>,
    ) -> Result<Self, Vec<Problem>> {
        let mut members = self.to_json();
        members.extend(self.secrets());
        members.extend(self.overlapping(patch));
        members.extend(
            patch
                .iter()
                .map(|(name, value)| (name.clone(), value.clone())),
        );
        Self::from_json(spec, &members)
    }

    /// The options that a replacement leaves: those of `members` alone, but secrets that it does not name stay,
    /// since nobody can read them back to send them again.
    ///
    /// # Errors
    /// As [`Options::from_json`].
    pub fn replaced(
        &self,
        spec: &'static Spec,
        members: &Map<String, Value>,
    ) -> Result<Self, Vec<Problem>> {
        let mut all = self.secrets();
        all.extend(
            members
                .iter()
                .map(|(name, value)| (name.clone(), value.clone())),
        );
        Self::from_json(spec, &all)
    }

    /// A client secret goes on beside the one that is entered over it: whichever the provider knows already or still, the
    /// other is not an outage.
    fn overlapping(&self, patch: &Map<String, Value>) -> Option<(String, Value)> {
        let ProtocolOptions::Oauth(options) = &self.protocol else {
            return None;
        };
        let before = options.client_secret.as_ref()?.reveal();
        let entered = patch.get("client_secret")?.as_str()?.trim();
        let is_other = !entered.is_empty() && entered != before;
        is_other.then(|| ("previous_client_secret".to_owned(), Value::from(before)))
    }

    /// Every option that is set, without secrets. [`Options::from_json`] reads it back.
    pub fn to_json(&self) -> Map<String, Value> {
        let mut members = common_json(&self.common);
        match &self.protocol {
            ProtocolOptions::Saml(options) => members.extend(saml_json(options)),
            ProtocolOptions::Oauth(options) => members.extend(oauth_json(options)),
        }
        members.retain(|_, value| !value.is_null());
        members
    }

    /// The secret options that are set, to be sealed and never shown.
    pub fn secrets(&self) -> Map<String, Value> {
        let all = match &self.protocol {
            ProtocolOptions::Saml(options) => {
                vec![("saml_signing_private_key", &options.signing_private_key)]
            }
            ProtocolOptions::Oauth(options) => vec![
                ("client_secret", &options.client_secret),
                ("previous_client_secret", &options.previous_client_secret),
                ("private_key", &options.private_key),
            ],
        };
        all.into_iter()
            .filter_map(|(name, secret)| {
                Some((name.to_owned(), Value::from(secret.as_ref()?.reveal())))
            })
            .collect()
    }
}

impl Connection {
    /// What is still missing before the connection can be activated; empty when nothing is.
    pub fn missing(&self) -> Vec<Problem> {
        match &self.options.protocol {
            ProtocolOptions::Saml(options) => missing_saml(options),
            ProtocolOptions::Oauth(options) => missing_oauth(options, self.spec),
        }
    }

    /// What keeps a complete connection from being used at this time.
    pub fn problem_at(&self, now: Timestamp) -> Option<Problem> {
        match &self.options.protocol {
            ProtocolOptions::Saml(options) => options.problem_at(now),
            ProtocolOptions::Oauth(_) => None,
        }
    }
}

fn missing_saml(options: &SamlOptions) -> Vec<Problem> {
    if options.idp_metadata_url.is_some() || options.idp_metadata_xml.is_some() {
        return Vec::new();
    }
    if options.idp_certificates.is_none() {
        let field = "options.saml_idp_metadata_url";
        return vec![Problem::new(ConnectionRefusal::MetadataMissing, field)];
    }
    // Certificates say nothing of whose they are.
    [
        (&options.idp_entity_id, "saml_idp_entity_id"),
        (&options.sign_in_url, "saml_sign_in_url"),
    ]
    .into_iter()
    .filter(|(option, _)| option.is_none())
    .map(|(_, name)| {
        let refusal = ConnectionRefusal::OptionMissing.refuse().expected(name);
        Problem::new(refusal, format!("options.{name}"))
    })
    .collect()
}

fn missing_oauth(options: &OauthOptions, spec: &Spec) -> Vec<Problem> {
    [
        (
            options.issuer.is_none() && spec.issuer.is_none(),
            ConnectionRefusal::IssuerMissing,
            "options.issuer",
        ),
        (
            options.client_id.is_none(),
            ConnectionRefusal::ClientIdMissing,
            "options.client_id",
        ),
        (
            options.client_secret.is_none()
                && options.private_key.is_none()
                && options.client_auth_method != Some(ClientAuthMethod::Public),
            ConnectionRefusal::ClientSecretMissing,
            "options.client_secret",
        ),
    ]
    .into_iter()
    .filter(|(absent, ..)| *absent)
    .map(|(_, leaf, field)| Problem::new(leaf, field))
    .chain(setting::missing(options, &spec.oauth))
    .collect()
}

fn read(reader: &mut Reader<'_>, spec: &'static Spec) -> Options {
    let common = common(reader, spec);
    let protocol = match spec.protocol() {
        "saml" => ProtocolOptions::Saml(saml(reader, spec)),
        _ => ProtocolOptions::Oauth(oauth(reader, spec)),
    };
    Options { common, protocol }
}

fn common(reader: &mut Reader<'_>, spec: &Spec) -> CommonOptions {
    let default = CommonOptions::default();
    CommonOptions {
        home_realm_domains: home_realm_domains(reader),
        is_force_show_sso_button: reader
            .boolean("is_force_show_sso_button", default.is_force_show_sso_button),
        is_create_missing_user: reader
            .boolean("is_create_missing_user", default.is_create_missing_user),
        is_trusted: reader.boolean("is_trusted", default.is_trusted),
        is_auto_join_organization_enabled: reader.boolean(
            "is_auto_join_organization_enabled",
            default.is_auto_join_organization_enabled,
        ),
        is_sync_user_profile_on_login: reader.boolean(
            "is_sync_user_profile_on_login",
            default.is_sync_user_profile_on_login,
        ),
        is_use_custom_domain: reader.boolean("is_use_custom_domain", default.is_use_custom_domain),
        upstream_params: upstream_params(reader, spec.protocol()),
    }
}

fn saml(reader: &mut Reader<'_>, spec: &Spec) -> SamlOptions {
    let habits = spec.saml.as_ref();
    let options = SamlOptions {
        entity_id: reader.text("saml_entity_id").unwrap_or_default(),
        idp_metadata_url: reader.url("saml_idp_metadata_url"),
        idp_metadata_xml: reader.document("saml_idp_metadata_xml", METADATA_BYTES),
        idp_certificates: reader.document("saml_idp_certificates", METADATA_BYTES),
        idp_entity_id: reader.text("saml_idp_entity_id"),
        sign_in_url: reader.url("saml_sign_in_url"),
        protocol_binding: reader
            .choice("protocol_binding", &BINDINGS)
            .or(habits.map(|habits| habits.protocol_binding))
            .unwrap_or_default(),
        name_id_format: reader
            .choice("name_id_format", &NAME_ID_FORMATS)
            .or(habits.map(|habits| habits.name_id_format))
            .unwrap_or_default(),
        email_key_attr: reader.text("saml_email_key_attr"),
        user_id_key_attr: reader.text("saml_user_id_key_attr"),
        first_name_key_attr: reader.text("saml_first_name_key_attr"),
        last_name_key_attr: reader.text("saml_last_name_key_attr"),
        signature_policy: reader
            .choice("saml_signature_policy", &SIGNATURE_POLICIES)
            .unwrap_or_default(),
        clock_skew_seconds: reader.number(
            "saml_clock_skew_seconds",
            CLOCK_SKEW_SECONDS_MOST,
            CLOCK_SKEW_SECONDS,
        ),
        allow_aes_cbc: reader.boolean("saml_allow_aes_cbc", false),
        sign_requests: reader.tristate("saml_sign_requests"),
        sign_request_algorithm: reader.choice("sign_request_algorithm", &REQUEST_SIGNATURES),
        legacy_sha1_until: legacy_sha1_until(reader),
        signing_certificate: reader.document("saml_signing_certificate", PEM_BYTES),
        signing_private_key: reader.secret("saml_signing_private_key", PEM_BYTES),
    };
    check_signing(reader, &options);
    options
}

fn oauth(reader: &mut Reader<'_>, spec: &'static Spec) -> OauthOptions {
    // Where the vendor's issuer is known, no connection names another one.
    let issuer = spec.issuer.is_none().then(|| issuer(reader)).flatten();
    let signs = spec.oauth.token.minted_secret.is_some();
    let options = OauthOptions {
        issuer,
        client_id: reader.text("client_id"),
        client_secret: reader.secret("client_secret", SECRET_BYTES),
        previous_client_secret: reader.secret("previous_client_secret", SECRET_BYTES),
        client_secret_expires_at: date(reader, "client_secret_expires_at"),
        client_auth_method: client_auth_method(reader, spec),
        scopes: scopes(reader),
        private_key: signs
            .then(|| reader.secret("private_key", PEM_BYTES))
            .flatten(),
        settings: setting::settings(reader, spec),
    };
    check_client_key(reader, &options);
    options
}

/// One that the provider takes; where its spec names none, one that authenticates.
fn client_auth_method(reader: &mut Reader<'_>, spec: &Spec) -> Option<ClientAuthMethod> {
    let name = "client_auth_method";
    let methods = &spec.oauth.token.methods;
    let taken = |spelling: &str| {
        methods.iter().any(|method| method == spelling)
            || (methods.is_empty() && spelling != "none")
    };
    let taken: Vec<_> = CLIENT_AUTH_METHODS
        .into_iter()
        .filter(|(spelling, _)| taken(spelling))
        .collect();
    reader.choice(name, &taken)
}

/// OpenID Connect Discovery 4: an issuer has neither query nor fragment.
fn issuer(reader: &mut Reader<'_>) -> Option<String> {
    let issuer = reader.url("issuer")?;
    if issuer.contains('?') {
        let refusal = ConnectionRefusal::OptionUrl
            .refuse()
            .expected("https://… without a query")
            .found(&issuer);
        reader.problem(refusal, "issuer");
        return None;
    }
    Some(issuer)
}

fn scopes(reader: &mut Reader<'_>) -> Vec<String> {
    let mut scopes = Vec::new();
    for (index, scope) in reader.texts("scopes", SCOPES_MOST) {
        // RFC 6749 3.3: scope-token = 1*( %x21 / %x23-5B / %x5D-7E )
        let sound = !scope.is_empty()
            && scope.len() <= 256
            && scope
                .bytes()
                .all(|b| matches!(b, 0x21 | 0x23..=0x5b | 0x5d..=0x7e));
        if sound {
            scopes.push(scope.to_owned());
        } else {
            let refusal = ConnectionRefusal::OptionValue
                .refuse()
                .expected("one scope without blanks")
                .found(scope);
            reader.problem(refusal, &format!("scopes.{index}"));
        }
    }
    scopes
}

fn common_json(options: &CommonOptions) -> Map<String, Value> {
    let mut members = Map::new();
    let mut set = |name: &str, value: Value| members.insert(name.to_owned(), value);
    set("home_realm_domains", json!(options.home_realm_domains));
    set(
        "is_force_show_sso_button",
        json!(options.is_force_show_sso_button),
    );
    set(
        "is_create_missing_user",
        json!(options.is_create_missing_user),
    );
    set("is_trusted", json!(options.is_trusted));
    set(
        "is_auto_join_organization_enabled",
        json!(options.is_auto_join_organization_enabled),
    );
    set(
        "is_sync_user_profile_on_login",
        json!(options.is_sync_user_profile_on_login),
    );
    set("is_use_custom_domain", json!(options.is_use_custom_domain));
    set(
        "upstream_params",
        upstream_params_json(&options.upstream_params),
    );
    members
}

fn saml_json(options: &SamlOptions) -> Map<String, Value> {
    let mut members = Map::new();
    let mut set = |name: &str, value: Value| members.insert(name.to_owned(), value);
    set(
        "saml_entity_id",
        (!options.entity_id.is_empty())
            .then_some(options.entity_id.as_str())
            .into(),
    );
    set("saml_idp_metadata_url", json!(options.idp_metadata_url));
    set("saml_idp_metadata_xml", json!(options.idp_metadata_xml));
    set("saml_idp_certificates", json!(options.idp_certificates));
    set("saml_idp_entity_id", json!(options.idp_entity_id));
    set("saml_sign_in_url", json!(options.sign_in_url));
    set(
        "protocol_binding",
        spelling(&BINDINGS, &options.protocol_binding),
    );
    set(
        "name_id_format",
        spelling(&NAME_ID_FORMATS, &options.name_id_format),
    );
    set("saml_email_key_attr", json!(options.email_key_attr));
    set("saml_user_id_key_attr", json!(options.user_id_key_attr));
    set(
        "saml_first_name_key_attr",
        json!(options.first_name_key_attr),
    );
    set("saml_last_name_key_attr", json!(options.last_name_key_attr));
    set(
        "saml_signature_policy",
        spelling(&SIGNATURE_POLICIES, &options.signature_policy),
    );
    set("saml_clock_skew_seconds", json!(options.clock_skew_seconds));
    if options.allow_aes_cbc {
        set("saml_allow_aes_cbc", json!(true));
    }
    set("saml_sign_requests", json!(options.sign_requests));
    let algorithm = options
        .sign_request_algorithm
        .map(|algorithm| spelling(&REQUEST_SIGNATURES, &algorithm));
    set("sign_request_algorithm", json!(algorithm));
    let until = options.legacy_sha1_until.map(|date| date.to_string());
    set("saml_legacy_sha1_until", json!(until));
    set(
        "saml_signing_certificate",
        json!(options.signing_certificate),
    );
    members
}

fn oauth_json(options: &OauthOptions) -> Map<String, Value> {
    let mut members = Map::new();
    let mut set = |name: &str, value: Value| members.insert(name.to_owned(), value);
    set("issuer", json!(options.issuer));
    set("client_id", json!(options.client_id));
    let method = options
        .client_auth_method
        .map(|method| spelling(&CLIENT_AUTH_METHODS, &method));
    set("client_auth_method", json!(method));
    let expires = options
        .client_secret_expires_at
        .map(|date| date.to_string());
    set("client_secret_expires_at", json!(expires));
    set("scopes", json!(options.scopes));
    for (name, value) in &options.settings {
        set(name, value.clone());
    }
    members
}

fn spelling<T: PartialEq>(spellings: &[(&'static str, T)], value: &T) -> Value {
    spellings
        .iter()
        .find(|(_, known)| known == value)
        .map(|(spelling, _)| *spelling)
        .into()
}
