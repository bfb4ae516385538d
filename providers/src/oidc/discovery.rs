//! A provider's metadata (OpenID Connect Discovery 1.0, RFC 8414), read from the configured issuer only.

use fedgate_certs::error::CertError;
use fedgate_certs::jose::JwsAlgorithm;
use fedgate_certs::json;
use serde_json::{Map, Value};
use url::Url;

use super::OidcRefusal;
use super::issuer;
use crate::egress::{Egress, Purpose};
use crate::error::Refusal;

/// The longest endpoint, in bytes: it is kept with every pending login and sent in every redirect.
const ENDPOINT_BYTES: usize = 2048;
/// The longest list that is read of any member.
const LIST_MOST: usize = 100;

/// What one provider says about itself.
#[derive(Clone, Debug)]
pub(crate) struct Metadata {
    pub(crate) issuer: String,
    pub(crate) authorization_endpoint: Url,
    pub(crate) token_endpoint: Url,
    /// Absent where no ID token is expected.
    pub(crate) jwks_uri: Option<Url>,
    pub(crate) userinfo_endpoint: Option<Url>,
    /// The announced algorithms that are accepted; RS256 where nothing is announced. Never empty.
    pub(crate) algorithms: Vec<JwsAlgorithm>,
    pub(crate) token_auth_methods: Option<Vec<String>>,
    /// RFC 9207: every authorization response has `iss`.
    pub(crate) names_itself_in_callbacks: bool,
}

/// Endpoints as a spec and its connection's options state them.
#[derive(Clone, Debug, Default)]
pub(crate) struct StatedEndpoints {
    pub(crate) authorize: Option<String>,
    pub(crate) token: Option<String>,
    pub(crate) keys: Option<String>,
    pub(crate) userinfo: Option<String>,
}

impl Metadata {
    /// Fetches the metadata of `issuer`.
    ///
    /// # Errors
    /// `egress` leaves, `oidc.discovery_malformed`, `oidc.discovery_issuer_mismatch`.
    pub(crate) async fn discover(issuer: &str, egress: &Egress) -> Result<Self, Refusal> {
        Self::discover_at(issuer, issuer, egress).await
    }

    /// Fetches the metadata of `issuer`, which may be a template (see [`super::issuer`]), from under another address. The
    /// issuer is then the one that it names, if that is one of the template.
    ///
    /// # Errors
    /// As [`Metadata::discover`].
    pub(crate) async fn discover_at(
        address: &str,
        issuer: &str,
        egress: &Egress,
    ) -> Result<Self, Refusal> {
        let fetched = egress.get(&location(address)?, Purpose::Discovery).await?;
        Self::parse(&fetched.body, issuer, egress)
    }

    /// The metadata of a provider whose endpoints are known beforehand.
    ///
    /// # Errors
    /// `oidc.discovery_malformed`, and `egress` leaves for an address that may not be reached.
    pub(crate) fn stated(
        issuer: String,
        endpoints: &StatedEndpoints,
        algorithms: &[String],
        egress: &Egress,
    ) -> Result<Self, Refusal> {
        let stated = |text: &Option<String>, name| match text {
            Some(text) => checked_endpoint(text, name, egress).map(Some),
            None => Ok(None),
        };
        let required = |text, name| stated(text, name)?.ok_or_else(|| malformed(name));
        let algorithms: Vec<_> = algorithms
            .iter()
            .filter_map(|name| JwsAlgorithm::from_name(name))
            .collect();
        Ok(Self {
            issuer,
            authorization_endpoint: required(&endpoints.authorize, "authorization_endpoint")?,
            token_endpoint: required(&endpoints.token, "token_endpoint")?,
            jwks_uri: stated(&endpoints.keys, "jwks_uri")?,
            userinfo_endpoint: stated(&endpoints.userinfo, "userinfo_endpoint")?,
            algorithms: if algorithms.is_empty() {
                vec![JwsAlgorithm::Rs256]
            } else {
                algorithms
            },
            token_auth_methods: None,
            names_itself_in_callbacks: false,
        })
    }

    /// Reads a document without the network.
    #[cfg(test)]
    pub(crate) fn parse_sample(text: &[u8], issuer: &str) -> Result<Self, Refusal> {
        let policy = crate::egress::EgressPolicy::default();
        Self::parse(text, issuer, &Egress::new(policy))
    }

