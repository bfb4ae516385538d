//! A person's way through a login at the lab's pages.

use fedgate_lab::person::PASSWORD;

use crate::browser::{Browser, Form, Page};
use crate::gateway::Remote;

/// Opens the application's way in; where it leads straight to an upstream, this is the upstream's login page.
pub async fn begin(browser: &mut Browser, gateway: &Remote, more: &[(&str, &str)]) -> Page {
    let page = browser.open(&gateway.authorize_url(more)).await;
    sent_on(browser, page, "SAMLRequest").await
}

/// Types an address on the gateway's sign-in page.
pub async fn type_address(browser: &mut Browser, page: &Page, address: &str) -> Page {
    let page = browser.submit(&page.form(), &[("email", address)]).await;
    sent_on(browser, page, "SAMLRequest").await
}

/// Signs in at the lab's login page, honest where `lie` is empty, and follows to where the login ends.
pub async fn answer(browser: &mut Browser, login: &Page, person: &str, lie: &str) -> Page {
    let page = at_the_upstream(browser, login, person, lie).await;
    match page.forms().first() {
        Some(form) if form.action.path().ends_with("/acs") => browser.submit(form, &[]).await,
        _ => page,
    }
}

/// Signs in at the lab's SAML login page and answers the form that carries the response, not sent yet.
pub async fn saml_response(browser: &mut Browser, login: &Page, person: &str, lie: &str) -> Form {
    at_the_upstream(browser, login, person, lie).await.form()
}

async fn at_the_upstream(browser: &mut Browser, login: &Page, person: &str, lie: &str) -> Page {
    let fields = [("email", person), ("password", PASSWORD), ("lie", lie)];
    browser.submit(&login.form(), &fields).await
}

/// Sends the form of a page that posts itself.
async fn sent_on(browser: &mut Browser, page: Page, field: &str) -> Page {
    let forms = page.forms();
    let own = forms
        .iter()
        .find(|form| form.fields.iter().any(|(name, _)| name == field));
    match own {
        Some(form) => browser.submit(form, &[]).await,
        None => page,
    }
}
