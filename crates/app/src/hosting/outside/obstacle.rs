//! What stands in the way of people outside, in sentences that say what to do. Pure.

use std::fmt;
use std::net::{Ipv4Addr, SocketAddrV4};

/// Longer words of a router are not shown.
const WORDS: usize = 80;

/// What stands in the way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Obstacle {
    /// This computer has no address in an IPv4 network.
    NoNetwork,
    /// No router answered.
    NoRouter,
    /// The same where this computer's own address is one of the internet: others may reach it there.
    Untried(SocketAddrV4),
    /// The router's answers are none.
    Unclear,
    /// The router answered and does not open the port.
    Refused(Refusal),
    /// The router does not tell its address outside.
    NoAddress,
    /// The router's address outside is one of another network.
    Inside(Ipv4Addr),
    /// Something else answers there.
    Foreign(SocketAddrV4),
}

/// Why a router does not open a port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Refusal {
    /// This computer may not.
    Forbidden,
    /// It has no room for one more.
    Full,
    /// This computer has as many as it may have.
    Quota,
    /// Somebody else has the ports.
    Taken,
    /// It has lost the internet itself.
    Offline,
    /// It sees this computer at another address.
    Between,
    /// It does not know how.
    Unable,
    /// For another cause; its own words, see [`Refusal::said`].
    Said(String),
}

impl Obstacle {
    /// What is told where two ways have failed: the one that knows more, else the first.
    pub(super) fn or(self, other: Obstacle) -> Obstacle {
        if other.weight() > self.weight() { other } else { self }
    }

    fn weight(&self) -> u8 {
        match self {
            Obstacle::NoNetwork | Obstacle::NoRouter | Obstacle::Untried(_) => 0,
            Obstacle::Unclear => 1,
            Obstacle::NoAddress | Obstacle::Refused(_) => 2,
            Obstacle::Inside(_) | Obstacle::Foreign(_) => 3,
        }
    }

    /// Whether another way to ask for ports would meet the same.
    pub(super) fn is_final(&self) -> bool {
        matches!(self, Obstacle::NoNetwork | Obstacle::Inside(_) | Obstacle::Foreign(_))
    }

    /// Whether a port that is open may stay so all the same.
    pub(super) fn is_passing(&self) -> bool {
        use Refusal::Offline;
        matches!(
            self,
            Obstacle::NoRouter
                | Obstacle::Untried(_)
                | Obstacle::Unclear
                | Obstacle::NoAddress
                | Obstacle::Refused(Offline)
        )
    }
}

impl From<Refusal> for Obstacle {
    fn from(refusal: Refusal) -> Self {
        Obstacle::Refused(refusal)
    }
}

impl Refusal {
    /// What a router says in words that come from outside: the plain ones among them, else its number.
    pub(super) fn said(code: u16, words: &str) -> Refusal {
        let plain = |c: &char| c.is_ascii_alphanumeric() || " .,-_".contains(*c);
        let words: String = words.chars().filter(plain).take(WORDS).collect();
        Refusal::Said(if words.trim().is_empty() { format!("error {code}") } else { words })
    }
}

impl fmt::Display for Obstacle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Obstacle::NoNetwork => f.write_str(
                "This computer has no address in an IPv4 network. Connect it to one and try again.",
            ),
            Obstacle::NoRouter => f.write_str(
                "No router answered that opens ports for programs. Switch UPnP or NAT-PMP on in its \
                 settings, or host on a server.",
            ),
            Obstacle::Untried(address) => write!(
                f,
                "This computer has an address on the internet itself, {address}. Whether a firewall keeps \
                 others out cannot be seen from here, and no router answered that lets them through. Ask a \
                 friend to try the invitation; if it fails, let Confab through in the firewall's settings."
            ),
            Obstacle::Unclear => f.write_str(
                "A router answered, but not in a way that can be understood. Restart it, or lead a port to \
                 this computer in its settings.",
            ),
            Obstacle::Refused(refusal) => refusal.fmt(f),
            Obstacle::NoAddress => f.write_str(
                "The router does not tell its address on the internet. Look whether it is connected, and try \
                 again.",
            ),
            Obstacle::Inside(address) => write!(
                f,
                "The router itself has only the private address {address}, so nobody reaches it from \
                 outside. Ask the internet provider for a public address."
            ),
            Obstacle::Foreign(address) => write!(
                f,
                "At {address} something else answers than this computer. Look in the router's settings who \
                 has that port."
            ),
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Refusal::Forbidden => {
                "The router does not allow this computer to open ports. Allow UPnP or NAT-PMP for it in the \
                 router's settings."
            }
            Refusal::Full => {
                "The router has no room for more open ports. Close some in its settings, or restart it."
            }
            Refusal::Quota => {
                "The router opens no more ports for this computer. End other programs that have some open, \
                 or restart the router."
            }
            Refusal::Taken => {
                "Other computers have the ports that were asked of the router. Look in its settings who has \
                 them."
            }
            Refusal::Offline => {
                "The router has lost its own connection to the internet. It is asked again after a while."
            }
            Refusal::Between => {
                "Another router stands between this computer and the one that opens ports. Connect this \
                 computer to the outer one."
            }
            Refusal::Unable => {
                "The router does not know how to open the ports that are needed. Lead them to this computer \
                 in its settings."
            }
            Refusal::Said(words) => {
                return write!(
                    f,
                    "The router refuses to open a port ({words}). Allow UPnP or NAT-PMP for this computer in \
                     its settings."
                );
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn each_obstacle_has_a_sentence_of_its_own() {
        let refusals = [
            Refusal::Forbidden,
            Refusal::Full,
            Refusal::Quota,
            Refusal::Taken,
            Refusal::Offline,
            Refusal::Between,
            Refusal::Unable,
            Refusal::said(501, "Action failed"),
        ];
        let address: SocketAddrV4 = "203.0.113.9:7880".parse().unwrap();
        let others = [
            Obstacle::NoNetwork,
            Obstacle::NoRouter,
            Obstacle::Untried(address),
            Obstacle::Unclear,
            Obstacle::NoAddress,
            Obstacle::Inside(*address.ip()),
            Obstacle::Foreign(address),
        ];
        let all: Vec<Obstacle> = refusals.into_iter().map(Obstacle::from).chain(others).collect();
        let said: BTreeSet<String> = all.iter().map(Obstacle::to_string).collect();
        assert_eq!(said.len(), all.len());
        for sentence in said {
            assert!(sentence.ends_with('.') && !sentence.contains("  "), "{sentence}");
        }
    }

    #[test]
    fn a_routers_words_are_shown_without_what_is_not_plain() {
        assert_eq!(Refusal::said(501, "Conflict<b>\u{7}\u{202e}"), Refusal::Said("Conflictb".into()));
        assert_eq!(Refusal::said(501, " <>\u{7}"), Refusal::Said("error 501".into()));
        assert_eq!(Refusal::said(501, &"w".repeat(5_000)), Refusal::Said("w".repeat(WORDS)));
    }

    #[test]
    fn what_knows_more_is_told_and_of_two_the_first() {
        let (forbidden, full) = (Obstacle::from(Refusal::Forbidden), Obstacle::from(Refusal::Full));
        assert_eq!(Obstacle::NoRouter.or(forbidden.clone()), forbidden);
        assert_eq!(forbidden.clone().or(full), forbidden);
        assert_eq!(forbidden.clone().or(Obstacle::Unclear), forbidden);
        let inside = Obstacle::Inside(Ipv4Addr::new(10, 0, 0, 1));
        assert_eq!(forbidden.or(inside.clone()), inside);
    }
}
