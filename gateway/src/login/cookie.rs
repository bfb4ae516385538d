//! Cookies of pending logins: one a login, named by its handle, the oldest evicted.

use fedgate_providers::login::{Handle, Site};
use http::{HeaderMap, HeaderValue, header};

/// Cookies outlive the pending login within them, so that an expired one can still offer "start again".
const COOKIE_SECONDS: u64 = 24 * 60 * 60;

/// One pending login's cookie as the browser sent it.
#[derive(Debug, PartialEq, Eq)]
struct Received<'h> {
    name: &'h str,
    /// Seconds since the epoch, in clear before the dot: decides only which cookie makes room.
    set_at: i64,
    sealed: &'h str,
}

/// The sealed value that this browser holds for a login, if any.
pub fn read<'h>(headers: &'h HeaderMap, site: &Site, handle: Handle) -> Option<&'h str> {
    let name = name(site, handle);
    received(headers, site)
        .find(|cookie| cookie.name == name)
        .map(|cookie| cookie.sealed)
}

/// Adds the cookie of a new login to an answer and evicts the oldest beyond `most`, completed ones first.
pub fn set(
    answer: &mut HeaderMap,
    request: &HeaderMap,
    site: &Site,
    handle: Handle,
    sealed: &str,
    now: i64,
    most: usize,
) {
    let mut held: Vec<_> = received(request, site).collect();
    // A completed login only offers a way on: it goes before any that a person is still about to complete.
    held.sort_by_key(|cookie| {
        (
            !cookie.sealed.starts_with(super::pending::COMPLETED),
            cookie.set_at,
        )
    });
    let surplus = (held.len() + 1).saturating_sub(most);
    for cookie in held.iter().take(surplus) {
        append(answer, &expiring(site, cookie.name));
    }
    replace(answer, site, handle, sealed, now);
}

/// Gives a login's cookie another value.
pub fn replace(answer: &mut HeaderMap, site: &Site, handle: Handle, value: &str, now: i64) {
    let name = name(site, handle);
    append(
        answer,
        &format!(
            "{name}={now}.{value}; Path=/; Max-Age={COOKIE_SECONDS}; HttpOnly{}",
            attributes(site)
        ),
    );
}

/// Removes a login's cookie.
pub fn clear(answer: &mut HeaderMap, site: &Site, handle: Handle) {
    append(answer, &expiring(site, &name(site, handle)));
}

/// `__Host-` binds the cookie to this very host (RFC 6265bis 4.1.3.2), so that a sibling subdomain cannot toss one in.
fn prefix(site: &Site) -> &'static str {
    if site.is_https() {
        "__Host-fedgate-login-"
    } else {
        "fedgate-login-"
    }
}

fn name(site: &Site, handle: Handle) -> String {
    format!("{}{}", prefix(site), handle.to_state())
}

/// An upstream answers by a cross-site POST, which carries `SameSite=None` cookies only, and those must be `Secure`.
/// On plain http (loopback) no attribute is written: browsers then send a cookie younger than two minutes along.
fn attributes(site: &Site) -> &'static str {
    if site.is_https() {
        "; Secure; SameSite=None"
    } else {
        ""
    }
}

fn expiring(site: &Site, name: &str) -> String {
    format!("{name}=; Path=/; Max-Age=0; HttpOnly{}", attributes(site))
}

fn append(answer: &mut HeaderMap, cookie: &str) {
    if let Ok(value) = HeaderValue::from_str(cookie) {
        answer.append(header::SET_COOKIE, value);
    }
}

