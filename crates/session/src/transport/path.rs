use std::time::Duration;
use webrtc::peer_connection::{RTCStatsReport, RTCStatsReportEntry};

/// How packets fare between here and the server.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Path {
    /// There and back, once a connectivity check told it.
    pub(crate) round_trip: Option<Duration>,
    /// Share of what we send that did not arrive, 0.0..=1.0, as the receiver last told of the stream
    /// that fares worst.
    pub(crate) up_loss: f64,
}

impl Path {
    /// What a connection has counted.
    #[expect(clippy::wildcard_enum_match_arm, reason = "two of many figures are needed")]
    pub(crate) fn read(report: &RTCStatsReport) -> Path {
        report.iter().fold(Path::default(), |path, entry| match entry {
            RTCStatsReportEntry::IceCandidatePair(pair) => path.worse(Path {
                round_trip: Duration::try_from_secs_f64(pair.current_round_trip_time)
                    .ok()
                    .filter(|time| !time.is_zero()),
                ..Path::default()
            }),
            RTCStatsReportEntry::RemoteInboundRtp(stream) => {
                path.worse(Path { up_loss: stream.fraction_lost.clamp(0.0, 1.0), ..Path::default() })
            }
            _ => path,
        })
    }

    /// The worse of two in each respect.
    pub(crate) fn worse(self, other: Path) -> Path {
        Path { round_trip: self.round_trip.max(other.round_trip), up_loss: self.up_loss.max(other.up_loss) }
    }
}
