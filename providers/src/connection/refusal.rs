//! What can be wrong with a connection's settings, and where.

use std::fmt;

use crate::error::Refusal;
use crate::refusals;

refusals! {
    /// Why a connection's settings are not accepted, or not enough to activate it.
    pub enum ConnectionRefusal in "connection" {
        /// The strategy is not one that this gateway speaks.
        StrategyUnknown = "strategy_unknown", Application,
            says "This kind of connection is not known.",
            fix "Use one of the strategies named under expected, such as saml:custom.";
        /// The options hold a name that this strategy does not have.
        OptionUnknown = "option_unknown", Application,
            says "One of the connection's options is not known.",
            fix "Remove the option, or write its name as shown under expected.";
        /// An option has a value of the wrong JSON type.
        OptionType = "option_type", Application,
            says "One of the connection's options is of the wrong type.",
            fix "Send the option as the JSON type named under expected.";
        /// An option's text is not one of the values it can have.
        OptionValue = "option_value", Application,
            says "One of the connection's options has a value that is not accepted.",
            fix "Use one of the values named under expected, in that spelling.";
        /// An option's value is longer or holds more entries than is accepted.
        OptionTooLarge = "option_too_large", Application,
            says "One of the connection's options is too large.",
            fix "Shorten the option to the limit named under expected.";
        /// An option's text holds control characters.
        OptionText = "option_text", Application,
            says "One of the connection's options is not a plain text.",
            fix "Remove control characters and line breaks.";
        /// An option that must hold a URL does not hold an absolute https one.
        OptionUrl = "option_url", Application,
            says "One of the connection's addresses is not accepted.",
            fix "Use an absolute https URL without a user name and without a fragment.";
        /// A home-realm domain is not a domain name with at least two labels.
        Domain = "domain", Application,
            says "One of the e-mail domains is not accepted.",
            fix "Write the part of the address after the @, such as example.com.";
        /// A home-realm domain is named twice in the same connection.
        DomainRepeated = "domain_repeated", Application,
            says "One of the e-mail domains is named twice.",
            fix "Name each domain once; upper and lower case are the same, and so are the two spellings of an international name.";
        /// A home-realm domain already leads to another connection.
        DomainTaken = "domain_taken", Application,
            says "One of the e-mail domains belongs to another connection.",
            fix "Remove the domain from the other connection first: a domain leads to one connection.";
        /// An upstream parameter has neither or both of value and alias.
        ParameterShape = "parameter_shape", Application,
            says "One of the upstream parameters is not accepted.",
            fix "Give exactly one of value and alias, as in {\"prompt\": {\"value\": \"select_account\"}}.";
        /// An upstream parameter's alias is not one that a login has.
        ParameterAlias = "parameter_alias", Application,
            says "One of the upstream parameters takes its value from something that a sign-in does not have.",
            fix "Use one of the aliases named under expected.";
        /// An upstream parameter has a name that the protocol itself uses.
        ReservedParameter = "reserved_parameter", Application,
            says "One of the upstream parameters has a reserved name.",
            fix "Remove the parameter: the gateway writes it itself, from the sign-in that it belongs to.";
        /// The request-signing certificate or key cannot be read.
        SigningKey = "signing_key", Application,
            says "The connection's signing key or certificate cannot be read.",
            fix "Send the certificate and the unencrypted private key (RSA of 2048 to 8192 bits, or P-256, P-384 or P-521) as PEM text.";
        /// The request-signing certificate does not belong to the request-signing key.
        SigningKeyMismatch = "signing_key_mismatch", Application,
            says "The connection's signing certificate and key do not belong together.",
            fix "Send the certificate that was made from this private key; the identity provider's own certificate does not belong here.";
        /// The algorithm that requests are to be signed with does not go with the kind of key.
        SigningAlgorithm = "signing_algorithm", Application,
            says "The connection's signing algorithm does not go with its key.",
            fix "Use an RSA algorithm with an RSA key and an ECDSA one with an elliptic-curve key; the gateway's own key is an RSA key.";
        /// Signatures with SHA-1 end on a day that has passed, or on one that is more than 180 days ahead.
        LegacySignatureDate = "legacy_signature_date", Operator,
            says "The last day of signatures with SHA-1 is not accepted.",
            fix "Use RSA-SHA256; where the identity provider cannot verify it yet, set saml_legacy_sha1_until to a day within the range shown under expected.";
        /// The connection asks for signatures with SHA-1 without a day on which they end.
        WeakSignature = "weak_signature", Application,
            says "The connection asks for signatures with SHA-1.",
            fix "Use RSA-SHA256; let the identity provider's {signing} accept it. Until it can, set saml_legacy_sha1_until to the last day of SHA-1, at most 180 days ahead.";
        /// The connection is to be activated as it was tested, and no test login has passed since it was last changed.
        Untested = "untested", Operator,
            says "The connection was not tested as it is now.",
            fix "Run a test sign-in on the connection's setup page, then activate it; or send status active without require_test.";
        /// The connection is to be activated and has no source of the identity provider's metadata.
        MetadataMissing = "metadata_missing", Operator,
            says "The connection does not say where the identity provider's metadata is.",
            fix "Copy {metadata} from {console} into saml_idp_metadata_url, or its text into saml_idp_metadata_xml.";
        /// The connection is to be activated and has no issuer.
        IssuerMissing = "issuer_missing", Operator,
            says "The connection does not say who issues its tokens.",
            fix "Copy the issuer URL from {console} into issuer.";
        /// The connection is to be activated and has no client id.
        ClientIdMissing = "client_id_missing", Operator,
            says "The connection does not say which client it is at the identity provider.",
            fix "Copy {client_id} from {console} into client_id.";
        /// The connection is to be activated and has no client secret.
        ClientSecretMissing = "client_secret_missing", Operator,
            says "The connection has no client secret for the identity provider.",
            fix "Copy {client_secret} from {console} into client_secret.";
        /// The connection is to be activated and lacks an option that its strategy needs; the evidence names it.
        OptionMissing = "option_missing", Operator,
            says "The connection lacks a setting that this kind of connection needs.",
            fix "Set the option named under expected to the value that {console} shows.";
        /// The private key that signs client secrets cannot be read, or is not an elliptic one on P-256.
        ClientKey = "client_key", Application,
            says "The connection's private key cannot be read.",
            fix "Send the text of the .p8 file as it was downloaded, with its first and last line.";
    }
}

/// One thing that is wrong with a connection, and the member that it is in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// What is wrong, with evidence; never with a secret.
    pub refusal: Refusal,
    /// The path of the member: `options.home_realm_domains.0`.
    pub field: String,
}

impl Problem {
    /// A problem of one member.
    pub fn new(refusal: impl Into<Refusal>, field: impl Into<String>) -> Self {
        Self {
            refusal: refusal.into(),
            field: field.into(),
        }
    }

    /// The stable code.
    pub fn code(&self) -> &'static str {
        self.refusal.code()
    }

    /// One line for the person who sent the setting: what it means, what was expected, what was found.
    pub fn message(&self) -> String {
        self.to_string()
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let evidence = self.refusal.evidence();
        f.write_str(self.refusal.entry().meaning)?;
        for (word, value) in [
            ("Expected", evidence.expected),
            ("Found", evidence.found),
            ("Detail", evidence.detail),
        ] {
            if let Some(value) = value {
                write!(f, " {word}: {value}.")?;
            }
        }
        Ok(())
    }
}
