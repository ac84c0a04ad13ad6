//! How packets fare between here and the server. Pure.

use std::time::Duration;

/// How packets fare between here and the server.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Path {
    /// There and back, once a connectivity check told it.
    pub(crate) round_trip: Option<Duration>,
    /// Share of what we send that did not arrive, 0.0..1.0, by the server's latest report on the
    /// stream that fares worst. What was sent again and came then counts as arrived.
    pub(crate) up_loss: f64,
    /// Packets of which the server told whether they arrived at first.
    pub(crate) reported: Reported,
}

/// What the far end told of our packets, one by one, since the connection began.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Reported {
    pub(crate) arrived: u64,
    pub(crate) lost: u64,
}

impl Path {
    /// The worse of two in each respect.
    pub(crate) fn worse(self, other: Path) -> Path {
        let (one, two) = (self.reported, other.reported);
        Path {
            round_trip: self.round_trip.max(other.round_trip),
            up_loss: self.up_loss.max(other.up_loss),
            // Only one of the two sends anything that is reported on.
            reported: Reported { arrived: one.arrived + two.arrived, lost: one.lost + two.lost },
        }
    }
}
