//! A client: the session's own rules of a room, of the others and of endings, over str0m. What the
//! session's actor does between them is said again here, without its devices.

mod talk;

use crate::media::{Camera, Heard, Received, Voice};
use crate::wire::{Down, Up};
use confab_protocol::{EnterParams, Event, Fault, Notice, RawEnterParams};
use confab_session::room::{Attempt, Effect, Input, Room};
use confab_session::sim::{Other, Others, Piece};
use confab_signal::lk;
use std::collections::{BTreeMap, VecDeque};
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Instant;
use talk::{News, Talk};

pub use confab_session::room::Phase;

pub(crate) const VOICE: &str = "confab-voice";
pub(crate) const CAMERA: &str = "confab-camera";

/// What a client gives to the network.
#[derive(Debug)]
pub(crate) enum Out {
    /// Opens another TCP connection; the one before is forgotten.
    Dial,
    Say(Up),
    Datagram {
        from: SocketAddr,
        bytes: Vec<u8>,
    },
}

/// A camera or a microphone, and how it stands with the server.
#[derive(Debug, Default)]
struct Medium {
    open: bool,
    muted: bool,
    asked: bool,
    sid: Option<String>,
    announced_muted: bool,
}

impl Medium {
    fn stop_sending(&mut self) {
        (self.asked, self.sid, self.announced_muted) = (false, None, false);
    }

    fn goes(&self) -> bool {
        self.open && !self.muted && self.sid.is_some()
    }
}

/// The client.
#[derive(Debug)]
pub struct Client {
    user: String,
    room: Room,
    others: Others,
    params: Option<Arc<EnterParams>>,
    talk: Option<Talk>,
    held: Vec<Event>,
    told: Vec<Event>,
    voice: Medium,
    camera: Medium,
    can_send: bool,
    /// Sound and pictures are really sent.
    plays: bool,
    voice_out: Option<Voice>,
    camera_out: Option<Camera>,
    /// By the server's id of the track.
    received: BTreeMap<String, (String, Received)>,
    /// What came of streams that have ended, by user and whether it was a picture.
    ended: BTreeMap<(String, bool), Heard>,
    /// The first picture that could not have been shown where it came.
    fault: Option<String>,
    pub(crate) out: Vec<Out>,
    /// Its address, and the next free port there.
    ip: Ipv4Addr,
    port: u16,
}

impl Client {
    /// The client of `user` at place `number`; `id` begins the names of its stays.
    pub(crate) fn new(user: &str, number: u8, id: String, plays: bool) -> Client {
        Client {
            user: user.to_owned(),
            room: Room::new(id),
            others: Others::default(),
            params: None,
            talk: None,
            held: Vec::new(),
            told: Vec::new(),
            voice: Medium::default(),
            camera: Medium::default(),
            can_send: false,
            plays,
            voice_out: None,
            camera_out: None,
            received: BTreeMap::new(),
            ended: BTreeMap::new(),
            fault: None,
            out: Vec::new(),
            ip: Ipv4Addr::new(10, 0, 0, number + 1),
            port: 1000,
        }
    }

    /// Goes on counting where an earlier client of that place ended.
    pub(crate) fn after(mut self, earlier: &Client) -> Client {
        self.port = earlier.port;
        self.fault.clone_from(&earlier.fault);
        self
    }

    /// Whose client it is.
    pub fn user(&self) -> &str {
        &self.user
    }

    /// Where its room stands.
    pub fn phase(&self) -> Phase {
        self.room.phase()
    }

    /// Everybody else in its room, as it knows them.
    pub fn others(&self) -> Vec<Other> {
        self.others.list()
    }

    /// Everything that it told its app since the last call.
    pub(crate) fn take_told(&mut self) -> Vec<Event> {
        std::mem::take(&mut self.told)
    }

    /// What came of somebody's voice or picture so far, all streams together.
    pub fn heard(&self, user: &str, video: bool) -> Heard {
        let running = self.received.values().filter(|(whose, received)| {
            whose == user && matches!(received, Received::Picture { .. }) == video
        });
        let ended = self.ended.get(&(user.to_owned(), video)).copied().unwrap_or_default();
        running.fold(ended, |sum, (_, received)| sum.and(received.heard()))
    }

    /// What it was given and must not have been, if anything.
    pub(crate) fn fault(&self) -> Option<&str> {
        self.fault.as_deref()
    }

    pub(crate) fn enter(&mut self, raw: RawEnterParams, now: Instant) -> Result<(), Fault> {
        let effects = self.room.enter(raw.check(), now)?;
        self.carry_out(effects, now);
        Ok(())
    }

