//! What a caller says about a user, read whole.

use fedgate_certs::Timestamp;
use fedgate_providers::connection::domain_of_address;
use serde_json::{Map, Value};
use url::Url;

use super::ApiRefusal;
use super::answer::ApiError;
use super::body::Members;
use crate::people::user::{entered_user, full_name};
use crate::store::person::User;

/// The longest name and the longest `provided_id`, in bytes.
const NAME_BYTES: usize = 256;
/// The longest address (RFC 5321 4.5.3.1.3), in bytes.
const ADDRESS_BYTES: usize = 254;
/// The longest address of a picture, in bytes.
const PICTURE_BYTES: usize = 2048;
/// The most identities that one request enters with a user.
const IDENTITIES_MOST: usize = 10;

/// A new user, and the organization that the user belongs to from the start.
#[derive(Debug)]
pub(super) struct Entered {
    pub(super) user: User,
    pub(super) organization: Option<String>,
}

impl Entered {
    /// Reads the body of `POST /api/v1/user`.
    ///
    /// # Errors
    /// Every problem at once.
    pub(super) fn read(
        body: &Map<String, Value>,
        id: String,
        now: Timestamp,
    ) -> Result<Self, ApiError> {
        let mut members = Members::new(body);
        let entered = Self::members(&mut members, id, now);
        members.finish()?;
        Ok(entered)
    }

    /// The schema of what [`Entered::read`] reads.
    pub(super) fn schema() -> Value {
        Members::schema(|members| {
            Self::members(members, String::new(), Timestamp::UNIX_EPOCH);
        })
    }

    fn members(members: &mut Members<'_>, id: String, now: Timestamp) -> Self {
        let mut user = entered_user(id, now);
        members.within("profile", |profile| Profile::read(profile).write(&mut user));
        user.provided_id = owned(members.text("provided_id", NAME_BYTES));
        let organization = owned(members.text("organization_code", NAME_BYTES));
        members.each("identities", IDENTITIES_MOST, |index, identity| {
            if index > 0 {
                let refusal = ApiRefusal::MemberValue.refuse();
                identity.refuse(refusal.expected("one identity of type email"), "type");
            }
            read_address(identity, &mut user);
        });
        Self { user, organization }
    }
}

/// `{type: "email", is_verified, details: {email}}`: Kinde's identity of a person who signs in by address. People sign in
/// at an identity provider here; what is left of it is the contact address, with the caller's word for it.
fn read_address(identity: &mut Members<'_>, user: &mut User) {
    identity.choice("type", &["email"]);
    identity.require("type");
    user.email_verified = identity.boolean("is_verified");
    identity.within("details", |details| {
        let address = details.text("email", ADDRESS_BYTES);
        details.require("email");
        if let Some(address) = address
            && domain_of_address(address).is_none()
        {
            let refusal = ApiRefusal::MemberValue.refuse().found(address);
            details.refuse(refusal.expected("ann@example.com"), "email");
        }
        user.email = owned(address);
    });
    identity.require("details");
}

/// What a change of a user says; `None` where it is silent.
#[derive(Debug)]
pub(super) struct Changed {
    profile: Profile,
    is_suspended: Option<bool>,
    provided_id: Option<Text>,
}

/// A text that a request names; `null` and blank take away what is there.
#[derive(Debug)]
struct Text(Option<String>);

impl Changed {
    /// Reads the body of `PATCH /api/v1/user`.
    ///
    /// # Errors
    /// Every problem at once.
    pub(super) fn read(body: &Map<String, Value>) -> Result<Self, ApiError> {
        let mut members = Members::new(body);
        let changed = Self::members(&mut members);
        members.finish()?;
        Ok(changed)
    }

    /// The schema of what [`Changed::read`] reads.
    pub(super) fn schema() -> Value {
        Members::schema(|members| {
            Self::members(members);
        })
    }

