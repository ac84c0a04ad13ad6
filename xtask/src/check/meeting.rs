//! A meeting of programs for Windows: a server and two people without a window, driven by lines as
//! scripts drive them, and an operator who puts one out and ends the room with Tencent's SDK.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitStatus;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use serde_json::{Value, json};

use super::wine::{self, Wine};
use crate::driven::Driven;
use crate::setup::python;
use crate::shell::{command, root, target};

/// How long anything may take: wine and unoptimised programs are slow on a busy machine.
const PATIENCE: Duration = Duration::from_secs(120);
/// Between two looks at figures that have to change.
const LOOK: Duration = Duration::from_millis(500);

const APP: u32 = 1_400_000_001;
const KEY: &str = "the-key-of-a-meeting-in-wine";
const CLOUD: (&str, &str) = ("AKIDmeeting", "the-operator-of-a-meeting-in-wine");
const ROOM: u32 = 64;
const ANN: &str = "ann";
const BOB: &str = "bob";

/// Holds it with the programs in this folder; the first thing that is not as it should be is the error.
pub(super) fn hold(wine: &Wine, programs: &Path) -> Result<()> {
    let hall = Hall { wine, programs, data: target().join("wine-meeting") };
    if hall.data.exists() {
        fs::remove_dir_all(&hall.data).context("what an earlier meeting left cannot be removed")?;
    }
    let (server, address) = hall.server()?;
    println!("the server is at {address}");
    let mut operator = operator(&address)?;
    let mut ann = hall.person(ANN, &address)?;
    let mut bob = hall.person(BOB, &address)?;
    enter(&mut ann, ANN)?;
    enter(&mut bob, BOB)?;
    // In this order, so that both have been told of by an event.
    ann.event("onRemoteUserEnterRoom", |data| data["userId"] == BOB)?;
    for (person, name, other) in [(&mut ann, ANN, BOB), (&mut bob, BOB, ANN)] {
        send(person, name)?;
        let people = person.request("participants", &json!({}))?;
        ensure!(is_alone_with(&people, other), "{name} is with {people} and not with {other} alone");
    }
    println!("both are in and send");
    perceives(&mut ann, ANN, BOB)?;
    perceives(&mut bob, BOB, ANN)?;

    ask(&mut operator, "RemoveUser", json!({ "UserIds": [BOB] }))?;
    exit(&mut bob, BOB, 1, "removed")?;
    let left = ann.event("onRemoteUserLeaveRoom", |data| data["userId"] == BOB)?;
    ensure!(left["reason"] == 2, "{ANN} was told {left} of {BOB}'s removal");
    println!("{BOB} was removed: reason 1, and {ANN} was told");

    enter(&mut bob, BOB)?;
    ann.event("onRemoteUserEnterRoom", |data| data["userId"] == BOB)?;
    ask(&mut operator, "DismissRoom", json!({}))?;
    exit(&mut ann, ANN, 2, "dismissed")?;
    exit(&mut bob, BOB, 2, "dismissed")?;
    println!("the room was dismissed: reason 2 for both");

    for (program, name) in [(ann, ANN), (bob, BOB)] {
        well(name, program.end()?)?;
    }
    well("the server", server.interrupt().context("the server")?)?;
    well("the operator", operator.end()?)?;
    println!("all programs ended by themselves");
    Ok(())
}

/// Where it takes place.
struct Hall<'a> {
    wine: &'a Wine,
    programs: &'a Path,
    /// What the programs keep.
    data: PathBuf,
}

impl Hall<'_> {
    /// The server and the address that it is at.
    fn server(&self) -> Result<(Driven, String)> {
        let mut server = self.wine.command(self.programs.join("confab-server.exe"));
        server.args(["--dev", "--http", "127.0.0.1:0", "--media", "127.0.0.1:0"]);
        server.args(["--app", &format!("{APP}:{KEY}"), "--cloud-key", &format!("{}:{}", CLOUD.0, CLOUD.1)]);
        let mut server = Driven::start(server, PATIENCE)?;
        let greeting = server.wait(|line| address(line).is_some()).context("the server does not serve")?;
        let address = address(&greeting).context("no address")?.to_owned();
        Ok((server, address))
    }

    /// Somebody whose camera is a test picture and whose microphone is a tone.
    fn person(&self, name: &str, address: &str) -> Result<Driven> {
        let mut person = self.wine.command(self.programs.join("confab-headless.exe"));
        person.args(["--camera", "test", "--microphone", "tone", "--speaker", "null"]);
        person.env("CONFAB_DATA", wine::path(&self.data.join(name)));
        person.env("CONFAB_SERVER", format!("http://{address}")).env("CONFAB_APP", format!("{APP}:{KEY}"));
        Driven::start(person, PATIENCE)
    }
}

/// The address in the first line of what the server says.
fn address(line: &Value) -> Option<&str> {
    line.as_str()?.strip_prefix("Confab is at http://")
}

/// Tencent's SDK with the key of the server's operator.
fn operator(address: &str) -> Result<Driven> {
    let mut operator = command(python::interpreter());
    operator.arg(root().join("tests/interop/python/tencent.py")).args([address, CLOUD.0, CLOUD.1]);
    Driven::start(operator, PATIENCE)
}

/// Lets the operator do something to the room.
fn ask(operator: &mut Driven, action: &str, more: Value) -> Result<()> {
    let mut parameters = json!({ "SdkAppId": APP, "RoomId": ROOM });
    if let (Value::Object(parameters), Value::Object(more)) = (&mut parameters, more) {
        parameters.extend(more);
    }
    operator.send(&json!({ "action": action, "parameters": parameters }))?;
    let answer = operator.wait(|line| line.get("request").is_some()).with_context(|| action.to_owned())?;
    match answer.get("code") {
        None => Ok(()),
        Some(code) => bail!("{action} was refused with {code}: {}", answer["message"]),
    }
}

