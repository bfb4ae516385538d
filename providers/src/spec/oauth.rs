//! What an OAuth 2.0 or OpenID Connect upstream does on the wire, as data: the `[oauth]` table of a spec file.
//!
//! A *template* names options of the connection in braces: `{base_url}/oauth/token`. A *path* names a document and the
//! way to a value in it, as a JSON pointer does: `claims/email`, `user/data/id`. The documents of a login are `claims`
//! (the ID token, completed by the user info), `callback` (what [`OauthSpec::callback_json`] names) and the answer of each
//! call, by the call's name. A spec says where things are; it never changes a check.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

/// The `[oauth]` table. A file without it describes an OpenID Provider that keeps to the standard, found by discovery.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct OauthSpec {
    /// Options that its connections have beside the common ones, by name.
    pub options: BTreeMap<String, OptionSpec>,
    /// A template of what stands before `/.well-known/openid-configuration`, where that is not the issuer.
    pub discovery: Option<String>,
    /// Endpoints that are known beforehand: nothing is discovered then.
    pub endpoints: Option<Endpoints>,
    /// Further templates of `iss` that mean the spec's `issuer`, to the last character.
    pub other_issuers: Vec<String>,
    /// A template of the `iss` in callbacks (RFC 9207), where it is not the issuer. It is not compared where the
    /// template's option is not set.
    pub callback_issuer: Option<String>,
    /// Members of the callback that hold JSON, which nobody signed: good for names only.
    pub callback_json: Vec<String>,
    /// The ID token.
    pub id_token: IdTokenSpec,
    /// The authorization request.
    pub authorize: AuthorizeSpec,
    /// The token request.
    pub token: TokenSpec,
    /// When the user info endpoint is asked.
    pub userinfo: UserinfoUse,
    /// Further calls with the access token, in order.
    pub calls: Vec<Call>,
    /// Where the normalized fields come from.
    pub fields: Fields,
    /// Whose accounts are let in.
    pub admits: Vec<Admission>,
    /// What its word about an address is worth.
    pub email: EmailTrust,
}

/// One option of a connection.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OptionSpec {
    /// What it holds.
    pub kind: OptionKind,
    /// Its value where the connection has none.
    #[serde(default)]
    pub default: Option<String>,
    /// The values of a `choice`.
    #[serde(default)]
    pub choices: Vec<String>,
    /// Whether an active connection has it.
    #[serde(default)]
    pub required: bool,
    /// It is required where this other option is set.
    #[serde(default)]
    pub required_with: Option<String>,
    /// It is required where this other option is not set.
    #[serde(default)]
    pub required_without: Option<String>,
    /// A `flag`: values that other names have in templates while it is on.
    #[serde(default)]
    pub sets: BTreeMap<String, String>,
}

/// What an option holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OptionKind {
    /// One line.
    Text,
    /// An absolute https URL; a slash at its end is dropped.
    Url,
    /// Letters, digits, dots, hyphens and underscores: safe in a URL's path. Upper and lower case are the same.
    Name,
    /// A list of the same. In a template it is its one member, or `*` where there are several.
    Names,
    /// One of `choices`.
    Choice,
    /// On or off.
    Flag,
    /// A path inside a document: `data/user/id`.
    Path,
}

/// Endpoints, each a template.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Endpoints {
    /// Where the browser goes.
    pub authorize: String,
    /// Where codes are redeemed.
    pub token: String,
    /// The key set of ID tokens.
    #[serde(default)]
    pub keys: Option<String>,
    /// The user info of OpenID Connect.
    #[serde(default)]
    pub userinfo: Option<String>,
}

/// The ID token.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct IdTokenSpec {
    /// Whether there is one. Without it the person is whom the first call tells of.
    pub expected: bool,
    /// It comes without the scope `openid` (Clever has no scopes at all).
    pub without_scope: bool,
    /// Algorithms, where they are not discovered; RS256 where none is named.
    pub algorithms: Vec<String>,
    /// What becomes of the nonce.
    pub nonce: Nonce,
}

impl Default for IdTokenSpec {
    fn default() -> Self {
        Self {
            expected: true,
            without_scope: false,
            algorithms: Vec::new(),
            nonce: Nonce::Required,
        }
    }
}

