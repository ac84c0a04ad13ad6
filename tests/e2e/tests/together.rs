//! Two computers in one meeting: each has a camera that shows a clip of its own, a microphone that
//! hears a tone of its own, and a speaker that is recorded. Screens, recordings and logs are kept in
//! target/e2e to be looked at and listened to.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may fail loudly")]

use std::time::Duration;

use e2e::{Area, Computer, Film, PATIENCE, Person, Screen, Service, Window, both_hear, film, is_tone, turn};
use serde_json::{Value, json};
use tokio::task::block_in_place;

/// What Alice and Bob speak, Hz.
const PITCHES: [f32; 2] = [500.0, 1_100.0];
/// Listened at a time: long enough for what goes wrong every few seconds.
const LISTENED: Duration = Duration::from_secs(6);
/// Two windows without a GPU may take the sound's time for so long.
const WINDOWS: Duration = Duration::from_millis(200);
/// How often it is listened for sound without any gap, and how often in a row there has to be none.
/// Other programs may take the processors away from everybody at one time, and the jitter buffer does not
/// wait for what holds it up only once: nine of ten tries are clean where nothing else runs.
const TRIES: usize = 20;
const CLEAN: usize = 2;
/// Listened for whether there is anything.
const MOMENT: Duration = Duration::from_secs(1);
/// What a tone is processed away by: it is no voice.
const UNPROCESSED: &str = r#"{"echoCancellation":false,"noiseSuppression":false,"autoGainControl":false}"#;

/// Alice's window, which somebody clicks in, and Bob's, which a script drives.
struct Two {
    computers: [Computer; 2],
    films: [Film; 2],
    alice: Window,
    bob: Person,
    /// Bob's.
    screen: Screen,
}

impl Two {
    async fn start(name: &str) -> Two {
        let clips = ["bikes-360p15", "carphone-360p15"].map(|name| film(name).unwrap());
        let computer = |who: usize| {
            let name = format!("{name}-{}", ["alice", "bob"][who]);
            Computer::start(&name, &clips[who], PITCHES[who]).unwrap()
        };
        let computers = [computer(0), computer(1)];
        let alice = Window::on(&computers[0]).await.unwrap();
        let screen = Screen::start().unwrap();
        let mut bob = Person::start(&mut computers[1].scripted(&screen).unwrap()).unwrap();
        block_in_place(|| bob.request("set_voice_processing", &serde_json::from_str(UNPROCESSED).unwrap()))
            .unwrap();
        unprocessed(&alice).await;
        Two { computers, films: clips.map(|clip| Film::read(&clip).unwrap()), alice, bob, screen }
    }

    /// Everybody sees everybody, on the whole screen. Both windows are alike, so that Bob's tiles are
    /// where Alice's are.
    async fn see_each_other(&self, bob: &str, name: &str) {
        let [bikes, carphone] = &self.films;
        let mine = self.alice.tile("tile-local").await.unwrap();
        let theirs = self.alice.tile(&format!("tile-{bob}")).await.unwrap();
        assert!(mine[2] > 200.0 && theirs[2] > 200.0, "{mine:?} {theirs:?}");
        let see = |screen: &Screen, own: &Film, other: &Film, name: String| {
            screen.shows("Confab", theirs, other, false, &name).unwrap();
            screen.shows("Confab", mine, own, true, &name).unwrap();
            // Each tile is right only for its own film.
            assert_eq!(wrong(screen, mine, other, &name), None);
            assert_eq!(wrong(screen, theirs, own, &name), None);
        };
        block_in_place(|| {
            see(&self.alice.screen, bikes, carphone, format!("{name}-alice"));
            see(&self.screen, carphone, bikes, format!("{name}-bob"));
        });
    }

    fn hear_each_other(&self, name: &str) {
        let [alice, bob] = &self.computers;
        let (by_alice, by_bob) = block_in_place(|| both_hear(alice, bob, LISTENED, name)).unwrap();
        for (heard, of) in [(by_alice, PITCHES[1]), (by_bob, PITCHES[0])] {
            is_tone(&heard, f64::from(of)).unwrap();
            assert!(heard.longest_gap() <= WINDOWS, "a gap of {:?}", heard.longest_gap());
        }
    }

    fn enters(&mut self, entry: &Value) {
        self.bob.forget();
        block_in_place(|| self.bob.join(entry)).unwrap();
    }

    fn told(&mut self, event: &str) -> Value {
        block_in_place(|| self.bob.event(event, |_| true)).unwrap()
    }

    fn assert_nothing_to_complain(&self) {
        for computer in &self.computers {
            assert_eq!(computer.complaints().unwrap(), [""; 0]);
        }
    }
}