    fn parse(text: &[u8], issuer: &str, egress: &Egress) -> Result<Self, Refusal> {
        let members = json::object(text, CertError::NotAToken)
            .map_err(|error| malformed("one JSON object").detail(error))?;
        let named = string(&members, "issuer")?.ok_or_else(|| malformed("issuer"))?;
        let for_all_tenants = issuer::is_template_of(issuer, named);
        if !for_all_tenants && !issuer::fits(issuer, named) {
            return Err(OidcRefusal::DiscoveryIssuerMismatch
                .refuse()
                .expected(issuer)
                .found(named));
        }
        let required = |name| endpoint(&members, name, egress)?.ok_or_else(|| malformed(name));
        Ok(Self {
            issuer: if for_all_tenants { issuer } else { named }.to_owned(),
            authorization_endpoint: required("authorization_endpoint")?,
            token_endpoint: required("token_endpoint")?,
            jwks_uri: Some(required("jwks_uri")?),
            userinfo_endpoint: endpoint(&members, "userinfo_endpoint", egress)?,
            algorithms: algorithms(&members)?,
            token_auth_methods: list(&members, "token_endpoint_auth_methods_supported")?,
            names_itself_in_callbacks: members
                .get("authorization_response_iss_parameter_supported")
                == Some(&Value::Bool(true)),
        })
    }
}

/// The issuer without a slash at its end, and the well-known path behind it (Discovery section 4).
fn location(issuer: &str) -> Result<Url, Refusal> {
    let base = issuer.strip_suffix('/').unwrap_or(issuer);
    Url::parse(&format!("{base}/.well-known/openid-configuration"))
        .ok()
        .filter(|url| url.query().is_none() && url.fragment().is_none())
        .ok_or_else(|| {
            malformed("an issuer that is a URL without query and fragment").found(issuer)
        })
}

/// An endpoint that may be called. The browser's own way, to the authorization endpoint, is held to the same rule.
fn endpoint(
    members: &Map<String, Value>,
    name: &str,
    egress: &Egress,
) -> Result<Option<Url>, Refusal> {
    let Some(text) = string(members, name)? else {
        return Ok(None);
    };
    checked_endpoint(text, name, egress).map(Some)
}

fn checked_endpoint(text: &str, name: &str, egress: &Egress) -> Result<Url, Refusal> {
    if text.len() > ENDPOINT_BYTES {
        return Err(malformed(name).found(format!("{} bytes", text.len())));
    }
    let url = Url::parse(text).map_err(|_| malformed(name).found(text))?;
    egress.check(&url).map_err(|refusal| refusal.detail(name))?;
    if url.fragment().is_some() {
        return Err(malformed(name).found(text));
    }
    Ok(url)
}

fn algorithms(members: &Map<String, Value>) -> Result<Vec<JwsAlgorithm>, Refusal> {
    const NAME: &str = "id_token_signing_alg_values_supported";
    let Some(announced) = list(members, NAME)? else {
        return Ok(vec![JwsAlgorithm::Rs256]);
    };
    let accepted: Vec<_> = announced
        .iter()
        .filter_map(|name| JwsAlgorithm::from_name(name))
        .collect();
    if accepted.is_empty() {
        return Err(malformed(NAME).found(announced.join(" ")));
    }
    Ok(accepted)
}

fn string<'m>(members: &'m Map<String, Value>, name: &str) -> Result<Option<&'m str>, Refusal> {
    match members.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(malformed(name)),
    }
}

fn list(members: &Map<String, Value>, name: &str) -> Result<Option<Vec<String>>, Refusal> {
    match members.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::Array(items)) if items.len() <= LIST_MOST => {
            let texts = items.iter().map(|item| item.as_str().map(str::to_owned));
            texts
                .collect::<Option<_>>()
                .map(Some)
                .ok_or_else(|| malformed(name))
        }
        Some(_) => Err(malformed(name)),
    }
}