    pub(crate) fn exit(&mut self, now: Instant) {
        let effects = self.room.exit();
        self.carry_out(effects, now);
    }

    pub(crate) fn set_voice(&mut self, open: bool, now: Instant) {
        self.voice.open = open;
        self.keep_in_step(now);
    }

    pub(crate) fn mute_voice(&mut self, muted: bool, now: Instant) {
        self.voice.muted = muted;
        self.keep_in_step(now);
    }

    pub(crate) fn set_camera(&mut self, open: bool, now: Instant) {
        self.camera.open = open;
        self.keep_in_step(now);
    }

    pub(crate) fn mute_camera(&mut self, muted: bool, now: Instant) {
        self.camera.muted = muted;
        self.keep_in_step(now);
    }

    /// When it wants [`Client::wake`].
    pub(crate) fn deadline(&self) -> Option<Instant> {
        let sends = self.talk.is_some() && self.can_send;
        let media = [
            self.voice_out.as_ref().filter(|_| sends && self.voice.goes()).map(|voice| voice.next),
            self.camera_out.as_ref().filter(|_| sends && self.camera.goes()).map(|camera| camera.next),
            self.received.values().filter_map(|(_, received)| received.deadline()).min(),
        ];
        let talk = self.talk.as_ref().and_then(Talk::deadline);
        self.room.timeout().into_iter().chain(talk).chain(media.into_iter().flatten()).min()
    }

    /// Lets time pass.
    pub(crate) fn wake(&mut self, now: Instant) {
        let effects = self.room.handle_timeout(now);
        self.carry_out(effects, now);
        if let Some(talk) = &mut self.talk {
            talk.wake(now);
        }
        self.send_media(now);
        self.received.values_mut().for_each(|(_, received)| received.play(now));
        self.hear_news(now);
    }

    /// Something came over the TCP connection.
    pub(crate) fn hear(&mut self, down: Down, now: Instant) {
        if let Some(talk) = &mut self.talk {
            talk.hear(down, now);
        }
        self.hear_news(now);
    }

    /// A datagram came to one of our addresses.
    pub(crate) fn receive(&mut self, to: SocketAddr, from: SocketAddr, bytes: &[u8], now: Instant) {
        if let Some(talk) = &mut self.talk {
            talk.receive(to, from, bytes, now);
        }
        self.hear_news(now);
    }

    fn carry_out(&mut self, effects: Vec<Effect>, now: Instant) {
        let mut waiting = VecDeque::from(effects);
        while let Some(effect) = waiting.pop_front() {
            match effect {
                Effect::Emit(event) => {
                    let entered = matches!(event, Event::OnEnterRoom { result } if result > 0);
                    self.told.push(event);
                    if entered {
                        self.told.append(&mut self.held);
                    }
                }
                Effect::Connect { attempt, stay, params, .. } => {
                    self.disconnect(false, now);
                    if self.params.as_ref().is_none_or(|known| !Arc::ptr_eq(known, &params)) {
                        self.others = Others::new(params.user_id.as_str());
                        self.params = Some(params.clone());
                    }
                    let publications = self.publications();
                    let addresses = [self.address(), self.address()];
                    self.talk = Some(Talk::start(attempt, stay, params, &publications, addresses, now));
                }
                Effect::Release { attempt, tell, devices } => {
                    self.disconnect(tell, now);
                    self.others = Others::default();
                    self.params = None;
                    self.held.clear();
                    if devices {
                        (self.voice, self.camera) = (Medium::default(), Medium::default());
                    }
                    waiting.extend(self.room.handle(attempt, Input::Released, now));
                }
            }
        }
        self.take_out();
    }

    /// Ends the connection and all streams over it.
    fn disconnect(&mut self, tell: bool, now: Instant) {
        self.can_send = false;
        self.voice.stop_sending();
        self.camera.stop_sending();
        (self.voice_out, self.camera_out) = (None, None);
        for (_, (user, received)) in std::mem::take(&mut self.received) {
            let video = matches!(received, Received::Picture { .. });
            let sum = self.ended.entry((user, video)).or_default();
            *sum = sum.and(received.heard());
        }
        if let Some(mut talk) = self.talk.take() {
            talk.close(tell, now);
            self.out.append(&mut talk.out);
        }
    }

    fn publications(&mut self) -> Vec<(&'static str, bool)> {
        let mut publications = Vec::new();
        for (medium, cid) in [(&mut self.voice, VOICE), (&mut self.camera, CAMERA)] {
            if medium.open {
                (medium.asked, medium.announced_muted) = (true, medium.muted);
                publications.push((cid, medium.muted));
            }
        }
        publications
    }

    fn address(&mut self) -> SocketAddr {
        self.port += 1;
        SocketAddr::from((self.ip, self.port))
    }

