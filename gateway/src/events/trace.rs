//! The story of one login, good or bad, as an administrator reads it.

use fedgate_providers::login::Step;
use rand::CryptoRng;
use serde::{Deserialize, Serialize};

pub use super::writer::Traces;

/// Letters and digits of a reference: no `0`/`O`, `1`/`I`/`L`, `2`/`Z`, `5`/`S`, `8`/`B`, so that one can be read out on the phone.
const REFERENCE_ALPHABET: &[u8; 25] = b"ACDEFGHJKMNPQRTUVWXY23467";
/// Characters of a reference behind `FG-`: 37 bits.
const REFERENCE_CHARS: usize = 8;

/// One login attempt. Redacted by construction: steps hold evidence, never tokens, secrets or assertions.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trace {
    /// What the error page shows: `FG-` and eight letters or digits without look-alikes.
    pub reference: String,
    /// The connection, once routing chose one that exists: it names the ring that the trace is kept in.
    pub connection_id: Option<String>,
    /// Its strategy, for the console's words.
    pub strategy: Option<String>,
    /// Its display name at that time.
    pub connection_name: Option<String>,
    /// The application that asked.
    pub client_id: Option<String>,
    /// The user signed in, if any.
    pub user_id: Option<String>,
    /// The code of the refusal; none for a login that succeeded.
    pub code: Option<String>,
    /// First to last.
    pub steps: Vec<Step>,
    /// Whether the browser held no pending login for it: anybody can bring about such traces.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub of_stranger: bool,
    /// Milliseconds since the epoch.
    pub at: i64,
}

/// A fresh reference: `FG-` and eight letters or digits without look-alikes.
pub fn new_reference(rng: &mut dyn CryptoRng) -> String {
    let mut reference = String::from("FG-");
    while reference.len() < 3 + REFERENCE_CHARS {
        // Five of 32 values; those beyond the alphabet are drawn again, so that each is as likely.
        let draw = usize::from(rng.next_u32().to_le_bytes()[0] & 31);
        if let Some(character) = REFERENCE_ALPHABET.get(draw) {
            reference.push(char::from(*character));
        }
    }
    reference
}

/// The ring of strangers; connections' ids begin otherwise.
pub const STRANGERS: &str = "strangers";

impl Trace {
    /// The ring that it is kept in: its connection's, the one of strangers at any connection, or the one of logins
    /// without a connection, which has no name.
    pub fn ring(&self) -> &str {
        match &self.connection_id {
            Some(_) if self.of_stranger => STRANGERS,
            Some(connection) => connection,
            None => "",
        }
    }

    /// Leaves steps out of the middle until the trace is at most that many bytes of JSON. The first step tells where
    /// it began and the last how it ended: they go last.
    pub(crate) fn cut_to(&mut self, most_bytes: usize) {
        let mut bytes = json_bytes(self);
        while bytes > most_bytes && self.steps.len() > 1 {
            let middle = self.steps.len() / 2;
            let left_out = self
                .steps
                .remove(if self.steps.len() == 2 { 0 } else { middle });
            bytes = bytes.saturating_sub(json_bytes(&left_out) + 1);
        }
        if bytes > most_bytes {
            self.steps.clear();
        }
    }
}

fn json_bytes(value: &impl Serialize) -> usize {
    serde_json::to_vec(value).map_or(usize::MAX, |json| json.len())
}

#[cfg(test)]
pub(super) mod tests {
    use fedgate_certs::Timestamp;
    use fedgate_providers::login::Steps;
    use rand::SeedableRng as _;
    use rand::rngs::StdRng;

    use super::*;

    /// A refused login of a connection, at that millisecond.
    pub(crate) fn refused(number: u32, connection: Option<&str>, at: i64) -> Trace {
        Trace {
            reference: format!("FG-{number:08}"),
            connection_id: connection.map(ToOwned::to_owned),
            strategy: Some("saml:okta".into()),
            connection_name: None,
            client_id: Some("demo".into()),
            user_id: None,
            code: Some("saml.audience_mismatch".into()),
            steps: Vec::new(),
            of_stranger: false,
            at,
        }
    }

    #[test]
    fn a_reference_can_be_read_out() {
        let mut rng = StdRng::seed_from_u64(1);
        for _ in 0..1000 {
            let reference = new_reference(&mut rng);
            let drawn = reference.strip_prefix("FG-").unwrap();
            assert!(
                drawn.len() == 8 && drawn.bytes().all(|b| REFERENCE_ALPHABET.contains(&b)),
                "{reference}"
            );
        }
    }

    #[test]
    fn a_long_story_keeps_its_beginning_and_its_end() {
        let mut steps = Steps::default();
        for number in 0..40 {
            steps.pass(
                &format!("step.{number}"),
                Some("x".repeat(1000)),
                Timestamp::UNIX_EPOCH,
            );
        }
        let mut trace = refused(1, None, 0);
        trace.steps = steps.as_slice().to_vec();
        trace.cut_to(16 * 1024);
        assert!(json_bytes(&trace) <= 16 * 1024 && trace.steps.len() > 10);
        assert_eq!(
            (
                trace.steps[0].name.as_str(),
                trace.steps.last().unwrap().name.as_str()
            ),
            ("step.0", "step.39")
        );
        trace.cut_to(1500);
        assert_eq!(trace.steps.len(), 1);
        assert_eq!(trace.steps[0].name, "step.39");
        trace.cut_to(500);
        assert!(trace.steps.is_empty() && json_bytes(&trace) <= 500);
    }
}
