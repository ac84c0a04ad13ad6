//! The figures of the connection and the streams.

use super::Actor;
use super::computer::Computer;
use crate::link::Order;
use crate::quality::{Judge, Seen, down_loss};
use crate::room::Phase;
use crate::transport::Path;
use confab_frame::SAMPLE_RATE;
use confab_protocol::{Event, LocalStatistics, Measured, RemoteStatistics, Statistics, StreamType, Volume};
use std::collections::HashMap;
use std::time::{Duration, Instant};
use tokio::sync::oneshot;

/// Rates are of at least this time: over less, a single picture would count as hundreds a second.
const AT_LEAST: Duration = Duration::from_secs(1);
/// How long the connection may take to tell how its packets fare.
const PATIENCE: Duration = Duration::from_millis(200);

/// Under what our own streams are counted; others' are counted under the server's ids.
const CAMERA: &str = "camera";
const VOICE: &str = "voice";
/// The same for all packets on the way to the server.
const UP: &str = "up";

/// What earlier reports counted, for what is told by the second.
#[derive(Debug, Default)]
pub(super) struct Report {
    newer: Option<Counted>,
    /// At least [`AT_LEAST`] before the newer.
    older: Option<Counted>,
    computer: Option<Computer>,
    judge: Judge,
    /// As it was when the connection last told.
    path: Path,
    /// The loudness told last.
    volumes: Vec<Volume>,
}

/// The counts of all streams at one time.
#[derive(Clone, Debug)]
struct Counted {
    at: Instant,
    counts: HashMap<String, Counts>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Counts {
    bytes: u64,
    frames: u64,
    packets: u64,
    lost: u64,
}

/// What one stream did by the second.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Rates {
    kbps: u32,
    fps: u32,
    /// Per cent.
    loss: u32,
    /// Packets since the report before.
    came: u64,
    lost: u64,
}

/// What the statistics say of the connections themselves.
#[derive(Debug)]
struct Connections {
    own: Measured,
    others: Vec<Seen>,
}

/// One report being made: the counts now beside those it is compared with.
#[derive(Debug)]
struct Round {
    now: Counted,
    before: Option<Counted>,
    /// Packets of each person that came, and that were lost.
    people: HashMap<String, (u64, u64)>,
}

impl Report {
    /// Begins a report at `now`, which is compared with the latest that is old enough.
    fn begin(&self, now: Instant) -> Round {
        let known = [&self.newer, &self.older].into_iter().flatten();
        let before = known.filter(|counted| is_old(counted, now)).max_by_key(|counted| counted.at).cloned();
        Round { now: Counted { at: now, counts: HashMap::new() }, before, people: HashMap::new() }
    }

    /// Keeps what a report counted, if the one before is old enough to be compared with it.
    fn keep(&mut self, round: Round) {
        if self.newer.as_ref().is_none_or(|newer| is_old(newer, round.now.at)) {
            self.older = self.newer.replace(round.now);
        }
    }
}

fn is_old(counted: &Counted, now: Instant) -> bool {
    now.saturating_duration_since(counted.at) >= AT_LEAST
}

impl Round {
    /// Rates of a stream from its counts now.
    fn rates(&mut self, key: &str, now: Counts) -> Rates {
        self.now.counts.insert(key.to_owned(), now);
        let Some(earlier) = &self.before else { return Rates::default() };
        let before = earlier.counts.get(key).copied().unwrap_or_default();
        let seconds = self.now.at.saturating_duration_since(earlier.at).as_secs_f64();
        let per_second = |count: u64| (count as f64 / seconds).round() as u32;
        let (came, lost) = (now.packets.saturating_sub(before.packets), now.lost.saturating_sub(before.lost));
        Rates {
            kbps: per_second(now.bytes.saturating_sub(before.bytes) * 8 / 1000),
            fps: per_second(now.frames.saturating_sub(before.frames)),
            loss: u32::try_from(lost * 100 / (came + lost).max(1)).unwrap_or(100),
            came,
            lost,
        }
    }

    /// The same of a stream of somebody else.
    fn rates_of(&mut self, user_id: &str, key: &str, now: Counts) -> Rates {
        let rates = self.rates(key, now);
        let (came, lost) = self.people.entry(user_id.to_owned()).or_default();
        *came += rates.came;
        *lost += rates.lost;
        rates
    }
}

