//! What each provider does, as its own documents and its users tell.

/// One provider's ways at its authorization and token endpoints.
#[derive(Debug, PartialEq, Eq)]
pub struct Personality {
    /// Its name on the login page.
    pub name: &'static str,
    /// Host and path of the authorization endpoint.
    pub authorize: &'static str,
    /// Host and path of the token endpoint.
    pub token: &'static str,
    /// Host and path of its key set, where it issues ID tokens.
    pub keys: Option<&'static str>,
    /// What ID tokens name as their issuer.
    pub issuer: &'static str,
    /// Whether a code challenge is refused, taken or demanded.
    pub pkce: Pkce,
    /// How its client authenticates.
    pub client: Client,
    /// A parameter that the authorization request must have, and its value.
    pub demands: &'static [(&'static str, &'static str)],
    /// The scopes that are wanted, as they must be written.
    pub scope: &'static str,
    /// How tokens and errors are written.
    pub dress: Dress,
    /// What its callbacks name as `iss`.
    pub callback_issuer: Option<&'static str>,
    /// The error with which a person comes back who cancels.
    pub cancelled: &'static str,
    /// Whether ID tokens repeat the nonce.
    pub echoes_nonce: bool,
}

/// What becomes of a code challenge.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pkce {
    /// It breaks the request.
    Refused,
    /// It is checked where it is sent.
    Taken,
    /// It must be sent.
    Demanded,
}

/// How a client authenticates.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Client {
    /// In the body only.
    Post,
    /// In the header only.
    Basic,
    /// Either way.
    Either,
    /// With a token of its own (Apple).
    Signed,
    /// In the header, or not at all with a code verifier (X).
    BasicOrPublic,
}

/// How the token endpoint answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dress {
    /// As the standard has it.
    Standard,
    /// A form unless JSON is asked for; errors with status 200 (GitHub).
    GitHub,
    /// Errors with status 200 and `ok: false` (Slack).
    Slack,
    /// The scope as a list, errors without `error` (Twitch).
    Twitch,
    /// `scopes`, no `scope` (Bitbucket).
    Bitbucket,
    /// Nothing but the token, with a numeric text (anybody's own server).
    Bare,
}

const USUAL: Personality = Personality {
    name: "",
    authorize: "",
    token: "",
    keys: None,
    issuer: "",
    pkce: Pkce::Taken,
    client: Client::Either,
    demands: &[],
    scope: "openid",
    dress: Dress::Standard,
    callback_issuer: None,
    cancelled: "access_denied",
    echoes_nonce: true,
};

/// Microsoft's endpoints have the tenant in their path.
const fn microsoft(
    authorize: &'static str,
    token: &'static str,
    keys: &'static str,
) -> Personality {
    Personality {
        name: "Microsoft",
        authorize,
        token,
        keys: Some(keys),
        client: Client::Post,
        ..USUAL
    }
}