/// What becomes of the nonce.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Nonce {
    /// Sent, and wanted back.
    #[default]
    Required,
    /// Sent, and compared if it comes back.
    IfEchoed,
    /// Not sent, since the provider drops it: state and the code alone bind the token to the login.
    Never,
}

/// The authorization request.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AuthorizeSpec {
    /// The answer is posted (`response_mode=form_post`).
    pub form_post: bool,
    /// PKCE breaks this provider and is left out.
    pub without_pkce: bool,
    /// Scopes are divided by commas.
    pub comma_scopes: bool,
    /// Parameters to add, each a template; one whose option is not set is left out.
    pub parameters: BTreeMap<String, String>,
    /// What a login asks for (`login_hint`, `prompt`, `max_age`, `acr_values`, `ui_locales`) to the provider's name of it.
    /// What is not named is not sent. Without the table each is sent under its own name.
    pub forward: Option<BTreeMap<String, String>>,
    /// The words of `prompt` that the provider knows; others are not sent. All where there is no list.
    pub prompts: Option<Vec<String>>,
}

/// The token request and its answer.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TokenSpec {
    /// How our client may authenticate, the usual way first: `client_secret_basic`, `client_secret_post`, `none`. What
    /// discovery says where none is named.
    pub methods: Vec<String>,
    /// The secret is a token of our own, signed with the connection's `private_key`.
    pub minted_secret: Option<MintedSecret>,
    /// Members that tell an error where the standard's `error` is missing.
    pub error_members: Vec<String>,
    /// What the provider's own error codes mean, in callbacks and at the token endpoint.
    pub errors: BTreeMap<String, Meaning>,
}

/// A client secret that is an ES256 JWT.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MintedSecret {
    /// `iss`, a template.
    pub issuer: String,
    /// `kid`, a template.
    pub key_id: String,
    /// `aud`
    pub audience: String,
}

/// What an error of the provider means.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Meaning {
    /// `oauth.access_denied`
    AccessDenied,
    /// `oauth.interaction_required`
    InteractionRequired,
    /// `oauth.upstream_unavailable`
    Unavailable,
    /// `oauth.client_rejected`
    ClientRejected,
    /// `oauth.code_rejected`
    CodeRejected,
}

/// When the user info endpoint is asked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UserinfoUse {
    /// Where the ID token lacks the address or the name.
    #[default]
    WhenThin,
    /// Always, since it has more.
    Always,
    /// Never.
    Never,
}

/// One call with the access token as a bearer.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Call {
    /// The name of its document.
    pub name: String,
    /// A template.
    pub url: String,
    /// A JSON body: the call is a POST then.
    #[serde(default)]
    pub body: Option<String>,
    /// Headers, each a template.
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    /// The parameter that carries HMAC-SHA256 of the access token under the client secret, in hexadecimal (Facebook).
    #[serde(default)]
    pub proof: Option<String>,
    /// Every one of these must hold, or the call is left out.
    #[serde(default)]
    pub when: Vec<Condition>,
    /// What shows that the answer is about the person of the ID token.
    #[serde(default)]
    pub same_person: Option<SamePerson>,
}

/// Two ids that must be equal.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SamePerson {
    /// The way to the person's id in the answer: `data/0/id`.
    pub id: String,
    /// The path of the same id in another document: `claims/sub`.
    pub of: String,
}

/// Something that holds or not. All its parts must.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Condition {
    /// An option that is set, or on.
    pub option: Option<String>,
    /// And has this value.
    pub is: Option<String>,
    /// A path that leads somewhere.
    pub present: Option<String>,
    /// A path that leads nowhere.
    pub missing: Option<String>,
}

/// Where the normalized fields come from: the first source that leads to a value. A field without sources is the
/// claim of its own name, where there is an ID token.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Fields {
    /// A text with paths in braces, which must all lead to a text or a whole number: `{claims/tid}:{claims/oid}`.
    pub subject: Option<String>,
    /// Or one path, which may name an option: `user/{subject_key_attr}`.
    pub subject_path: Option<String>,
    /// Upper and lower case of the subject are the same.
    pub lower_case_subject: bool,
    /// The address.
    pub email: Vec<Source>,
    /// The statement about the address.
    pub email_verified: Vec<Source>,
    /// The given name.
    pub given_name: Vec<Source>,
    /// The family name.
    pub family_name: Vec<Source>,
    /// The full name.
    pub name: Vec<Source>,
    /// The picture.
    pub picture: Vec<Source>,
    /// Groups.
    pub groups: Vec<Source>,
}

