//! What can be seen going wrong.

use crate::saml_idp::Lie;

/// Something that goes wrong.
#[derive(Clone, Copy, Debug)]
pub struct Scene {
    /// Its word in the address.
    pub name: &'static str,
    /// Its button.
    pub label: &'static str,
    /// What happens, in a sentence.
    pub story: &'static str,
    pub(super) act: Act,
}

/// How it is played.
#[derive(Clone, Copy, Debug)]
pub(super) enum Act {
    /// Acme's identity provider lies.
    Acme(Lie),
    /// The same answer is posted twice.
    Replayed,
    /// The answer is posted by a browser that did not begin the login.
    AnotherBrowser,
    /// Globex tells an address of Acme that it never verified.
    Unverified,
    /// The domain belongs to nobody.
    UnknownDomain,
}

/// All of them, in the order of the page.
pub const SCENES: [Scene; 10] = [
    Scene {
        name: "wrong-audience",
        label: "Wrong audience",
        story: "Acme’s identity provider made the sign-in out to another service: somebody pasted another entity ID into its console.",
        act: Act::Acme(Lie::WrongAudience),
    },
    Scene {
        name: "wrong-recipient",
        label: "Wrong recipient",
        story: "Acme’s identity provider says that the sign-in was meant for another address.",
        act: Act::Acme(Lie::WrongRecipient),
    },
    Scene {
        name: "rolled-key",
        label: "Rolled key",
        story: "Acme’s identity provider signs with a new key before its metadata says so.",
        act: Act::Acme(Lie::RolledKey),
    },
    Scene {
        name: "expired",
        label: "Expired",
        story: "The answer was valid until ten minutes ago: it waited in an open tab, or was made with a short lifetime.",
        act: Act::Acme(Lie::Expired),
    },
    Scene {
        name: "clock-skew",
        label: "Clock skew",
        story: "The clock of Acme’s identity provider is seven minutes ahead.",
        act: Act::Acme(Lie::ClockSkew),
    },
    Scene {
        name: "replayed",
        label: "Replayed",
        story: "Somebody posts an answer again that has signed Alice in already.",
        act: Act::Replayed,
    },
    Scene {
        name: "another-browser",
        label: "Another browser",
        story: "Alice began in one browser, and the answer arrives in another: a forwarded link, or an attack.",
        act: Act::AnotherBrowser,
    },
    Scene {
        name: "cancelled",
        label: "Cancelled there",
        story: "Acme’s identity provider answers that the request was denied: the person cancelled, or a policy forbids it.",
        act: Act::Acme(Lie::Cancelled),
    },
    Scene {
        name: "unverified-email",
        label: "Unverified e-mail",
        story: "Mallory has an account at Globex with Alice’s address, which Globex never verified. No refusal: a user of her own, and an address that nobody vouches for.",
        act: Act::Unverified,
    },
    Scene {
        name: "unknown-domain",
        label: "Unknown domain",
        story: "Somebody types an address of a domain that no connection serves.",
        act: Act::UnknownDomain,
    },
];