    fn members(members: &mut Members<'_>) -> Self {
        if members.boolean("is_password_reset_requested") {
            let refusal = ApiRefusal::MemberValue.refuse().found("true");
            let refusal = refusal.expected("false: there are no passwords here");
            members.refuse(refusal, "is_password_reset_requested");
        }
        Self {
            profile: Profile::read(members),
            is_suspended: members.flag("is_suspended"),
            provided_id: Text::named(members, "provided_id", NAME_BYTES),
        }
    }

    /// The user that this change leaves.
    pub(super) fn applied(self, mut user: User) -> User {
        self.profile.write(&mut user);
        user.is_suspended = self.is_suspended.unwrap_or(user.is_suspended);
        replace(&mut user.provided_id, self.provided_id);
        user
    }
}

/// What a request says of a person; `None` where it is silent.
#[derive(Debug)]
struct Profile {
    given_name: Option<Text>,
    family_name: Option<Text>,
    picture: Option<Text>,
}

impl Profile {
    fn read(members: &mut Members<'_>) -> Self {
        let profile = Self {
            given_name: Text::named(members, "given_name", NAME_BYTES),
            family_name: Text::named(members, "family_name", NAME_BYTES),
            picture: Text::named(members, "picture", PICTURE_BYTES),
        };
        if let Some(Text(Some(text))) = &profile.picture
            && !Url::parse(text).is_ok_and(|url| url.scheme() == "https")
        {
            let refusal = ApiRefusal::MemberValue.refuse().found(text);
            let refusal = refusal.expected("an address that begins with https://");
            members.refuse(refusal, "picture");
        }
        profile
    }

    /// The full name follows its parts where they change.
    fn write(self, user: &mut User) {
        let is_renamed = self.given_name.is_some() || self.family_name.is_some();
        replace(&mut user.given_name, self.given_name);
        replace(&mut user.family_name, self.family_name);
        replace(&mut user.picture, self.picture);
        if is_renamed {
            user.name = full_name(user.given_name.as_deref(), user.family_name.as_deref());
        }
    }
}

impl Text {
    fn named(members: &mut Members<'_>, name: &'static str, most: usize) -> Option<Self> {
        let text = owned(members.text(name, most));
        members.names(name).then_some(Self(text))
    }
}

fn replace(kept: &mut Option<String>, sent: Option<Text>) {
    if let Some(Text(sent)) = sent {
        *kept = sent;
    }
}

fn owned(text: Option<&str>) -> Option<String> {
    text.map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_stands_within_a_user_is_described_by_what_reads_it() {
        let schema = Entered::schema();
        let members = &schema["properties"];
        assert_eq!(members["profile"]["additionalProperties"], false);
        assert_eq!(
            members["profile"]["properties"]["given_name"]["maxLength"],
            NAME_BYTES
        );
        let identity = &members["identities"]["items"];
        assert_eq!(identity["required"], json!(["type", "details"]));
        assert_eq!(identity["properties"]["details"]["type"], "object");
        assert_eq!(
            Changed::schema()["properties"]["is_suspended"],
            json!({ "type": ["boolean", "null"] })
        );
    }

    #[test]
    fn a_full_name_follows_its_parts_and_nothing_else() {
        let now = Timestamp::UNIX_EPOCH;
        let mut user = entered_user("kp_1".into(), now);
        user.name = Some("Dr. Ann Osei".into());
        let changed = |body: Value| {
            let body = body.as_object().unwrap().clone();
            Changed::read(&body).unwrap().applied(user.clone()).name
        };
        assert_eq!(changed(json!({ "picture": null })), user.name);
        assert_eq!(
            changed(json!({ "given_name": "Ann" })).as_deref(),
            Some("Ann")
        );
        let both = json!({ "given_name": "Ann", "family_name": "Osei" });
        assert_eq!(changed(both).as_deref(), Some("Ann Osei"));
        assert_eq!(changed(json!({ "given_name": "" })), None);
    }
}
