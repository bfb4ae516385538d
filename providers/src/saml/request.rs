//! AuthnRequest (SAML core 3.4.1) and the two bindings that carry it (SAML bindings 3.4 and 3.5).

use std::cell::RefCell;
use std::fmt::Write as _;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use fedgate_certs::Timestamp;
use miniz_oxide::deflate::core::{
    CompressorOxide, TDEFLFlush, compress_to_output, create_comp_flags_from_zip_params,
};
use url::Url;

use super::write::{Escaped, date_time};
use crate::connection::{Binding, NameIdFormat, UpstreamParam};
use crate::login::{Login, Redirect};

/// Names that the bindings own in the query: never taken from `upstream_params`, nor kept from an endpoint's URL.
pub const RESERVED_PARAMETERS: [&str; 6] = [
    "SAMLRequest",
    "SAMLResponse",
    "RelayState",
    "SigAlg",
    "Signature",
    "SAMLEncoding",
];

/// The most `acr_values` that are asked for; OpenID Connect lists them in order of preference.
pub const MAX_CONTEXTS: usize = 8;

/// How hard DEFLATE tries; requests are about a kilobyte, and a Location header should be short.
const DEFLATE_LEVEL: i32 = 9;

thread_local! {
    /// Its tables are hundreds of times larger than a request: made once, and cleared for each.
    static COMPRESSOR: RefCell<CompressorOxide> =
        RefCell::new(CompressorOxide::new(create_comp_flags_from_zip_params(DEFLATE_LEVEL, 0, 0)));
}

/// One AuthnRequest before it is written.
pub(super) struct AuthnRequest<'a> {
    /// The login that it starts; its handle names the request.
    pub(super) login: &'a Login,
    /// Our entityID.
    pub(super) sp_entity_id: &'a str,
    /// Where the response is to go.
    pub(super) acs: &'a str,
    /// The IdP's SingleSignOnService.
    pub(super) destination: &'a Url,
    /// The Format to ask for.
    pub(super) name_id_format: NameIdFormat,
    /// Authentication contexts, at most [`MAX_CONTEXTS`].
    pub(super) contexts: &'a [String],
}

impl AuthnRequest<'_> {
    /// The request as XML, unsigned.
    pub(super) fn to_xml(&self, now: Timestamp) -> String {
        let mut xml = format!(
            r#"<samlp:AuthnRequest xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol" xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion" ID="{}" Version="2.0" IssueInstant="{}" Destination="{}" ProtocolBinding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST" AssertionConsumerServiceURL="{}"{}><saml:Issuer>{}</saml:Issuer>"#,
            self.login.handle.to_request_id(),
            date_time(now),
            Escaped(self.destination.as_str()),
            Escaped(self.acs),
            if self.login.force() {
                r#" ForceAuthn="true""#
            } else {
                ""
            },
            Escaped(self.sp_entity_id),
        );
        xml.push_str(&name_id_policy(self.name_id_format));
        if !self.contexts.is_empty() {
            xml.push_str(r#"<samlp:RequestedAuthnContext Comparison="exact">"#);
            for context in self.contexts {
                let _ = write!(
                    xml,
                    "<saml:AuthnContextClassRef>{}</saml:AuthnContextClassRef>",
                    Escaped(context)
                );
            }
            xml.push_str("</samlp:RequestedAuthnContext>");
        }
        xml.push_str("</samlp:AuthnRequest>");
        xml
    }
}

/// Sends a request through the browser: as a query (DEFLATE, base64, percent-encoded) or as a form.
pub(super) fn send(
    binding: Binding,
    xml: &str,
    relay_state: String,
    endpoint: &Url,
    parameters: &[(String, String)],
) -> Redirect {
    let mut url = without_reserved(endpoint);
    match binding {
        Binding::Redirect => {
            let request = STANDARD.encode(deflated(xml.as_bytes()));
            url.query_pairs_mut()
                .append_pair("SAMLRequest", &request)
                .append_pair("RelayState", &relay_state);
            append(&mut url, parameters);
            Redirect::Get(url)
        }
        Binding::Post => {
            append(&mut url, parameters);
            let fields = vec![
                ("SAMLRequest".to_owned(), STANDARD.encode(xml)),
                ("RelayState".to_owned(), relay_state),
            ];
            Redirect::Post {
                action: url,
                fields,
            }
        }
    }
}

/// Raw DEFLATE (RFC 1951), as the Redirect binding asks for (SAML bindings 3.4.4.1).
fn deflated(octets: &[u8]) -> Vec<u8> {
    let mut deflated = Vec::with_capacity(octets.len());
    COMPRESSOR.with_borrow_mut(|compressor| {
        compressor.reset();
        compress_to_output(compressor, octets, TDEFLFlush::Finish, |part| {
            deflated.extend_from_slice(part);
            true
        });
    });
    deflated
}

