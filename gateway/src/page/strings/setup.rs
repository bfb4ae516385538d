//! The words of the setup page: one table per language, as those of the other pages.

mod arabic;
mod english;
mod german;

use super::super::Language;

macro_rules! table {
    ($($(#[$doc:meta])* $key:ident,)+) => {
        /// The table of one language. A language that lacks a key does not compile.
        #[derive(Debug)]
        pub(in crate::page) struct SetupStrings {
            $($(#[$doc])* pub $key: &'static str,)+
        }

        impl SetupStrings {
            /// Every text by its key, for comparing tables.
            #[cfg(test)]
            pub(in crate::page) fn texts(&self) -> Vec<(&'static str, &'static str)> {
                vec![$((stringify!($key), self.$key)),+]
            }
        }
    };
}

table! {
    /// Heading; `{}` is the connection.
    heading,
    /// State: something is missing.
    incomplete,
    /// State: complete, never tested.
    untested,
    /// State: changed since a test passed.
    stale,
    /// State: a test passed as it is.
    tested,
    /// State: people sign in through it.
    active,
    /// State: switched off.
    disabled,
    /// Heading of the values; `{}` is the console.
    copy_heading,
    /// Before a path in a console's menus.
    place,
    /// Values that few consoles ask for.
    more_values,
    /// Before what is to be set besides.
    also,
    /// Heading of what is brought back; `{}` is the console.
    bring_heading,
    /// Over the other ways to bring metadata back.
    other_way,
    /// Label of the metadata's address.
    metadata_url,
    /// Label of the metadata's file.
    metadata_file,
    /// Label of the metadata as text.
    metadata_xml,
    /// Under the field of a secret that is kept.
    secret_kept,
    /// The button.
    save,
    /// After saving.
    saved,
    /// What is kept: the identity provider's entity ID.
    kept_entity,
    /// What is kept: the number of signing keys.
    kept_keys,
    /// What is kept: when it was read.
    kept_read,
    /// What is kept: the certificate of ours that it encrypts for.
    picked_up,
    /// Behind it: it is the one to encrypt for, seen last at the moment that follows.
    picked_up_current,
    /// Behind it: another one took its place, seen last at the moment that follows.
    picked_up_old,
    /// In place of the form.
    not_changeable,
    /// Heading of the test.
    test_heading,
    /// What happens next.
    test_next,
    /// The button.
    test,
    /// The button where a test has ended.
    test_again,
    /// In place of the button.
    test_not_yet,
    /// Of the last test.
    test_passed,
    /// Of the last test.
    test_failed,
    /// Link to the verdict.
    test_show,
    /// Heading of the activation.
    activate_heading,
    /// What happens next.
    activate_next,
    /// The button.
    activate,
    /// In place of the button.
    activate_not_yet,
    /// After activation.
    activated,
    /// Before what was expected.
    expected,
    /// Before what was found.
    found,
    /// Before what to change.
    fix,
    /// Heading behind a link.
    begin_heading,
    /// What happens next.
    begin_next,
    /// The button.
    begin,
    /// Heading where there is nothing to set up.
    closed_heading,
    /// Heading of a passed test; `{}` is the connection.
    verdict_passed,
    /// Heading of a failed test; `{}` is the connection.
    verdict_failed,
    /// Under it.
    nothing_changed,
    /// Where no verdict is kept.
    no_verdict,
    /// Heading of the identity.
    identity_heading,
    /// Of the identity.
    subject,
    /// Of the identity.
    issuer,
    /// Of the identity.
    email,
    /// Of the identity.
    given_name,
    /// Of the identity.
    family_name,
    /// Of the identity.
    full_name,
    /// Of the identity.
    groups,
    /// Of the identity: further ones by their own names.
    attributes,
    /// Where the identity provider sent none.
    none_sent,
    /// Of the address.
    counts,
    /// Of the address.
    counts_not,
    /// Why: the identity provider says that it did not verify the address.
    why_disowned,
    /// Why: the identity provider is the authority for the address.
    why_authority,
    /// Why: the connection is trusted and the domain is its own.
    why_trusted,
    /// Why not: the connection is not trusted.
    why_untrusted,
    /// Why not: the domain is not one of the connection's.
    why_foreign,
    /// Heading of what would come of it.
    outcome_heading,
    /// A new user.
    new_user,
    /// A known user; `{}` is the id.
    known_user,
    /// A user who was entered beforehand; `{}` is the id.
    waiting_user,
    /// What the sign-in would be refused for.
    refused,
    /// Of the outcome.
    account,
    /// Of the outcome.
    organization,
    /// The person would become a member.
    joins,
    /// The person is a member, or there is no membership to have.
    no_organization,
    /// Back to the setup page.
    back,
}

impl SetupStrings {
    /// The table of a language.
    pub(in crate::page) fn of(language: Language) -> &'static Self {
        match language {
            Language::English => &english::STRINGS,
            Language::German => &german::STRINGS,
            Language::Arabic => &arabic::STRINGS,
        }
    }
}
