//! A room on this computer with four synthetic people in it.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};

use crate::driven::Driven;
use crate::setup::clips;
use crate::shell::{built, command, root};

const ROOM: u32 = 2026;
/// How long a request may take: a room that cannot be entered answers sooner.
const PATIENCE: Duration = Duration::from_secs(30);
const PEOPLE: [&str; 4] = ["Amina", "Jonas", "Mei", "Luis"];

/// Opens the window in the room, and ends everything when the window is closed.
pub(super) fn demo(mut app: Command, profile: &str) -> Result<()> {
    app.args(["--script", "-"]);
    let mut window = Driven::start(app, PATIENCE)?;
    let host = window.request("host_room", &json!({}))?;
    let mut people = Vec::new();
    let clips = clips::there(&clips::DEMO);
    for (number, name) in PEOPLE.iter().enumerate() {
        println!("{name} joins");
        let entry = entry(&mut window, &host, &name.to_lowercase(), name)?;
        people.push(person(profile, &entry, clips.get(number).map(PathBuf::as_path), number + 1)?);
    }
    let entry = entry(&mut window, &host, "sam", "Sam")?;
    enter(&mut window, &entry)?;
    // Without a camera or a microphone the meeting is still worth seeing.
    for device in ["start_local_video", "start_local_audio"] {
        if let Err(error) = window.request(device, &json!({})) {
            println!("{error:#}");
        }
    }
    println!("You are Sam, in room {ROOM}. Close the window to end.");
    let status = window.finish()?;
    drop(people);
    if !status.success() {
        bail!("the window ended with {status}");
    }
    Ok(())
}

/// What somebody enters the hosted room with.
fn entry(window: &mut Driven, host: &Value, user: &str, name: &str) -> Result<Value> {
    let signed = window.request("make_user_sig", &json!({ "sdkAppId": host["sdkAppId"], "userId": user }))?;
    Ok(json!({
        "server": host["server"],
        "sdkAppId": host["sdkAppId"],
        "userId": user,
        "userSig": signed["userSig"],
        "name": name,
        "roomId": ROOM,
        "scene": "videoCall",
    }))
}

fn enter(program: &mut Driven, entry: &Value) -> Result<()> {
    program.request("enter_room", entry)?;
    let entered = program.event("onEnterRoom", |_| true)?;
    let result = entered["result"].as_i64().context("onEnterRoom has no result")?;
    if result < 0 {
        bail!("the room could not be entered: {result}");
    }
    Ok(())
}

/// Somebody whose picture is a clip, or the test pattern where there is none, and who speaks.
fn person(profile: &str, entry: &Value, clip: Option<&Path>, number: usize) -> Result<Driven> {
    let camera = clip.map_or("test".to_owned(), |clip| format!("file:{}", clip.display()));
    let speech = root().join(format!("assets/speech-{number}.wav"));
    let mut person = command(built(profile, "confab-headless"));
    person.args(["--camera", &camera, "--microphone", &format!("file:{}", speech.display())]);
    person.args(["--speaker", "null", "--receive", "none"]);
    let mut person = Driven::start(person, PATIENCE)?;
    enter(&mut person, entry)?;
    person.request("start_local_video", &json!({}))?;
    person.request("start_local_audio", &json!({}))?;
    Ok(person)
}
