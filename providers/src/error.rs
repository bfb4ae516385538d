//! Refusals: every way in which a login or a request can be turned down, as data.
//!
//! Each area has one enum whose leaves are facts, made by [`refusals!`](crate::refusals). A leaf carries a
//! [`Catalogued`] entry: the stable code, who must act, what the person reads, what it means and what to do.
//! A [`Refusal`] is a leaf with its evidence: what was expected and what was found.
//! Codes are append-only; `docs/errors.md` is generated from these tables.

use std::fmt;

/// Who has to act before the same attempt can succeed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Blame {
    /// The person, in this browser: start again, sign in with another account.
    Browser,
    /// The administrator of the upstream identity provider.
    Upstream,
    /// The operator of the gateway or the owner of the connection's settings.
    Operator,
    /// The downstream application or API client that sent the request.
    Application,
    /// The gateway itself: a defect or an outage on our side.
    Gateway,
}

impl Blame {
    /// The word used in documents, JSON and metrics.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Browser => "browser",
            Self::Upstream => "upstream",
            Self::Operator => "operator",
            Self::Application => "application",
            Self::Gateway => "gateway",
        }
    }
}

/// The catalogue entry of one refusal: all that never changes between two occurrences.
#[derive(Debug, PartialEq, Eq)]
pub struct Catalogued {
    /// `area.reason`, stable for ever.
    pub code: &'static str,
    /// Who must act.
    pub blame: Blame,
    /// The number that Kinde documents for this failure, where it has one.
    pub kinde: Option<u16>,
    /// One plain sentence for the person in the browser.
    pub says: &'static str,
    /// What it means, for an administrator.
    pub meaning: &'static str,
    /// What to change. `{audience}`, `{acs}` and the like stand for the words of that identity
    /// provider's console; see `Spec::console` in the crate root.
    pub fix: &'static str,
}

/// One refusal: a catalogue entry and the evidence of this occurrence.
///
/// Evidence is for administrators only. It never holds a secret, a token or a whole assertion.
#[derive(Clone, PartialEq, Eq)]
pub struct Refusal {
    entry: &'static Catalogued,
    evidence: Option<Box<Evidence>>,
}

/// What one occurrence expected and found. Each value is cut at [`EVIDENCE_CHARS`] characters.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Evidence {
    /// The value that would have been accepted.
    pub expected: Option<String>,
    /// The value that came.
    pub found: Option<String>,
    /// Anything else an administrator needs: an upstream's own error text, an element's name.
    pub detail: Option<String>,
}

/// The longest piece of evidence that is kept, in characters.
pub const EVIDENCE_CHARS: usize = 512;

impl Refusal {
    /// A refusal without evidence. Usually written as `Leaf.into()` or `Leaf.refuse()`.
    pub fn new(entry: &'static Catalogued) -> Self {
        Self {
            entry,
            evidence: None,
        }
    }

    /// Adds the value that would have been accepted.
    #[must_use]
    pub fn expected(mut self, value: impl fmt::Display) -> Self {
        self.evidence_mut().expected = Some(clip(&value.to_string()));
        self
    }

    /// Adds the value that came.
    #[must_use]
    pub fn found(mut self, value: impl fmt::Display) -> Self {
        self.evidence_mut().found = Some(clip(&value.to_string()));
        self
    }

    /// Adds anything else that an administrator needs.
    #[must_use]
    pub fn detail(mut self, value: impl fmt::Display) -> Self {
        self.evidence_mut().detail = Some(clip(&value.to_string()));
        self
    }

    /// The catalogue entry.
    pub fn entry(&self) -> &'static Catalogued {
        self.entry
    }

    /// The stable code, `area.reason`.
    pub fn code(&self) -> &'static str {
        self.entry.code
    }

    /// The evidence of this occurrence; empty where none was given.
    pub fn evidence(&self) -> Evidence {
        self.evidence.as_deref().cloned().unwrap_or_default()
    }

    fn evidence_mut(&mut self) -> &mut Evidence {
        self.evidence.get_or_insert_default()
    }
}

impl fmt::Debug for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Refusal({}", self.entry.code)?;
        if let Some(e) = &self.evidence {
            write!(
                f,
                ", expected {:?}, found {:?}, detail {:?}",
                e.expected, e.found, e.detail
            )?;
        }
        write!(f, ")")
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.entry.code, self.entry.meaning)
    }
}

impl std::error::Error for Refusal {}

fn clip(value: &str) -> String {
    match value.char_indices().nth(EVIDENCE_CHARS) {
        Some((cut, _)) => format!("{}…", &value[..cut]),
        None => value.to_owned(),
    }
}

/// Declares one area of refusals: a C-like enum, its catalogue and the conversions into [`Refusal`].
///
/// ```ignore
/// refusals! {
///     /// What the SAML verifier refuses.
///     pub enum SamlRefusal in "saml" {
///         /// An AudienceRestriction names another service provider.
///         AudienceMismatch = "audience_mismatch", Upstream, kinde 578,
///             says "Your organization's identity provider sent a sign-in meant for another service.",
///             fix "Set {audience} at the identity provider to the value expected here.";
///     }
/// }
/// ```
/// The doc comment of a leaf is its `meaning`.
#[macro_export]
macro_rules! refusals {
    (
        $(#[$enum_meta:meta])*
        $vis:vis enum $name:ident in $area:literal {
            $(
                #[doc = $meaning:literal]
                $leaf:ident = $reason:literal, $blame:ident $(, kinde $kinde:literal)?,
                    says $says:literal,
                    fix $fix:literal;
            )+
        }
    ) => {
        $(#[$enum_meta])*
        #[allow(clippy::doc_markdown, reason = "a leaf's comment is its meaning, shown to people as plain text")]
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        $vis enum $name {
            $(#[doc = $meaning] $leaf,)+
        }

        impl $name {
            /// Every leaf of this area, in the order of declaration.
            pub const ALL: &'static [Self] = &[$(Self::$leaf,)+];

            /// The catalogue entry of this leaf.
            pub fn entry(self) -> &'static $crate::error::Catalogued {
                match self {
                    $(Self::$leaf => const { &$crate::error::Catalogued {
                        code: concat!($area, ".", $reason),
                        blame: $crate::error::Blame::$blame,
                        kinde: $crate::refusals!(@kinde $($kinde)?),
                        says: $says,
                        meaning: $crate::error::trimmed($meaning),
                        fix: $fix,
                    } },)+
                }
            }

            /// A refusal with no evidence yet.
            pub fn refuse(self) -> $crate::error::Refusal {
                $crate::error::Refusal::new(self.entry())
            }
        }

        impl From<$name> for $crate::error::Refusal {
            fn from(leaf: $name) -> Self {
                leaf.refuse()
            }
        }

        impl PartialEq<$name> for $crate::error::Refusal {
            fn eq(&self, leaf: &$name) -> bool {
                self.code() == leaf.entry().code
            }
        }
    };
    (@kinde) => { None };
    (@kinde $kinde:literal) => { Some($kinde) };
}

/// Drops the blank that a doc comment begins with. For [`refusals!`](crate::refusals) only.
#[doc(hidden)]
pub const fn trimmed(text: &'static str) -> &'static str {
    match text.as_bytes() {
        [b' ', ..] => text.split_at(1).1,
        _ => text,
    }
}