impl Actor {
    /// Tells how loud everybody is, until all have been told to be silent.
    pub(super) fn tell_volumes(&mut self) {
        let Some(levels) = self.local.engine().map(|engine| engine.levels()) else { return };
        let others = levels.remotes.into_iter();
        let volumes: Vec<Volume> = std::iter::once((String::new(), levels.local))
            .chain(others)
            .map(|(user_id, volume)| Volume { user_id, volume })
            .collect();
        let silent = |volumes: &[Volume]| volumes.iter().all(|one| one.volume == 0);
        if silent(&volumes) && silent(&self.report.volumes) {
            return;
        }
        self.report.volumes.clone_from(&volumes);
        self.emit(Event::OnUserVoiceVolume { volumes });
    }

    /// Tells the statistics and how well everybody's connection does.
    pub(super) async fn tell_figures(&mut self) {
        let (local, remote) = if self.room.phase() == Phase::In {
            let (statistics, connections) = self.figures().await;
            self.emit(Event::OnStatistics(statistics));
            self.report.judge.look(connections.own, &connections.others)
        } else {
            let others = self.people.iter().map(|(user_id, _)| user_id.to_owned());
            self.report.judge.down(others)
        };
        self.emit(Event::OnNetworkQuality { local, remote });
    }

    /// The figures now; what is told by the second is of the last one or two.
    pub(super) async fn statistics(&mut self) -> Statistics {
        self.figures().await.0
    }

    async fn figures(&mut self) -> (Statistics, Connections) {
        let path = self.path().await.unwrap_or(self.report.path);
        self.report.path = path;
        let mut round = self.report.begin(Instant::now());
        let local = self.local_statistics(&mut round);
        let remote = self.remote_statistics(&mut round);
        let (arrived, lost) = (path.reported.arrived, path.reported.lost);
        let up = round.rates(UP, Counts { packets: arrived, lost, ..Counts::default() });
        let up_loss = up.loss.max((path.up_loss * 100.0).round() as u32);
        let others = self.seen(&round);
        let down_loss = down_loss(&others);
        self.report.keep(round);
        let video = self.local.video.stream().map_or(0, |stream| stream.sent.bytes());
        let voice = self.local.voice.stream().map_or(0, |stream| stream.sent.bytes());
        let received = self.remote.videos.values().map(|video| &video.received);
        let received = received.chain(self.remote.voices.values().map(|voice| &voice.received));
        let figures = Statistics {
            rtt: path.round_trip.map_or(0, |time| u32::try_from(time.as_millis().max(1)).unwrap_or(u32::MAX)),
            up_loss,
            down_loss: down_loss.unwrap_or(0),
            sent_bytes: video + voice,
            received_bytes: received.map(|received| received.bytes()).sum(),
            local_statistics: local,
            remote_statistics: remote,
            ..Statistics::default()
        };
        let sends = video + voice > 0;
        let own = Measured { round_trip: path.round_trip, loss: sends.then_some(up_loss).max(down_loss) };
        let figures = self.report.computer.get_or_insert_with(Computer::new).fill(figures);
        (figures, Connections { own, others })
    }

    /// Everybody else in the room, and what came of them.
    fn seen(&self, round: &Round) -> Vec<Seen> {
        let seen = self.people.iter().map(|(user_id, person)| {
            let (came, missed) = round.people.get(user_id).copied().unwrap_or_default();
            Seen { user_id: user_id.to_owned(), reach: person.reach, came, missed }
        });
        seen.collect()
    }

    async fn path(&self) -> Option<Path> {
        let (answer, answered) = oneshot::channel();
        self.link.as_ref()?;
        self.order(Order::Path(answer));
        tokio::time::timeout(PATIENCE, answered).await.ok()?.ok()
    }

