//! Who may change whose place in a team: one function, for the use cases and for what pages offer.

use crate::{Problem, Role};

/// Who asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Asker {
    /// Its role in the team.
    pub role: Role,
    /// It asks for itself.
    pub is_self: bool,
    /// How many owners the team has.
    pub owners: i64,
}

/// What is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Somebody is invited with this role.
    Invite(Role),
    /// A member gets another role.
    Change {
        /// The one it has.
        from: Role,
        /// The one it gets.
        to: Role,
    },
    /// A member of this role is removed, or leaves.
    Remove(Role),
}

/// Why it is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// The role does not allow it.
    Forbidden,
    /// Nobody raises its own role.
    OwnRole,
    /// A team has an owner.
    LastOwner,
}

/// Whether a step may be taken. Owners have a say in everybody's place, administrators in that of all but owners, and
/// everybody may leave; nobody raises its own role, and the last owner stays one.
///
/// # Errors
/// The [`Refusal`].
pub fn decide(asker: Asker, step: Step) -> Result<(), Refusal> {
    let has_say = |role| match asker.role {
        Role::Owner => true,
        Role::Admin => role != Role::Owner,
        Role::Developer | Role::Viewer => false,
    };
    let is_last = |role| role == Role::Owner && asker.owners < 2;
    match step {
        Step::Change { from, to } if asker.is_self && to.rank() > from.rank() => Err(Refusal::OwnRole),
        Step::Change { from, to } if !has_say(from) || !has_say(to) => Err(Refusal::Forbidden),
        Step::Change { from, to } if is_last(from) && to != Role::Owner => Err(Refusal::LastOwner),
        Step::Remove(role) if !asker.is_self && !has_say(role) => Err(Refusal::Forbidden),
        Step::Remove(role) if is_last(role) => Err(Refusal::LastOwner),
        Step::Invite(role) if !has_say(role) => Err(Refusal::Forbidden),
        _ => Ok(()),
    }
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Forbidden => Self::forbidden(),
            Refusal::OwnRole => Self::new(403, "own_role", "Nobody raises their own role; ask an owner of the team."),
            Refusal::LastOwner => Self::conflict(
                "last_owner",
                "A team has at least one owner, and this is the last one; make another member an owner first.",
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Refusal::*, Role::*, *};

    const OK: Result<(), Refusal> = Ok(());

    fn asked(role: Role, is_self: bool, owners: i64, step: Step) -> Result<(), Refusal> {
        decide(Asker { role, is_self, owners }, step)
    }

    #[test]
    fn who_invites_with_which_role() {
        for (role, owner, others) in [
            (Owner, OK, OK),
            (Admin, Err(Forbidden), OK),
            (Developer, Err(Forbidden), Err(Forbidden)),
            (Viewer, Err(Forbidden), Err(Forbidden)),
        ] {
            assert_eq!(asked(role, false, 1, Step::Invite(Owner)), owner, "{role:?}");
            for other in [Admin, Developer, Viewer] {
                assert_eq!(asked(role, false, 1, Step::Invite(other)), others, "{role:?} {other:?}");
            }
        }
    }

    #[test]
    fn who_changes_the_role_of_others() {
        for from in Role::ALL {
            for to in Role::ALL {
                let step = Step::Change { from, to };
                assert_eq!(asked(Owner, false, 2, step), OK, "{step:?}");
                let of_admin = if from == Owner || to == Owner { Err(Forbidden) } else { OK };
                assert_eq!(asked(Admin, false, 2, step), of_admin, "{step:?}");
                assert_eq!(asked(Developer, false, 2, step), Err(Forbidden), "{step:?}");
                assert_eq!(asked(Viewer, false, 2, step), Err(Forbidden), "{step:?}");
            }
        }
    }

    #[test]
    fn nobody_raises_the_own_role_and_the_last_owner_keeps_it() {
        for (from, to, with_one_owner, with_two) in [
            (Owner, Owner, OK, OK),
            (Owner, Admin, Err(LastOwner), OK),
            (Owner, Viewer, Err(LastOwner), OK),
            (Admin, Owner, Err(OwnRole), Err(OwnRole)),
            (Admin, Developer, OK, OK),
            (Developer, Admin, Err(OwnRole), Err(OwnRole)),
            (Developer, Viewer, Err(Forbidden), Err(Forbidden)),
            (Viewer, Owner, Err(OwnRole), Err(OwnRole)),
        ] {
            let step = Step::Change { from, to };
            assert_eq!(asked(from, true, 1, step), with_one_owner, "{step:?}");
            assert_eq!(asked(from, true, 2, step), with_two, "{step:?}");
        }
    }

    #[test]
    fn who_removes_whom_and_who_may_leave() {
        for role in Role::ALL {
            let of_self = if role == Owner { Err(LastOwner) } else { OK };
            assert_eq!(asked(role, true, 1, Step::Remove(role)), of_self, "{role:?}");
            assert_eq!(asked(role, true, 2, Step::Remove(role)), OK, "{role:?}");
            for other in Role::ALL {
                let wanted = match (role, other) {
                    (Owner, _) => OK,
                    (Admin, other) if other != Owner => OK,
                    _ => Err(Forbidden),
                };
                assert_eq!(asked(role, false, 2, Step::Remove(other)), wanted, "{role:?} {other:?}");
            }
        }
    }
}
