//! Who may do what to whom in a room.

use confab_protocol::HostAction;

/// What somebody is in a room, as far as rights go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Standing {
    /// Not in the room.
    Outside,
    /// Watches a live scene.
    Audience,
    /// Takes part; everybody in a call is an anchor.
    Anchor,
    /// Helps the owner.
    CoHost,
    /// The room is theirs.
    Owner,
    /// Has a key of the server.
    Administrator,
}

/// Why an action is not allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Forbidden {
    /// Who asks is not in the room.
    NotInRoom,
    /// Hosts only.
    HostsOnly,
    /// The owner only.
    OwnerOnly,
    /// Not to the owner or a co-host.
    NotToHosts,
    /// Not to oneself.
    NotToOneself,
}

impl Forbidden {
    /// In words.
    pub(crate) fn sentence(self) -> &'static str {
        match self {
            Forbidden::NotInRoom => "You are not in this room.",
            Forbidden::HostsOnly => "Only the host and co-hosts may do this.",
            Forbidden::OwnerOnly => "Only the host of the room may do this.",
            Forbidden::NotToHosts => "A co-host cannot do this to the host or another co-host.",
            Forbidden::NotToOneself => "You cannot do this to yourself.",
        }
    }
}

/// Whether somebody is a host of the room, or above.
pub(crate) fn is_host(by: Standing) -> Result<(), Forbidden> {
    match by {
        Standing::Outside => Err(Forbidden::NotInRoom),
        Standing::Audience | Standing::Anchor => Err(Forbidden::HostsOnly),
        Standing::CoHost | Standing::Owner | Standing::Administrator => Ok(()),
    }
}

/// Whether somebody may do this; `target` is what the person it is about is in the room, and `own` that
/// it is themselves.
pub(crate) fn allowed(
    action: &HostAction,
    by: Standing,
    target: Standing,
    own: bool,
) -> Result<(), Forbidden> {
    is_host(by)?;
    let owners =
        matches!(action, HostAction::HandOver { .. } | HostAction::CoHost { .. } | HostAction::Dismiss);
    if owners && by == Standing::CoHost {
        return Err(Forbidden::OwnerOnly);
    }
    if own {
        let harmless = matches!(
            action,
            HostAction::Mute { .. }
                | HostAction::AllowUnmute { .. }
                | HostAction::StopVideo { .. }
                | HostAction::StopShare { .. }
        );
        return if harmless { Ok(()) } else { Err(Forbidden::NotToOneself) };
    }
    if by == Standing::CoHost && target >= Standing::CoHost {
        return Err(Forbidden::NotToHosts);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use confab_protocol::UserId;

    use super::*;

    const EVERYBODY: [Standing; 6] = [
        Standing::Outside,
        Standing::Audience,
        Standing::Anchor,
        Standing::CoHost,
        Standing::Owner,
        Standing::Administrator,
    ];

    fn actions() -> Vec<HostAction> {
        let user_id: UserId = "bob".parse().unwrap();
        let bob = || user_id.clone();
        let all = vec![
            HostAction::Mute { user_id: Some(bob()), allow_unmute: false },
            HostAction::AllowUnmute { user_id: Some(bob()) },
            HostAction::StopVideo { user_id: bob() },
            HostAction::StopShare { user_id: bob() },
            HostAction::Remove { user_id: bob(), ban: true },
            HostAction::Unban { user_id: bob() },
            HostAction::Lock { on: true },
            HostAction::WaitingRoom { on: true },
            HostAction::Admit { user_id: Some(bob()) },
            HostAction::Deny { user_id: bob() },
            HostAction::HandOver { user_id: bob() },
            HostAction::CoHost { user_id: bob(), on: true },
            HostAction::Dismiss,
        ];
        assert_eq!(all.iter().map(HostAction::name).collect::<Vec<_>>(), HostAction::NAMES);
        all
    }

    /// Rows: what somebody does; columns: what the one is to whom they do it. `+` allowed, `h` hosts only,
    /// `o` the owner only, `c` not to hosts.
    const TABLE: [(&str, [&str; 6]); 13] = [
        //              by: out  aud  anc   co-host   owner     administrator; targets: anchor, co-host, owner
        ("mute", ["xxx", "hhh", "hhh", "+cc", "+++", "+++"]),
        ("allowUnmute", ["xxx", "hhh", "hhh", "+cc", "+++", "+++"]),
        ("stopVideo", ["xxx", "hhh", "hhh", "+cc", "+++", "+++"]),
        ("stopShare", ["xxx", "hhh", "hhh", "+cc", "+++", "+++"]),
        ("remove", ["xxx", "hhh", "hhh", "+cc", "+++", "+++"]),
        ("unban", ["xxx", "hhh", "hhh", "+cc", "+++", "+++"]),
        ("lock", ["xxx", "hhh", "hhh", "+cc", "+++", "+++"]),
        ("waitingRoom", ["xxx", "hhh", "hhh", "+cc", "+++", "+++"]),
        ("admit", ["xxx", "hhh", "hhh", "+cc", "+++", "+++"]),
        ("deny", ["xxx", "hhh", "hhh", "+cc", "+++", "+++"]),
        ("handOver", ["xxx", "hhh", "hhh", "ooo", "+++", "+++"]),
        ("coHost", ["xxx", "hhh", "hhh", "ooo", "+++", "+++"]),
        ("dismiss", ["xxx", "hhh", "hhh", "ooo", "+++", "+++"]),
    ];

    #[test]
    fn every_action_by_every_kind_of_person_to_every_kind_of_person() {
        let targets = [Standing::Anchor, Standing::CoHost, Standing::Owner];
        for (action, (name, row)) in actions().iter().zip(TABLE) {
            assert_eq!(action.name(), name);
            for (by, cells) in EVERYBODY.into_iter().zip(row) {
                let found = targets.map(|target| match allowed(action, by, target, false) {
                    Ok(()) => '+',
                    Err(Forbidden::NotInRoom) => 'x',
                    Err(Forbidden::HostsOnly) => 'h',
                    Err(Forbidden::OwnerOnly) => 'o',
                    Err(Forbidden::NotToHosts) => 'c',
                    Err(Forbidden::NotToOneself) => 's',
                });
                assert_eq!(found.iter().collect::<String>(), cells, "{name} by {by:?}");
            }
        }
    }

    #[test]
    fn hosts_do_to_themselves_only_what_they_could_undo() {
        for action in actions().iter().filter(|action| action.target().is_some()) {
            let fits = ["mute", "allowUnmute", "stopVideo", "stopShare"].contains(&action.name());
            let by_owner = allowed(action, Standing::Owner, Standing::Owner, true);
            assert_eq!(by_owner.is_ok(), fits, "{}", action.name());
            assert_eq!(allowed(action, Standing::Anchor, Standing::Anchor, true), Err(Forbidden::HostsOnly));
        }
    }
}
