//! OpenID Connect: the provider's metadata and keys, the ID token, and the identity in it.

pub(crate) mod claims;
pub(crate) mod discovery;
pub(crate) mod id_token;
pub(crate) mod issuer;
pub(crate) mod keys;
pub(crate) mod mapping;
mod verification_key;

use crate::refusals;

refusals! {
    /// What the OpenID Connect part of a login refuses.
    pub enum OidcRefusal in "oidc" {
        /// The metadata is not JSON, or lacks a required member, or holds an unusable one; the evidence names it.
        DiscoveryMalformed = "discovery_malformed", Operator,
            says "This way to sign in is not set up completely.",
            fix "Open the issuer with /.well-known/openid-configuration behind it: it must show the metadata of {metadata}.";
        /// The metadata names another issuer than the connection.
        DiscoveryIssuerMismatch = "discovery_issuer_mismatch", Operator,
            says "This way to sign in is not set up completely.",
            fix "Set the connection's issuer to the value found, if that is your provider; slashes at the end count.";
        /// The key set cannot be read, or has the same key id for two keys, or private keys, or the key is not an accepted one.
        KeysMalformed = "keys_malformed", Upstream,
            says "The identity provider's keys could not be read.",
            fix "Check {certificate}: a JSON Web Key Set of public signature keys, each with its own kid, RSA of at least 2048 bits.";
        /// No key of the key set has the token's kid, also after it was fetched anew.
        KeyUnknown = "key_unknown", Upstream,
            says "The identity provider signed with a key that it does not publish.",
            fix "Publish the signing key at {certificate} before it is used; the key set is read again at most every 30 seconds.";
        /// The token endpoint sent no ID token.
        IdTokenMissing = "id_token_missing", Operator,
            says "The identity provider did not say who signed in.",
            fix "Let {console} grant the scope openid to this application.";
        /// The ID token is not a signed JWT, or a claim is missing or of the wrong type; the evidence names it.
        Malformed = "malformed", Upstream,
            says "The answer of the identity provider could not be read.",
            fix "The ID token must be as OpenID Connect Core section 2 describes, signed and not encrypted.";
        /// A member occurs twice in the token's header or claims, so that two readers could see two tokens.
        DuplicateMember = "duplicate_member", Upstream,
            says "The answer of the identity provider was not sound.",
            fix "Remove the custom claim at {attributes} that repeats another one.";
        /// The token's algorithm is none, symmetric, unknown, not announced by the provider, or not the key's.
        AlgorithmForbidden = "algorithm_forbidden", Upstream,
            says "The identity provider signed in a way that is not accepted.",
            fix "Set {signing} to RS256 or ES256.";
        /// The token's header has critical parameters (RFC 7515 section 4.1.11).
        CriticalHeader = "critical_header", Upstream,
            says "The answer of the identity provider could not be read.",
            fix "Switch the extension off that adds crit to ID tokens.";
        /// The token's header says that it is another kind of token, such as an access token or a logout token.
        TypeMismatch = "type_mismatch", Upstream,
            says "The identity provider sent another kind of token than was asked for.",
            fix "The typ of an ID token is JWT or absent.";
        /// The signature is not the published key's signature over this token.
        SignatureInvalid = "signature_invalid", Upstream,
            says "The identity provider's signature is not valid.",
            fix "Check that {certificate} publishes the keys that really sign; the token must reach the gateway unchanged.";
        /// The token's iss is another issuer.
        IssuerMismatch = "issuer_mismatch", Operator,
            says "The answer came from another identity provider than the one that was asked.",
            fix "Compare the connection's issuer with the value found; they must be equal to the last character.";
        /// The token's aud is not our client alone.
        AudienceMismatch = "audience_mismatch", Operator,
            says "The identity provider sent a sign-in meant for another service.",
            fix "Compare {client_id} with the connection's client_id.";
        /// The token's azp is another client.
        AzpMismatch = "azp_mismatch", Operator,
            says "The identity provider sent a sign-in meant for another service.",
            fix "Compare {client_id} with the connection's client_id.";
        /// The token's exp has passed.
        Expired = "expired", Upstream,
            says "The identity provider's answer was no longer valid.",
            fix "Check {clock} on both sides; 60 seconds of difference are accepted.";
        /// The token's iat or auth_time lies ahead.
        IssuedInFuture = "issued_in_future", Upstream,
            says "The clocks of the identity provider and this service differ.",
            fix "Check {clock} on both sides; 60 seconds of difference are accepted.";
        /// The token's nbf lies ahead.
        NotYetValid = "not_yet_valid", Upstream,
            says "The clocks of the identity provider and this service differ.",
            fix "Check {clock} on both sides; 60 seconds of difference are accepted.";
        /// The token's nonce is not the one that this login sent: the token was made for another login.
        NonceMismatch = "nonce_mismatch", Browser,
            says "This answer belongs to another sign-in.",
            fix "Start the sign-in again in one browser window; if it recurs, the identity provider does not echo nonce.";
        /// The token's at_hash is not the access token's: the two do not belong together.
        AtHashMismatch = "at_hash_mismatch", Upstream,
            says "The answer of the identity provider was not sound.",
            fix "The at_hash of an ID token is made from the access token beside it (OpenID Connect Core section 3.1.3.6).";
        /// The token is signed with a key that is another issuer's.
        KeyIssuerMismatch = "key_issuer_mismatch", Upstream,
            says "The answer came from another identity provider than the one that was asked.",
            fix "The key that signed is published at {certificate} for another tenant; sign in with an account of the right one.";
        /// The account belongs to another organization than this connection is for; the evidence names the claim.
        AccountNotAdmitted = "account_not_admitted", Browser,
            says "This account cannot be used to sign in here.",
            fix "Sign in with an account of the right organization, or add the value found to the connection's option for it.";
        /// The provider has no usable id of the person: absent, empty, not a text, longer than 255 bytes, or with invisible characters.
        SubjectMissing = "subject_missing", Upstream,
            says "The identity provider did not say who signed in.",
            fix "Map a stable user id to the claim sub at {attributes}.";
        /// A fresh sign-in was asked for, and the token's auth_time is too old or absent.
        AuthenticationTooOld = "authentication_too_old", Browser,
            says "The identity provider did not confirm a fresh sign-in.",
            fix "Sign in again at the identity provider; it must honour max_age and send auth_time.";
        /// An authentication context was asked for, and the token's acr is another one or absent.
        AcrMismatch = "acr_mismatch", Upstream,
            says "The identity provider did not confirm the required kind of sign-in.",
            fix "Set up one of the expected acr values at {console}, or let the application ask for another.";
        /// The user info endpoint does not accept the access token that came with the ID token.
        UserinfoRefused = "userinfo_refused", Upstream,
            says "The identity provider did not release the profile.",
            fix "Let {console} grant the scopes email and profile to this application.";
        /// The user info is not one JSON object.
        UserinfoMalformed = "userinfo_malformed", Upstream,
            says "The answer of the identity provider could not be read.",
            fix "Let the user info endpoint answer as plain JSON, neither signed nor encrypted.";
        /// The user info is about another person than the ID token.
        UserinfoSubjectMismatch = "userinfo_subject_mismatch", Upstream,
            says "The answer of the identity provider was not sound.",
            fix "The sub of the user info must equal the ID token's; look for a pairwise setting that is on for one of the two.";
    }
}
