//! What the setup page posts, read within bounds: with or without a file.

use axum::body::Body;
use fedgate_providers::error::Refusal;
use futures_util::StreamExt as _;
use http::{HeaderMap, header};
use url::form_urlencoded;

use super::{DRAINED_BYTES, FORM_BYTES, SetupRefusal, multipart};

/// The fields of a form; of each name the first counts.
#[derive(Debug, Default)]
pub(super) struct Form(Vec<(String, Vec<u8>)>);

impl Form {
    /// Reads a body.
    ///
    /// # Errors
    /// `setup.upload_too_large`, `setup.form_unreadable`
    pub(super) async fn read(headers: &HeaderMap, body: Body) -> Result<Self, Refusal> {
        let octets = whole(body).await?;
        let kind = headers
            .get(header::CONTENT_TYPE)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default();
        if let Some(boundary) = multipart::boundary(kind) {
            let fields = multipart::fields(&octets, &boundary);
            return Ok(Self(fields.ok_or(SetupRefusal::FormUnreadable)?));
        }
        let fields = form_urlencoded::parse(&octets)
            .take(multipart::FIELDS)
            .map(|(name, value)| (name.into_owned(), value.into_owned().into_bytes()));
        Ok(Self(fields.collect()))
    }

    /// A field's text without blanks around it; none where it is blank.
    ///
    /// # Errors
    /// `setup.upload_unreadable` for octets that are no UTF-8.
    pub(super) fn text(&self, name: &str) -> Result<Option<&str>, Refusal> {
        let Some((_, octets)) = self.0.iter().find(|(key, _)| key == name) else {
            return Ok(None);
        };
        // UTF-16 of an ASCII document passes for UTF-8 with a NUL behind every letter.
        let text = std::str::from_utf8(octets)
            .ok()
            .filter(|text| !text.contains('\0'))
            .ok_or(SetupRefusal::UploadUnreadable)?;
        let text = text.trim_start_matches('\u{feff}').trim();
        Ok((!text.is_empty()).then_some(text))
    }

    /// A short field's text, or nothing.
    pub(super) fn short(&self, name: &str) -> &str {
        self.text(name).ok().flatten().unwrap_or_default()
    }
}

/// The whole body. A larger one is read on for a while: a browser that is not listened to shows an error of its own.
async fn whole(body: Body) -> Result<Vec<u8>, Refusal> {
    let (mut octets, mut read) = (Vec::new(), 0);
    let mut chunks = body.into_data_stream();
    while let Some(chunk) = chunks.next().await {
        let chunk = chunk.map_err(|_| SetupRefusal::FormUnreadable.refuse())?;
        read += chunk.len();
        if read <= FORM_BYTES {
            octets.extend_from_slice(&chunk);
        } else {
            octets = Vec::new();
        }
        if read > DRAINED_BYTES {
            break;
        }
    }
    if read > FORM_BYTES {
        return Err(SetupRefusal::UploadTooLarge
            .refuse()
            .expected(format_args!("at most {FORM_BYTES} bytes"))
            .found(format_args!("{read} bytes or more")));
    }
    Ok(octets)
}
