//! One person's pictures on their way from the network to the screen.

use super::assemble::{Assembler, Unit};
use super::decoding::Decoding;
use super::reorder::{Reorder, Step};
use super::{Numbers, Received};
use crate::actor::Inside;
use crate::offload::offload;
use crate::transport::Asks;
use confab_frame::{EncodedVideo, Slot, VideoFrame};
use confab_media::MediaError;
use confab_media::decode::VideoDecoderThread;
use confab_protocol::StreamType;
use rtc::rtp::Packet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::{Duration, Instant};
use tokio::sync::{Notify, mpsc};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use webrtc::media_stream::track_remote::{TrackRemote, TrackRemoteEvent};

/// Longest wait for a missing packet: several requests for it, or two long round trips. On two ways in
/// a row that lose a twentieth each and take 50 to 70 ms, 409 of 450 pictures arrive with 250 ms, 453
/// with a second, and no more with two; at a tenth and 100 to 160 ms, 90, 422 and 447.
pub(crate) const PATIENCE: Duration = Duration::from_secs(1);
/// Packets held behind a gap: over a second of 720p.
pub(crate) const HELD: usize = 512;
/// Key frames are asked for no more often than this.
pub(crate) const KEY_INTERVAL: Duration = Duration::from_millis(200);
/// How often it is looked whether the first picture is there.
const FIRST_PICTURE: Duration = Duration::from_millis(4);

/// Whose pictures a track carries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Whose {
    pub(crate) user_id: String,
    pub(crate) stream: StreamType,
}

/// Whether pictures are muted, and how often they were: what comes after a mute does not continue what
/// came before.
#[derive(Debug, Default)]
struct Muted {
    now: AtomicBool,
    times: AtomicU32,
}

/// Somebody's pictures: the task that takes their packets and the decoder.
#[derive(Debug)]
pub(crate) struct VideoIn {
    pub(crate) whose: Whose,
    pub(crate) slot: Arc<Slot<VideoFrame>>,
    pub(crate) received: Arc<Received>,
    decoding: Arc<Decoding>,
    shown: Arc<AtomicBool>,
    muted: Arc<Muted>,
    seen: Arc<AtomicBool>,
    stop: CancellationToken,
    task: JoinHandle<()>,
}

impl VideoIn {
    /// Decodes `track` into `slot`.
    pub(crate) fn start(
        track: Arc<dyn TrackRemote>,
        asks: Asks,
        whose: Whose,
        slot: Arc<Slot<VideoFrame>>,
        inside: mpsc::Sender<Inside>,
    ) -> Result<Self, MediaError> {
        let wish = Arc::new(Notify::new());
        let (wisher, out) = (wish.clone(), slot.clone());
        let decoding = Arc::new(Decoding::start(whose.user_id.clone(), move |user| {
            let wisher = wisher.clone();
            VideoDecoderThread::start(user, out.clone(), move || wisher.notify_one())
        })?);
        let received = Arc::new(Received::default());
        let (shown, seen) = (Arc::new(AtomicBool::new(true)), Arc::new(AtomicBool::new(false)));
        let muted = Arc::new(Muted::default());
        let stop = CancellationToken::new();
        let receiving = Receiving {
            track,
            asks,
            whose: whose.clone(),
            slot: slot.clone(),
            decoding: decoding.clone(),
            received: received.clone(),
            inside,
            numbers: Numbers::default(),
            reorder: Reorder::new(PATIENCE, HELD),
            assembler: Assembler::new(),
            shown: shown.clone(),
            muted: muted.clone(),
            mutes: 0,
            ssrc: None,
            asked: None,
            seen: seen.clone(),
        };
        let stopped = stop.clone();
        let task = tokio::spawn(async move {
            let _ = stopped.run_until_cancelled(receiving.run(wish)).await;
        });
        Ok(Self { whose, slot, received, decoding, shown, muted, seen, stop, task })
    }

    /// Decodes nothing while nobody looks; the stack gives a track out only once, so it is kept.
    pub(crate) fn set_shown(&self, shown: bool) {
        if !self.shown.swap(shown, Ordering::Relaxed) && shown {
            self.begin_again();
        }
        self.tidy();
    }

