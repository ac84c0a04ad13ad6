//! Milliseconds from the capture of a picture until the other side has decoded it, and in a second
//! round until it has drawn it as well, 720p at 30: read from the stamp in the test pattern. Sender,
//! server and receiver are one process.

use anyhow::Context;
use bench::{Hall, Samples, entered, event, quiet, report, with_video};
use clap::Parser;
use confab_frame::{Cursor, Slot, VideoFrame};
use confab_media::picture::read_stamp;
use confab_media::{CameraSource, MicrophoneSource, VideoConfig, clock};
use confab_protocol::Event;
use confab_render::Compositor;
use confab_scene::{Fit, Rect, Scene, Tile, TileId};
use confab_session::Session;
use serde_json::json;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// A pause that people notice.
const GAP: Duration = Duration::from_millis(150);

#[derive(Parser)]
struct Flags {
    /// Seconds that are measured in each round.
    #[arg(long, default_value_t = 20)]
    seconds: u64,
    #[arg(long, default_value_t = 1280)]
    width: u32,
    #[arg(long, default_value_t = 720)]
    height: u32,
    #[arg(long, default_value_t = 30)]
    fps: u32,
    /// Sound goes along.
    #[arg(long)]
    audio: bool,
}

#[derive(Default)]
struct Seen {
    delays: Samples,
    gaps: u32,
    unreadable: u32,
    first: Option<u32>,
    last: u32,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let flags = Flags::parse();
    let hall = Hall::open().await?;
    let video =
        VideoConfig { width: flags.width, height: flags.height, fps: flags.fps, ..VideoConfig::default() };
    let (sender, mut sent) = Session::start(with_video(video));
    sender.start_local_video(CameraSource::Test).await?;
    if flags.audio {
        sender.start_local_audio(MicrophoneSource::Tone).await?;
    }
    sender.enter_room(hall.params("sender", 1)).await?;
    entered(&mut sent).await?;
    let (viewer, mut seen) = Session::start(quiet());
    viewer.enter_room(hall.params("viewer", 1)).await?;
    entered(&mut seen).await?;
    event(&mut seen, |event| matches!(event, Event::OnFirstVideoFrame { .. }).then_some(())).await?;
    // The encoder's rate settles.
    tokio::time::sleep(Duration::from_secs(2)).await;
    let slot = viewer.remote_video("sender").context("the sender is gone")?;
    let seconds = Duration::from_secs(flags.seconds);
    let mut easel = Easel::new(flags.width, flags.height)?;
    let (result, drawn) = tokio::task::spawn_blocking(move || {
        let decoded = watch(&slot, seconds, |_| Ok(()))?;
        anyhow::Ok((decoded, watch(&slot, seconds, |frame| easel.draw(frame))?))
    })
    .await??;
    viewer.close().await;
    sender.close().await;
    hall.stop().await;
    let frames = result.delays.count();
    let captured = result.first.map_or(0, |first| result.last.wrapping_sub(first).wrapping_add(1));
    report(
        "glass",
        &json!({
            "ms": result.delays.summary(),
            "ms_drawn": drawn.delays.summary(),
            "frames_drawn": drawn.delays.count(),
            "frames": frames,
            "captured": captured,
            "frames_per_second": frames as f64 / flags.seconds as f64,
            "gaps_over_150_ms": result.gaps,
            "unreadable": result.unreadable,
            "size": [flags.width, flags.height],
            "audio": flags.audio,
        }),
    );
    Ok(())
}

/// Draws one picture over a whole scene of its size.
struct Easel {
    compositor: Compositor,
    scene: Scene,
}

impl Easel {
    fn new(width: u32, height: u32) -> anyhow::Result<Self> {
        let tile = Tile {
            id: TileId("sender".into()),
            rect: Rect { x: 0.0, y: 0.0, w: width as f32, h: height as f32 },
            fit: Fit::Fit,
            mirror: false,
            radius: 0.0,
            speaking: false,
        };
        let scene = Scene { size: (width, height), tiles: vec![tile], ..Scene::default() };
        Ok(Self { compositor: Compositor::new()?, scene })
    }

    fn draw(&mut self, frame: &VideoFrame) -> anyhow::Result<()> {
        let picture = self.compositor.draw(&self.scene, &|_| Some(frame.clone()))?;
        self.compositor.recycle(picture);
        Ok(())
    }
}

/// Follows the pictures and does with each what comes before the clock is read.
fn watch(
    slot: &Arc<Slot<VideoFrame>>,
    seconds: Duration,
    mut before: impl FnMut(&VideoFrame) -> anyhow::Result<()>,
) -> anyhow::Result<Seen> {
    let (mut seen, mut cursor) = (Seen::default(), Cursor::default());
    let end = Instant::now() + seconds;
    let mut last = Instant::now();
    while Instant::now() < end {
        let Some(frame) = slot.wait_newer(&mut cursor, Duration::from_millis(100)) else { continue };
        before(&frame)?;
        let now = clock::monotonic_us();
        if last.elapsed() > GAP {
            seen.gaps += 1;
        }
        last = Instant::now();
        match read_stamp(&frame.buffer) {
            Some(stamp) => {
                seen.delays.push(now.saturating_sub(stamp.captured_us) as f64 / 1e3);
                seen.first.get_or_insert(stamp.counter);
                seen.last = stamp.counter;
            }
            None => seen.unreadable += 1,
        }
    }
    Ok(seen)
}
