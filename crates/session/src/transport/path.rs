use std::time::Duration;

/// How packets fare between here and the server.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Path {
    /// There and back, once a connectivity check told it.
    pub(crate) round_trip: Option<Duration>,
    /// Share of what we send that did not arrive, 0.0..1.0.
    pub(crate) up_loss: f64,
}

impl Path {
    /// The worse of two in each respect.
    pub(crate) fn worse(self, other: Path) -> Path {
        Path { round_trip: self.round_trip.max(other.round_trip), up_loss: self.up_loss.max(other.up_loss) }
    }
}