    /// Takes what the connection's rules made of what came.
    fn hear_news(&mut self, now: Instant) {
        while let Some((attempt, news)) = self.talk.as_mut().and_then(Talk::news) {
            self.one_news(attempt, news, now);
        }
        self.take_out();
    }

    fn take_out(&mut self) {
        if let Some(talk) = &mut self.talk {
            self.out.append(&mut talk.out);
        }
    }

    fn one_news(&mut self, attempt: Attempt, news: News, now: Instant) {
        let input = match news {
            News::Failed(failure) => Input::Failed(failure),
            News::Seated(join) => {
                let events = self.others.replace(&join.other_participants);
                self.about_others(events);
                Input::Seated
            }
            News::Connected => Input::Connected,
            News::Lost => Input::Lost,
            News::Ended(ending) => Input::Ended(ending),
            News::CanSend => {
                self.can_send = true;
                return self.keep_in_step(now);
            }
            News::People(infos) => return self.people_changed(&infos),
            News::Published { cid, sid } => {
                let medium = if cid == VOICE { &mut self.voice } else { &mut self.camera };
                medium.sid = Some(sid);
                return self.keep_in_step(now);
            }
            News::Notice(Notice::UserLeft { user_id, reason }) => {
                return self.others.will_leave(&user_id, reason);
            }
            News::Notice(
                Notice::Exit { .. } | Notice::Host { .. } | Notice::Waiting { .. } | Notice::Banned { .. },
            ) => return,
            News::Packet { sid, piece } => return self.packet(&sid, piece, now),
            News::KeyFrameWanted => {
                if let Some(camera) = &mut self.camera_out {
                    camera.ask();
                }
                return;
            }
        };
        let effects = self.room.handle(attempt, input, now);
        self.carry_out(effects, now);
    }

    fn people_changed(&mut self, infos: &[lk::ParticipantInfo]) {
        let events = self.others.update(infos);
        let gone: Vec<String> =
            self.received.keys().filter(|sid| self.others.track(sid).is_none()).cloned().collect();
        for sid in gone {
            let Some((user, received)) = self.received.remove(&sid) else { continue };
            let video = matches!(received, Received::Picture { .. });
            let sum = self.ended.entry((user, video)).or_default();
            *sum = sum.and(received.heard());
        }
        self.about_others(events);
    }

    /// Tells the app what belongs to the room, once the entry is told.
    fn about_others(&mut self, events: Vec<Event>) {
        if matches!(self.room.phase(), Phase::In | Phase::Reconnecting) {
            self.told.extend(events);
        } else {
            self.held.extend(events);
        }
    }

    /// Publishes and mutes so that what is sent fits what is open.
    fn keep_in_step(&mut self, now: Instant) {
        let Some(talk) = &mut self.talk else { return };
        for (medium, cid) in [(&mut self.camera, CAMERA), (&mut self.voice, VOICE)] {
            let muted = medium.muted || !medium.open;
            if !medium.asked {
                if medium.open {
                    (medium.asked, medium.announced_muted) = (true, muted);
                    talk.publish(cid, muted, now);
                }
            } else if let Some(sid) = &medium.sid
                && medium.announced_muted != muted
            {
                medium.announced_muted = muted;
                talk.mute(sid.clone(), muted);
            }
        }
        if self.plays && self.can_send {
            self.voice_out.get_or_insert_with(|| Voice::new(now));
            self.camera_out.get_or_insert_with(|| Camera::new(now));
        }
        self.take_out();
    }

    fn send_media(&mut self, now: Instant) {
        let Some(talk) = self.talk.as_mut().filter(|_| self.can_send) else { return };
        if let Some(voice) = self.voice_out.as_mut().filter(|voice| self.voice.goes() && voice.next <= now)
            && let Some(piece) = voice.piece(now)
        {
            talk.send(VOICE, &[piece], now);
        }
        if let Some(camera) = self.camera_out.as_mut().filter(|one| self.camera.goes() && one.next <= now) {
            talk.send(CAMERA, &camera.pieces(now), now);
        }
    }

    fn packet(&mut self, sid: &str, piece: Piece, now: Instant) {
        let Some((user, video)) = self.others.track(sid) else { return };
        let (user, received) =
            self.received.entry(sid.to_owned()).or_insert_with(|| (user, Received::new(video, now)));
        match (received.take(piece, now), &mut self.talk) {
            (Ok(true), Some(talk)) => talk.ask_key_frame(sid, now),
            (Ok(_), _) => {}
            (Err(what), _) => _ = self.fault.get_or_insert_with(|| format!("{what}, of {user}")),
        }
    }
}
