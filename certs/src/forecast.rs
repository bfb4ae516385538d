//! When a certificate or a secret will keep people from signing in: a pure decision over facts.
//!
//! That is seldom the end that a certificate names. Of identity providers the keys are trusted, whatever the dates around
//! them (SAML V2.0 Metadata Interoperability Profile §2.6.1), so that an expired certificate is no outage; but most
//! products sign with another key when the certificate ends, and whoever reads no metadata does not hear of it.

use jiff::SignedDuration;

use crate::Timestamp;

/// How many days before an outage it is told, each once.
pub const TOLD_DAYS: [i64; 4] = [60, 30, 7, 1];

const DAY: i64 = 86_400;
/// What lasts longer than this, in seconds, says nothing about how often its owner changes it: five years.
const ROLLED_MOST: i64 = 5 * 365 * DAY;

/// What it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Our own key of a purpose, by the word of it.
    Key,
    /// A pair that a connection brought to sign its requests.
    ConnectionPair,
    /// A certificate of a connection's identity provider.
    IdpCertificate,
    /// The metadata of a connection's identity provider.
    Metadata,
    /// A connection's client secret.
    ClientSecret,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Self; 5] = [
        Self::Key,
        Self::ConnectionPair,
        Self::IdpCertificate,
        Self::Metadata,
        Self::ClientSecret,
    ];

    /// The word used in documents.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Key => "key",
            Self::ConnectionPair => "connection_pair",
            Self::IdpCertificate => "idp_certificate",
            Self::Metadata => "metadata",
            Self::ClientSecret => "client_secret",
        }
    }
}

/// Who sees to it that it does not come to an end unseen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Care {
    /// The gateway: another takes over at that moment, or earlier where it is announced already.
    Gateway {
        /// When.
        takes_over: Timestamp,
        /// Another one is published already.
        announced: bool,
    },
    /// Nobody but the person who entered it.
    Person,
    /// The identity provider, of which the gateway reads metadata again and again.
    Refreshed(History),
    /// The identity provider, and nobody hears of it: its metadata was entered by hand.
    Unheard(History),
}

/// What is known of how an identity provider changes its keys.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct History {
    /// When new keys came so far, in order.
    pub came: Vec<Timestamp>,
    /// When this certificate begins.
    pub begins_at: Option<Timestamp>,
    /// Another of its certificates lasts longer than this one.
    pub has_successor: bool,
}

/// What is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fact {
    /// Names it among all, for good.
    pub id: String,
    /// What it is.
    pub kind: Kind,
    /// The connection that it belongs to.
    pub connection: Option<String>,
    /// What people recognize it by.
    pub name: String,
    /// The end that it names itself.
    pub ends_at: Option<Timestamp>,
    /// Who sees to it.
    pub care: Care,
}

/// What is to be expected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Outlook {
    /// The gateway replaces it in time.
    RotatesItself,
    /// Another one is published already.
    SuccessorPublished,
    /// A new one is taken over from its metadata.
    Refreshed,
    /// Its end changes nothing: keys are trusted, not dates.
    DatesIgnored,
    /// Its owner will probably change it then, and the gateway will not hear of it.
    RollsUnheard,
    /// It ends, and somebody must act before.
    Expires,
    /// It names no end.
    Endless,
}

impl Outlook {
    /// Every outlook.
    pub const ALL: [Self; 7] = [
        Self::RotatesItself,
        Self::SuccessorPublished,
        Self::Refreshed,
        Self::DatesIgnored,
        Self::RollsUnheard,
        Self::Expires,
        Self::Endless,
    ];

    /// The word used in documents.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::RotatesItself => "rotates_itself",
            Self::SuccessorPublished => "successor_published",
            Self::Refreshed => "refreshed",
            Self::DatesIgnored => "dates_ignored",
            Self::RollsUnheard => "rolls_unheard",
            Self::Expires => "expires",
            Self::Endless => "endless",
        }
    }

    /// The same, in a sentence for an administrator.
    pub const fn says(self) -> &'static str {
        match self {
            Self::RotatesItself => "another key takes over by itself",
            Self::SuccessorPublished => "the new key is already published",
            Self::Refreshed => "a new key is taken over from its metadata",
            Self::DatesIgnored => "its dates change nothing: keys are trusted, not dates",
            Self::RollsUnheard => {
                "this identity provider will probably sign with another key then; its metadata was entered by hand, so give the connection a metadata URL or the new certificate before"
            }
            Self::Expires => "it ends then; enter a new one before",
            Self::Endless => "it names no end",
        }
    }
}

/// What will come of a fact.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Forecast {
    /// The fact.
    pub fact: Fact,
    /// What is to be expected.
    pub outlook: Outlook,
    /// From when on people can probably not sign in, if nobody acts.
    pub outage_at: Option<Timestamp>,
    /// About when it will be replaced.
    pub next_at: Option<Timestamp>,
    /// About how often it is replaced, in days.
    pub every_days: Option<i64>,
}