/// Every one.
pub const PERSONALITIES: &[Personality] = &[
    Personality {
        name: "Google",
        authorize: "accounts.google.com/o/oauth2/v2/auth",
        token: "oauth2.googleapis.com/token",
        keys: Some("www.googleapis.com/oauth2/v3/certs"),
        issuer: "https://accounts.google.com",
        scope: "openid email profile",
        ..USUAL
    },
    Personality {
        name: "Apple",
        authorize: "appleid.apple.com/auth/authorize",
        token: "appleid.apple.com/auth/token",
        keys: Some("appleid.apple.com/auth/keys"),
        issuer: "https://appleid.apple.com",
        client: Client::Signed,
        demands: &[("response_mode", "form_post")],
        scope: "openid name email",
        cancelled: "user_cancelled_authorize",
        ..USUAL
    },
    microsoft(
        "login.microsoftonline.com/common/oauth2/v2.0/authorize",
        "login.microsoftonline.com/common/oauth2/v2.0/token",
        "login.microsoftonline.com/common/discovery/v2.0/keys",
    ),
    microsoft(
        "login.microsoftonline.com/organizations/oauth2/v2.0/authorize",
        "login.microsoftonline.com/organizations/oauth2/v2.0/token",
        "login.microsoftonline.com/organizations/discovery/v2.0/keys",
    ),
    microsoft(
        "login.microsoftonline.com/consumers/oauth2/v2.0/authorize",
        "login.microsoftonline.com/consumers/oauth2/v2.0/token",
        "login.microsoftonline.com/consumers/discovery/v2.0/keys",
    ),
    microsoft(
        "login.microsoftonline.com/globex.test/oauth2/v2.0/authorize",
        "login.microsoftonline.com/globex.test/oauth2/v2.0/token",
        "login.microsoftonline.com/globex.test/discovery/v2.0/keys",
    ),
    Personality {
        name: "Facebook",
        authorize: "www.facebook.com/dialog/oauth",
        token: "graph.facebook.com/oauth/access_token",
        pkce: Pkce::Refused,
        client: Client::Post,
        scope: "email,public_profile",
        ..USUAL
    },
    Personality {
        name: "GitHub",
        authorize: "github.com/login/oauth/authorize",
        token: "github.com/login/oauth/access_token",
        scope: "read:user user:email",
        dress: Dress::GitHub,
        callback_issuer: Some("https://github.com/login/oauth"),
        ..USUAL
    },
    Personality {
        name: "GitHub Enterprise",
        authorize: "github.globex.test/login/oauth/authorize",
        token: "github.globex.test/login/oauth/access_token",
        scope: "read:user user:email",
        dress: Dress::GitHub,
        ..USUAL
    },
    Personality {
        name: "GitLab",
        authorize: "gitlab.com/oauth/authorize",
        token: "gitlab.com/oauth/token",
        keys: Some("gitlab.com/oauth/discovery/keys"),
        issuer: "https://gitlab.com",
        ..USUAL
    },
    Personality {
        name: "GitLab of Globex",
        authorize: "gitlab.globex.test/oauth/authorize",
        token: "gitlab.globex.test/oauth/token",
        keys: Some("gitlab.globex.test/oauth/discovery/keys"),
        issuer: "https://gitlab.globex.test",
        ..USUAL
    },
    Personality {
        name: "Bitbucket",
        authorize: "bitbucket.org/site/oauth2/authorize",
        token: "bitbucket.org/site/oauth2/access_token",
        pkce: Pkce::Refused,
        client: Client::Basic,
        scope: "account email",
        dress: Dress::Bitbucket,
        ..USUAL
    },
    Personality {
        name: "Clever",
        authorize: "clever.com/oauth/authorize",
        token: "clever.com/oauth/tokens",
        keys: Some("clever.com/oauth/certs"),
        issuer: "https://clever.com",
        pkce: Pkce::Refused,
        client: Client::Basic,
        scope: "",
        echoes_nonce: false,
        ..USUAL
    },
    Personality {
        name: "Discord",
        authorize: "discord.com/oauth2/authorize",
        token: "discord.com/api/oauth2/token",
        scope: "identify email",
        ..USUAL
    },
    Personality {
        name: "LinkedIn",
        authorize: "www.linkedin.com/oauth/v2/authorization",
        token: "www.linkedin.com/oauth/v2/accessToken",
        keys: Some("www.linkedin.com/oauth/openid/jwks"),
        issuer: "https://www.linkedin.com/oauth",
        pkce: Pkce::Refused,
        client: Client::Post,
        cancelled: "user_cancelled_login",
        echoes_nonce: false,
        ..USUAL
    },
    Personality {
        name: "Roblox",
        authorize: "apis.roblox.com/oauth/v1/authorize",
        token: "apis.roblox.com/oauth/v1/token",
        keys: Some("apis.roblox.com/oauth/v1/certs"),
        issuer: "https://apis.roblox.com/oauth/",
        ..USUAL
    },
    Personality {
        name: "Slack",
        authorize: "slack.com/openid/connect/authorize",
        token: "slack.com/api/openid.connect.token",
        keys: Some("slack.com/openid/connect/keys"),
        issuer: "https://slack.com",
        client: Client::Post,
        demands: &[("team", "T0GLOBEX")],
        dress: Dress::Slack,
        ..USUAL
    },
    Personality {
        name: "Twitch",
        authorize: "id.twitch.tv/oauth2/authorize",
        token: "id.twitch.tv/oauth2/token",
        keys: Some("id.twitch.tv/oauth2/keys"),
        issuer: "https://id.twitch.tv/oauth2",
        pkce: Pkce::Refused,
        client: Client::Post,
        dress: Dress::Twitch,
        ..USUAL
    },
    Personality {
        name: "X",
        authorize: "x.com/i/oauth2/authorize",
        token: "api.x.com/2/oauth2/token",
        pkce: Pkce::Demanded,
        client: Client::BasicOrPublic,
        scope: "users.read tweet.read users.email",
        ..USUAL
    },
    Personality {
        name: "Xero",
        authorize: "login.xero.com/identity/connect/authorize",
        token: "identity.xero.com/connect/token",
        keys: Some("identity.xero.com/.well-known/openid-configuration/jwks"),
        issuer: "https://identity.xero.com",
        client: Client::Basic,
        ..USUAL
    },
    Personality {
        name: "A server of somebody's own",
        authorize: "idp.globex.test/authorize",
        token: "idp.globex.test/token",
        scope: "",
        dress: Dress::Bare,
        ..USUAL
    },
];
