//! The people of the lab's identity providers.

/// Everybody's password: it stands on the login page.
pub const PASSWORD: &str = "lab";

/// Somebody who can sign in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Person {
    /// What the person types, and the address that is told.
    pub email: String,
    /// What the person types.
    pub password: String,
    /// Told as the given name.
    pub given_name: String,
    /// Told as the family name.
    pub family_name: String,
    /// Told as several values.
    pub groups: Vec<String>,
    /// What the provider calls the person for ever.
    pub subject: String,
}

impl Person {
    /// A person with the common password; the subject is made of the name.
    pub fn new(given_name: &str, family_name: &str, domain: &str, groups: &[&str]) -> Self {
        let user = given_name.to_lowercase();
        Self {
            email: format!("{user}@{domain}"),
            password: PASSWORD.to_owned(),
            given_name: given_name.to_owned(),
            family_name: family_name.to_owned(),
            groups: groups.iter().map(|&group| group.to_owned()).collect(),
            subject: format!("{user}-7f3a{:02x}", user.len()),
        }
    }

    /// Given and family name.
    pub fn name(&self) -> String {
        format!("{} {}", self.given_name, self.family_name)
    }
}

/// The people of Acme, who come over SAML.
pub fn acme() -> Vec<Person> {
    vec![
        Person::new("Alice", "Osei", "acme.test", &["engineering", "admins"]),
        Person::new("Bruno", "Keller", "acme.test", &["sales"]),
    ]
}

/// The people of Globex, who come over OpenID Connect. One has an address of Acme, as if Globex never asked for proof.
pub fn globex() -> Vec<Person> {
    vec![
        Person::new("Bob", "Lindqvist", "globex.test", &["research", "admins"]),
        Person::new("Hiro", "Tanaka", "globex.test", &["support"]),
        Person {
            email: "alice@acme.test".to_owned(),
            ..Person::new("Mallory", "Quinn", "globex.test", &["research"])
        },
    ]
}

/// The one whose button was pressed, or whose address and password those are.
pub(crate) fn find<'p>(
    people: &'p [Person],
    pressed: &str,
    email: &str,
    password: &str,
) -> Option<&'p Person> {
    let email = email.trim();
    people.iter().find(|person| match pressed {
        "" => person.email.eq_ignore_ascii_case(email) && person.password == password,
        subject => person.subject == subject,
    })
}