/// How well a tile would do for a film that it does not show, if it did.
fn wrong(screen: &Screen, tile: Area, film: &Film, name: &str) -> Option<String> {
    let (x, y) = screen.corner("Confab").unwrap();
    let tile = [tile[0] + x as f64, tile[1] + y as f64, tile[2], tile[3]];
    let seen = film.find(&screen.shot(name).unwrap(), tile, false).unwrap();
    (seen.difference < 30.0).then(|| format!("{seen:?}"))
}

/// Switches off what takes a tone for noise, as a person does.
async fn unprocessed(window: &Window) {
    let page = &window.page;
    page.click("[data-testid=devices]").await.unwrap();
    for box_ in ["echo-cancellation", "noise-suppression", "auto-gain-control"] {
        page.click(&format!("[data-testid={box_}]")).await.unwrap();
        page.until(&format!("return !document.querySelector('[data-testid={box_}]').checked")).await.unwrap();
    }
    page.click("[data-testid=devices-close]").await.unwrap();
    page.until("return !document.querySelector('[data-testid=device-dialog]')").await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn two_windows_meet_by_number_and_by_text_until_the_operator_ends_it() {
    let _turn = turn().await;
    let service = Service::start().await.unwrap();
    let mut two = Two::start("together").await;
    let number = json!(2026);
    two.alice.join(&service, "alice", &number).await.unwrap();
    two.enters(&service.entry("bob", &number).unwrap());
    two.see_each_other("bob", "together-1-number").await;
    block_in_place(|| two.bob.hears("alice")).unwrap();
    two.hear_each_other("together-1-number");
    two.alice.page.click("[data-testid=leave]").await.unwrap();
    // Alice was first: the room is hers, and it may go on without her.
    two.alice.page.click("[data-testid=end-dialog] [data-testid=end-leave]").await.unwrap();
    assert_eq!(two.alice.notice("left").await.unwrap(), "You left");
    assert_eq!(two.told("onRemoteUserLeaveRoom")["reason"], 0);
    block_in_place(|| two.bob.request("exit_room", &json!({}))).unwrap();
    assert_eq!(two.told("onExitRoom")["reason"], 0);

    let text = json!("by text");
    two.alice.page.click("[data-testid=exit-back]").await.unwrap();
    two.alice.join(&service, "alice", &text).await.unwrap();
    two.enters(&service.entry("bob", &text).unwrap());
    two.see_each_other("bob", "together-2-text").await;
    block_in_place(|| two.bob.hears("alice")).unwrap();
    two.hear_each_other("together-2-text");

    service.remove(&text, "alice").await.unwrap();
    assert_eq!(two.alice.notice("removed").await.unwrap(), "You were removed from the room");
    assert!(two.alice.page.text("[data-testid=exit-what]").await.unwrap().contains("by text"));
    two.alice.keep("together-3-removed").await.unwrap();
    assert_eq!(two.told("onRemoteUserLeaveRoom")["reason"], 2);

    two.bob.forget();
    two.alice.page.click("[data-testid=exit-rejoin]").await.unwrap();
    two.alice.page.element("[data-testid=meeting-page]").await.unwrap();
    two.told("onRemoteUserEnterRoom");
    service.dismiss(&text).await.unwrap();
    assert_eq!(two.alice.notice("dismissed").await.unwrap(), "The room was dismissed");
    assert_eq!(two.told("onExitRoom")["reason"], 2);
    two.alice.keep("together-4-dismissed").await.unwrap();
    two.screen.still("together-4-dismissed-bob").unwrap();
    assert!(block_in_place(|| two.bob.end()).unwrap().success());
    two.assert_nothing_to_complain();
    assert_eq!(service.complaints().unwrap(), [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_who_closes_the_app_ends_the_meeting_and_the_guest_is_told_why() {
    let _turn = turn().await;
    let mut two = Two::start("hosted").await;
    let hosting = block_in_place(|| two.bob.request("host_room", &json!({}))).unwrap();
    two.enters(&json!({ "userId": "bob", "name": "Bob", "roomId": 7 }));
    let page = &two.alice.page;
    page.fill("[data-testid=name]", "Alice").await.unwrap();
    page.fill("[data-testid=room]", "7").await.unwrap();
    page.click("label:has([data-testid=where-server])").await.unwrap();
    page.fill("[data-testid=server]", hosting["addresses"][0].as_str().unwrap()).await.unwrap();
    page.click("[data-testid=join]").await.unwrap();
    two.see_each_other("bob", "hosted-1-meeting").await;

    assert!(block_in_place(|| two.bob.end()).unwrap().success());
    assert_eq!(two.alice.notice("stopped").await.unwrap(), "The host ended the meeting");
    let what = two.alice.page.text("[data-testid=exit-what]").await.unwrap();
    assert!(what.contains("hosted room 7 stopped hosting"), "{what}");
    two.alice.keep("hosted-2-stopped").await.unwrap();
    two.assert_nothing_to_complain();
}

#[tokio::test(flavor = "multi_thread")]
async fn without_windows_two_hear_each_other_without_a_gap() {
    let _turn = turn().await;
    let service = Service::start().await.unwrap();
    let clip = film("carphone-360p15").unwrap();
    let computers = [0, 1].map(|who| {
        Computer::start(&format!("hearing-{}", ["alice", "bob"][who]), &clip, PITCHES[who]).unwrap()
    });
    let mut people = computers.each_ref().map(|it| Person::start(&mut it.headless().unwrap()).unwrap());
    block_in_place(|| {
        for (person, name) in people.iter_mut().zip(["alice", "bob"]) {
            person.request("set_voice_processing", &serde_json::from_str(UNPROCESSED).unwrap()).unwrap();
            person.enter(&service.entry(name, &json!(5)).unwrap()).unwrap();
            person.request("start_local_audio", &json!({})).unwrap();
        }
        let [alice, bob] = &mut people;
        alice.hears("bob").unwrap();
        bob.hears("alice").unwrap();
        let missing = |people: &mut [Person; 2]| {
            [people[0].made_up("bob").unwrap(), people[1].made_up("alice").unwrap()]
        };
        let mut tries = Vec::new();
        let mut clean = 0;
        for _ in 0..TRIES {
            let before = missing(&mut people);
            let (by_alice, by_bob) = both_hear(&computers[0], &computers[1], LISTENED, "hearing").unwrap();
            let made_up = missing(&mut people);
            is_tone(&by_alice, f64::from(PITCHES[1])).unwrap();
            is_tone(&by_bob, f64::from(PITCHES[0])).unwrap();
            let gaps = [by_alice.longest_gap(), by_bob.longest_gap()];
            let made_up = [0, 1].map(|who| made_up[who] - before[who]);
            tries.push((gaps, made_up));
            clean = if (gaps, made_up) == ([Duration::ZERO; 2], [0; 2]) { clean + 1 } else { 0 };
            if clean == CLEAN {
                break;
            }
        }
        assert_eq!(clean, CLEAN, "the longest gaps, and milliseconds made up, each time: {tries:?}");
        for person in &mut people {
            person.request("exit_room", &json!({})).unwrap();
            person.event("onExitRoom", |_| true).unwrap();
            assert!(person.end().unwrap().success());
        }
    });
    for computer in &computers {
        assert_eq!(computer.complaints().unwrap(), [""; 0]);
    }
    assert_eq!(service.complaints().unwrap(), [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_microphone_that_is_unplugged_is_used_again_when_it_is_back() {
    let _turn = turn().await;
    let service = Service::start().await.unwrap();
    let mut two = Two::start("device").await;
    let room = json!(11);
    two.alice.join(&service, "alice", &room).await.unwrap();
    two.enters(&service.entry("bob", &room).unwrap());
    let pitch = f64::from(PITCHES[0]);
    let (page, [alice, bob]) = (&two.alice.page, &two.computers);
    page.element("[data-testid=tile-local][data-microphone=on]").await.unwrap();
    block_in_place(|| heard_at_last(bob, pitch));

    alice.card.take_microphone().unwrap();
    page.until("return /microphone.*unplugged/i.test(document.body.innerText)").await.unwrap();
    page.element("[data-testid=tile-local][data-microphone=off]").await.unwrap();
    page.painted().await.unwrap();
    two.alice.screen.shot("device-1-unplugged").unwrap();
    let heard = block_in_place(|| bob.hears(MOMENT, "device-1-unplugged")).unwrap();
    assert!(heard.level() < -50.0, "{} dB of nobody", heard.level());
    // The rest of the meeting goes on.
    block_in_place(|| heard_at_last(alice, f64::from(PITCHES[1])));

    alice.card.give_microphone().unwrap();
    page.element("[data-testid=tile-local][data-microphone=on]").await.unwrap();
    block_in_place(|| heard_at_last(bob, pitch));
    page.painted().await.unwrap();
    two.alice.screen.shot("device-2-back").unwrap();
}

/// Waits until a computer plays the tone.
fn heard_at_last(computer: &Computer, hertz: f64) {
    let deadline = std::time::Instant::now() + PATIENCE;
    while let Err(error) = is_tone(&computer.hears(MOMENT, "device").unwrap(), hertz) {
        assert!(std::time::Instant::now() < deadline, "{error:#}");
    }
}
