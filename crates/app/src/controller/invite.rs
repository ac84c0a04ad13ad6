//! Bringing others into a room, and being brought into one.

use confab_protocol::{
    Code, Fault, Invitation, InvitationError, Passcode, RawEnterParams, Trust, server_address,
};
use serde_json::Value;

use super::Answer;
use super::actor::{Actor, HostingNow, Reply};
use super::jobs;
use crate::nearby::Browser;
use crate::{AppState, Event, Host, Hosting, InvitationForms, InvitationText, RoomView, ViewEvent};

impl<H: Host> Actor<H> {
    /// Takes in an invitation that was opened outside of the app, for the page to ask about it. A later
    /// one takes the place of one that nobody has taken yet.
    pub(super) fn open_invitation(&mut self, text: &InvitationText, reply: Reply) {
        let read = text.0.parse::<Invitation>();
        let answer = read.as_ref().map(|_| Value::Null).map_err(|error| error.clone().into());
        self.invited = Some(read);
        self.host.emit(Event::View(ViewEvent::Invited {}));
        Self::answer(reply, answer);
    }

    /// What [`Self::open_invitation`] took in, once.
    pub(super) fn take_invitation(&mut self, reply: Reply) {
        let answer = self.invited.take().map_or(Ok(Value::Null), told);
        Self::answer(reply, answer);
    }

    pub(super) fn parse_invitation(text: &InvitationText, reply: Reply) {
        Self::answer(reply, told(text.0.parse()));
    }

    pub(super) fn make_invitation(&self, raw: RawEnterParams, reply: Reply) {
        let passcode = match &self.hosting {
            HostingNow::Yes(running) => running.passcode(),
            HostingNow::No | HostingNow::Changing => None,
        };
        let made = completed(raw, &self.state, passcode).and_then(Invitation::try_from);
        Self::answer(reply, made.and_then(|made| jobs::value(&InvitationForms::of(&made))));
    }

    pub(super) fn start_nearby(&mut self, reply: Reply) {
        if self.nearby.is_none() {
            self.nearby = Some(Browser::start());
            self.state.on_nearby(Vec::new());
        }
        Self::answer(reply, Ok(Value::Null));
    }

    pub(super) fn stop_nearby(&mut self, reply: Reply) {
        (self.nearby, self.state.nearby) = (None, None);
        Self::answer(reply, Ok(Value::Null));
    }
}

fn told(read: Result<Invitation, InvitationError>) -> Answer {
    jobs::value(&RawEnterParams::from(read?))
}

/// Fills in what was left out: the room that one is in, where others reach it, and the passcode of the rooms
/// opened here, which a ticket stands in for.
fn completed(
    mut raw: RawEnterParams,
    state: &AppState,
    passcode: Option<Passcode>,
) -> Result<RawEnterParams, Fault> {
    let server = raw.server.take().filter(|server| !server.trim().is_empty());
    let named = raw.room_id.is_some() || raw.str_room_id.is_some();
    let room = match &state.room {
        Some(room) if !named => Some(room),
        _ if named => None,
        _ => return Err(no_room()),
    };
    if let Some(room) = room {
        raw.room_id = room.room_id.map(i64::from);
        raw.str_room_id.clone_from(&room.str_room_id);
        raw.scene = raw.scene.or(Some(room.scene));
    }
    let here = |hosting: &&Hosting| room.is_none_or(|room| room.server == hosting.server);
    let (server, app) = match (server, state.hosting.as_ref().filter(here), room) {
        (Some(server), ..) => (Some(server), None),
        (None, Some(hosting), _) => {
            let ticket = raw.ticket.as_ref().is_some_and(|ticket| !ticket.is_empty());
            raw.passcode = raw.passcode.or(passcode.filter(|_| !ticket).map(|passcode| passcode.0));
            (Some(reached(hosting)?), None)
        }
        (None, None, Some(room)) => (Some(address(room)), room.sdk_app_id),
        (None, None, None) => (state.server.clone(), None),
    };
    raw.server = server.map(|server| recognised(server, state));
    raw.sdk_app_id = raw.sdk_app_id.or(app.map(i64::from));
    Ok(raw)
}

