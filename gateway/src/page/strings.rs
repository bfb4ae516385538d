//! Every word that a person reads on a page, in one table per language.
//!
//! `{}` stands for a name that comes from outside; see [`Phrase`](super::phrase::Phrase).

mod arabic;
mod english;
mod german;
pub(super) mod setup;

use super::Language;

/// The table of one language. A language that lacks a key does not compile.
#[derive(Debug)]
pub struct Strings {
    /// Heading of the sign-in page; `{}` is the application.
    pub sign_in_to: &'static str,
    /// Before the heading's text in the window title, when a field is wrong.
    pub error_title: &'static str,
    /// Label of the e-mail box.
    pub email: &'static str,
    /// Under the e-mail box, where it is the only way in: what happens next.
    pub single_sign_on_next: &'static str,
    /// The button under the e-mail box, and the one of the page on the way.
    pub carry_on: &'static str,
    /// Between the e-mail box and the buttons.
    pub or: &'static str,
    /// A connection's button; `{}` is the connection.
    pub continue_with: &'static str,
    /// Nothing was typed.
    pub email_empty: &'static str,
    /// What was typed is not an address.
    pub email_malformed: &'static str,
    /// No route for this address. Says nothing about whether it exists.
    pub email_no_way: &'static str,
    /// Heading of the page on the way; `{}` is the connection.
    pub taking_you_to: &'static str,
    /// For when scripts are off.
    pub on_the_way_next: &'static str,
    /// Heading of a refusal; `{}` is the application.
    pub could_not_sign_in_to: &'static str,
    /// The same where the application is not known.
    pub could_not_sign_in: &'static str,
    /// Begins a new attempt.
    pub start_again: &'static str,
    /// A way back; `{}` is the application.
    pub back_to: &'static str,
    /// Opens a mail with the code and the reference.
    pub send_to_administrator: &'static str,
    /// Above the code and the reference.
    pub for_administrator: &'static str,
    /// Before the stable code.
    pub code: &'static str,
    /// Before the reference.
    pub reference: &'static str,
    /// Subject of the mail; `{}` is the reference.
    pub mail_subject: &'static str,
    /// First line of the mail; `{}` is the application.
    pub mail_opening_application: &'static str,
    /// First line of the mail where the application is not known.
    pub mail_opening: &'static str,
    /// Last line of the mail; `{}` is the reference.
    pub mail_closing: &'static str,
    /// The button beside a value.
    pub copy: &'static str,
    /// What that button says afterwards.
    pub copied: &'static str,
    /// Heading of the signed-out page.
    pub signed_out: &'static str,
    /// Of what; `{}` is the application.
    pub signed_out_of: &'static str,
    /// Of what, where the application is not known.
    pub signed_out_of_application: &'static str,
    /// Of what as well; `{}` is the connection.
    pub signed_out_of_provider: &'static str,
    /// Of what not; `{}` is the connection.
    pub still_signed_in_at: &'static str,
    /// Of what not, where the connection is not known.
    pub still_signed_in: &'static str,
    /// Of what not, where the identity provider's session ended too.
    pub still_signed_in_elsewhere: &'static str,
    /// What to do on a computer that others use.
    pub shared_computer: &'static str,
    /// The sentences of refusals, from the English one of the catalogue. Empty for English itself.
    pub sentences: &'static [(&'static str, &'static str)],
}

impl Strings {
    /// The table of a language.
    pub fn of(language: Language) -> &'static Self {
        match language {
            Language::English => &english::STRINGS,
            Language::German => &german::STRINGS,
            Language::Arabic => &arabic::STRINGS,
        }
    }

    /// A refusal's sentence in this language, or `None` where the table lacks it.
    pub fn sentence(&self, says: &str) -> Option<&'static str> {
        self.sentences
            .iter()
            .find(|(english, _)| *english == says)
            .map(|(_, translated)| *translated)
    }

    /// Every plain text by its key, for comparing tables.
    #[cfg(test)]
    pub(super) fn texts(&self) -> Vec<(&'static str, &'static str)> {
        macro_rules! keys {
            ($($key:ident)*) => { vec![$((stringify!($key), self.$key)),*] };
        }
        keys! {
            sign_in_to error_title email single_sign_on_next carry_on or continue_with email_empty email_malformed
            email_no_way taking_you_to on_the_way_next could_not_sign_in_to could_not_sign_in start_again back_to
            send_to_administrator for_administrator code reference mail_subject mail_opening_application mail_opening
            mail_closing copy copied signed_out signed_out_of signed_out_of_application signed_out_of_provider
            still_signed_in_at still_signed_in still_signed_in_elsewhere shared_computer
        }
    }
}

#[cfg(test)]
mod tests {
    use super::setup::SetupStrings;
    use super::*;

    #[test]
    fn every_language_has_every_key_with_the_same_placeholder() {
        let english = Strings::of(Language::English).texts();
        for language in Language::ALL {
            let texts = Strings::of(language).texts();
            for ((key, original), (_, text)) in english.iter().zip(&texts) {
                assert!(!text.is_empty(), "{language:?} {key}");
                assert_eq!(
                    original.matches("{}").count(),
                    text.matches("{}").count(),
                    "{language:?} {key}"
                );
            }
        }
    }

    #[test]
    fn every_language_has_every_key_of_the_setup_page() {
        let english = SetupStrings::of(Language::English).texts();
        for language in Language::ALL {
            let texts = SetupStrings::of(language).texts();
            for ((key, original), (_, text)) in english.iter().zip(&texts) {
                assert!(!text.is_empty(), "{language:?} {key}");
                assert_eq!(
                    original.matches("{}").count(),
                    text.matches("{}").count(),
                    "{language:?} {key}"
                );
            }
        }
    }

    #[test]
    fn every_translated_language_has_the_same_sentences() {
        let german: Vec<_> = Strings::of(Language::German)
            .sentences
            .iter()
            .map(|(english, _)| english)
            .collect();
        let arabic: Vec<_> = Strings::of(Language::Arabic)
            .sentences
            .iter()
            .map(|(english, _)| english)
            .collect();
        assert_eq!(german, arabic);
    }

    #[test]
    fn no_text_shouts_or_begs() {
        for language in Language::ALL {
            let strings = Strings::of(language);
            for text in strings
                .texts()
                .iter()
                .chain(&SetupStrings::of(language).texts())
                .map(|(_, text)| text)
                .chain(strings.sentences.iter().map(|(_, text)| text))
            {
                for word in [
                    "!",
                    "oops",
                    "Oops",
                    "please",
                    "Please",
                    "bitte",
                    "Bitte",
                    "من فضلك",
                    "يرجى",
                ] {
                    assert!(!text.contains(word), "{language:?}: {text}");
                }
            }
        }
    }
}
