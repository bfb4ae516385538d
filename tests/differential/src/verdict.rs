//! What the strict verifier says of a document, and what it must not say.

use fedgate_certs::trust::Trust;
use fedgate_providers::connection::SignaturePolicy;
use fedgate_providers::error::Refusal;
use fedgate_providers::login::Steps;
use fedgate_providers::saml::c14n::canonicalize;
use fedgate_providers::saml::decrypt::Decryption;
use fedgate_providers::saml::namespace::ASSERTION;
use fedgate_providers::saml::shape::ResponseShape;
use fedgate_providers::saml::signature::{Algorithms, verify};
use fedgate_providers::saml::xml::second_reader::reads_alike;
use fedgate_providers::saml::xml::{Document, Element, Mode};
use fedgate_providers::saml::{
    Asserted, Authentication, Expectation, InResponseTo, verify_response,
};

use crate::choices::Choices;
use crate::document::{foreign, template};
use crate::draft::{ACS, Draft, ISSUER, REQUEST_ID, SKEW, SP_ENTITY_ID, now};
use crate::edit;
use crate::sign::{ECDSA, RSA, Signer};
use crate::writer::{self, Content, Writer};

/// The octets that a signature covers, where its form, keys and digest are sound; nothing of what they say is judged.
///
/// # Errors
/// The strict verifier's.
pub fn signed_octets(xml: &[u8], trust: &Trust) -> Result<Vec<u8>, Refusal> {
    let document = Document::parse(xml, Mode::Message)?;
    let shape = ResponseShape::of(&document)?;
    let verified = verify(&shape, trust, SignaturePolicy::Any, Algorithms::default())?;
    Ok(verified.signed_octets().to_vec())
}

/// All checks of a response; whether it came past the signature; and the verdict.
pub fn judged(xml: &[u8], trust: &Trust) -> (bool, Result<Asserted, Refusal>) {
    let expectation = Expectation {
        trust,
        issuer: Some(ISSUER),
        sp_entity_id: SP_ENTITY_ID,
        audience_prefix: None,
        acs: ACS,
        in_response_to: InResponseTo::Exactly(REQUEST_ID),
        skew: SKEW,
        algorithms: Algorithms::default(),
        signature_policy: SignaturePolicy::Any,
        decryption: Decryption::default(),
        authentication: Authentication::default(),
    };
    let mut steps = Steps::default();
    let verdict = verify_response(xml, &expectation, now(), &mut steps);
    let signature = steps
        .as_slice()
        .iter()
        .find(|step| step.name == "saml.signature");
    (signature.is_some_and(|step| step.code.is_none()), verdict)
}

/// A document from octets: a draft in some writing, signed.
pub fn signed_draft(choices: &mut Choices<'_>, signer: &Signer) -> (Draft, String) {
    let methods = if choices.one_in(16) { RSA } else { ECDSA };
    let method = choices.pick(&methods);
    let draft = Draft::of(choices);
    let template = template(&draft, method, choices);
    let xml = signer.sign(&template);
    (draft, xml)
}

/// Judges a draft that is signed and then perhaps changed: accepted may be only what is sound, and then it says what the
/// draft says. Answers whether it came past the signature.
///
/// # Panics
/// Where the verifier accepts what it must not.
pub fn judge(octets: &[u8], signer: &Signer) -> bool {
    let mut choices = Choices::new(octets);
    // Two of three are judged as they were signed.
    let edits = choices.below(9).saturating_sub(5);
    let script = choices.script(edits);
    let (draft, xml) = signed_draft(&mut choices, signer);
    let xml = edit::edited(&xml, &script);
    let (past, verdict) = judged(&xml, &signer.trust);
    if let Ok(asserted) = verdict {
        let shown = String::from_utf8_lossy(&xml);
        assert!(
            draft.is_sound(),
            "accepted, but not sound: {draft:?}\n{shown}"
        );
        let document = Document::parse(&xml, Mode::Message).expect("accepted just now");
        assert_eq!(reads_alike(&shown, &document), Ok(()), "{shown}");
        assert!(
            says(&draft, &asserted),
            "accepted, but nobody said it: {asserted:?} for {draft:?}\n{shown}"
        );
    }
    past
}

/// Judges a draft whose text is changed by a script and then signed: of what is accepted, one who reads the signed octets
/// alone, again from their start, reads the same. Answers whether it came past the signature.
///
/// # Panics
/// Where the verifier has read something else than what is signed.
pub fn judge_changed(octets: &[u8], signer: &Signer) -> bool {
    let mut choices = Choices::new(octets);
    let edits = choices.below(4);
    let script = choices.script(edits);
    let draft = Draft::of(&mut choices);
    let template = template(&draft, ECDSA[0], &mut choices);
    let Ok(changed) = String::from_utf8(edit::edited(&template, &script)) else {
        return false;
    };
    let xml = signer.sign(&changed);
    let (past, verdict) = judged(xml.as_bytes(), &signer.trust);
    if let Ok(asserted) = verdict {
        let covered = signed_octets(xml.as_bytes(), &signer.trust).expect("accepted just now");
        let read = read_again(&covered);
        assert_eq!(read, asserted.name_id.map(|name_id| name_id.value), "{xml}");
    }
    past
}