/// Where a value comes from.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub enum Source {
    /// A path.
    Path(String),
    /// A member of the first item of a list that has these values.
    Item(Item),
    /// A text with paths in braces.
    Text(Text),
}

/// See [`Source::Item`].
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Item {
    /// The path of the list.
    pub list: String,
    /// The members that the item must have.
    #[serde(rename = "where")]
    pub having: BTreeMap<String, Value>,
    /// The member that is taken.
    pub take: String,
}

/// See [`Source::Text`].
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Text {
    /// `https://cdn.example/{user/id}.png`
    pub text: String,
}

/// A rule about whose accounts are let in. A value that is missing is not let in.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Admission {
    /// The path of the value that decides.
    pub value: String,
    /// It is one of these …
    #[serde(default)]
    pub one_of: Vec<String>,
    /// … none of these …
    #[serde(default)]
    pub none_of: Vec<String>,
    /// … and one of this option's, where that is set.
    #[serde(default)]
    pub option: Option<String>,
    /// The rule is for connections where this holds.
    #[serde(default)]
    pub when: Option<Condition>,
}

/// What the provider's word about an address is worth. Whether the address counts as verified is decided elsewhere, from
/// this, the connection's trust and the domain.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct EmailTrust {
    /// What the provider states.
    pub verified: Statement,
    /// Whether it is the authority for the address's domain.
    pub authoritative: Authority,
    /// Where this does not hold, nothing that it states counts: the address is unverified.
    pub only_when: Option<Condition>,
}

/// What a provider states about an address.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Statement {
    /// What `email_verified` says.
    #[default]
    Claim,
    /// An address is only told when it is verified.
    Confirmed,
    /// Nothing that could be relied on: unverified, whatever it says.
    Never,
    /// Nothing.
    Unstated,
    /// Microsoft: verified where the tenant owns the domain (`xms_edov`) or the account is a personal one, else not.
    DomainOwner,
    /// Microsoft, for one organization: as `domain_owner`, but without `xms_edov` nothing is stated. A guest's address is
    /// unverified.
    Directory,
}

/// When a provider is the authority for an address's domain: from claims that it signed alone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Authority {
    /// Never.
    #[default]
    Never,
    /// Google: an address at gmail.com, or an account of a hosted domain (`hd`).
    GmailOrHostedDomain,
}

/// The names in braces of a template, in order.
pub fn placeholders(template: &str) -> impl Iterator<Item = &str> {
    let pieces = template.split('{').skip(1);
    pieces.filter_map(|rest| Some(rest.split_once('}')?.0))
}

impl OauthSpec {
    /// What is wrong with the table, for the test that reads every file; nothing where it is sound.
    pub fn flaws(&self) -> Vec<String> {
        let mut flaws = Vec::new();
        if !self.id_token.expected {
            if self.calls.is_empty() {
                flaws.push("neither an ID token nor a call says who signed in".to_owned());
            }
            if self.fields.subject.is_none() && self.fields.subject_path.is_none() {
                flaws.push("fields.subject is missing".to_owned());
            }
        }
        if self.endpoints.as_ref().is_some_and(|e| e.keys.is_none()) && self.id_token.expected {
            flaws.push("endpoints.keys is missing".to_owned());
        }
        let endpoints = self.endpoints.iter().flat_map(|endpoints| {
            [
                Some(&endpoints.authorize),
                Some(&endpoints.token),
                endpoints.keys.as_ref(),
                endpoints.userinfo.as_ref(),
            ]
        });
        let urls = endpoints
            .flatten()
            .chain(self.calls.iter().map(|call| &call.url));
        for name in urls
            .chain(&self.discovery)
            .flat_map(|url| placeholders(url))
        {
            if !self.is_safe_in_urls(name) {
                flaws.push(format!("{{{name}}} is not an option that is safe in a URL"));
            }
        }
        for (name, option) in &self.options {
            if (option.kind == OptionKind::Choice) == option.choices.is_empty() {
                flaws.push(format!("choices of {name}"));
            }
        }
        flaws
    }

    fn is_safe_in_urls(&self, name: &str) -> bool {
        let safe = |option: &OptionSpec| {
            matches!(
                option.kind,
                OptionKind::Url | OptionKind::Name | OptionKind::Choice
            )
        };
        self.options.get(name).is_some_and(safe)
    }
}