fn malformed(member: &str) -> Refusal {
    OidcRefusal::DiscoveryMalformed.refuse().expected(member)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::egress::{EgressPolicy, EgressRefusal};
    use serde_json::json;

    const ISSUER: &str = "https://op.example/tenant";

    fn metadata() -> Value {
        json!({
            "issuer": ISSUER, "authorization_endpoint": "https://op.example/a",
            "token_endpoint": "https://op.example/t", "jwks_uri": "https://op.example/k",
            "id_token_signing_alg_values_supported": ["none", "HS256", "ES256", "RS256"],
        })
    }

    fn parse(text: &str) -> Result<Metadata, Refusal> {
        Metadata::parse(
            text.as_bytes(),
            ISSUER,
            &Egress::new(EgressPolicy::default()),
        )
    }

    fn with(member: &str, value: impl Into<Value>) -> String {
        let mut document = metadata();
        document[member] = value.into();
        document.to_string()
    }

    #[test]
    fn asymmetric_algorithms_are_taken_as_announced() {
        let announced = parse(&metadata().to_string()).unwrap().algorithms;
        assert_eq!(announced, [JwsAlgorithm::Es256, JwsAlgorithm::Rs256]);
        let silent = with("id_token_signing_alg_values_supported", Value::Null);
        assert_eq!(parse(&silent).unwrap().algorithms, [JwsAlgorithm::Rs256]);
    }

    #[test]
    fn a_member_that_is_missing_or_unusable_is_named() {
        for (member, value) in [
            ("issuer", Value::Null),
            ("issuer", json!(["x"])),
            ("authorization_endpoint", Value::Null),
            ("token_endpoint", json!("nonsense")),
            ("token_endpoint", json!("https://op.example/t#f")),
            ("jwks_uri", json!(1)),
            (
                "id_token_signing_alg_values_supported",
                json!(["HS256", "none"]),
            ),
            (
                "token_endpoint_auth_methods_supported",
                json!("client_secret_basic"),
            ),
        ] {
            let refusal = parse(&with(member, value)).unwrap_err();
            assert_eq!(refusal, OidcRefusal::DiscoveryMalformed, "{member}");
            assert_eq!(refusal.evidence().expected.as_deref(), Some(member));
        }
    }

    #[test]
    fn an_endpoint_that_would_flood_every_login_is_refused() {
        let long = |bytes: usize| {
            let start = "https://op.example/";
            format!("{start}{}", "a".repeat(bytes - start.len()))
        };
        for member in [
            "authorization_endpoint",
            "token_endpoint",
            "jwks_uri",
            "userinfo_endpoint",
        ] {
            assert!(parse(&with(member, long(ENDPOINT_BYTES))).is_ok());
            assert_eq!(
                parse(&with(member, long(ENDPOINT_BYTES + 1))).unwrap_err(),
                OidcRefusal::DiscoveryMalformed,
                "{member}"
            );
        }
    }

    #[test]
    fn an_issuer_differs_by_a_slash() {
        for other in [
            "https://op.example/tenant/",
            "https://op.example",
            "https://OP.example/tenant",
        ] {
            assert_eq!(
                parse(&with("issuer", other)).unwrap_err(),
                OidcRefusal::DiscoveryIssuerMismatch,
                "{other}"
            );
        }
    }

    #[test]
    fn endpoints_do_not_lead_inside() {
        for (url, leaf) in [
            ("http://op.example/t", EgressRefusal::SchemeForbidden),
            ("javascript:alert(1)", EgressRefusal::SchemeForbidden),
            ("https://127.0.0.1/t", EgressRefusal::AddressForbidden),
            (
                "https://[::ffff:10.0.0.1]/t",
                EgressRefusal::AddressForbidden,
            ),
        ] {
            for member in [
                "authorization_endpoint",
                "token_endpoint",
                "jwks_uri",
                "userinfo_endpoint",
            ] {
                assert_eq!(
                    parse(&with(member, url)).unwrap_err(),
                    leaf,
                    "{member} {url}"
                );
            }
        }
    }

    #[test]
    fn the_well_known_path_follows_the_issuers_own() {
        assert_eq!(
            location("https://op.example/t/").unwrap().path(),
            "/t/.well-known/openid-configuration"
        );
        for bad in [
            "",
            "op.example",
            "https://op.example/?a=b",
            "https://op.example/#x",
        ] {
            assert_eq!(
                location(bad).unwrap_err(),
                OidcRefusal::DiscoveryMalformed,
                "{bad}"
            );
        }
    }

    #[test]
    fn a_repeated_member_makes_the_document_unsound() {
        let text =
            metadata()
                .to_string()
                .replacen('{', r#"{"jwks_uri":"https://evil.example/k","#, 1);
        assert_eq!(parse(&text).unwrap_err(), OidcRefusal::DiscoveryMalformed);
    }
}