/// The upstream parameters of one login, resolved: a constant, or a value of the login by its name.
pub(super) fn upstream_parameters<'a>(
    configured: impl IntoIterator<Item = (&'a String, &'a UpstreamParam)>,
    login: &Login,
) -> Vec<(String, String)> {
    let resolved = configured.into_iter().filter_map(|(name, param)| {
        let value = match param {
            UpstreamParam::Value(value) => Some(value.clone()),
            UpstreamParam::Alias(alias) => of_login(login, alias),
        };
        Some((name.clone(), value?))
    });
    resolved.filter(|(name, _)| !is_reserved(name)).collect()
}

fn of_login(login: &Login, alias: &str) -> Option<String> {
    match alias {
        "login_hint" => login.hint.clone(),
        "prompt" => login.prompt.clone(),
        "ui_locales" => login.ui_locales.clone(),
        "max_age" => login.max_age.map(|seconds| seconds.to_string()),
        "acr_values" => (!login.acr_values.is_empty()).then(|| login.acr_values.join(" ")),
        _ => None,
    }
}

fn is_reserved(name: &str) -> bool {
    RESERVED_PARAMETERS
        .iter()
        .any(|reserved| reserved.eq_ignore_ascii_case(name))
}

/// Keeps the octets of an endpoint's own query, unless it holds a name that is ours.
fn without_reserved(endpoint: &Url) -> Url {
    let mut url = endpoint.clone();
    if endpoint.query_pairs().any(|(name, _)| is_reserved(&name)) {
        let kept: Vec<_> = endpoint
            .query_pairs()
            .filter(|(name, _)| !is_reserved(name))
            .collect();
        url.query_pairs_mut().clear().extend_pairs(kept);
    }
    url
}

fn append(url: &mut Url, parameters: &[(String, String)]) {
    if !parameters.is_empty() {
        url.query_pairs_mut().extend_pairs(parameters);
    }
}

