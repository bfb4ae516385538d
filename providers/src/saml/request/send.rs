//! The bindings: a query that is deflated and signed as it stands, or a form whose document carries its signature.

use std::cell::RefCell;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use miniz_oxide::deflate::core::{
    CompressorOxide, TDEFLFlush, compress_to_output, create_comp_flags_from_zip_params,
};
use url::Url;
use url::form_urlencoded::byte_serialize;

use super::{RequestSigner, Written};
use crate::connection::{Binding, is_reserved_parameter};
use crate::error::Refusal;
use crate::login::Redirect;

/// How hard DEFLATE tries; requests are about a kilobyte, and a Location header should be short.
const DEFLATE_LEVEL: i32 = 9;

thread_local! {
    /// Its tables are hundreds of times larger than a request: made once, and cleared for each.
    static COMPRESSOR: RefCell<CompressorOxide> =
        RefCell::new(CompressorOxide::new(create_comp_flags_from_zip_params(DEFLATE_LEVEL, 0, 0)));
}

/// A written request on its way.
pub(in crate::saml) struct Message<'a> {
    /// The request.
    pub(in crate::saml) written: &'a Written,
    /// What comes back beside the answer.
    pub(in crate::saml) relay_state: String,
    /// Where it goes.
    pub(in crate::saml) endpoint: &'a Url,
    /// What the endpoint's URL gets besides.
    pub(in crate::saml) parameters: &'a [(String, String)],
}

impl Message<'_> {
    /// Sends it through the browser, signed as the binding has it where there is a signer.
    ///
    /// # Errors
    /// `saml.request_unsigned`.
    pub(in crate::saml) fn send(
        self,
        binding: Binding,
        signer: Option<&RequestSigner>,
    ) -> Result<Redirect, Refusal> {
        match binding {
            Binding::Redirect => self.into_query(signer),
            Binding::Post => self.into_form(signer),
        }
    }

    /// The signature covers these very octets, in this order (SAML bindings 3.4.4.1); what else the URL holds is not signed.
    fn into_query(self, signer: Option<&RequestSigner>) -> Result<Redirect, Refusal> {
        let request = STANDARD.encode(deflated(self.written.to_xml().as_bytes()));
        let mut octets = format!(
            "SAMLRequest={}&RelayState={}",
            encoded(&request),
            encoded(&self.relay_state)
        );
        if let Some(signer) = signer {
            octets.push_str("&SigAlg=");
            octets.push_str(&encoded(signer.uri()));
            let signature = signer.value(octets.as_bytes())?;
            octets.push_str("&Signature=");
            octets.push_str(&encoded(&signature));
        }
        let mut url = without_reserved(self.endpoint);
        let query = match url.query().filter(|query| !query.is_empty()) {
            Some(own) => format!("{own}&{octets}"),
            None => octets,
        };
        url.set_query(Some(&query));
        append(&mut url, self.parameters);
        Ok(Redirect::Get(url))
    }

    fn into_form(self, signer: Option<&RequestSigner>) -> Result<Redirect, Refusal> {
        let xml = match signer {
            Some(signer) => signer.enveloped(self.written)?,
            None => self.written.to_xml(),
        };
        let mut action = without_reserved(self.endpoint);
        append(&mut action, self.parameters);
        let fields = vec![
            ("SAMLRequest".to_owned(), STANDARD.encode(xml)),
            ("RelayState".to_owned(), self.relay_state),
        ];
        Ok(Redirect::Post { action, fields })
    }
}

fn encoded(text: &str) -> String {
    byte_serialize(text.as_bytes()).collect()
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

/// Keeps the octets of an endpoint's own query, unless it holds a name that is ours.
fn without_reserved(endpoint: &Url) -> Url {
    let mut url = endpoint.clone();
    if endpoint
        .query_pairs()
        .any(|(name, _)| is_reserved_parameter("saml", &name))
    {
        let kept: Vec<_> = endpoint
            .query_pairs()
            .filter(|(name, _)| !is_reserved_parameter("saml", name))
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
