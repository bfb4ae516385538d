//! How a response leaves for the service provider: the form of the POST binding (SAML bindings 3.5), or a lie of one.

use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Redirect, Response};
use url::form_urlencoded;

use super::Lie;
use crate::page::{self, AutoPost};

/// The page that posts a response.
pub(super) fn deliver(
    lie: Lie,
    acs: &str,
    response: String,
    relay_state: Option<&str>,
) -> Response {
    if lie == Lie::AnswerByRedirect {
        let query = form_urlencoded::Serializer::new(String::new())
            .extend_pairs([
                ("SAMLResponse", response.as_str()),
                ("RelayState", relay_state.unwrap_or_default()),
            ])
            .finish();
        return Redirect::to(&format!("{acs}?{query}")).into_response();
    }
    page::respond(
        StatusCode::OK,
        &AutoPost {
            action: acs,
            fields: &fields(lie, response, relay_state),
        },
    )
}

/// The fields of the form.
pub(super) fn fields(
    lie: Lie,
    response: String,
    relay_state: Option<&str>,
) -> Vec<(String, String)> {
    let response = match lie {
        Lie::BrokenBase64 => response.replacen(|c: char| c.is_ascii_lowercase(), "*", 1),
        Lie::CutBase64 => response[..=response.len() / 8 * 4].to_owned(),
        _ => response,
    };
    let relay_state = match lie {
        Lie::NoRelayState => None,
        Lie::ForeignRelayState => Some("AAAAAAAAAAAAAAAAAAAAAA".to_owned()),
        Lie::LongRelayState => Some("r".repeat(4000)),
        _ => relay_state.map(str::to_owned),
    };
    let times = match lie {
        Lie::NoField => 0,
        Lie::FieldTwice => 2,
        _ => 1,
    };
    let mut fields = vec![("SAMLResponse".to_owned(), response); times];
    fields.extend(relay_state.map(|value| ("RelayState".to_owned(), value)));
    fields
}