/// Where others reach the rooms opened here, so that no other computer can pass for this one.
fn reached(hosting: &Hosting) -> Result<String, Fault> {
    match hosting.addresses.first() {
        _ if !hosting.lan => Ok(hosting.server.clone()),
        Some(address) => Ok(format!("{address}#{}", hosting.fingerprint)),
        None => Err(Fault::new(Code::REFUSED).with_message(
            "This computer is in no network, so nobody else can reach it. Connect it to one and try again.",
        )),
    }
}

/// The server of a room, held to its certificate as one was oneself.
fn address(room: &RoomView) -> String {
    match &room.fingerprint {
        Some(fingerprint) => format!("{}#{fingerprint}", room.server),
        None => room.server.clone(),
    }
}

/// A server that was named without its certificate, with the one that is known of it: what the room is held
/// to, or what the rooms opened here show. What is wrong with a server is for others to tell.
fn recognised(server: String, state: &AppState) -> String {
    let Ok(named) = server_address(Some(&server)) else { return server };
    if named.trust != Trust::Whoever {
        return server;
    }
    let place = named.to_string();
    let room = state.room.as_ref().filter(|room| room.server == place);
    let here = state.hosting.as_ref().filter(|hosting| hosting.addresses.contains(&place));
    let held = room.and_then(|room| room.fingerprint.as_ref());
    match held.or(here.map(|hosting| &hosting.fingerprint)) {
        Some(fingerprint) => format!("{place}#{fingerprint}"),
        None => server,
    }
}

