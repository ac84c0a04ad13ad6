use super::Received;
use super::assemble::{Assembler, Unit};
use super::reorder::{Reorder, Step};
use crate::actor::Inside;
use crate::offload::offload;
use confab_frame::{EncodedVideo, Slot, VideoFrame};
use confab_media::MediaError;
use confab_media::decode::VideoDecoderThread;
use confab_protocol::StreamType;
use rtc::rtcp::payload_feedbacks::picture_loss_indication::PictureLossIndication;
use rtc::rtp::Packet;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::{Notify, mpsc};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use webrtc::media_stream::track_remote::{TrackRemote, TrackRemoteEvent};

/// Longest wait for a missing packet: several requests for it, or two long round trips.
const PATIENCE: Duration = Duration::from_millis(250);
/// Packets held behind a gap: over a second of 720p.
const HELD: usize = 512;
/// Key frames are asked for no more often than this.
const KEY_INTERVAL: Duration = Duration::from_millis(200);
/// How often it is looked whether the first picture is there.
const FIRST_PICTURE: Duration = Duration::from_millis(4);

/// Whose pictures a track carries.
#[derive(Clone, Debug)]
pub(crate) struct Whose {
    pub(crate) user_id: String,
    pub(crate) stream: StreamType,
}

/// Somebody's pictures: the task that takes their packets and the decoder.
#[derive(Debug)]
pub(crate) struct VideoIn {
    pub(crate) whose: Whose,
    pub(crate) slot: Arc<Slot<VideoFrame>>,
    pub(crate) received: Arc<Received>,
    decoder: Arc<VideoDecoderThread>,
    stop: CancellationToken,
    task: JoinHandle<()>,
}

impl VideoIn {
    /// Decodes `track` into `slot`.
    pub(crate) fn start(
        track: Arc<dyn TrackRemote>,
        whose: Whose,
        slot: Arc<Slot<VideoFrame>>,
        inside: mpsc::Sender<Inside>,
    ) -> Result<Self, MediaError> {
        let wish = Arc::new(Notify::new());
        let wisher = wish.clone();
        let decoder =
            Arc::new(VideoDecoderThread::start(&*whose.user_id, slot.clone(), move || wisher.notify_one())?);
        let received = Arc::new(Received::default());
        let stop = CancellationToken::new();
        let receiving = Receiving {
            track,
            whose: whose.clone(),
            slot: slot.clone(),
            decoder: decoder.clone(),
            received: received.clone(),
            inside,
            reorder: Reorder::new(PATIENCE, HELD),
            assembler: Assembler::new(),
            ssrc: None,
            asked: None,
            seen: false,
        };
        let stopped = stop.clone();
        let task = tokio::spawn(async move {
            let _ = stopped.run_until_cancelled(receiving.run(wish)).await;
        });
        Ok(Self { whose, slot, received, decoder, stop, task })
    }

    /// Pictures decoded so far.
    pub(crate) fn decoded(&self) -> u64 {
        self.decoder.decoded()
    }

    /// Ends the task and the decoder's thread; the last picture goes too.
    pub(crate) async fn stop(self) {
        self.stop.cancel();
        if let Err(error) = self.task.await {
            tracing::error!(%error, "the task that receives pictures failed");
        }
        let decoder = self.decoder;
        offload("decode-release", move || drop(decoder)).await;
        self.slot.clear();
    }
}

/// The task's state.
struct Receiving {
    track: Arc<dyn TrackRemote>,
    whose: Whose,
    slot: Arc<Slot<VideoFrame>>,
    decoder: Arc<VideoDecoderThread>,
    received: Arc<Received>,
    inside: mpsc::Sender<Inside>,
    reorder: Reorder<Packet>,
    assembler: Assembler,
    ssrc: Option<u32>,
    /// When a key frame was asked for last.
    asked: Option<Instant>,
    /// The first picture was told.
    seen: bool,
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
                    Some(TrackRemoteEvent::OnEnded) | None => return,
                    Some(_) => {}
                },
                () = wish.notified() => self.ask_for_key().await,
                () = sleep, if due.is_some() => {}
                _ = look.tick(), if !self.seen && self.ssrc.is_some() => self.look().await,
            }
            self.hand_on();
            if self.key_due().is_some_and(|due| Instant::now() >= due) {
                self.ask_for_key().await;
            }
        }
    }

    fn take(&mut self, packet: Packet) {
        self.received.add(packet.payload.len());
        self.ssrc = Some(packet.header.ssrc);
        self.reorder.push(packet.header.sequence_number, packet, Instant::now());
    }

    /// Gives the decoder what is complete.
    fn hand_on(&mut self) {
        let now = Instant::now();
        while let Some(step) = self.reorder.poll(now) {
            match step {
                Step::Gap(missing) => {
                    tracing::debug!(user = self.whose.user_id, missing, "packets of a picture never came");
                    self.assembler.gap();
                    self.received.set_lost(self.reorder.counts().lost);
                }
                // Packets of nothing but padding probe the line.
                Step::Packet(packet) if packet.payload.is_empty() => {}
                Step::Packet(packet) => {
                    let header = &packet.header;
                    for unit in self.assembler.push(&packet.payload, header.timestamp, header.marker) {
                        self.decoder.push(encoded(unit, now));
                    }
                }
            }
        }
    }

    /// When a key frame is to be asked for, if one is needed.
    fn key_due(&self) -> Option<Instant> {
        self.ssrc?;
        let now = Instant::now;
        self.assembler.wants_key().then(|| self.asked.map_or_else(now, |asked| asked + KEY_INTERVAL))
    }

    async fn ask_for_key(&mut self) {
        let Some(media_ssrc) = self.ssrc else { return };
        self.asked = Some(Instant::now());
        let loss = PictureLossIndication { sender_ssrc: 0, media_ssrc };
        if let Err(error) = self.track.write_rtcp(vec![Box::new(loss)]).await {
            tracing::debug!(%error, "a key frame could not be asked for");
        }
    }

    /// Tells the first picture once it is decoded.
    async fn look(&mut self) {
        if self.decoder.decoded() == 0 {
            return;
        }
        if let Some(frame) = self.slot.latest() {
            self.seen = true;
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