/// The NameID of the assertion in canonical octets.
fn read_again(octets: &[u8]) -> Option<String> {
    let document = Document::parse(octets, Mode::Message).expect("a canonical form parses");
    let root = document.root();
    let assertion = root.child(ASSERTION, "Assertion").unwrap_or(root);
    let name_id = assertion
        .child(ASSERTION, "Subject")?
        .child(ASSERTION, "NameID")?;
    name_id.leaf().map(str::to_owned)
}

/// Judges one way of writing elements: they are read as they are, and so they are in canonical form, which is its own.
///
/// # Panics
/// Where reading or canonical form changes anything.
pub fn judge_canonical(octets: &[u8]) {
    let mut choices = Choices::new(octets);
    let written = foreign(&mut choices, 6);
    let xml = Writer::document(&written, &mut choices);
    let Ok(document) = Document::parse(xml.as_bytes(), Mode::Message) else {
        return;
    };
    check_same(&written, document.root(), &xml);
    let canonical = canonical(&document);
    let again = Document::parse(&canonical, Mode::Message).expect("a canonical form parses");
    check_same(&written, again.root(), &xml);
    assert_eq!(self::canonical(&again), canonical, "{xml}");
}

fn canonical(document: &Document<'_>) -> Vec<u8> {
    let mut octets = Vec::new();
    canonicalize(document.root(), None, &[], &mut octets);
    octets
}

fn check_same(written: &writer::Element, read: Element<'_>, xml: &str) {
    assert!(read.is(&written.namespace, &written.local), "{xml}");
    let mut attributes: Vec<_> = written.attributes.iter().collect();
    attributes.sort_by_key(|a| (a.namespace.as_str(), a.local.as_str()));
    let expected = attributes
        .iter()
        .map(|a| (&*a.namespace, &*a.local, &*a.value));
    let found = read
        .attributes()
        .map(|a| (a.namespace, a.local_name, a.value));
    assert!(expected.eq(found), "{xml}");
    let inside: Vec<&writer::Element> = match &written.content {
        Content::Text(text) => {
            let trimmed = text.trim_matches([' ', '\t', '\r', '\n']);
            assert_eq!(read.leaf(), Some(trimmed), "{xml}");
            Vec::new()
        }
        Content::Elements(elements) => elements.iter().collect(),
        Content::Mixed(parts) => parts.iter().map(|(_, element)| element).collect(),
    };
    assert_eq!(inside.len(), read.children().count(), "{xml}");
    for (written, read) in inside.into_iter().zip(read.children()) {
        check_same(written, read, xml);
    }
}

fn says(draft: &Draft, asserted: &Asserted) -> bool {
    let name_id = asserted
        .name_id
        .as_ref()
        .map(|name_id| name_id.value.as_str());
    let attributes = asserted.attributes.iter();
    let read = attributes.map(|attribute| (attribute.name.clone(), attribute.values.clone()));
    name_id == Some(&draft.name_id) && asserted.issuer == ISSUER && read.eq(draft.attributes_read())
}

#[cfg(test)]
mod tests {
    use rand::rngs::StdRng;
    use rand::{RngExt as _, SeedableRng as _};

    use super::*;

    /// Documents by chance; the fuzzers go on from there.
    fn by_chance(count: usize, mut judge: impl FnMut(&[u8])) {
        let mut chance = StdRng::seed_from_u64(1);
        for _ in 0..count {
            let mut octets = vec![0; 1500];
            chance.fill(&mut octets[..]);
            judge(&octets);
        }
    }

    #[test]
    fn a_draft_without_choices_is_accepted_as_it_is() {
        let signer = Signer::fresh();
        let (draft, xml) = signed_draft(&mut Choices::new(&[]), &signer);
        let (past, verdict) = judged(xml.as_bytes(), &signer.trust);
        assert!(
            past && says(&draft, &verdict.expect("a sound response")),
            "{xml}"
        );
    }

    #[test]
    fn what_is_accepted_is_sound_and_says_what_was_signed() {
        let signer = Signer::fresh();
        let mut past = 0;
        by_chance(400, |octets| past += usize::from(judge(octets, &signer)));
        assert!(past > 80, "too few come past the signature: {past}");
        let mut past = 0;
        by_chance(200, |octets| {
            past += usize::from(judge_changed(octets, &signer));
        });
        assert!(past > 20, "too few come past the signature: {past}");
    }

    #[test]
    fn whatever_is_written_is_read_as_it_is() {
        by_chance(400, judge_canonical);
    }
}
