//! German.

mod sentences;

use super::Strings;

pub(super) const STRINGS: Strings = Strings {
    sign_in_to: "Bei {} anmelden",
    error_title: "Fehler:",
    email: "E-Mail-Adresse",
    single_sign_on_next: "Als Nächstes öffnet sich die Anmeldeseite Ihrer Organisation.",
    carry_on: "Weiter",
    or: "oder",
    continue_with: "Weiter mit {}",
    email_empty: "Geben Sie Ihre E-Mail-Adresse ein.",
    email_malformed: "Geben Sie eine vollständige E-Mail-Adresse ein, zum Beispiel name@example.com.",
    email_no_way: "Mit dieser Adresse ist hier keine Anmeldung möglich. Prüfen Sie die Schreibweise oder fragen Sie Ihre Administration, welche Adresse gilt.",
    taking_you_to: "Sie werden zu {} weitergeleitet",
    on_the_way_next: "Wenn nichts geschieht, wählen Sie „Weiter“.",
    could_not_sign_in_to: "Sie sind nicht bei {} angemeldet",
    could_not_sign_in: "Sie sind nicht angemeldet",
    start_again: "Neu beginnen",
    back_to: "Zurück zu {}",
    send_to_administrator: "An Ihre Administration senden",
    for_administrator: "Für Ihre Administration",
    code: "Code",
    reference: "Referenz",
    mail_subject: "Problem bei der Anmeldung {}",
    mail_opening_application: "Ich konnte mich nicht bei {} anmelden.",
    mail_opening: "Ich konnte mich nicht anmelden.",
    mail_closing: "Der ganze Verlauf dieses Versuchs ist unter der Referenz {} gespeichert.",
    copy: "Kopieren",
    copied: "Kopiert",
    signed_out: "Abgemeldet",
    signed_out_of: "Sie sind bei {} abgemeldet.",
    signed_out_of_application: "Sie sind bei der Anwendung abgemeldet.",
    signed_out_of_provider: "Sie sind auch bei {} abgemeldet.",
    still_signed_in_at: "Bei {} und in anderen Anwendungen sind Sie möglicherweise noch angemeldet.",
    still_signed_in: "Bei Ihrem Identitätsanbieter und in anderen Anwendungen sind Sie möglicherweise noch angemeldet.",
    still_signed_in_elsewhere: "In anderen Anwendungen sind Sie möglicherweise noch angemeldet.",
    shared_computer: "Schließen Sie an einem gemeinsam genutzten Computer alle Browserfenster.",
    sentences: sentences::SENTENCES,
};