impl Forecast {
    /// Whole days that are left until the outage; below nought once it is there.
    pub fn days(&self, now: Timestamp) -> Option<i64> {
        let left = self.outage_at?.as_second() - now.as_second();
        Some(left.div_euclid(DAY))
    }

    /// The numbers of days at which it should have been told by now, the nearest last.
    pub fn told_by(&self, now: Timestamp) -> impl Iterator<Item = i64> + use<> {
        let left = self.outage_at.map(|at| at.as_second() - now.as_second());
        let reached = move |days: &i64| left.is_some_and(|left| left <= days * DAY);
        TOLD_DAYS.into_iter().filter(reached)
    }
}

/// What will come of a fact.
pub fn forecast(fact: Fact, now: Timestamp) -> Forecast {
    let every = match &fact.care {
        Care::Refreshed(history) | Care::Unheard(history) => every(history, fact.ends_at),
        _ => None,
    };
    let (outlook, outage_at, next_at) = match (&fact.care, fact.ends_at) {
        (
            Care::Gateway {
                takes_over,
                announced,
            },
            _,
        ) => {
            let outlook = match announced {
                true => Outlook::SuccessorPublished,
                false => Outlook::RotatesItself,
            };
            (outlook, None, Some(*takes_over))
        }
        (Care::Person, None) => (Outlook::Endless, None, None),
        (Care::Person, end) => (Outlook::Expires, end, None),
        (Care::Refreshed(history), _) if history.has_successor => {
            (Outlook::SuccessorPublished, None, None)
        }
        (Care::Refreshed(history), end) => {
            (Outlook::Refreshed, None, next(history, every, end, now))
        }
        (Care::Unheard(_), _) if fact.kind == Kind::Metadata => match fact.ends_at {
            // Metadata that has ended is none (SAML V2.0 Metadata §2.3.2).
            Some(end) => (Outlook::Expires, Some(end), None),
            None => (Outlook::Endless, None, None),
        },
        (Care::Unheard(history), _) if history.has_successor => {
            (Outlook::SuccessorPublished, None, None)
        }
        (Care::Unheard(_), Some(end)) if end <= now => (Outlook::DatesIgnored, None, None),
        (Care::Unheard(history), end) => match next(history, every, end, now) {
            Some(next) => (Outlook::RollsUnheard, Some(next), Some(next)),
            None => (Outlook::DatesIgnored, None, None),
        },
    };
    Forecast {
        outlook,
        outage_at,
        next_at,
        every_days: every.map(|span| span.as_secs() / DAY),
        fact,
    }
}

/// About how often keys are changed: by how often they were, or else by how long a certificate lasts.
fn every(history: &History, ends_at: Option<Timestamp>) -> Option<SignedDuration> {
    let seconds = match (history.came.first(), history.came.last()) {
        (Some(first), Some(last)) if history.came.len() >= 3 => {
            let pauses = i64::try_from(history.came.len() - 1).ok()?;
            (last.as_second() - first.as_second()) / pauses
        }
        _ => ends_at?.as_second() - history.begins_at?.as_second(),
    };
    (DAY..=ROLLED_MOST)
        .contains(&seconds)
        .then(|| SignedDuration::from_secs(seconds))
}

