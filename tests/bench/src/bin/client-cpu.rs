//! What a client costs: 720p at 30 and sound out, four people of 360p at 30 and sound in. The
//! server and the others are another process; only ours is counted.

use anyhow::Context;
use bench::{CpuTime, Hall, entered, event, params, quiet, report, with_video};
use clap::Parser;
use confab_media::{CameraSource, MicrophoneSource, VideoConfig};
use confab_protocol::Event;
use confab_session::Session;
use serde_json::json;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

#[derive(Parser)]
struct Flags {
    /// Seconds that are measured.
    #[arg(long, default_value_t = 20)]
    seconds: u64,
    /// People who send to us.
    #[arg(long, default_value_t = 4)]
    others: u32,
    /// Send nothing.
    #[arg(long)]
    receive_only: bool,
    /// Be the others: print the server's address, go on until standard input ends.
    #[arg(long, hide = true)]
    stage: bool,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let flags = Flags::parse();
    if flags.stage { stage(flags.others).await } else { measure(&flags).await }
}

/// The server and the people who send.
async fn stage(others: u32) -> anyhow::Result<()> {
    let hall = Hall::open().await?;
    let video = VideoConfig { width: 640, height: 360, fps: 30, bitrate: 500_000 };
    let mut people = Vec::new();
    for number in 0..others {
        let mut config = with_video(video);
        config.receive = confab_session::Receive::None;
        let (session, mut events) = Session::start(config);
        session.start_local_video(CameraSource::Test).await?;
        session.start_local_audio(MicrophoneSource::Tone).await?;
        session.enter_room(hall.params(&format!("other{number}"), 1)).await?;
        entered(&mut events).await?;
        people.push((session, events));
    }
    writeln!(std::io::stdout(), "{}", hall.url())?;
    tokio::task::spawn_blocking(|| std::io::stdin().lines().count()).await?;
    for (session, _) in people {
        session.close().await;
    }
    hall.stop().await;
    Ok(())
}

/// Ends the other process when this one is done, however.
struct Stage(Child);

impl Drop for Stage {
    fn drop(&mut self) {
        drop(self.0.stdin.take());
        // It may be gone already, and nobody is left to tell.
        let _ = self.0.wait();
    }
}

async fn measure(flags: &Flags) -> anyhow::Result<()> {
    let others = flags.others.to_string();
    let mut command = Command::new(std::env::current_exe()?);
    command.args(["--stage", "--others", &others]).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut stage = Stage(command.spawn()?);
    let mut url = String::new();
    BufReader::new(stage.0.stdout.take().context("no output")?).read_line(&mut url)?;
    anyhow::ensure!(!url.trim().is_empty(), "the others did not come");

    let (session, mut events) = Session::start(quiet());
    if !flags.receive_only {
        session.start_local_video(CameraSource::Test).await?;
        session.start_local_audio(MicrophoneSource::Tone).await?;
    }
    session.enter_room(params(url.trim(), "measured", 1)).await?;
    entered(&mut events).await?;
    for _ in 0..flags.others {
        let first = |event: &Event| {
            let Event::OnFirstVideoFrame { user_id, .. } = event else { return None };
            (!user_id.is_empty()).then_some(())
        };
        event(&mut events, first).await?;
    }
    tokio::time::sleep(Duration::from_secs(2)).await;
    session.statistics().await;
    let decoded = |session: &Session| -> u64 {
        (0..flags.others)
            .filter_map(|number| session.remote_video(&format!("other{number}")))
            .map(|slot| slot.count())
            .sum()
    };
    let (began, before, pictures) =
        (Instant::now(), CpuTime::own().context("no CPU time here")?, decoded(&session));
    let drained = tokio::time::timeout(Duration::from_secs(flags.seconds), async {
        while events.recv().await.is_some() {}
    });
    let _ = drained.await;
    let (elapsed, after) = (began.elapsed(), CpuTime::own().context("no CPU time here")?);
    let pictures = decoded(&session) - pictures;
    session.close().await;
    drop(stage);
    let seconds = elapsed.as_secs_f64();
    report(
        "client-cpu",
        &json!({
            "cores": ((after.total() - before.total()).as_secs_f64() / seconds * 1e3).round() / 1e3,
            "seconds": seconds.round(),
            "others": flags.others,
            "sends": !flags.receive_only,
            "pictures_per_second": (pictures as f64 / seconds).round(),
            "resident_mb": resident_mb(),
        }),
    );
    Ok(())
}

/// Memory of this process, MB; nothing where the system does not tell.
fn resident_mb() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmRSS"))?;
    Some(line.split_whitespace().nth(1)?.parse::<u64>().ok()? / 1024)
}