fn name_id_policy(format: NameIdFormat) -> String {
    // Without a policy the IdP sends what it has configured; `unspecified` is an error to some.
    let Some(uri) = format_uri(format) else {
        return String::new();
    };
    // AllowCreate must not be used with transient identifiers (SAML core 3.4.1.1, erratum E14).
    let create = if format == NameIdFormat::Transient {
        ""
    } else {
        r#" AllowCreate="true""#
    };
    format!(r#"<samlp:NameIDPolicy Format="{uri}"{create}/>"#)
}

/// The URI of a Format (SAML core 8.3); `None` for the unspecified one.
pub(super) fn format_uri(format: NameIdFormat) -> Option<&'static str> {
    match format {
        NameIdFormat::Unspecified => None,
        NameIdFormat::EmailAddress => {
            Some("urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress")
        }
        NameIdFormat::Persistent => Some("urn:oasis:names:tc:SAML:2.0:nameid-format:persistent"),
        NameIdFormat::Transient => Some("urn:oasis:names:tc:SAML:2.0:nameid-format:transient"),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use rand::{SeedableRng, rngs::StdRng};

    use super::*;
    use crate::login::{Handle, Site};

    fn login() -> Login {
        let base = "https://login.example.com".to_owned();
        Login {
            site: Site {
                base_url: base.clone(),
                issuer: base,
            },
            handle: Handle::random(&mut StdRng::seed_from_u64(7)),
            hint: Some("a&b@example.com".to_owned()),
            prompt: None,
            max_age: None,
            acr_values: Vec::new(),
            ui_locales: None,
        }
    }

    fn written(login: &Login, format: NameIdFormat, contexts: &[String]) -> String {
        let destination = Url::parse("https://idp.example.com/sso?a=1&b=2").expect("a URL");
        let request = AuthnRequest {
            login,
            sp_entity_id: "urn:sp:<&>",
            acs: "https://login.example.com/saml/conn/acs",
            destination: &destination,
            name_id_format: format,
            contexts,
        };
        request.to_xml("2026-01-02T03:04:05Z".parse().expect("a time"))
    }

    fn sent(endpoint: &str, parameters: &[(String, String)], binding: Binding) -> Redirect {
        let endpoint = Url::parse(endpoint).expect("a URL");
        send(binding, "<xml/>", "relay".to_owned(), &endpoint, parameters)
    }

    #[test]
    fn an_unspecified_format_asks_for_nothing() {
        let xml = written(&login(), NameIdFormat::Unspecified, &[]);
        assert!(!xml.contains("NameIDPolicy"), "{xml}");
        assert!(!xml.contains("ForceAuthn"), "{xml}");
        assert!(
            xml.contains("<saml:Issuer>urn:sp:&lt;&amp;&gt;</saml:Issuer>"),
            "{xml}"
        );
        assert!(
            xml.contains(r#"Destination="https://idp.example.com/sso?a=1&amp;b=2""#),
            "{xml}"
        );
    }

    #[test]
    fn a_persistent_format_may_be_created_and_a_transient_one_not() {
        let persistent = written(&login(), NameIdFormat::Persistent, &[]);
        assert!(
            persistent.contains(r#"nameid-format:persistent" AllowCreate="true"/>"#),
            "{persistent}"
        );
        let transient = written(&login(), NameIdFormat::Transient, &[]);
        assert!(
            transient.contains(r#"nameid-format:transient"/>"#),
            "{transient}"
        );
    }

    #[test]
    fn force_and_contexts_are_asked_for() {
        let login = Login {
            prompt: Some("login".to_owned()),
            ..login()
        };
        let xml = written(
            &login,
            NameIdFormat::EmailAddress,
            &["urn:a".to_owned(), "<b>".to_owned()],
        );
        assert!(xml.contains(r#" ForceAuthn="true""#), "{xml}");
        assert!(
            xml.contains("<saml:AuthnContextClassRef>&lt;b&gt;</saml:AuthnContextClassRef>"),
            "{xml}"
        );
    }

    #[test]
    fn the_request_id_is_the_handle() {
        let login = login();
        let xml = written(&login, NameIdFormat::Unspecified, &[]);
        assert!(
            xml.contains(&format!(r#"ID="{}""#, login.handle.to_request_id())),
            "{xml}"
        );
    }

    #[test]
    fn a_redirect_keeps_the_endpoints_query_and_inflates_to_the_request() {
        let Redirect::Get(url) = sent(
            "https://idp.example.com/sso?idpid=C0%2f1",
            &[],
            Binding::Redirect,
        ) else {
            panic!("a redirect")
        };
        assert!(
            url.query()
                .is_some_and(|query| query.starts_with("idpid=C0%2f1&SAMLRequest=")),
            "{url}"
        );
        let pairs: BTreeMap<_, _> = url.query_pairs().into_owned().collect();
        let deflated = STANDARD.decode(&pairs["SAMLRequest"]).expect("base64");
        let xml = miniz_oxide::inflate::decompress_to_vec(&deflated).expect("DEFLATE");
        assert_eq!(xml, b"<xml/>");
        assert_eq!(pairs["RelayState"], "relay");
    }

    #[test]
    fn a_form_carries_plain_base64_and_parameters_travel_in_the_action() {
        let parameters = [("domain".to_owned(), "x y".to_owned())];
        let Redirect::Post { action, fields } =
            sent("https://idp.example.com/sso", &parameters, Binding::Post)
        else {
            panic!("a form")
        };
        assert_eq!(action.as_str(), "https://idp.example.com/sso?domain=x+y");
        assert_eq!(
            fields[0],
            ("SAMLRequest".to_owned(), STANDARD.encode("<xml/>"))
        );
        assert_eq!(fields[1], ("RelayState".to_owned(), "relay".to_owned()));
    }

    #[test]
    fn reserved_names_come_from_nowhere_else() {
        let Redirect::Get(url) = sent(
            "https://idp.example.com/sso?x=1&RelayState=evil&samlrequest=evil",
            &[],
            Binding::Redirect,
        ) else {
            panic!("a redirect")
        };
        assert_eq!(
            url.query_pairs()
                .filter(|(name, _)| is_reserved(name))
                .count(),
            2,
            "{url}"
        );
        assert!(!url.as_str().contains("evil"), "{url}");

        let configured = BTreeMap::from([
            (
                "Signature".to_owned(),
                UpstreamParam::Value("evil".to_owned()),
            ),
            ("sigalg".to_owned(), UpstreamParam::Value("evil".to_owned())),
            (
                "login_hint".to_owned(),
                UpstreamParam::Alias("login_hint".to_owned()),
            ),
            (
                "nothing".to_owned(),
                UpstreamParam::Alias("prompt".to_owned()),
            ),
            (
                "unknown".to_owned(),
                UpstreamParam::Alias("password".to_owned()),
            ),
        ]);
        let resolved = upstream_parameters(&configured, &login());
        assert_eq!(
            resolved,
            [("login_hint".to_owned(), "a&b@example.com".to_owned())]
        );
    }
}
