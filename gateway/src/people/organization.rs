//! Organizations: who may sign in to one, and who becomes a member by it.

use super::PeopleRefusal;

/// What is known about the organization that a login is for.
#[derive(Clone, Copy, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is one fact of one row")]
pub struct Facts {
    /// The connection belongs to it.
    pub owns_connection: bool,
    /// The connection belongs to another one.
    pub foreign_connection: bool,
    /// The connection is linked to it.
    pub links_connection: bool,
    /// It has connections, its own or linked.
    pub has_connections: bool,
    /// Whoever asks to sign in to it becomes a member.
    pub auto_membership: bool,
    /// The connection makes the organization's people members.
    pub auto_join: bool,
    /// The user is a member.
    pub member: bool,
}

/// Whether signing in makes a member.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Membership {
    /// The user is one.
    Present,
    /// The user becomes one.
    Joins,
}

/// Whether a connection may lead into the organization at all: one that has connections is locked to them, and a
/// connection of another organization never leads in.
///
/// # Errors
/// [`PeopleRefusal::OrganizationConnectionNotAllowed`]
pub fn admit_connection(facts: Facts) -> Result<(), PeopleRefusal> {
    let of_it = facts.owns_connection || facts.links_connection;
    if of_it || !(facts.foreign_connection || facts.has_connections) {
        Ok(())
    } else {
        Err(PeopleRefusal::OrganizationConnectionNotAllowed)
    }
}

/// Whether the user is a member, or becomes one. `is_auto_join_organization_enabled` counts for the connection's
/// own organization only: through a shared connection anybody could choose an organization by `org_code`.
///
/// # Errors
/// [`PeopleRefusal::NotAMember`]
pub fn membership(facts: Facts) -> Result<Membership, PeopleRefusal> {
    if facts.member {
        Ok(Membership::Present)
    } else if facts.auto_membership || (facts.owns_connection && facts.auto_join) {
        Ok(Membership::Joins)
    } else {
        Err(PeopleRefusal::NotAMember)
    }
}
