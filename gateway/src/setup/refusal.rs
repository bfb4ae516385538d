//! What the setup page refuses, beside what is wrong with the settings themselves.

use fedgate_providers::refusals;

refusals! {
    /// What the setup page refuses.
    pub enum SetupRefusal in "setup" {
        /// No setup link has this token: it was cut off, replaced by a newer one, or revoked.
        LinkUnknown = "link_unknown", Operator,
            says "This setup link cannot be used.",
            fix "Copy the whole link, or ask whoever sent it for a new one.";
        /// The setup link was not used within its lifetime.
        LinkExpired = "link_expired", Operator,
            says "This setup link has expired.",
            fix "Ask whoever sent the link for a new one.";
        /// The setup link was used before; it works once.
        LinkUsed = "link_used", Operator,
            says "This setup link was used already.",
            fix "Go on in the browser where it was opened, or ask whoever sent the link for a new one.";
        /// This browser holds no setup session for this page.
        SessionMissing = "session_missing", Browser,
            says "This page is opened by a setup link.",
            fix "Open the setup link in this browser, with cookies allowed for this host, or ask whoever sent it for a new one.";
        /// The setup session took longer than it may, its link was revoked or replaced, or the connection was deleted.
        SessionEnded = "session_ended", Operator,
            says "This setup session has ended.",
            fix "Ask whoever sent the link for a new one. What was saved is still there.";
        /// A form of the setup page was sent from another page.
        CrossSite = "cross_site", Browser,
            says "This form was not sent from the setup page.",
            fix "Open the setup page itself and use its buttons.";
        /// The form does not belong to this browser's setup session, or it cannot be read.
        FormUnreadable = "form_unreadable", Browser,
            says "This form can no longer be used.",
            fix "Open the setup page again and repeat the step.";
        /// What was sent is larger than a metadata document may be.
        UploadTooLarge = "upload_too_large", Upstream,
            says "The file is too large.",
            fix "Send the metadata of this one identity provider; a federation's aggregate does not belong here.";
        /// The uploaded or pasted document is not text in UTF-8.
        UploadUnreadable = "upload_unreadable", Upstream,
            says "The file is not a text document.",
            fix "Send the metadata as the identity provider offers it for download: XML in UTF-8.";
        /// The connection is in use or was switched off; the setup page changes drafts only.
        NotDraft = "not_draft", Operator,
            says "This connection is not a draft any more, and cannot be changed here.",
            fix "Ask the operator to change the connection through the Management API.";
        /// The connection or its metadata was changed while the test login was at the identity provider.
        TestStale = "test_stale", Browser,
            says "The connection was changed during the test.",
            fix "Test again.";
    }
}
