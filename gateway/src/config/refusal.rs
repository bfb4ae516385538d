//! What can be wrong with the configuration, and where.

use std::fmt;
use std::path::{Path, PathBuf};

use fedgate_providers::error::Refusal;
use fedgate_providers::refusals;

use super::tree::Origin;

refusals! {
    /// Why the gateway does not start with this configuration.
    pub enum ConfigRefusal in "config" {
        /// The file cannot be read.
        Unreadable = "unreadable", Operator,
            says "The gateway's configuration cannot be read.",
            fix "Check that the file exists, that the gateway's user may read it, and that it is UTF-8 text; fedgate init writes one.";
        /// The file is larger than is read.
        TooLarge = "too_large", Operator,
            says "The gateway's configuration is too large.",
            fix "Shorten the file; applications can also be registered through the Management API.";
        /// The file is not TOML.
        Syntax = "syntax", Operator,
            says "The gateway's configuration is not valid TOML.",
            fix "Mend the line that is named.";
        /// A key is not one that the gateway has.
        UnknownKey = "unknown_key", Operator,
            says "The gateway's configuration holds an unknown key.",
            fix "Remove the key, or write it as shown under expected.";
        /// A value has the wrong type.
        WrongType = "wrong_type", Operator,
            says "A value in the gateway's configuration is of the wrong type.",
            fix "Write the value as the type named under expected.";
        /// A key that must be there is absent or empty.
        Missing = "missing", Operator,
            says "The gateway's configuration lacks a key.",
            fix "Add the key, or set its environment variable.";
        /// A value is not one of those that its key can have.
        Value = "value", Operator,
            says "A value in the gateway's configuration is not accepted.",
            fix "Use one of the values named under expected.";
        /// The public URL is not an https origin.
        PublicUrl = "public_url", Operator,
            says "The gateway's public address is not accepted.",
            fix "Write scheme, host and port alone, as in https://login.example.com; http only on loopback.";
        /// A listening address is not an IP address with a port.
        Listen = "listen", Operator,
            says "The gateway's listening address is not accepted.",
            fix "Write an IP address and a port, as in 127.0.0.1:8080 or [::]:8080.";
        /// A trusted proxy is not an address or a network.
        TrustedProxy = "trusted_proxy", Operator,
            says "One of the trusted proxies is not accepted.",
            fix "Write an IP address, or a network whose host bits are zero, as in 10.0.0.0/8.";
        /// The store's URL is not one that the gateway can open.
        StoreUrl = "store_url", Operator,
            says "The gateway's store is not accepted.",
            fix "Write sqlite: and a path, without a query and without a percent sign; or postgres://user:password@host/database, with whatever libpq takes behind it, such as ?sslmode=verify-full.";
        /// The URL of the ephemeral store is not one that the gateway can use.
        EphemeralUrl = "ephemeral_url", Operator,
            says "The gateway's ephemeral store is not accepted.",
            fix "Write redis://host:6379, redis-cluster://host:6379,host:6379 or redis-sentinel://host:26379/service, with rediss for TLS and user:password@ before the first host; docs/OPERATIONS.md has every form.";
        /// The key is part of the contract and not of this version.
        NotInThisVersion = "not_in_this_version", Operator,
            says "The gateway's configuration asks for something that this version does not have.",
            fix "Remove the key.";
        /// The file of the master key cannot be read or written.
        MasterKeyFile = "master_key_file", Operator,
            says "The gateway's master key cannot be read.",
            fix "Check the path under [secrets] and that the gateway's user owns the file and its folder.";
        /// The file of the master key does not hold one.
        MasterKey = "master_key", Operator,
            says "The gateway's master key is damaged.",
            fix "Restore the file from its backup; what the store holds sealed opens with that key alone.";
        /// Others than the owner may read the file of the master key.
        MasterKeyExposed = "master_key_exposed", Operator,
            says "The gateway's master key can be read by others.",
            fix "chmod 600 the file; if others could have read it, replace the key.";
        /// The file of the master key is absent, and the store holds what only that key opens.
        MasterKeyAbsent = "master_key_absent", Operator,
            says "The gateway's master key is absent.",
            fix "Restore the file from its backup; a new key would open nothing of what the store holds.";
        /// A client id is empty, too long, or holds other characters than letters, digits and . _ - : @.
        ClientId = "client_id", Operator,
            says "An application's client id is not accepted.",
            fix "Use 1 to 128 letters, digits and . _ - : @ characters.";
        /// Two applications have the same client id.
        ClientIdRepeated = "client_id_repeated", Operator,
            says "Two applications have the same client id.",
            fix "Give each application a client id of its own.";
        /// A client secret is blank, given twice or too long, or its file cannot be read.
        ClientSecret = "client_secret", Operator,
            says "An application's client secret is not accepted.",
            fix "Give one of client_secret and client_secret_file; the file holds the secret alone. A public client has neither.";
        /// An application that asks with its own credentials has none.
        ClientCredentials = "client_credentials", Operator,
            says "An application has no credentials.",
            fix "Give client_secret, client_secret_file, jwks or jwks_uri to an application with the grant type client_credentials.";
        /// A redirect URI is not an absolute URI of an accepted kind.
        RedirectUri = "redirect_uri", Operator,
            says "One of an application's addresses is not accepted.",
            fix "Use https, http on loopback, or a private-use scheme with a dot in it; no fragment, no wildcard, no user name.";
        /// An application signs people in and has no redirect URI.
        RedirectUriMissing = "redirect_uri_missing", Operator,
            says "An application has no address to return to.",
            fix "Add its redirect_uris, or set grant_types = [\"client_credentials\"].";
        /// The fallback connection is not a connection id.
        FallbackConnection = "fallback_connection", Operator,
            says "An application's fallback connection is not accepted.",
            fix "Copy the id of the connection: conn_ and 32 hex digits.";
        /// An application's keys cannot be used.
        Jwks = "jwks", Operator,
            says "An application's keys are not accepted.",
            fix "Give one of jwks (a JSON Web Key Set with at least one key for signatures) and jwks_uri.";
        /// A scope is not one of the Management API.
        Scope = "scope", Operator,
            says "One of an application's scopes is not known.",
            fix "Use the scopes of the Management API, such as read:connections.";
        /// A limit is zero, negative or too large.
        Limit = "limit", Operator,
            says "One of the gateway's limits is not accepted.",
            fix "Use a number within the range named under expected.";
    }
}

