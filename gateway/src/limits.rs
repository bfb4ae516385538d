//! Every bound of the gateway, with its name and unit. `[limits]` in the configuration overrides them by name.

use serde::{Deserialize, Serialize};

/// Bounds. Durations end in `_seconds`, sizes in `_bytes`, counts in the plural.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// Largest body of a form that a browser posts.
    pub form_bytes: usize,
    /// Largest JSON body at the Management API (metadata XML travels in it).
    pub api_body_bytes: usize,
    /// Connections held at once; more wait to be accepted.
    pub connections: usize,
    /// Longest time for the headers of a request to arrive.
    pub header_seconds: u64,
    /// Longest time that one request may take: more than a callback's calls to an upstream, at 10 seconds each.
    pub request_seconds: u64,
    /// How long a person may stay at the identity provider.
    pub pending_seconds: u64,
    /// How long the sign-in page stays usable.
    pub sign_in_page_seconds: u64,
    /// Pending logins kept in one browser; the oldest makes room.
    pub pending_cookies: usize,
    /// Largest pending login kept in a cookie; a larger one goes to the ephemeral store.
    pub pending_cookie_bytes: usize,
    /// Large pending logins kept in the ephemeral store at once.
    pub stored_pendings: usize,
    /// Of these, those of one connection.
    pub stored_pendings_per_connection: usize,
    /// Longest query of an authorization request.
    pub authorize_query_bytes: usize,
    /// Lifetime of an authorization code.
    pub code_seconds: u64,
    /// Codes waiting to be redeemed at once in the embedded ephemeral store; Redis is bounded by its memory.
    pub waiting_codes: usize,
    /// Codes of one connection that wait to be redeemed at once.
    pub waiting_codes_per_connection: usize,
    /// Lifetime of ID and access tokens.
    pub token_seconds: u64,
    /// Lifetime of an API access token from client credentials.
    pub api_token_seconds: u64,
    /// Opened providers kept ready.
    pub cached_providers: u64,
    /// Domain routes kept ready.
    pub cached_routes: u64,
    /// The longest that a change on another replica may stay unseen.
    pub cache_seconds: u64,
    /// Traces kept per connection.
    pub traces_per_connection: u64,
    /// Traces kept in all.
    pub traces: u64,
    /// Largest trace.
    pub trace_bytes: usize,
    /// How long a trace is kept.
    pub trace_days: u64,
    /// Traces of refused logins written per second and connection; more are counted and dropped.
    pub traces_per_second: u64,
    /// Traces kept of answers that match no pending login of their browser, of all connections together: whoever sends
    /// garbage rolls these alone.
    pub stranger_traces: u64,
    /// Connections whose logins are counted apart in the metrics; the others share the label `other`.
    pub metric_connections: usize,
    /// How long `/readyz` says no before a stopping process accepts no more, where somebody has asked it lately.
    pub unready_seconds: u64,
    /// Answers of upstreams that match no pending login of the browser, per minute and address.
    pub refused_callbacks_per_address: u64,
    /// The same per minute and connection.
    pub refused_callbacks_per_connection: u64,
    /// Requests that an application or a person got wrong, per minute and address.
    pub refused_requests_per_address: u64,
    /// Addresses typed on the sign-in page that lead nowhere, per minute and network address.
    pub refused_sign_ins_per_address: u64,
    /// Failed authentications of one client at the token endpoint, per minute and address.
    pub refused_clients_per_address: u64,
    /// Requests at the Management API without a sound token, per minute and address.
    pub refused_api_calls_per_address: u64,
    /// Identity providers whose metadata is fetched at once.
    pub metadata_fetches: usize,
    /// Fetches of metadata or keys that the logins of one connection cause, per minute.
    pub login_fetches_per_connection: u64,
    /// The same of all connections together.
    pub login_fetches: u64,
    /// Encrypted answers that do not decrypt, per minute and connection that allows AES-CBC; beyond that AES-CBC is not
    /// tried there where no signature covers it.
    pub failed_decryptions_per_connection: u64,
    /// How often the gateway looks whether a key of its own comes or goes.
    pub key_check_seconds: u64,
    /// How long a key signs tokens before another takes over.
    pub token_key_days: u64,
    /// How long applications can read a key that signs tokens before it does: longer than they keep our JWK Set.
    pub token_key_announced_seconds: u64,
    /// How long a pair signs requests, or is encrypted for, unless its certificate ends before.
    pub saml_key_days: u64,
    /// How long identity providers can read a certificate before requests are signed with its key.
    pub saml_key_announced_days: u64,
    /// How long a pair still decrypts after the last assertion that was encrypted for it.
    pub saml_key_retiring_days: u64,
    /// How often the gateway looks at everything that ends.
    pub forecast_seconds: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            form_bytes: 512 * 1024,
            api_body_bytes: 4 * 1024 * 1024,
            connections: 10_000,
            header_seconds: 10,
            request_seconds: 45,
            pending_seconds: 60 * 60,
            sign_in_page_seconds: 12 * 60 * 60,
            pending_cookies: 4,
            pending_cookie_bytes: 1536,
            stored_pendings: 10_000,
            stored_pendings_per_connection: 2_500,
            authorize_query_bytes: 8 * 1024,
            code_seconds: 60,
            waiting_codes: 100_000,
            waiting_codes_per_connection: 25_000,
            token_seconds: 60 * 60,
            api_token_seconds: 60 * 60,
            cached_providers: 2_000,
            cached_routes: 100_000,
            cache_seconds: 30,
            traces_per_connection: 200,
            traces: 20_000,
            trace_bytes: 16 * 1024,
            trace_days: 14,
            traces_per_second: 10,
            stranger_traces: 2_000,
            metric_connections: 1_000,
            unready_seconds: 5,
            refused_callbacks_per_address: 600,
            refused_callbacks_per_connection: 3_000,
            refused_requests_per_address: 600,
            refused_sign_ins_per_address: 120,
            refused_clients_per_address: 60,
            refused_api_calls_per_address: 600,
            metadata_fetches: 8,
            login_fetches_per_connection: 10,
            login_fetches: 600,
            failed_decryptions_per_connection: 20,
            key_check_seconds: 60,
            token_key_days: 90,
            token_key_announced_seconds: 24 * 60 * 60,
            saml_key_days: 3650,
            saml_key_announced_days: 30,
            saml_key_retiring_days: 90,
            forecast_seconds: 60 * 60,
        }
    }
}