fn received<'h>(headers: &'h HeaderMap, site: &Site) -> impl Iterator<Item = Received<'h>> {
    let prefix = prefix(site);
    headers
        .get_all(header::COOKIE)
        .iter()
        // Pair by pair: another site below the same domain may have set a cookie that is no ASCII, or no text at all.
        .flat_map(|value| value.as_bytes().split(|byte| *byte == b';'))
        .filter_map(|pair| std::str::from_utf8(pair).ok())
        .filter_map(move |pair| {
            let (name, value) = pair.trim().split_once('=')?;
            if !name.starts_with(prefix) {
                return None;
            }
            let (set_at, sealed) = value.split_once('.')?;
            Some(Received {
                name,
                set_at: set_at.parse().ok()?,
                sealed,
            })
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::{SeedableRng, rngs::StdRng};

    fn site(base_url: &str) -> Site {
        Site {
            base_url: base_url.into(),
            issuer: base_url.into(),
        }
    }

    fn handle(seed: u64) -> Handle {
        Handle::random(&mut StdRng::seed_from_u64(seed))
    }

    fn jar(cookies: &[String]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(
            header::COOKIE,
            HeaderValue::from_str(&cookies.join("; ")).unwrap(),
        );
        headers
    }

    #[test]
    fn over_https_the_cookie_is_bound_to_the_host_and_sent_on_cross_site_posts() {
        let site = site("https://login.example.com");
        let mut answer = HeaderMap::new();
        set(
            &mut answer,
            &HeaderMap::new(),
            &site,
            handle(1),
            "sealed",
            7,
            4,
        );
        let cookie = answer[header::SET_COOKIE].to_str().unwrap();
        assert!(cookie.starts_with("__Host-fedgate-login-"), "{cookie}");
        assert!(
            cookie.ends_with("=7.sealed; Path=/; Max-Age=86400; HttpOnly; Secure; SameSite=None"),
            "{cookie}"
        );
    }

    #[test]
    fn the_oldest_of_four_makes_room_for_a_fifth() {
        let site = site("http://127.0.0.1:8080");
        let held: Vec<_> = [30, 10, 20, 40]
            .iter()
            .map(|at| format!("{}={at}.x", name(&site, handle(*at))))
            .collect();
        let mut answer = HeaderMap::new();
        set(&mut answer, &jar(&held), &site, handle(50), "new", 50, 4);
        let written: Vec<_> = answer
            .get_all(header::SET_COOKIE)
            .iter()
            .map(|v| v.to_str().unwrap())
            .collect();
        assert_eq!(written.len(), 2);
        assert!(written[0].starts_with(&format!("{}=;", name(&site, handle(10)))));
    }

    #[test]
    fn a_completed_login_makes_room_before_one_that_waits() {
        let site = site("http://127.0.0.1:8080");
        let done = super::super::pending::COMPLETED;
        let held: Vec<_> = [
            (10, String::new()),
            (20, done.to_string()),
            (30, done.to_string()),
        ]
        .iter()
        .map(|(at, mark)| format!("{}={at}.{mark}x", name(&site, handle(*at))))
        .collect();
        let mut answer = HeaderMap::new();
        set(&mut answer, &jar(&held), &site, handle(40), "new", 40, 3);
        let evicted = answer[header::SET_COOKIE].to_str().unwrap();
        assert!(evicted.starts_with(&format!("{}=;", name(&site, handle(20)))));
    }

    #[test]
    fn a_foreign_cookie_that_is_no_text_hides_no_login() {
        let site = site("https://login.example.com");
        let name = name(&site, handle(1));
        for foreign in [b"theme=\xc3\xa9".as_slice(), b"x=\xff\xfe"] {
            let line = [foreign, b"; ", name.as_bytes(), b"=5.abc; y=", foreign].concat();
            let mut headers = HeaderMap::new();
            headers.insert(header::COOKIE, HeaderValue::from_bytes(&line).unwrap());
            assert_eq!(read(&headers, &site, handle(1)), Some("abc"));
        }
    }

    #[test]
    fn a_cookie_is_read_by_its_handle_alone() {
        let site = site("http://127.0.0.1:8080");
        let headers = jar(&[
            "other=1".into(),
            format!("{}=5.abc", name(&site, handle(1))),
            "fedgate-login-junk".into(),
        ]);
        assert_eq!(read(&headers, &site, handle(1)), Some("abc"));
        assert_eq!(read(&headers, &site, handle(2)), None);
    }
}