/// One problem, with its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigProblem {
    /// What is wrong, with evidence; never with a secret.
    pub refusal: Refusal,
    /// The file.
    pub file: PathBuf,
    /// The line in it, from 1; none for the environment or the file as a whole.
    pub line: Option<usize>,
    /// The environment variable that set the value.
    pub variable: Option<String>,
    /// `server.public_url`, `applications[0].redirect_uris[1]`; empty for the file as a whole.
    pub key: String,
}

impl ConfigProblem {
    pub(super) fn of_file(refusal: Refusal, file: &Path) -> Self {
        Self {
            refusal,
            file: file.to_owned(),
            line: None,
            variable: None,
            key: String::new(),
        }
    }

    pub(super) fn new(refusal: Refusal, file: &Path, key: &str, origin: &Origin) -> Self {
        let (line, variable) = match origin {
            Origin::Line(line) => (Some(*line), None),
            Origin::Variable(name) => (None, Some(name.clone())),
            Origin::File => (None, None),
        };
        Self {
            refusal,
            file: file.to_owned(),
            line,
            variable,
            key: key.to_owned(),
        }
    }

    /// The stable code.
    pub fn code(&self) -> &'static str {
        self.refusal.code()
    }
}

impl fmt::Display for ConfigProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.variable, self.line) {
            (Some(variable), _) => write!(f, "{variable}: ")?,
            (None, Some(line)) => write!(f, "{}:{line}: ", self.file.display())?,
            (None, None) => write!(f, "{}: ", self.file.display())?,
        }
        if !self.key.is_empty() {
            write!(f, "{}: ", self.key)?;
        }
        let entry = self.refusal.entry();
        write!(f, "{} [{}]", entry.meaning, entry.code)?;
        let evidence = self.refusal.evidence();
        let parts = [
            ("expected", evidence.expected),
            ("found", evidence.found),
            ("detail", evidence.detail),
        ];
        for (word, value) in parts {
            if let Some(value) = value {
                write!(f, "\n    {word}: {value}")?;
            }
        }
        write!(f, "\n    fix: {}", entry.fix)
    }
}

/// All that is wrong with a configuration, in the order of its lines; never empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigErrors(Vec<ConfigProblem>);

impl ConfigErrors {
    pub(super) fn new(mut problems: Vec<ConfigProblem>) -> Self {
        problems.sort_by_key(|problem| problem.line.unwrap_or(0));
        Self(problems)
    }

    pub(super) fn single(problem: ConfigProblem) -> Self {
        Self(vec![problem])
    }

    /// Each problem.
    pub fn problems(&self) -> &[ConfigProblem] {
        &self.0
    }
}

impl fmt::Display for ConfigErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, problem) in self.0.iter().enumerate() {
            let separator = if index == 0 { "" } else { "\n" };
            write!(f, "{separator}{problem}")?;
        }
        Ok(())
    }
}

impl std::error::Error for ConfigErrors {}
