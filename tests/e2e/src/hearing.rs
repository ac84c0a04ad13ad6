//! What has to come out of speakers.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use sound::Recording;

use crate::{Computer, Person, SPOKEN};

/// A tone may come out this much louder or quieter, dB: a codec and the mixing lie between.
const LOUDNESS: f32 = 2.0;

/// Fails unless a recording holds the tone, at its pitch and as loud as it was spoken.
pub fn is_tone(heard: &Recording, hertz: f64) -> Result<()> {
    let (share, level, gap) = (heard.share_of(hertz), heard.level(), heard.longest_gap());
    let told = format!("{share:.2} of it is at {hertz} Hz, {level:.1} dB, gaps up to {gap:?}");
    ensure!(share > 0.9 && (level - SPOKEN).abs() < LOUDNESS, "this is not the tone: {told}");
    Ok(())
}

/// What two computers play at the same time, for so long; kept as target/e2e/NAME-1.wav and -2.
pub fn both_hear(
    one: &Computer,
    other: &Computer,
    length: Duration,
    name: &str,
) -> Result<(Recording, Recording)> {
    std::thread::scope(|scope| {
        let first = scope.spawn(|| one.hears(length, &format!("{name}-1")));
        let second = other.hears(length, &format!("{name}-2"));
        let first = first.join().map_err(|_| anyhow::anyhow!("the ear broke off"))?;
        Ok((first?, second?))
    })
}

impl Person {
    /// Waits until somebody's voice is played.
    pub fn hears(&mut self, user: &str) -> Result<()> {
        self.event("onFirstAudioFrame", |data| data["userId"] == user).map(drop)
    }

    /// Milliseconds of somebody's sound that were missing in time and made up, since they came.
    pub fn made_up(&mut self, user: &str) -> Result<u64> {
        let statistics = self.request("statistics", &serde_json::json!({}))?;
        let others = statistics["remoteStatisticsArray"].as_array().context("no statistics")?;
        let theirs = others.iter().find(|one| one["userId"] == user && one["audioSampleRate"] != 0);
        let theirs = theirs.with_context(|| format!("no voice of {user}: {statistics}"))?;
        theirs["audioTotalBlockTime"].as_u64().context("no figure")
    }
}
