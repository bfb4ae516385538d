use openssl::sha::sha256;
use proptest::prelude::*;

use super::*;
use crate::Timestamp;
use crate::samples::rng;

const DAY: i64 = 86_400;
const NOON: i64 = 20_000 * DAY + DAY / 2;

fn sealer(seed: u64) -> Sealer {
    Sealer::new(MasterKey::generate(&mut rng(seed)))
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

fn sealed_at(sealer: &Sealer, second: i64) -> String {
    let expires = at(second + 3600);
    sealer
        .seal_for_day(
            "pending",
            &[b"ab", b"c"],
            b"plain",
            expires,
            at(second),
            &mut rng(9),
        )
        .unwrap()
}

fn open_at(sealer: &Sealer, text: &str, second: i64) -> Result<Opened, CertError> {
    sealer.open_for_day("pending", &[b"ab", b"c"], text, at(second))
}

#[test]
fn a_master_key_survives_its_file() {
    let key = MasterKey::generate(&mut rng(1));
    let text = key.to_file_text();
    assert_eq!(text.lines().count(), 1);
    for spelling in [text.as_str(), text.trim(), &format!("{}\r\n", text.trim())] {
        assert_eq!(
            MasterKey::from_file_text(spelling).unwrap().octets(),
            key.octets()
        );
    }
    assert_ne!(key.id(), MasterKey::generate(&mut rng(2)).id());
}

#[test]
fn a_file_that_is_not_a_master_key_is_refused() {
    let text = MasterKey::generate(&mut rng(1)).to_file_text();
    let line = text.trim();
    let body = line.rsplit_once(':').unwrap().1;
    let texts = [
        "",
        "\n",
        body,
        &line[..line.len() - 1],
        &format!("{line}A"),
        &format!("{line}="),
        &format!("{line}\n{line}"),
    ];
    for text in texts {
        assert_eq!(
            MasterKey::from_file_text(text).unwrap_err(),
            CertError::NotAMasterKey,
            "{text}"
        );
    }
}

#[test]
fn a_secret_opens_only_under_its_purpose_context_and_master_key() {
    let sealer = sealer(1);
    let boxed = sealer
        .seal_secret("client_secret", "app-1", b"plain", &mut rng(5))
        .unwrap();
    assert_eq!(
        &sealer
            .open_secret("client_secret", "app-1", &boxed)
            .unwrap()[..],
        b"plain"
    );
    for (purpose, context) in [
        ("client_secret", "app-2"),
        ("client_secre", "tapp-1"),
        ("", ""),
        ("other", "app-1"),
    ] {
        assert_eq!(
            sealer.open_secret(purpose, context, &boxed).unwrap_err(),
            CertError::Unsealable
        );
    }
    let stranger = self::sealer(2);
    assert_eq!(
        stranger
            .open_secret("client_secret", "app-1", &boxed)
            .unwrap_err(),
        CertError::Unsealable
    );
}

#[test]
fn the_key_id_in_a_box_is_no_way_around_the_key() {
    let (ours, theirs) = (sealer(1), sealer(2));
    let mut boxed = theirs.seal_secret("p", "c", b"plain", &mut rng(5)).unwrap();
    boxed[1..5].copy_from_slice(&ours.key_id());
    assert_eq!(
        ours.open_secret("p", "c", &boxed).unwrap_err(),
        CertError::Unsealable
    );
}

#[test]
fn a_secret_changed_at_any_bit_or_cut_anywhere_does_not_open() {
    let sealer = sealer(1);
    let boxed = sealer.seal_secret("p", "c", b"plain", &mut rng(5)).unwrap();
    for at in 0..boxed.len() {
        for bit in 0..8 {
            let mut changed = boxed.clone();
            changed[at] ^= 1 << bit;
            assert_eq!(
                sealer.open_secret("p", "c", &changed).unwrap_err(),
                CertError::Unsealable
            );
        }
        assert_eq!(
            sealer.open_secret("p", "c", &boxed[..at]).unwrap_err(),
            CertError::Unsealable
        );
    }
    let longer = [boxed.as_slice(), &[0]].concat();
    assert_eq!(
        sealer.open_secret("p", "c", &longer).unwrap_err(),
        CertError::Unsealable
    );
}

#[test]
fn two_boxes_of_the_same_plain_text_differ() {
    let (sealer, mut rng) = (sealer(1), rng(5));
    let first = sealer.seal_secret("p", "c", b"plain", &mut rng).unwrap();
    assert_ne!(
        first,
        sealer.seal_secret("p", "c", b"plain", &mut rng).unwrap()
    );
}

#[test]
fn a_day_box_opens_and_tells_its_expiry() {
    let sealer = sealer(1);
    let text = sealed_at(&sealer, NOON);
    let opened = open_at(&sealer, &text, NOON + 3599).unwrap();
    assert_eq!((&opened.plain[..], opened.expired), (&b"plain"[..], false));
    for later in [3600, 3601, DAY, 2 * DAY] {
        assert!(open_at(&sealer, &text, NOON + later).unwrap().expired);
    }
}

#[test]
fn a_day_box_dies_after_two_days_and_does_not_come_from_tomorrow() {
    let sealer = sealer(1);
    let midnight = NOON - DAY / 2;
    let text = sealed_at(&sealer, NOON);
    assert!(open_at(&sealer, &text, midnight + 3 * DAY - 1).is_ok());
    for second in [
        midnight + 3 * DAY,
        midnight + 400 * DAY,
        midnight - 1,
        0,
        -1,
    ] {
        assert_eq!(
            open_at(&sealer, &text, second).unwrap_err(),
            CertError::Unsealable
        );
    }
}

#[test]
fn a_day_box_moved_to_another_day_does_not_open() {
    let sealer = sealer(1);
    let text = sealed_at(&sealer, NOON);
    let mut boxed = text_decode(&text);
    boxed[8] ^= 1;
    let moved = text_encode(&boxed);
    for day in -2..=3 {
        assert_eq!(
            open_at(&sealer, &moved, NOON + day * DAY).unwrap_err(),
            CertError::Unsealable
        );
    }
}

#[test]
fn a_day_box_opens_only_with_its_purpose_and_associated_data() {
    let sealer = sealer(1);
    let text = sealed_at(&sealer, NOON);
    let others: [(&str, &[&[u8]]); 6] = [
        ("pending", &[b"a", b"bc"]),
        ("pending", &[b"abc"]),
        ("pending", &[b"ab", b"c", b""]),
        ("pending", &[b"c", b"ab"]),
        ("pending", &[]),
        ("page", &[b"ab", b"c"]),
    ];
    for (purpose, associated) in others {
        let opened = sealer.open_for_day(purpose, associated, &text, at(NOON));
        assert_eq!(opened.unwrap_err(), CertError::Unsealable);
    }
}

#[test]
fn a_day_box_changed_in_any_character_does_not_open() {
    let sealer = sealer(1);
    let text = sealed_at(&sealer, NOON);
    for at in 0..text.len() {
        for replacement in ["A", "B", "_", "=", " ", "+", "é"] {
            let mut changed = text.clone();
            changed.replace_range(at..=at, replacement);
            if changed != text {
                assert_eq!(
                    open_at(&sealer, &changed, NOON).unwrap_err(),
                    CertError::Unsealable
                );
            }
        }
        assert_eq!(
            open_at(&sealer, &text[..at], NOON).unwrap_err(),
            CertError::Unsealable
        );
    }
    let huge = "A".repeat(SEALED_TEXT_BYTES + 1);
    assert_eq!(
        open_at(&sealer, &huge, NOON).unwrap_err(),
        CertError::Unsealable
    );
}

#[test]
fn the_families_do_not_open_each_others_boxes() {
    let sealer = sealer(1);
    let day = text_decode(&sealed_at(&sealer, NOON));
    assert_eq!(
        sealer.open_secret("pending", "", &day).unwrap_err(),
        CertError::Unsealable
    );
    let secret = sealer
        .seal_secret("pending", "", &[0; 64], &mut rng(5))
        .unwrap();
    let text = text_encode(&secret);
    assert_eq!(
        sealer
            .open_for_day("pending", &[], &text, at(NOON))
            .unwrap_err(),
        CertError::Unsealable
    );
}

#[test]
fn macs_differ_by_purpose_data_and_master_key() {
    let sealer = sealer(1);
    let code = sealer.mac("token", b"data").unwrap();
    assert_eq!(code, sealer.mac("token", b"data").unwrap());
    for other in [
        sealer.mac("token", b"dat"),
        sealer.mac("toke", b"data"),
        self::sealer(2).mac("token", b"data"),
    ] {
        assert_ne!(code, other.unwrap());
    }
}

/// RFC 2104 §2, over the low-level hash.
#[test]
fn a_mac_is_hmac_sha256_under_the_derived_key() {
    let sealer = sealer(1);
    let key = sealer
        .derive(&sealer.master, Family::Mac, "token", &[])
        .unwrap();
    let padded = |with: u8| {
        (0..64)
            .map(|at| key.get(at).unwrap_or(&0) ^ with)
            .collect::<Vec<u8>>()
    };
    let inner = sha256(&[padded(0x36).as_slice(), b"data"].concat());
    let outer = sha256(&[padded(0x5c).as_slice(), &inner].concat());
    assert_eq!(sealer.mac("token", b"data").unwrap(), outer);
}

#[test]
fn a_mac_matches_itself_whole_and_nothing_else() {
    let sealer = sealer(1);
    let code = sealer.mac("token", b"data").unwrap();
    assert!(sealer.mac_matches("token", b"data", &code).unwrap());
    let mut changed = code;
    changed[31] ^= 1;
    for other in [
        &b""[..],
        &code[..31],
        &[code.as_slice(), &[0]].concat(),
        &changed,
    ] {
        assert!(!sealer.mac_matches("token", b"data", other).unwrap());
    }
}

/// RFC 5869, appendix A.3: no salt, no info.
#[test]
fn the_derivation_is_hkdf() {
    let key = hkdf_sha256(&[0x0b; 22], b"").unwrap();
    assert_eq!(key[..4], [0x8d, 0xa4, 0xe7, 0x75]);
    assert_eq!(key[28..], [0x3c, 0x73, 0x8d, 0x2d]);
}

#[test]
fn remembered_keys_are_bounded_and_forgetting_them_changes_nothing() {
    let sealer = sealer(1);
    let boxed = sealer.seal_secret("p", "c", b"plain", &mut rng(5)).unwrap();
    for number in 0..3 * DERIVED_KEYS {
        sealer.mac(&number.to_string(), b"").unwrap();
        assert!(sealer.derived.read().unwrap().len() <= DERIVED_KEYS);
    }
    assert!(sealer.open_secret("p", "c", &boxed).is_ok());
}

fn text_decode(text: &str) -> Vec<u8> {
    crate::json::base64url(text).unwrap()
}

fn text_encode(octets: &[u8]) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(octets)
}

