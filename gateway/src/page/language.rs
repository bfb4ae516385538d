//! Which language a page is written in.

/// A language that has a table of strings.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Language {
    /// `en`
    #[default]
    English,
    /// `de`
    German,
    /// `ar`
    Arabic,
}

/// The most language ranges that are read from one request; a browser sends fewer than ten.
const RANGES: usize = 32;

impl Language {
    /// Every language, English first.
    pub const ALL: [Self; 3] = [Self::English, Self::German, Self::Arabic];

    /// The first of `ui_locales` that has a table (OpenID Connect Core 3.1.2.1: in order of preference, separated by
    /// spaces), else the best of `Accept-Language` (RFC 9110, 12.5.4), else English.
    pub fn choose(ui_locales: Option<&str>, accept_language: Option<&str>) -> Self {
        let asked = ui_locales
            .unwrap_or_default()
            .split_ascii_whitespace()
            .take(RANGES)
            .find_map(Self::of_range);
        asked
            .or_else(|| accepted(accept_language.unwrap_or_default()))
            .unwrap_or_default()
    }

    /// The tag for `lang`.
    pub fn tag(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::German => "de",
            Self::Arabic => "ar",
        }
    }

    /// The value for `dir`.
    pub fn direction(self) -> &'static str {
        match self {
            Self::English | Self::German => "ltr",
            Self::Arabic => "rtl",
        }
    }

    /// `de-AT` is answered by `de`: only the primary subtag counts.
    fn of_range(range: &str) -> Option<Self> {
        let primary = range.split('-').next().unwrap_or_default();
        Self::ALL
            .into_iter()
            .find(|language| language.tag().eq_ignore_ascii_case(primary))
    }
}

fn accepted(header: &str) -> Option<Language> {
    let mut best: Option<(u16, Language)> = None;
    for range in header.split(',').take(RANGES) {
        let (tag, weight) = weighed(range);
        let language = if tag == "*" {
            Some(Language::default())
        } else {
            Language::of_range(tag)
        };
        if let Some(language) = language
            && weight > best.map_or(0, |(weight, _)| weight)
        {
            best = Some((weight, language));
        }
    }
    best.map(|(_, language)| language)
}

/// A range and its weight in thousandths; a weight that cannot be read counts as none.
fn weighed(range: &str) -> (&str, u16) {
    let mut parts = range.split(';').map(str::trim);
    let tag = parts.next().unwrap_or_default();
    let weight = parts.find_map(|part| part.strip_prefix("q=").or_else(|| part.strip_prefix("Q=")));
    (tag, weight.map_or(1000, thousandths))
}

fn thousandths(weight: &str) -> u16 {
    let (whole, fraction) = weight.split_once('.').unwrap_or((weight, ""));
    let digits = format!("{fraction:0<3}");
    match (whole, digits.parse::<u16>()) {
        ("1", Ok(0)) => 1000,
        ("0", Ok(fraction)) if digits.len() == 3 => fraction,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ui_locales_come_first_in_their_own_order() {
        assert_eq!(
            Language::choose(Some("fr-CA de-AT ar"), Some("ar")),
            Language::German
        );
        assert_eq!(
            Language::choose(Some("AR-eg"), Some("de")),
            Language::Arabic
        );
        assert_eq!(Language::choose(Some("xx"), Some("de")), Language::German);
    }

    #[test]
    fn accept_language_is_weighed() {
        for (header, language) in [
            ("de", Language::German),
            ("fr, de;q=0.5, ar;q=0.9", Language::Arabic),
            ("ar;q=0, de;q=0.001", Language::German),
            ("fr, *;q=0.5, de;q=0.4", Language::English),
            ("de;q=1.000, ar;q=1", Language::German),
            ("de; q=0.3,en ; q=0.2", Language::German),
            ("", Language::English),
            ("deutsch", Language::English),
        ] {
            assert_eq!(Language::choose(None, Some(header)), language, "{header}");
        }
    }

    #[test]
    fn nonsense_is_english_and_cheap() {
        let long = "ar;q=9,".repeat(100_000);
        assert_eq!(
            Language::choose(Some(&"x ".repeat(100_000)), Some(&long)),
            Language::English
        );
        assert_eq!(
            Language::choose(Some("de\u{202e}"), Some("de;q=-1, ar;q=0.12345, ;;;,,,")),
            Language::English
        );
    }
}
