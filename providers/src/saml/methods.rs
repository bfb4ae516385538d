//! Authentication methods (RFC 8176) that an AuthnContextClassRef proves by its own definition (SAML authentication
//! context 3.4 and following). A class that says less than a method, such as `unspecified` or `PreviousSession`, proves none.

/// Class, and the methods that it names.
const METHODS: [(&str, &[&str]); 11] = [
    ("urn:oasis:names:tc:SAML:2.0:ac:classes:Password", &["pwd"]),
    (
        "urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport",
        &["pwd"],
    ),
    (
        "urn:oasis:names:tc:SAML:2.0:ac:classes:TimeSyncToken",
        &["otp"],
    ),
    ("urn:oasis:names:tc:SAML:2.0:ac:classes:Smartcard", &["sc"]),
    (
        "urn:oasis:names:tc:SAML:2.0:ac:classes:SmartcardPKI",
        &["sc"],
    ),
    (
        "urn:oasis:names:tc:SAML:2.0:ac:classes:SoftwarePKI",
        &["swk"],
    ),
    (
        "urn:oasis:names:tc:SAML:2.0:ac:classes:MobileTwoFactorContract",
        &["mfa"],
    ),
    (
        "urn:oasis:names:tc:SAML:2.0:ac:classes:MobileTwoFactorUnregistered",
        &["mfa"],
    ),
    // REFEDS MFA Profile 1.0.
    ("https://refeds.org/profile/mfa", &["mfa"]),
    // Entra ID and AD FS.
    (
        "http://schemas.microsoft.com/claims/multipleauthn",
        &["mfa"],
    ),
    (
        "http://schemas.microsoft.com/ws/2012/12/authmethod/otp",
        &["otp"],
    ),
];

/// What a verified class proves, as `amr` has it.
pub(super) fn of(class: Option<&str>) -> Vec<String> {
    let known = METHODS.iter().find(|(known, _)| class == Some(*known));
    let methods = known.map_or(&[][..], |(_, methods)| methods);
    methods.iter().map(|method| (*method).to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_class_proves_what_it_is_defined_as_and_nothing_more() {
        let password = "urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport";
        assert_eq!(of(Some(password)), ["pwd"]);
        assert_eq!(of(Some("https://refeds.org/profile/mfa")), ["mfa"]);
        for nothing in [
            None,
            Some(""),
            Some("urn:oasis:names:tc:SAML:2.0:ac:classes:unspecified"),
            Some("urn:oasis:names:tc:SAML:2.0:ac:classes:PreviousSession"),
            Some("urn:mfa"),
            Some("URN:oasis:names:tc:SAML:2.0:ac:classes:Password"),
        ] {
            assert_eq!(of(nothing), [""; 0], "{nothing:?}");
        }
    }
}