/// About when the next key comes: not after the end that its certificate names, if that still lies ahead.
fn next(
    history: &History,
    every: Option<SignedDuration>,
    ends_at: Option<Timestamp>,
    now: Timestamp,
) -> Option<Timestamp> {
    let ahead = ends_at.filter(|end| now < *end);
    let by_habit = match (history.came.len() >= 3, history.came.last(), every) {
        (true, Some(last), Some(every)) => last.checked_add(every).ok().filter(|at| now < *at),
        _ => None,
    };
    match (by_habit, ahead) {
        (Some(habit), Some(end)) => Some(habit.min(end)),
        (habit, end) => habit.or(end),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const YEAR: i64 = 365 * DAY;

    fn at(day: i64) -> Timestamp {
        Timestamp::from_second(day * DAY).unwrap()
    }

    fn fact(kind: Kind, ends: Option<i64>, care: Care) -> Fact {
        Fact {
            id: "x".into(),
            kind,
            connection: None,
            name: String::new(),
            ends_at: ends.map(at),
            care,
        }
    }

    fn told(kind: Kind, ends: Option<i64>, care: Care) -> (Outlook, Option<Timestamp>) {
        let forecast = forecast(fact(kind, ends, care), at(100));
        (forecast.outlook, forecast.outage_at)
    }

    fn history(came: &[i64], begins: i64, has_successor: bool) -> History {
        History {
            came: came.iter().map(|day| at(*day)).collect(),
            begins_at: Some(at(begins)),
            has_successor,
        }
    }

    fn yearly() -> History {
        history(&[], -200, false)
    }

    #[test]
    fn what_a_person_or_the_gateway_cares_for() {
        let gateway = |announced| Care::Gateway {
            takes_over: at(150),
            announced,
        };
        let unheard = || Care::Unheard(History::default());
        let (key, secret, metadata) = (Kind::Key, Kind::ClientSecret, Kind::Metadata);
        let rotates = (Outlook::RotatesItself, None);
        assert_eq!(told(key, Some(200), gateway(false)), rotates);
        let announced = (Outlook::SuccessorPublished, None);
        assert_eq!(told(key, Some(200), gateway(true)), announced);
        let expires = (Outlook::Expires, Some(at(130)));
        assert_eq!(told(secret, Some(130), Care::Person), expires);
        assert_eq!(told(secret, None, Care::Person), (Outlook::Endless, None));
        let over = (Outlook::Expires, Some(at(99)));
        assert_eq!(told(metadata, Some(99), unheard()), over);
        assert_eq!(told(metadata, None, unheard()), (Outlook::Endless, None));
    }

    #[test]
    fn a_certificate_of_an_identity_provider_is_an_outage_only_where_nobody_hears_of_the_next() {
        let idp = |ends, care| told(Kind::IdpCertificate, Some(ends), care);
        let successor = || history(&[], 0, true);
        let refreshed = (Outlook::Refreshed, None);
        assert_eq!(idp(165, Care::Refreshed(yearly())), refreshed);
        assert_eq!(idp(99, Care::Refreshed(yearly())), refreshed);
        let rolls = (Outlook::RollsUnheard, Some(at(165)));
        assert_eq!(idp(165, Care::Unheard(yearly())), rolls);
        // Expired, and people still sign in with it.
        let ignored = (Outlook::DatesIgnored, None);
        assert_eq!(idp(99, Care::Unheard(yearly())), ignored);
        let published = (Outlook::SuccessorPublished, None);
        assert_eq!(idp(165, Care::Unheard(successor())), published);
        assert_eq!(idp(165, Care::Refreshed(successor())), published);
    }

    #[test]
    fn habits_are_learned_from_what_came() {
        let habit = history(&[-265, -174, -83, 8], 8, false);
        let forecast = forecast(
            fact(Kind::IdpCertificate, Some(1000), Care::Unheard(habit)),
            at(90),
        );
        assert_eq!(forecast.every_days, Some(91));
        assert_eq!(
            (forecast.next_at, forecast.outage_at),
            (Some(at(99)), Some(at(99)))
        );
        // One change is no habit, and ten years are no rhythm.
        let once = history(&[0, 50], 50, false);
        let once = super::forecast(
            fact(Kind::IdpCertificate, Some(50 + 3650), Care::Unheard(once)),
            at(90),
        );
        assert_eq!((once.every_days, once.outage_at), (None, Some(at(3700))));
    }

    #[test]
    fn days_are_told_from_the_farthest_to_the_nearest() {
        let ends = fact(Kind::ClientSecret, Some(160), Care::Person);
        let told = |seconds: i64| {
            let now = Timestamp::from_second(seconds).unwrap();
            let forecast = forecast(ends.clone(), now);
            (
                forecast.days(now).unwrap(),
                forecast.told_by(now).collect::<Vec<_>>(),
            )
        };
        assert_eq!(told(100 * DAY - 1), (60, vec![]));
        assert_eq!(told(100 * DAY), (60, vec![60]));
        assert_eq!(told(155 * DAY), (5, vec![60, 30, 7]));
        assert_eq!(told(160 * DAY - 1), (0, vec![60, 30, 7, 1]));
        assert_eq!(told(160 * DAY + 1), (-1, vec![60, 30, 7, 1]));
    }

    proptest! {
        #[test]
        fn what_the_gateway_or_metadata_renews_is_never_an_outage(
            ends in proptest::option::of(-2 * YEAR / DAY..9_000_i64), begins in -900..900_i64,
            came in proptest::collection::vec(-900..100_i64, 0..6), successor: bool, refreshed: bool, now in -500..900_i64,
        ) {
            let mut came = came;
            came.sort_unstable();
            let history = history(&came, begins, successor);
            let care = if refreshed { Care::Refreshed(history) } else { Care::Unheard(history) };
            let forecast = forecast(fact(Kind::IdpCertificate, ends, care), at(now));
            prop_assert!(!(refreshed || successor) || forecast.outage_at.is_none());
            // Nothing is foretold for the past.
            prop_assert!(forecast.outage_at.is_none_or(|outage| outage > at(now)));
        }
    }
}