const GOLDEN_KEY: &str = "fedgate-master-key-1:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8";

/// Stores and browsers hold such boxes: a change of the format needs a new version octet, not a new fixture.
#[test]
fn boxes_of_version_1_still_open() {
    let sealer = Sealer::new(MasterKey::from_file_text(GOLDEN_KEY).unwrap());
    let secret = text_decode("AWMNzSl6GfstCZqVV_fBDC7TfSUe4T9QDuJTra1fT-I5iQBUU-s");
    assert_eq!(
        &sealer
            .open_secret("client_secret", "app-1", &secret)
            .unwrap()[..],
        b"plain"
    );
    let opened = open_at(
        &sealer,
        "AWMNzSkAAE4gh6l3l0iIjaXZa7vOkvlcfi5UREdezLecg9wkJdlKtYJ0PUVxxH4kwvY",
        NOON,
    )
    .unwrap();
    assert_eq!((&opened.plain[..], opened.expired), (&b"plain"[..], false));
    let code = sealer.mac("token", b"data").unwrap();
    assert_eq!(
        text_encode(&code),
        "kG1UwubrQvvza3SyAcEyfF0a5wHtKRMqja325nuttbs"
    );
}

proptest! {
    #[test]
    fn arbitrary_octets_never_open(octets in proptest::collection::vec(any::<u8>(), 0..200), text in ".{0,200}") {
        let sealer = sealer(1);
        let mut boxed = vec![VERSION];
        boxed.extend_from_slice(&sealer.key_id());
        boxed.extend_from_slice(&octets);
        prop_assert_eq!(sealer.open_secret("p", "c", &boxed).unwrap_err(), CertError::Unsealable);
        prop_assert_eq!(open_at(&sealer, &text_encode(&boxed), NOON).unwrap_err(), CertError::Unsealable);
        prop_assert_eq!(open_at(&sealer, &text, NOON).unwrap_err(), CertError::Unsealable);
    }
}