fn no_room() -> Fault {
    Fault::new(Code::REFUSED).with_message(
        "You are in no room to invite others to; enter one, or say which by roomId or strRoomId.",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    const FINGERPRINT: &str = "BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc";

    fn inside(server: &str) -> AppState {
        let raw = RawEnterParams {
            server: Some(server.into()),
            sdk_app_id: Some(7),
            user_id: Some("me".into()),
            user_sig: Some("planted".into()),
            str_room_id: Some("tea".into()),
            scene: Some(confab_protocol::Scene::Live),
            ..RawEnterParams::default()
        };
        let mut state = AppState::default();
        state.on_enter_asked(Some(RoomView::of(&raw.check().unwrap().0)));
        state
    }

    fn hosting(lan: bool, addresses: &[&str]) -> Option<Hosting> {
        Some(Hosting {
            server: "http://127.0.0.1:7880".into(),
            lan,
            addresses: addresses.iter().map(|&address| address.to_owned()).collect(),
            fingerprint: FINGERPRINT.into(),
            sdk_app_id: 7,
            outside: crate::view::Outside::default(),
            passcode: false,
            waiting_room: false,
        })
    }

    fn link(raw: RawEnterParams, state: &AppState) -> String {
        completed(raw, state, None).and_then(Invitation::try_from).unwrap().to_string()
    }

    #[test]
    fn without_a_word_it_is_the_room_that_one_is_in() {
        let state = inside(&format!("10.0.0.9#{FINGERPRINT}"));
        let hex = "07".repeat(32);
        let expected = format!(
            "confab://join?server=10.0.0.9:7880&fingerprint={hex}&room=tea&kind=text&app=7&scene=live"
        );
        assert_eq!(link(RawEnterParams::default(), &state), expected);
        let nowhere = completed(RawEnterParams::default(), &AppState::default(), None).unwrap_err();
        assert!(nowhere.message.contains("You are in no room"), "{nowhere}");
    }

    #[test]
    fn a_room_opened_here_is_told_by_the_address_that_others_reach() {
        let mut state = inside("http://127.0.0.1:7880");
        let made = |state: &AppState| link(RawEnterParams::default(), state);
        state.hosting = hosting(false, &["127.0.0.1:7880"]);
        assert_eq!(made(&state), "confab://join?server=http://127.0.0.1:7880&room=tea&kind=text&scene=live");
        state.hosting = hosting(true, &["192.168.1.20:7880", "10.0.0.2:7880"]);
        let hex = "07".repeat(32);
        let open = format!("server=192.168.1.20:7880&fingerprint={hex}&room=tea&kind=text&scene=live");
        assert_eq!(made(&state), format!("confab://join?{open}"));
        state.hosting = hosting(true, &[]);
        let alone = completed(RawEnterParams::default(), &state, None).unwrap_err();
        assert!(alone.message.contains("in no network"), "{alone}");
    }

    #[test]
    fn the_passcode_of_the_rooms_here_is_in_invitations_to_them_unless_a_ticket_is() {
        let mut state = inside("http://127.0.0.1:7880");
        state.hosting = hosting(true, &["192.168.1.20:7880"]);
        let word = || Some(Passcode("tea time".into()));
        let made = |raw, state: &AppState| {
            let made = completed(raw, state, word()).and_then(Invitation::try_from).unwrap();
            (made.passcode, made.ticket.is_some())
        };
        assert_eq!(made(RawEnterParams::default(), &state), (word(), false));
        let ticket = RawEnterParams { ticket: Some("one".into()), ..RawEnterParams::default() };
        assert_eq!(made(ticket, &state), (None, true));
        let other = RawEnterParams { passcode: Some("x".into()), ..RawEnterParams::default() };
        assert_eq!(made(other, &state).0, Some(Passcode("x".into())), "what was given stays");
        let named = RawEnterParams { server: Some("meet.example".into()), ..RawEnterParams::default() };
        assert_eq!(made(named, &state).0, None, "another server has nothing to do with it");
        let mut elsewhere = inside("https://meet.example");
        elsewhere.hosting = state.hosting.clone();
        assert_eq!(made(RawEnterParams::default(), &elsewhere).0, None);
    }

    #[test]
    fn a_server_named_without_its_certificate_gets_the_one_that_is_known_of_it() {
        let known = format!("fingerprint={}", "07".repeat(32));
        let made = |server: &str, state: &AppState| {
            let (server, room) = (Some(server.to_owned()), Some("tea".to_owned()));
            link(RawEnterParams { server, str_room_id: room, ..RawEnterParams::default() }, state)
        };
        let held = inside(&format!("10.0.0.9#{FINGERPRINT}"));
        assert!(made("10.0.0.9", &held).contains(&known), "the room is held to it");
        let mut typed = inside("192.168.1.20");
        let nothing = made("192.168.1.20", &typed);
        assert!(!nothing.contains("fingerprint"), "nothing is known: {nothing}");
        typed.hosting = hosting(true, &["10.0.0.2:7880", "192.168.1.20:7880"]);
        assert!(made("192.168.1.20", &typed).contains(&known), "it is this computer");
        assert!(link(RawEnterParams::default(), &typed).contains(&known), "so is the room's server");
        for other in ["10.0.0.8", "10.0.0.9:7881", "http://10.0.0.9:7880", "https://10.0.0.9:7880"] {
            let made = made(other, &held);
            assert!(!made.contains("fingerprint"), "{made}");
        }
    }

    #[test]
    fn another_servers_room_stays_there_while_rooms_are_open_here() {
        let mut state = inside("https://meet.example");
        state.hosting = hosting(true, &["192.168.1.20:7880"]);
        let made = link(RawEnterParams::default(), &state);
        assert!(made.starts_with("confab://join?server=https://meet.example&room=tea"), "{made}");
        let named =
            RawEnterParams { room_id: Some(5), passcode: Some("x".into()), ..RawEnterParams::default() };
        let made = link(named, &state);
        assert!(made.starts_with("confab://join?server=192.168.1.20:7880&"), "{made}");
        assert!(made.ends_with("room=5&kind=number&passcode=x&scene=videoCall"), "{made}");
    }
}