fn enter(person: &mut Driven, name: &str) -> Result<()> {
    person.request("enter_room", &json!({ "userId": name, "roomId": ROOM, "scene": "videoCall" }))?;
    let entered = person.event("onEnterRoom", |_| true).with_context(|| format!("{name} does not get in"))?;
    let result = entered["result"].as_i64().context("onEnterRoom has no result")?;
    ensure!(result >= 0, "{name} was not let in: {result}");
    Ok(())
}

fn send(person: &mut Driven, name: &str) -> Result<()> {
    for device in ["start_local_video", "start_local_audio"] {
        person.request(device, &json!({})).with_context(|| name.to_owned())?;
    }
    Ok(())
}

/// Waits until `name` has pictures and sound of `other`.
fn perceives(person: &mut Driven, name: &str, other: &str) -> Result<()> {
    let does = format!("{name} and {other}");
    let first = person.event("onFirstVideoFrame", |data| data["userId"] == other).context(does.clone())?;
    person.event("onFirstAudioFrame", |data| data["userId"] == other).context(does.clone())?;
    person.event("onUserVoiceVolume", |data| is_heard(data, other)).context(does.clone())?;
    let picture = person.request("snapshot_video", &json!({ "userId": other }))?;
    // How every PNG file begins, in base64.
    ensure!(picture["png"].as_str().is_some_and(|png| png.starts_with("iVBORw0KGgo")), "{does}: no picture");
    let deadline = Instant::now() + PATIENCE;
    loop {
        let figures = person.request("statistics", &json!({}))?;
        if let Some(flow) = flow(&figures, other) {
            println!("{name} has of {other} {}x{}, {flow}", first["width"], first["height"]);
            return Ok(());
        }
        ensure!(Instant::now() < deadline, "{does}: nothing flows after {PATIENCE:?}: {figures}");
        std::thread::sleep(LOOK);
    }
}

/// Waits until `name` is out, for this reason: a lost connection has the number of a removal.
fn exit(person: &mut Driven, name: &str, reason: u8, cause: &str) -> Result<()> {
    let exit = person.event("onExitRoom", |_| true).with_context(|| format!("{name} stays"))?;
    let expected = exit["reason"] == reason && exit["cause"] == cause;
    ensure!(expected, "{name} left with {exit}, and not for reason {reason}, {cause}");
    Ok(())
}

fn well(name: &str, status: ExitStatus) -> Result<()> {
    ensure!(status.success(), "{name} ended with {status}");
    Ok(())
}

/// Whether nobody but `other` is in the room, and sends.
fn is_alone_with(people: &Value, other: &str) -> bool {
    matches!(people.as_array().map(Vec::as_slice), Some([one]) if one["userId"] == other)
}

/// Whether onUserVoiceVolume has a sound of `other`.
fn is_heard(data: &Value, other: &str) -> bool {
    let mut volumes = data["volumes"].as_array().into_iter().flatten();
    volumes.any(|volume| volume["userId"] == other && volume["volume"].as_u64() > Some(0))
}

/// Pictures and sound that come from `other` now, for people; nothing unless both do.
fn flow(figures: &Value, other: &str) -> Option<String> {
    let mut remote = figures["remoteStatisticsArray"].as_array()?.iter();
    let of = remote.find(|stream| stream["userId"] == other)?;
    let (frames, sound) = (of["frameRate"].as_u64()?, of["audioBitrate"].as_u64()?);
    (frames > 0 && sound > 0).then(|| format!("{frames} pictures a second, sound at {sound} kbit/s"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_is_in_the_first_line_of_the_greeting() {
        assert_eq!(address(&json!("Confab is at http://127.0.0.1:7880")), Some("127.0.0.1:7880"));
        assert_eq!(address(&json!("  app        1:key")), None);
        assert_eq!(address(&json!({ "event": "onEnterRoom" })), None);
    }

    #[test]
    fn only_a_stream_with_pictures_and_sound_flows() {
        let figures = |frames: u32, sound: u32| {
            json!({ "remoteStatisticsArray": [
                { "userId": "eve", "frameRate": 30, "audioBitrate": 40 },
                { "userId": "bob", "frameRate": frames, "audioBitrate": sound },
            ]})
        };
        assert_eq!(flow(&figures(15, 32), BOB).unwrap(), "15 pictures a second, sound at 32 kbit/s");
        assert_eq!(flow(&figures(0, 32), BOB), None);
        assert_eq!(flow(&figures(15, 0), BOB), None);
        assert_eq!(flow(&figures(15, 32), ANN), None);
        assert_eq!(flow(&json!({}), BOB), None);
    }

    #[test]
    fn silence_and_other_voices_are_not_heard() {
        let volumes = |user: &str, volume: u8| json!({ "volumes": [{ "userId": user, "volume": volume }] });
        assert!(is_heard(&volumes(BOB, 1), BOB));
        assert!(!is_heard(&volumes(BOB, 0), BOB) && !is_heard(&volumes("", 50), BOB));
        assert!(!is_heard(&json!({}), BOB));
    }

    #[test]
    fn company_is_exactly_the_other_one() {
        assert!(is_alone_with(&json!([{ "userId": BOB }]), BOB));
        assert!(!is_alone_with(&json!([]), BOB));
        assert!(!is_alone_with(&json!([{ "userId": BOB }, { "userId": "eve" }]), BOB));
    }
}
