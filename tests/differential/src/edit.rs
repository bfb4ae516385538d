//! Changes to XML that keep it well-formed more often than random octets do: elements copied, moved and removed
//! (signature wrapping), values exchanged, and the snippets with which parsers have been fooled.

/// Octets of a script for one edit.
pub const EDIT: usize = 5;
/// The most edits of one script.
const EDITS: usize = 12;
/// What a document may grow to.
const BYTES: usize = 64 * 1024;

const SNIPPETS: [&str; 16] = [
    "<!---->",
    "<!-- x -->",
    "<?x y?>",
    "<![CDATA[mallory]]>",
    "&#x41;",
    "&amp;",
    "&x;",
    "\r",
    "mallory@evil.test",
    " ID=\"evil\"",
    " xmlns=\"urn:oasis:names:tc:SAML:2.0:assertion\"",
    " xmlns:saml=\"urn:evil\"",
    " xmlns:ds=\"http://www.w3.org/2000/09/xmldsig#\"",
    "<x>",
    "</x>",
    "<!DOCTYPE x [<!ENTITY x \"y\">]>",
];

const NAMES: [&str; 8] = [
    "saml:Assertion",
    "samlp:Response",
    "ds:Signature",
    "ds:Object",
    "samlp:Extensions",
    "saml:Advice",
    "saml:NameID",
    "saml:EncryptedAssertion",
];

/// Applies a script of edits to a document.
pub fn edited(document: &str, script: &[u8]) -> Vec<u8> {
    let mut xml = document.as_bytes().to_vec();
    for edit in script.chunks_exact(EDIT).take(EDITS) {
        let [kind, first, second, third, fourth] = [edit[0], edit[1], edit[2], edit[3], edit[4]];
        apply(&mut xml, kind, [first, second, third, fourth]);
        if xml.len() > BYTES {
            break;
        }
    }
    xml
}

fn apply(xml: &mut Vec<u8>, kind: u8, [first, second, third, fourth]: [u8; 4]) {
    let elements = elements(xml);
    let (Some(one), Some(other)) = (pick(&elements, first), pick(&elements, second)) else {
        return;
    };
    match kind % 9 {
        0 => insert(xml, place(other, third), xml[one.start..one.end].to_vec()),
        1 => relocate(xml, one, place(other, third)),
        2 => drop(xml.drain(one.start..one.end)),
        3 => exchange(xml, &attribute_values(xml), first, second),
        4 => exchange(xml, &texts(xml), first, second),
        5 => insert(xml, place(one, third), snippet(fourth)),
        6 => {
            let within = usize::from(u16::from_be_bytes([second, third])) % (xml.len() + 1);
            insert(xml, within, snippet(fourth));
        }
        7 => rename(xml, one, NAMES[usize::from(third) % NAMES.len()]),
        _ => {
            let at = usize::from(u16::from_be_bytes([first, second])) % xml.len();
            xml[at] = third;
        }
    }
}

#[derive(Clone, Copy)]
struct Span {
    start: usize,
    /// Behind the start tag.
    inside: usize,
    end: usize,
}

/// Elements in the order of their end; what is not nested well is passed over.
fn elements(xml: &[u8]) -> Vec<Span> {
    let (mut found, mut open, mut at) = (Vec::new(), Vec::new(), 0);
    while let Some(start) = find(xml, b'<', at) {
        let Some(end) = find(xml, b'>', start) else {
            break;
        };
        let tag = &xml[start..=end];
        at = end + 1;
        match tag.get(1) {
            Some(b'/') => {
                if let Some((begin, inside)) = open.pop() {
                    found.push(Span {
                        start: begin,
                        inside,
                        end: at,
                    });
                }
            }
            Some(b'!' | b'?') | None => {}
            Some(_) if tag.ends_with(b"/>") => found.push(Span {
                start,
                inside: at,
                end: at,
            }),
            Some(_) => open.push((start, at)),
        }
    }
    found
}

fn find(xml: &[u8], byte: u8, from: usize) -> Option<usize> {
    let rest = xml.get(from..)?;
    rest.iter()
        .position(|&found| found == byte)
        .map(|at| from + at)
}

fn pick(spans: &[Span], number: u8) -> Option<Span> {
    spans.get(usize::from(number) % spans.len().max(1)).copied()
}

fn place(element: Span, choice: u8) -> usize {
    [element.start, element.inside, element.end][usize::from(choice) % 3]
}

fn snippet(number: u8) -> Vec<u8> {
    SNIPPETS[usize::from(number) % SNIPPETS.len()].into()
}

fn insert(xml: &mut Vec<u8>, at: usize, octets: Vec<u8>) {
    drop(xml.splice(at..at, octets));
}

/// Moves an element; into itself it does not go.
fn relocate(xml: &mut Vec<u8>, element: Span, to: usize) {
    if (element.start..element.end).contains(&to) {
        return;
    }
    let moved: Vec<u8> = xml.drain(element.start..element.end).collect();
    let length = element.end - element.start;
    insert(
        xml,
        if to > element.start { to - length } else { to },
        moved,
    );
}

fn rename(xml: &mut Vec<u8>, element: Span, name: &str) {
    let end = xml[element.start + 1..]
        .iter()
        .position(|b| matches!(b, b' ' | b'>' | b'/'));
    let Some(length) = end else { return };
    let old = xml[element.start + 1..element.start + 1 + length].to_vec();
    let closing = element
        .end
        .checked_sub(old.len() + 1)
        .filter(|&at| xml[at..].starts_with(&old));
    if let Some(at) = closing.filter(|&at| at >= element.inside) {
        drop(xml.splice(at..at + old.len(), name.bytes()));
    }
    drop(xml.splice(element.start + 1..element.start + 1 + length, name.bytes()));
}

type Range = std::ops::Range<usize>;

/// Between quotation marks.
fn attribute_values(xml: &[u8]) -> Vec<Range> {
    let mut marks = xml
        .iter()
        .enumerate()
        .filter(|(_, byte)| **byte == b'"')
        .map(|(at, _)| at);
    let mut values = Vec::new();
    while let (Some(start), Some(end)) = (marks.next(), marks.next()) {
        values.push(start + 1..end);
    }
    values
}

/// Between a tag and the next.
fn texts(xml: &[u8]) -> Vec<Range> {
    let ends = xml.iter().enumerate().filter(|(_, byte)| **byte == b'>');
    ends.filter_map(|(at, _)| Some(at + 1..find(xml, b'<', at)?))
        .filter(|text| !text.is_empty())
        .collect()
}

/// Writes one value in the place of another.
fn exchange(xml: &mut Vec<u8>, values: &[Range], from: u8, to: u8) {
    if values.is_empty() {
        return;
    }
    let value = |number: u8| values[usize::from(number) % values.len()].clone();
    let copied = xml[value(from)].to_vec();
    drop(xml.splice(value(to), copied));
}
