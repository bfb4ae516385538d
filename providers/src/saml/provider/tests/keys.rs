//! Our own keys, as a connection uses them.

use fedgate_certs::keyring::Stage;

use super::*;

/// A file of the fixtures.
macro_rules! fixture {
    ($name:literal) => {
        include_bytes!(concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/../testdata/saml/",
            $name
        ))
    };
}

fn ours() -> CertifiedKey {
    CertifiedKey::from_pem(fixture!("keys/sp.key.pem"), fixture!("keys/sp.cert.pem")).unwrap()
}

fn before() -> CertifiedKey {
    CertifiedKey::from_pem(
        fixture!("keys/sp-other.key.pem"),
        fixture!("keys/sp-other.cert.pem"),
    )
    .unwrap()
}

fn elliptic() -> CertifiedKey {
    CertifiedKey::from_pem(
        fixture!("keys/idp-ec.key.pem"),
        fixture!("keys/idp-ec.cert.pem"),
    )
    .unwrap()
}

fn decrypting(pairs: Vec<(CertifiedKey, Stage)>) -> SpKeys {
    SpKeys::new(Vec::new(), pairs).unwrap()
}

fn opened(options: &SamlOptions, keys: &SpKeys) -> SamlProvider {
    let idp = PKey::private_key_from_pem(fixture!("keys/idp.key.pem")).unwrap();
    SamlProvider::open(
        &connection(ProtocolOptions::Saml(options.clone())),
        options,
        metadata(&idp, "").as_bytes(),
        keys,
    )
    .unwrap()
}

/// Two are tried at most: the one that everybody should encrypt for must be among them.
#[test]
fn the_key_that_is_published_is_tried_first_and_one_that_cannot_decrypt_never() {
    let keys = decrypting(vec![
        (elliptic(), Stage::Retiring),
        (before(), Stage::Retiring),
        (ours(), Stage::Active),
    ]);
    let tried = decryption_keys(&keys);
    assert_eq!(tried.len(), 2);
    for (key, expected) in tried.iter().zip([ours(), before()]) {
        assert!(key.private().public_eq(expected.private()));
    }
}

#[test]
fn aes_cbc_is_decrypted_where_it_is_allowed_and_not_paused() {
    let allowing = |allow_aes_cbc| {
        let options = SamlOptions {
            allow_aes_cbc,
            ..options()
        };
        opened(&options, &SpKeys::default())
    };
    let (allowed, refused) = (allowing(true), allowing(false));
    assert!(allowed.is_cbc_allowed() && !refused.is_cbc_allowed());
    assert_eq!(allowed.cbc(), Cbc::Allowed);
    assert_eq!(allowed.with_cbc_paused().cbc(), Cbc::Paused);
    assert_eq!(refused.cbc(), Cbc::Refused);
    assert_eq!(refused.with_cbc_paused().cbc(), Cbc::Refused);
}

#[test]
fn each_use_of_a_private_key_is_counted() {
    let keys = decrypting(vec![(before(), Stage::Active), (ours(), Stage::Retiring)]);
    let provider = opened(&options(), &keys);
    assert_eq!(provider.private_operations(), 0);
    let login = login();
    let (_, pending) = begin(&provider, &login);
    let pending = SamlPending {
        acs: "https://sp.example/acs".to_owned(),
        ..pending
    };
    let response = STANDARD.encode(fixture!("encrypted/gcm256-assertion.xml"));
    let form = Callback::Form(vec![("SAMLResponse".to_owned(), response)]);
    let refusal = provider
        .complete(
            login.handle,
            &pending,
            &form,
            NOW.parse().unwrap(),
            &mut Steps::default(),
        )
        .unwrap_err();
    // It opened, and answers a request that is not this login's.
    assert_eq!(refusal, SamlRefusal::InResponseToMismatch);
    assert_eq!(provider.private_operations(), 2);
}

#[test]
fn a_connection_that_should_sign_says_so_even_without_a_key() {
    let signing = |sign_requests| {
        let options = SamlOptions {
            sign_requests: Some(sign_requests),
            ..options()
        };
        opened(&options, &SpKeys::default()).signs_requests()
    };
    assert!(signing(true) && !signing(false));
}
