//! The lies of an OpenID Provider.

use std::time::Duration;

crate::lies::lies! {
    /// How the provider misbehaves for one login.
    pub enum Lie {
        #[default] Honest = "No: tell the truth",

        AccessDenied = "Cancelled by the person",
        InteractionRequired = "Would have to ask",
        TemporarilyUnavailable = "Temporarily unavailable",
        InvalidScope = "Refuses the scope",
        WrongState = "State of another login",
        NoState = "State lost",
        CodeMissing = "Neither code nor error",
        CodeTwice = "Code twice",
        TokensInCallback = "Tokens in the address",
        IssMismatchInCallback = "Another issuer in the callback",
        NoIssInCallback = "No issuer in the callback",

        InvalidClient = "Does not know the client",
        InvalidGrant = "Does not know the code",
        ServerFailure = "Token endpoint fails",
        Redirected = "Token endpoint moved",
        Slow = "Token endpoint hangs",
        Huge = "Token answer of sixteen megabytes",
        Truncated = "Token answer cut off",
        NotJson = "Token answer is a web page",
        NoAccessToken = "No access token",
        NoIdToken = "No ID token",

        NotAToken = "ID token is no token",
        DuplicateMember = "ID token says its subject twice",
        AlgNone = "ID token not signed",
        Hs256WithPublicKey = "ID token signed by HMAC with the public key",
        AlgNoneInOtherCase = "ID token not signed, in other letters",
        SignatureOfZeros = "ID token with an elliptic signature of zeros",
        OtherKey = "ID token signed with a key that is not published",
        OtherKeySameId = "ID token signed with another key of the same name",
        KeyIdIsAPath = "ID token whose key is named by a path",
        KeyByAddress = "ID token that says where its key is",
        KeyInHeader = "ID token that brings its key",
        Tampered = "ID token changed after signing",
        CriticalHeader = "ID token with a critical header",
        Encrypted = "ID token encrypted",
        Padded = "ID token in another base64",
        WrongType = "Access token in place of the ID token",
        WrongIssuer = "ID token of another issuer",
        WrongAudience = "ID token for another client",
        SeveralAudiences = "ID token for several clients",
        OtherParty = "ID token for another authorized party",
        ExpiredToken = "ID token expired",
        IssuedInFuture = "Clock an hour ahead",
        NotYetValid = "ID token not valid yet",
        WrongNonce = "Nonce of another login",
        NoNonce = "No nonce",
        WrongAtHash = "Hash of another access token",
        MissingSubject = "No subject",
        OldAuthentication = "Authenticated yesterday",
        NoAuthTime = "Does not say when",
        WeakContext = "Weaker authentication than asked for",

        UserinfoRefused = "Userinfo refuses the token",
        UserinfoMalformed = "Userinfo is no JSON",
        OtherSubjectInUserinfo = "Userinfo of somebody else",

        UnverifiedEmail = "Address not verified",
        UnstatedEmail = "Address without a word about it",
        VerifiedAsText = "Verified, as text",
        NoEmail = "No address",
    }
}

impl Lie {
    /// How long the token endpoint waits before it answers.
    pub(super) fn delay(self) -> Duration {
        match self {
            Self::Slow => Duration::from_mins(2),
            _ => Duration::ZERO,
        }
    }

    /// The OAuth error with which the person comes back (RFC 6749 4.1.2.1).
    pub(super) fn callback_error(self) -> Option<&'static str> {
        match self {
            Self::AccessDenied => Some("access_denied"),
            Self::InteractionRequired => Some("interaction_required"),
            Self::TemporarilyUnavailable => Some("temporarily_unavailable"),
            Self::InvalidScope => Some("invalid_scope"),
            _ => None,
        }
    }
}
