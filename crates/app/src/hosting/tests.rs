//! Rooms on this computer, opened, changed and closed with real servers on loopback addresses.

use std::io::{Read, Write};
use std::net::{IpAddr, SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use confab_media::SpeakerSink;
use confab_protocol::Passcode;
use confab_server::Identity;
use serde_json::{Value, json};
use tokio::sync::mpsc;

use super::{Kept, Networks, Opening, Running};
use crate::store::HostKey;
use crate::{Controller, Event, Fault, Host, Hosting, Options, Request, Stage, ViewEvent};

/// Stand for addresses in networks.
const ONE: &str = "127.0.0.2";
const TWO: &str = "127.0.0.3";
/// How long anything may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(20);
const OFTEN: Duration = Duration::from_millis(20);
const NEVER: Duration = Duration::from_secs(3600);

/// The addresses of a computer that a test changes; nothing where the system does not tell them.
#[derive(Clone, Default)]
struct Around(Arc<(Mutex<Seen>, Condvar)>);

#[derive(Default)]
struct Seen {
    addresses: Option<Vec<IpAddr>>,
    /// How often they were looked at since they changed last.
    looks: usize,
}

impl Around {
    fn at(addresses: &[&str]) -> Self {
        let around = Self::default();
        around.set(addresses);
        around
    }

    fn set(&self, addresses: &[&str]) {
        self.change(Some(addresses.iter().map(|address| address.parse().unwrap()).collect()));
    }

    fn change(&self, addresses: Option<Vec<IpAddr>>) {
        *self.0.0.lock().unwrap() = Seen { addresses, looks: 0 };
    }

    /// Whether they are looked at so often within that time.
    fn is_looked_at(&self, times: usize, within: Duration) -> bool {
        let (seen, looked) = &*self.0;
        let few = |seen: &mut Seen| seen.looks < times;
        !looked.wait_timeout_while(seen.lock().unwrap(), within, few).unwrap().1.timed_out()
    }

    fn networks(&self, every: Duration) -> Networks {
        let around = self.clone();
        let look = move || {
            let (seen, looked) = &*around.0;
            let mut seen = seen.lock().unwrap();
            seen.looks += 1;
            looked.notify_all();
            seen.addresses.clone().ok_or_else(|| std::io::Error::other("no"))
        };
        Networks::new(look, every)
    }
}

fn start(around: &Around, every: Duration, port: Option<u16>) -> Running {
    Running::start(kept(None), &Opening { port, ..Opening::default() }, around.networks(every)).unwrap()
}

/// What a computer keeps, made for one test.
pub(super) fn kept(rooms: Option<PathBuf>) -> Kept {
    let key = HostKey { sdk_app_id: 1_600_000_001, key: "k".repeat(64) };
    Kept { key, identity: Identity::read(&Identity::make().unwrap()).unwrap(), rooms }
}

async fn changed(running: &mut Running) -> Hosting {
    tokio::time::timeout(PATIENCE, running.changed()).await.expect("a change is told").unwrap()
}

fn doors(running: &Running) -> Vec<SocketAddr> {
    running.info.addresses.iter().map(|address| address.parse().unwrap()).collect()
}

fn is_open(address: SocketAddr) -> bool {
    TcpStream::connect(address).is_ok()
}

#[tokio::test]
async fn addresses_that_come_and_go_are_followed_while_open_to_the_network() {
    let around = Around::at(&[ONE]);
    let mut running = start(&around, OFTEN, None);
    running.set_lan(true, false).unwrap();
    let port = running.http.port();
    let (one, two) = (format!("{ONE}:{port}"), format!("{TWO}:{port}"));
    assert_eq!(running.info.addresses, [one.as_str()]);

    around.set(&[TWO, ONE]);
    assert_eq!(changed(&mut running).await.addresses, [two.as_str(), one.as_str()]);
    assert!(doors(&running).into_iter().all(is_open));
    around.set(&[TWO]);
    assert_eq!(changed(&mut running).await.addresses, [two.as_str()]);
    assert!(!is_open(one.parse().unwrap()), "nobody listens at an address that is not shown");
    around.set(&[]);
    let alone = changed(&mut running).await;
    assert!(alone.lan && alone.addresses.is_empty(), "{alone:?}");
    around.set(&[ONE]);
    assert_eq!(changed(&mut running).await.addresses, [one.as_str()]);
    assert!(is_open(one.parse().unwrap()), "an address that is back is opened again");

    running.set_lan(false, false).unwrap();
    assert_eq!(running.info.addresses, [format!("127.0.0.1:{port}")]);
    around.set(&[TWO]);
    assert!(!around.is_looked_at(1, OFTEN * 5), "nobody follows any more");
    assert!(!is_open(two.parse().unwrap()) && !is_open(one.parse().unwrap()), "closed is closed");
}

#[test]
fn asked_again_the_addresses_are_looked_at_at_once() {
    let around = Around::at(&[ONE]);
    let mut running = start(&around, NEVER, None);
    running.set_lan(true, false).unwrap();
    around.set(&[ONE, TWO]);
    running.set_lan(true, false).unwrap();
    assert_eq!(running.info.addresses.len(), 2, "{:?}", running.info);
    assert!(doors(&running).into_iter().all(is_open));
}

#[test]
fn a_network_whose_addresses_are_not_told_closes_nothing() {
    let around = Around::at(&[ONE]);
    let mut running = start(&around, OFTEN, None);
    running.set_lan(true, false).unwrap();
    around.change(None);
    // The first of two looks has had its consequences.
    assert!(around.is_looked_at(2, PATIENCE));
    running.set_lan(true, false).unwrap();
    assert!(is_open(doors(&running)[0]));
}

#[test]
fn a_taken_port_is_replaced_at_that_address_unless_it_was_asked_for() {
    let around = Around::at(&[ONE, TWO]);
    let mut running = start(&around, OFTEN, None);
    let port = running.http.port();
    let taken = TcpListener::bind((ONE, port)).unwrap();
    running.set_lan(true, false).unwrap();
    let [one, two] = doors(&running)[..] else { panic!("{:?}", running.info) };
    assert_eq!((one.ip().to_string().as_str(), two), (ONE, format!("{TWO}:{port}").parse().unwrap()));
    assert!(one.port() != port && is_open(one));
    running.set_lan(true, false).unwrap();
    assert_eq!(doors(&running), [one, two], "the port stays while others know it");

    running.set_lan(false, false).unwrap();
    around.set(&[ONE]);
    let refused = running.set_lan(true, true).unwrap_err().message;
    assert!(refused.contains(&format!("port {port} is in use")), "{refused}");
    assert!(!running.info.lan && running.info.addresses == [format!("127.0.0.1:{port}")]);
    drop(taken);
    running.set_lan(true, true).unwrap();
    assert_eq!(running.info.addresses, [format!("{ONE}:{port}")]);
}

#[test]
fn a_computer_in_no_network_is_told_so() {
    let mut running = start(&Around::at(&[]), OFTEN, None);
    let refused = running.set_lan(true, false).unwrap_err().message;
    assert!(refused.contains("in no network"), "{refused}");
    assert!(!running.info.lan);
}

#[test]
fn ipv6_addresses_are_offered_in_brackets() {
    if TcpListener::bind("[::1]:0").is_err() {
        // This computer has no IPv6; which addresses are offered is tested without it.
        return;
    }
    let mut running = start(&Around::at(&[ONE, "::1"]), OFTEN, None);
    running.set_lan(true, false).unwrap();
    let port = running.http.port();
    assert_eq!(running.info.addresses[0], format!("{ONE}:{port}"));
    assert!(running.info.addresses[1].starts_with("[::1]:"), "{:?}", running.info);
    assert!(is_open(doors(&running)[1]));
}

#[test]
fn pages_that_came_by_a_name_get_no_ticket_and_no_entry() {
    let running = start(&Around::at(&[]), NEVER, None);
    let here = running.http;
    let evil = format!("evil.example:{}", here.port());
    let (local, here) = (format!("localhost:{}", here.port()), here.to_string());
    for (path, body) in [("/v1/ticket", json!({ "room": 5 })), ("/v1/enter", json!({}))] {
        let ask = |host: &str, origin: Option<&str>| code(running.http, path, host, origin, &body);
        for (host, origin) in [(&evil, &evil), (&here, &evil), (&evil, &here), (&here, &local)] {
            assert_eq!(ask(host, Some(&format!("http://{origin}"))), -102_011, "{path} {host} {origin}");
        }
        for own in [&here, &local] {
            let asked = ask(own, Some(&format!("http://{own}")));
            assert_ne!(asked, -102_011, "{path} {own}");
        }
        assert_ne!(ask(&evil, None), -102_011, "no page");
    }
    let ticket = |host: &str| code(running.http, "/v1/ticket", host, None, &json!({ "room": 5 }));
    assert_eq!(ticket(&here), 0);
}

#[test]
fn the_door_is_as_it_was_asked_for_and_changes_while_rooms_are_open() {
    let asks = |passcode: &str, waiting_room| Opening {
        passcode: Some(Passcode(passcode.into())),
        waiting_room,
        ..Opening::default()
    };
    let networks = Around::at(&[]).networks(NEVER);
    let mut running = Running::start(kept(None), &asks("tea", Some(true)), networks).unwrap();
    let ticket = |running: &Running, said: Option<&str>| {
        let body = json!({ "room": 5, "passcode": said });
        code(running.http, "/v1/ticket", &running.http.to_string(), None, &body)
    };
    assert!(running.info.passcode && running.info.waiting_room);
    assert_eq!((ticket(&running, None), ticket(&running, Some("tea"))), (-102_011, 0));
    running.open(&asks("coffee", None)).unwrap();
    assert!(running.info.passcode && running.info.waiting_room, "what is left out stays");
    assert_eq!((ticket(&running, Some("tea")), ticket(&running, Some("coffee"))), (-102_011, 0));
    assert_eq!(running.passcode(), Some(Passcode("coffee".into())));
    running.open(&asks("", Some(false))).unwrap();
    assert!(!running.info.passcode && !running.info.waiting_room);
    assert_eq!((ticket(&running, None), running.passcode()), (0, None));
    running.open(&Opening::default()).unwrap();
    assert_eq!(ticket(&running, None), 0);
}

#[test]
fn rooms_are_kept_in_their_file_unless_another_program_has_it() {
    let folder = tempfile::tempdir().unwrap();
    let file = || Some(folder.path().join("rooms.db"));
    let open = |file| Running::start(kept(file), &Opening::default(), Around::at(&[]).networks(NEVER));
    let first = open(file()).unwrap();
    assert!(std::fs::metadata(file().unwrap()).unwrap().len() > 0);
    drop(open(file()).expect("somebody else of this computer hosts, without what is kept"));
    drop(first);
    std::fs::write(file().unwrap(), "a letter of somebody's, and no database at all").unwrap();
    let refused = open(file()).unwrap_err().message;
    assert!(refused.contains("rooms.db") && refused.contains("move it away"), "{refused}");
}

/// The code that a request is answered with.
fn code(at: SocketAddr, path: &str, host: &str, origin: Option<&str>, body: &Value) -> i64 {
    let body = body.to_string();
    let origin = origin.map(|origin| format!("Origin: {origin}\r\n")).unwrap_or_default();
    let length = body.len();
    let head = format!("POST {path} HTTP/1.1\r\nHost: {host}\r\n{origin}Connection: close\r\n");
    let mut stream = TcpStream::connect(at).unwrap();
    stream.write_all(format!("{head}Content-Length: {length}\r\n\r\n{body}").as_bytes()).unwrap();
    let mut said = String::new();
    stream.read_to_string(&mut said).unwrap();
    let (_, answer) = said.split_once("\r\n\r\n").unwrap();
    serde_json::from_str::<Value>(answer).unwrap()["code"].as_i64().unwrap()
}

/// A page that hears which addresses are shown.
struct Page(mpsc::UnboundedSender<Vec<String>>);

impl Host for Page {
    fn emit(&self, event: Event) {
        if let Event::View(ViewEvent::State(state)) = event {
            // The test may have seen enough.
            let _ = self.0.send(state.hosting.map(|hosting| hosting.addresses).unwrap_or_default());
        }
    }

    fn stage_snapshot(&self, _: &Stage) -> Result<Vec<u8>, Fault> {
        Ok(Vec::new())
    }
}

#[tokio::test]
async fn the_page_is_told_of_an_address_that_comes_while_rooms_are_open() {
    let folder = tempfile::tempdir().unwrap();
    let around = Around::at(&[ONE]);
    let options = Options {
        camera: None,
        microphone: None,
        speaker: SpeakerSink::Null,
        networks: around.networks(OFTEN),
        ..Options::new(folder.path())
    };
    let (tell, mut told) = mpsc::unbounded_channel();
    let (app, _) = Controller::start(options, Page(tell));
    let open =
        Request::HostRoom { port: None, lan: Some(true), outside: None, passcode: None, waiting_room: None };
    let hosting = app.call(open).await.unwrap();
    assert_eq!(hosting["addresses"].as_array().map(Vec::len), Some(1), "{hosting}");
    around.set(&[ONE, TWO]);
    let told = async {
        while let Some(addresses) = told.recv().await {
            if addresses.len() == 2 {
                return addresses;
            }
        }
        Vec::new()
    };
    let addresses = tokio::time::timeout(PATIENCE, told).await.expect("a state with both");
    assert!(addresses[0].starts_with(ONE) && addresses[1].starts_with(TWO), "{addresses:?}");
    let state = app.call(Request::GetState {}).await.unwrap();
    assert_eq!(state["hosting"]["addresses"], json!(addresses));
    app.close().await;
    assert!(!is_open(addresses[1].parse().unwrap()), "nothing stays open");
}
