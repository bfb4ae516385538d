//! A genuine response for the tests, in canonical form (see `test_signer`): what an attack then changes.

use super::test_signer::{SAML, SAMLP};

/// A Response `r1` to `_request` with an assertion `a1`, unsigned. Audience `urn:sp`, ACS `https://sp.example/acs`.
pub(crate) fn genuine_response() -> String {
    format!(
        "<samlp:Response {SAMLP} Destination=\"https://sp.example/acs\" ID=\"r1\" InResponseTo=\"_request\" IssueInstant=\"2026-01-02T03:04:05Z\" Version=\"2.0\">\
         <saml:Issuer {SAML}>https://idp.example</saml:Issuer>\
         <samlp:Status><samlp:StatusCode Value=\"urn:oasis:names:tc:SAML:2.0:status:Success\"></samlp:StatusCode></samlp:Status>\
         <saml:Assertion {SAML} ID=\"a1\" IssueInstant=\"2026-01-02T03:04:05Z\" Version=\"2.0\"><saml:Issuer>https://idp.example</saml:Issuer>\
         <saml:Subject><saml:NameID Format=\"urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress\">ada@example.com</saml:NameID>\
         <saml:SubjectConfirmation Method=\"urn:oasis:names:tc:SAML:2.0:cm:bearer\">\
         <saml:SubjectConfirmationData InResponseTo=\"_request\" NotOnOrAfter=\"2026-01-02T03:09:00Z\" Recipient=\"https://sp.example/acs\"></saml:SubjectConfirmationData>\
         </saml:SubjectConfirmation></saml:Subject>\
         <saml:Conditions NotBefore=\"2026-01-02T03:04:00Z\" NotOnOrAfter=\"2026-01-02T03:09:05Z\">\
         <saml:AudienceRestriction><saml:Audience>urn:sp</saml:Audience></saml:AudienceRestriction></saml:Conditions>\
         <saml:AuthnStatement AuthnInstant=\"2026-01-02T03:04:00Z\" SessionIndex=\"s1\" SessionNotOnOrAfter=\"2026-01-02T11:04:05Z\">\
         <saml:AuthnContext><saml:AuthnContextClassRef>urn:password</saml:AuthnContextClassRef></saml:AuthnContext></saml:AuthnStatement>\
         <saml:AttributeStatement><saml:Attribute Name=\"email\"><saml:AttributeValue>ada@example.com</saml:AttributeValue></saml:Attribute>\
         <saml:Attribute Name=\"groups\"><saml:AttributeValue>staff</saml:AttributeValue><saml:AttributeValue>admins</saml:AttributeValue></saml:Attribute>\
         </saml:AttributeStatement></saml:Assertion></samlp:Response>"
    )
}
