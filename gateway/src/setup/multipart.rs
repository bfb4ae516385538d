//! `multipart/form-data` (RFC 7578) of a body that is in memory already: what browsers write, and nothing else.

/// The most fields of one form.
pub(super) const FIELDS: usize = 16;
/// The longest boundary (RFC 2046 5.1.1).
const BOUNDARY_BYTES: usize = 70;
/// The longest headers of one part.
const HEADER_BYTES: usize = 1024;

/// The boundary that a Content-Type names, if it is a form with parts.
pub(super) fn boundary(content_type: &str) -> Option<String> {
    let (kind, parameters) = content_type.split_once(';')?;
    if !kind.trim().eq_ignore_ascii_case("multipart/form-data") {
        return None;
    }
    let boundary = parameters.split(';').find_map(|parameter| {
        let (name, value) = parameter.trim().split_once('=')?;
        name.eq_ignore_ascii_case("boundary")
            .then(|| value.trim_matches('"'))
    })?;
    let sound = (1..=BOUNDARY_BYTES).contains(&boundary.len()) && boundary.is_ascii();
    sound.then(|| boundary.to_owned())
}

/// Names and contents of the parts, in order; none where the body is not whole.
pub(super) fn fields(body: &[u8], boundary: &str) -> Option<Vec<(String, Vec<u8>)>> {
    let delimiter = format!("\r\n--{boundary}");
    let mut rest = body.strip_prefix(delimiter.trim_start().as_bytes())?;
    let mut fields = Vec::new();
    loop {
        if rest.starts_with(b"--") {
            return Some(fields);
        }
        rest = rest.strip_prefix(b"\r\n")?;
        if fields.len() == FIELDS {
            return None;
        }
        let end = find(rest, delimiter.as_bytes())?;
        let (part, after) = rest.split_at(end);
        let headers_end = find(part.get(..HEADER_BYTES).unwrap_or(part), b"\r\n\r\n")?;
        let (headers, content) = part.split_at(headers_end);
        fields.push((name(headers)?, content.get(4..)?.to_vec()));
        rest = after.get(delimiter.len()..)?;
    }
}

/// The `name` of a part's Content-Disposition. Ours are plain words, so that no escape needs to be read.
fn name(headers: &[u8]) -> Option<String> {
    let headers = std::str::from_utf8(headers).ok()?;
    let disposition = headers.split("\r\n").find_map(|line| {
        let (field, value) = line.split_once(':')?;
        field
            .eq_ignore_ascii_case("content-disposition")
            .then_some(value)
    })?;
    let parameters = disposition.split(';').skip(1);
    let mut named = parameters.filter_map(|parameter| parameter.trim().strip_prefix("name=\""));
    Some(named.next()?.strip_suffix('"')?.to_owned())
}

fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    // Jumps from one first octet to the next: a document of megabytes is walked once.
    let first = *needle.first()?;
    let mut from = 0;
    while let Some(at) = haystack.get(from..)?.iter().position(|b| *b == first) {
        let at = from + at;
        if haystack.get(at..)?.starts_with(needle) {
            return Some(at);
        }
        from = at + 1;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(body: &str) -> Option<Vec<(String, String)>> {
        let text = |octets| String::from_utf8(octets).unwrap();
        let fields = fields(body.as_bytes(), "x")?;
        Some(
            fields
                .into_iter()
                .map(|(name, octets)| (name, text(octets)))
                .collect(),
        )
    }

    #[test]
    fn parts_are_read_as_a_browser_writes_them() {
        let body = "--x\r\nContent-Disposition: form-data; name=\"token\"\r\n\r\nt\r\n\
            --x\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a;b.xml\"\r\nContent-Type: text/xml\r\n\r\n<a>\r\n\r\n--y</a>\r\n\
            --x--\r\n";
        let expected = [("token", "t"), ("file", "<a>\r\n\r\n--y</a>")];
        let expected = expected.map(|(name, value)| (name.to_owned(), value.to_owned()));
        assert_eq!(read(body), Some(expected.to_vec()));
        assert_eq!(read("--x--"), Some(Vec::new()));
    }

    #[test]
    fn what_is_cut_off_or_something_else_is_nothing() {
        for bad in [
            "",
            "--x",
            "--y--",
            "--x\r\n",
            "--x\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\nt",
            "--x\r\nContent-Disposition: form-data; name=\"a\r\n\r\nt\r\n--x--",
            "--x\r\nContent-Disposition: form-data\r\n\r\nt\r\n--x--",
            "--x\r\n\r\nt\r\n--x--",
            "--x\r\nt\r\n--x--",
        ] {
            assert_eq!(read(bad), None, "{bad:?}");
        }
        let part = "\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\nt\r\n--x";
        assert_eq!(read(&format!("--x{}--", part.repeat(FIELDS + 1))), None);
        let long = format!("--x\r\nX: {}\r\n\r\nt\r\n--x--", "h".repeat(HEADER_BYTES));
        assert_eq!(read(&long), None);
    }

    #[test]
    fn a_boundary_is_read_from_its_own_type_alone() {
        let read = |text| boundary(text);
        assert_eq!(
            read("multipart/form-data; boundary=\"a b\"").as_deref(),
            Some("a b")
        );
        assert_eq!(
            read("Multipart/Form-Data;charset=x; Boundary=ab").as_deref(),
            Some("ab")
        );
        let long = format!("multipart/form-data; boundary={}", "b".repeat(71));
        for bad in [
            "multipart/form-data",
            "multipart/mixed; boundary=a",
            "multipart/form-data; boundary=",
            &long,
        ] {
            assert_eq!(read(bad), None, "{bad}");
        }
    }
}