    fn local_statistics(&self, round: &mut Round) -> Vec<LocalStatistics> {
        let video = self.local.video.stream().map(|stream| Counts {
            bytes: stream.sent.bytes(),
            frames: stream.sent.units(),
            ..Counts::default()
        });
        let voice = self
            .local
            .voice
            .stream()
            .map(|stream| Counts { bytes: stream.sent.bytes(), ..Counts::default() });
        if video.is_none() && voice.is_none() {
            return Vec::new();
        }
        let picture = self.shared.local.latest();
        let size = picture.map_or((0, 0), |frame| (frame.buffer.width(), frame.buffer.height()));
        let video = video.map(|counts| round.rates(CAMERA, counts));
        let voice = voice.map(|counts| round.rates(VOICE, counts));
        let sent = video.unwrap_or_default();
        vec![LocalStatistics {
            width: if video.is_some() { size.0 } else { 0 },
            height: if video.is_some() { size.1 } else { 0 },
            frame_rate: sent.fps,
            video_bitrate: sent.kbps,
            audio_sample_rate: if voice.is_some() { SAMPLE_RATE } else { 0 },
            audio_bitrate: voice.unwrap_or_default().kbps,
            stream_type: StreamType::Big.number(),
        }]
    }

    fn remote_statistics(&self, round: &mut Round) -> Vec<RemoteStatistics> {
        let mut found: HashMap<(String, u8), RemoteStatistics> = HashMap::new();
        for (sid, video) in &self.remote.videos {
            let (packets, lost) = video.received.packets();
            let counts = Counts { bytes: video.received.bytes(), frames: video.decoded(), packets, lost };
            let rates = round.rates_of(&video.whose.user_id, sid, counts);
            let size = video.slot.latest().map(|frame| (frame.buffer.width(), frame.buffer.height()));
            let (user_id, stream_type) = (video.whose.user_id.clone(), video.whose.stream.number());
            let one = found.entry((user_id.clone(), stream_type)).or_default();
            (one.user_id, one.stream_type) = (user_id, stream_type);
            (one.width, one.height) = size.unwrap_or_default();
            (one.frame_rate, one.video_bitrate) = (rates.fps, rates.kbps);
            one.video_packet_loss = rates.loss;
        }
        for (sid, voice) in &self.remote.voices {
            let stats = voice.stats();
            let (packets, lost) = voice.received.packets();
            let counts = Counts { bytes: voice.received.bytes(), packets, lost, ..Counts::default() };
            let rates = round.rates_of(&voice.user_id, sid, counts);
            let one = found.entry((voice.user_id.clone(), StreamType::Big.number())).or_default();
            one.user_id.clone_from(&voice.user_id);
            (one.audio_sample_rate, one.audio_bitrate) = (SAMPLE_RATE, rates.kbps);
            one.audio_packet_loss = rates.loss;
            one.jitter_buffer_delay = u32::try_from(stats.delay.as_millis()).unwrap_or(u32::MAX);
            let blocked = stats.concealed_samples * 1000 / u64::from(SAMPLE_RATE);
            one.audio_total_block_time = u32::try_from(blocked).unwrap_or(u32::MAX);
            let share = stats.concealed_samples * 100 / stats.played_samples.max(1);
            one.audio_block_rate = u32::try_from(share).unwrap_or(100);
        }
        let mut statistics: Vec<RemoteStatistics> = found.into_values().collect();
        statistics.sort_by(|a, b| (&a.user_id, a.stream_type).cmp(&(&b.user_id, b.stream_type)));
        statistics
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_are_of_a_second_at_least_however_often_they_are_asked_for() {
        let mut report = Report::default();
        let start = Instant::now();
        let mut ask = |milliseconds, counts| {
            let mut round = report.begin(start + Duration::from_millis(milliseconds));
            let rates = round.rates("a", counts);
            report.keep(round);
            rates
        };
        assert_eq!(ask(0, Counts::default()), Rates::default());
        let first = Counts { bytes: 125_000, frames: 30, packets: 98, lost: 2 };
        assert_eq!(ask(1_000, first), Rates { kbps: 1_000, fps: 30, loss: 2, came: 98, lost: 2 });
        // A moment later: still of more than a second.
        let next = Counts { bytes: 126_000, frames: 31, packets: 98, lost: 2 };
        assert_eq!(ask(1_010, next), Rates { kbps: 998, fps: 31, loss: 2, came: 98, lost: 2 });
        let last = Counts { bytes: 375_000, frames: 90, packets: 298, lost: 2 };
        assert_eq!(ask(3_000, last), Rates { kbps: 1_000, fps: 30, loss: 0, came: 200, lost: 0 });
    }
}