    /// Decodes nothing while muted; the last picture stays.
    pub(crate) fn set_muted(&self, muted: bool) {
        if !self.muted.now.swap(muted, Ordering::Relaxed) && muted {
            self.muted.times.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// The next picture counts as the first once more, as after a pause.
    pub(crate) fn begin_again(&self) {
        self.seen.store(false, Ordering::Relaxed);
    }

    /// Takes a picture away that was decoded after nobody looked any more.
    pub(crate) fn tidy(&self) {
        if !self.shown.load(Ordering::Relaxed) && self.slot.latest().is_some() {
            self.slot.clear();
        }
    }

    /// Pictures decoded so far.
    pub(crate) fn decoded(&self) -> u64 {
        self.decoding.decoded()
    }

    /// Ends the task and the decoder's thread; the last picture goes too.
    pub(crate) async fn stop(self) {
        self.stop.cancel();
        if let Err(error) = self.task.await {
            tracing::error!(%error, "the task that receives pictures failed");
        }
        let decoding = self.decoding;
        offload("decode-release", move || drop(decoding)).await;
        self.slot.clear();
    }
}

/// The task's state.
struct Receiving {
    track: Arc<dyn TrackRemote>,
    asks: Asks,
    whose: Whose,
    slot: Arc<Slot<VideoFrame>>,
    decoding: Arc<Decoding>,
    received: Arc<Received>,
    shown: Arc<AtomicBool>,
    muted: Arc<Muted>,
    /// The mutes so far that were taken in.
    mutes: u32,
    inside: mpsc::Sender<Inside>,
    numbers: Numbers,
    reorder: Reorder<Packet>,
    assembler: Assembler,
    ssrc: Option<u32>,
    /// When a key frame was asked for last.
    asked: Option<Instant>,
    /// The first picture was told.
    seen: Arc<AtomicBool>,
}

impl Receiving {
    async fn run(mut self, wish: Arc<Notify>) {
        let mut look = tokio::time::interval(FIRST_PICTURE);
        look.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            let due = [self.reorder.timeout(), self.key_due()].into_iter().flatten().min();
            let sleep = tokio::time::sleep_until(due.unwrap_or_else(Instant::now).into());
            tokio::select! {
                event = self.track.poll() => match event {
                    Some(TrackRemoteEvent::OnRtpPacket(packet)) => self.take(packet),
                    // A track that has "ended" goes on when it is subscribed to again.
                    Some(_) => {}
                    None => return,
                },
                () = wish.notified() => self.ask_for_key(),
                () = sleep, if due.is_some() => {}
                _ = look.tick(), if self.ssrc.is_some() && !self.seen.load(Ordering::Relaxed) => {
                    self.look().await;
                }
            }
            self.hand_on();
            self.renew().await;
            if self.key_due().is_some_and(|due| Instant::now() >= due) {
                self.ask_for_key();
            }
        }
    }

    fn take(&mut self, packet: Packet) {
        self.received.add(packet.payload.len());
        let mutes = self.muted.times.load(Ordering::Relaxed);
        let was_muted = std::mem::replace(&mut self.mutes, mutes) != mutes;
        let ssrc = self.takes().then_some(packet.header.ssrc);
        if was_muted || self.ssrc != ssrc {
            // Nothing is taken any more, or again, or another stream of the same track: what comes late is
            // not missed, and numbers and pictures begin anew. The server has asked for a key frame; a
            // second request so soon would only hold back the next one.
            self.ssrc = ssrc;
            self.numbers = Numbers::default();
            self.reorder = Reorder::new(PATIENCE, HELD);
            self.assembler = Assembler::new();
            self.asked = Some(Instant::now());
        }
        if ssrc.is_none() {
            return;
        }
        self.received.arrived(self.numbers.push(packet.header.sequence_number));
        self.reorder.push(packet.header.sequence_number, packet, Instant::now());
    }

    fn takes(&self) -> bool {
        self.shown.load(Ordering::Relaxed) && !self.muted.now.load(Ordering::Relaxed)
    }

    /// Gives the decoder what is complete.
    fn hand_on(&mut self) {
        let now = Instant::now();
        while let Some(step) = self.reorder.poll(now) {
            match step {
                Step::Gap(missing) => {
                    let lost = self.reorder.counts().lost;
                    tracing::debug!(
                        user = self.whose.user_id,
                        missing,
                        lost,
                        "packets of a picture never came"
                    );
                    self.assembler.gap();
                }
                // Packets of nothing but padding probe the line.
                Step::Packet(packet) if packet.payload.is_empty() => {}
                Step::Packet(packet) => {
                    let header = &packet.header;
                    for unit in self.assembler.push(&packet.payload, header.timestamp, header.marker) {
                        self.decoding.push(encoded(unit, now));
                    }
                }
            }
        }
    }

    /// Has another decoder go on where one has ended by itself.
    async fn renew(&mut self) {
        if let Some(ended) = self.decoding.renew(Instant::now()) {
            self.ask_for_key();
            offload("decode-release", move || drop(ended)).await;
        }
    }

    /// When a key frame is to be asked for, if one is needed.
    fn key_due(&self) -> Option<Instant> {
        self.ssrc.filter(|_| self.takes())?;
        let now = Instant::now;
        self.assembler.wants_key().then(|| self.asked.map_or_else(now, |asked| asked + KEY_INTERVAL))
    }

    fn ask_for_key(&mut self) {
        if let Some(ssrc) = self.ssrc {
            self.asked = Some(Instant::now());
            tracing::debug!(user = self.whose.user_id, "a key frame is asked for");
            self.asks.ask(ssrc);
        }
    }

    /// Tells the first picture once it is decoded.
    async fn look(&mut self) {
        if self.decoding.decoded() == 0 {
            return;
        }
        if let Some(frame) = self.slot.latest() {
            self.seen.store(true, Ordering::Relaxed);
            tracing::debug!(user = self.whose.user_id, "the first picture is there");
            let (width, height) = (frame.buffer.width(), frame.buffer.height());
            let whose = self.whose.clone();
            let _ = self.inside.send(Inside::FirstPicture { whose, width, height }).await;
        }
    }
}

/// The size is in the stream itself; the decoder finds it there.
fn encoded(unit: Unit, at: Instant) -> EncodedVideo {
    EncodedVideo { data: unit.data.to_vec().into(), at, width: 0, height: 0, key: unit.key, temporal_id: 0 }
}
