//! What the targets share: the genuine messages in `seeds`, and the one property of a verifier, that whatever it
//! accepts says what a genuine message says.

pub use fedgate_differential::edit;
pub mod encrypt;

use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};

use fedgate_differential::sign::Signer;
use fedgate_providers::connection::SignaturePolicy;
use fedgate_providers::login::Steps;
use fedgate_providers::saml::decrypt::{Cbc, Decryption};
use fedgate_providers::saml::metadata::IdpMetadata;
use fedgate_providers::saml::{
    Asserted, Authentication, Expectation, InResponseTo, verify_response,
};
use jiff::{SignedDuration, Timestamp};

/// The service provider of the seeds.
pub const SP_ENTITY_ID: &str = "urn:fuzz:sp";
/// Its assertion consumer service.
pub const ACS: &str = "https://sp.test/acs";
/// The request that the seeds answer.
pub const REQUEST_ID: &str = "_0123456789abcdef0123456789abcdef";

/// Signed responses: an RSA assertion, an RSA response, both, and an assertion on P-256.
pub const GENUINE: [&str; 4] = [
    include_str!("../seeds/response/rsa-assertion.xml"),
    include_str!("../seeds/response/rsa-response.xml"),
    include_str!("../seeds/response/rsa-both.xml"),
    include_str!("../seeds/response/ec-assertion.xml"),
];

static RSA: LazyLock<IdpMetadata> =
    LazyLock::new(|| metadata(include_bytes!("../seeds/metadata/rsa.xml")));
static EC: LazyLock<IdpMetadata> =
    LazyLock::new(|| metadata(include_bytes!("../seeds/metadata/ec.xml")));
static ACCEPTED: LazyLock<Vec<Asserted>> = LazyLock::new(|| {
    let genuine = GENUINE.iter();
    genuine
        .map(|xml| verified(xml.as_bytes()).expect("a genuine response"))
        .collect()
});

/// When the seeds were written, and valid.
pub static NOW: LazyLock<Timestamp> = LazyLock::new(|| {
    let text = include_str!("../seeds/at.txt").trim();
    text.parse().expect("a time")
});

/// Verifies a response with the keys of either identity provider, and panics if one accepts what none has said.
pub fn judge(xml: &[u8]) {
    // Read first: were the seeds themselves refused, nothing would be proved.
    let genuine = &*ACCEPTED;
    if let Some(accepted) = verified(xml) {
        assert!(
            genuine
                .iter()
                .any(|genuine| says_the_same(genuine, &accepted)),
            "accepted, but nobody said: {accepted:?}"
        );
    }
}

/// All but which elements carried a signature (of two good ones, one may be lost on the way) and which key opened it.
fn says_the_same(genuine: &Asserted, accepted: &Asserted) -> bool {
    let mut genuine = genuine.clone();
    genuine.signed = accepted.signed;
    genuine.decrypted_with.clone_from(&accepted.decrypted_with);
    genuine == *accepted
}

fn verified(xml: &[u8]) -> Option<Asserted> {
    [&*RSA, &*EC].into_iter().find_map(|idp| {
        let expectation = Expectation {
            trust: &idp.trust,
            issuer: Some(&idp.entity_id),
            sp_entity_id: SP_ENTITY_ID,
            audience_prefix: None,
            acs: ACS,
            in_response_to: InResponseTo::Exactly(REQUEST_ID),
            skew: SignedDuration::from_secs(60),
            algorithms: Default::default(),
            signature_policy: SignaturePolicy::Any,
            decryption: Decryption {
                keys: std::slice::from_ref(&*encrypt::KEY),
                cbc: Cbc::Allowed,
            },
            authentication: Authentication::default(),
        };
        verify_response(xml, &expectation, *NOW, &mut Steps::default()).ok()
    })
}

fn metadata(xml: &[u8]) -> IdpMetadata {
    IdpMetadata::parse(xml, None).expect("the metadata of the seeds")
}

/// The keys that targets sign with; new ones in each process.
pub static SIGNER: LazyLock<Signer> = LazyLock::new(Signer::fresh);

/// Counts the inputs that came past the signature, and tells at each power of two.
pub fn counted(past: bool) {
    static INPUTS: AtomicU64 = AtomicU64::new(0);
    static PAST: AtomicU64 = AtomicU64::new(0);
    let came = PAST.fetch_add(u64::from(past), Ordering::Relaxed) + u64::from(past);
    let inputs = INPUTS.fetch_add(1, Ordering::Relaxed) + 1;
    if inputs >= 1024 && inputs.is_power_of_two() {
        eprintln!("past the signature: {came} of {inputs}, {} %", came * 100 / inputs);
    }
}