#[test]
fn two_master_keys_open_and_the_first_one_seals() {
    let master = |seed| MasterKey::generate(&mut rng(seed));
    let (old, new) = (sealer(1), Sealer::new(master(2)).also_opening(master(1)));
    let boxed = old.seal_secret("p", "c", b"plain", &mut rng(3)).unwrap();
    assert_eq!(&**new.open_secret("p", "c", &boxed).unwrap(), b"plain");
    assert!(!new.is_current(&boxed) && old.is_current(&boxed));
    assert_eq!(new.master_of(&boxed).unwrap().id(), master(1).id());
    let fresh = new.seal_secret("p", "c", b"plain", &mut rng(4)).unwrap();
    assert!(new.is_current(&fresh));
    assert_eq!(
        old.open_secret("p", "c", &fresh).unwrap_err(),
        CertError::Unsealable
    );
    assert!(old.master_of(&fresh).is_none());
    // Neither key opens what the other one's name was written on.
    let forged = [&fresh[..5], &boxed[5..]].concat();
    assert_eq!(
        new.open_secret("p", "c", &forged).unwrap_err(),
        CertError::Unsealable
    );
    let text = sealed_at(&old, NOON);
    assert_eq!(&**open_at(&new, &text, NOON).unwrap().plain, b"plain");
    // The same file twice is one key.
    assert_eq!(sealer(1).also_opening(master(1)).other_key_id(), None);
}

#[test]
fn hashes_outlive_the_master_key_with_their_root() {
    let root = || MasterKey::generate(&mut rng(7));
    let old = sealer(1).with_mac_root(root());
    let boxed = old.seal_mac_root(&root(), &mut rng(3)).unwrap();
    let new = sealer(2).also_opening(MasterKey::generate(&mut rng(1)));
    let opened = new.open_mac_root(&boxed).unwrap();
    let new = new.with_mac_root(opened);
    assert_eq!(
        new.mac("p", b"data").unwrap(),
        old.mac("p", b"data").unwrap()
    );
    assert_ne!(
        sealer(2).mac("p", b"data").unwrap(),
        old.mac("p", b"data").unwrap()
    );
    assert_eq!(
        sealer(2).open_mac_root(&boxed).unwrap_err(),
        CertError::Unsealable
    );
}
