//! Figures in TRTC's fields and units.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// How the connection and the streams do, every two seconds (TRTCStatistics).
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase", default)]
pub struct Statistics {
    /// This program's share of all processors, per cent.
    pub app_cpu: u32,
    /// The computer's load, per cent.
    pub system_cpu: u32,
    /// Lost from here to the server, per cent.
    pub up_loss: u32,
    /// Lost from the server to here, per cent.
    pub down_loss: u32,
    /// Here to the server and back, ms; 0 while unknown.
    pub rtt: u32,
    /// Here to the router and back, ms; 0 while unknown.
    pub gateway_rtt: u32,
    /// Sent since entry, bytes.
    pub sent_bytes: u64,
    /// Received since entry, bytes.
    pub received_bytes: u64,
    /// The computer's memory, MB.
    #[serde(rename = "systemMemoryInMB")]
    pub system_memory_in_mb: u32,
    /// Of that in use, MB.
    #[serde(rename = "systemMemoryUsageInMB")]
    pub system_memory_usage_in_mb: u32,
    /// In use by this program, MB.
    #[serde(rename = "appMemoryUsageInMB")]
    pub app_memory_usage_in_mb: u32,
    /// One a stream that is sent.
    #[serde(rename = "localStatisticsArray")]
    pub local_statistics: Vec<LocalStatistics>,
    /// One a stream that is received.
    #[serde(rename = "remoteStatisticsArray")]
    pub remote_statistics: Vec<RemoteStatistics>,
}

/// A stream that is sent (TRTCLocalStatistics).
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase", default)]
pub struct LocalStatistics {
    /// Pixels.
    pub width: u32,
    /// Pixels.
    pub height: u32,
    /// Pictures a second.
    pub frame_rate: u32,
    /// kbit/s.
    pub video_bitrate: u32,
    /// Hz.
    pub audio_sample_rate: u32,
    /// kbit/s.
    pub audio_bitrate: u32,
    /// 0 big, 1 small, 2 sub.
    pub stream_type: u8,
}

/// A stream that is received (TRTCRemoteStatistics).
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase", default)]
pub struct RemoteStatistics {
    /// Whose.
    pub user_id: String,
    /// 0 big, 1 small, 2 sub.
    pub stream_type: u8,
    /// Pixels.
    pub width: u32,
    /// Pixels.
    pub height: u32,
    /// Pictures a second.
    pub frame_rate: u32,
    /// kbit/s.
    pub video_bitrate: u32,
    /// Hz.
    pub audio_sample_rate: u32,
    /// kbit/s.
    pub audio_bitrate: u32,
    /// Lost on the way, per cent.
    pub audio_packet_loss: u32,
    /// Lost on the way, per cent.
    pub video_packet_loss: u32,
    /// Sound waiting to be played, ms.
    pub jitter_buffer_delay: u32,
    /// Capture to play, ms; 0 while unknown.
    pub point2_point_delay: u32,
    /// Silence put in because sound was late, ms since the stream began.
    pub audio_total_block_time: u32,
    /// Picture standing still because frames were late, ms since the stream began.
    pub video_total_block_time: u32,
    /// That as a share of the time played, per cent.
    pub audio_block_rate: u32,
    /// That as a share of the time played, per cent.
    pub video_block_rate: u32,
    /// Lost from the sender to the server, per cent.
    pub remote_network_uplink_loss: u32,
    /// The sender to the server and back, ms.
    #[serde(rename = "remoteNetworkRTT")]
    pub remote_network_rtt: u32,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_have_trtc_names() {
        let all = Statistics {
            local_statistics: vec![LocalStatistics::default()],
            remote_statistics: vec![RemoteStatistics::default()],
            ..Statistics::default()
        };
        let json = serde_json::to_string(&all).unwrap();
        for name in ["appCpu", "gatewayRtt", "systemMemoryInMB", "localStatisticsArray", "point2PointDelay"] {
            assert!(json.contains(&format!("\"{name}\":")), "{name} in {json}");
        }
        assert_eq!(serde_json::from_str::<Statistics>(&json).unwrap(), all);
    }
}
