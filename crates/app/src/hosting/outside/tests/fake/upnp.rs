//! A router that speaks UPnP.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::sync::atomic::Ordering;
use std::time::Duration;

use super::{Asked, By, Inside, LOOK};

const KIND: &str = "urn:schemas-upnp-org:service:WANIPConnection:1";
/// The actions, and what each is told.
const ACTIONS: [(&str, &[&str]); 3] = [
    ("GetExternalIPAddress", &[]),
    (
        "AddPortMapping",
        &[
            "NewRemoteHost",
            "NewExternalPort",
            "NewProtocol",
            "NewInternalPort",
            "NewInternalClient",
            "NewEnabled",
            "NewPortMappingDescription",
            "NewLeaseDuration",
        ],
    ),
    ("DeletePortMapping", &["NewRemoteHost", "NewExternalPort", "NewProtocol"]),
];

/// How it answers.
#[derive(Debug, Clone, Default)]
pub(in super::super) struct Script {
    /// What it gives for its address outside.
    pub(in super::super) outside: String,
    /// How it refuses ports.
    pub(in super::super) refusal: Option<(u16, &'static str)>,
    /// All that it answers to who asks for a port, as it stands.
    pub(in super::super) raw: Option<Vec<u8>>,
    /// All that it answers to who asks for its description, as it stands.
    pub(in super::super) description: Option<Vec<u8>>,
}

pub(in super::super) struct Upnp {
    /// Where it is searched.
    pub(in super::super) address: SocketAddr,
    /// Where it has its pages.
    pub(in super::super) http: SocketAddr,
    inside: Inside,
}

impl Upnp {
    pub(in super::super) fn start(script: Script) -> Upnp {
        let (socket, listener) =
            (UdpSocket::bind("127.0.0.1:0").unwrap(), TcpListener::bind("127.0.0.1:0").unwrap());
        let (address, http) = (socket.local_addr().unwrap(), listener.local_addr().unwrap());
        socket.set_read_timeout(Some(LOOK)).unwrap();
        listener.set_nonblocking(true).unwrap();
        let mut inside = Inside::default();
        inside.spawn(move |_, over| {
            let mut question = [0; 2048];
            while !over.load(Ordering::Relaxed) {
                let Ok((count, from)) = socket.recv_from(&mut question) else { continue };
                assert!(question[..count].starts_with(b"M-SEARCH * HTTP/1.1\r\n"));
                // Others of the network answer with nonsense, and point at somebody else.
                let at = |place: String| format!("HTTP/1.1 200 OK\r\nLOCATION: {place}\r\nST: x\r\n\r\n");
                let other = at("http://127.0.0.3:1/root.xml".to_owned());
                for answer in
                    [&b"\xff\0"[..], b"", other.as_bytes(), at(format!("http://{http}/root.xml")).as_bytes()]
                {
                    socket.send_to(answer, from).unwrap();
                }
            }
        });
        inside.spawn(move |note, over| {
            while !over.load(Ordering::Relaxed) {
                match listener.accept() {
                    Ok((stream, _)) => answer(stream, &script, note),
                    Err(_) => std::thread::sleep(LOOK),
                }
            }
        });
        Upnp { address, http, inside }
    }

    pub(in super::super) fn asked(&self) -> Vec<Asked> {
        self.inside.asked()
    }
}

fn answer(mut stream: TcpStream, script: &Script, note: &dyn Fn(Asked)) {
    stream.set_nonblocking(false).unwrap();
    stream.set_read_timeout(Some(Duration::from_millis(500))).unwrap();
    let (mut bytes, mut part) = (Vec::new(), [0; 4096]);
    let question = loop {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if text.starts_with("GET") && text.contains("\r\n\r\n") || text.contains("</s:Envelope>") {
            break text;
        }
        match stream.read(&mut part) {
            Ok(count) if count > 0 => bytes.extend_from_slice(&part[..count]),
            _ => break text,
        }
    };
    // Whoever asked may have gone.
    let _ = stream.write_all(&reply(&question, script, note));
}

fn reply(question: &str, script: &Script, note: &dyn Fn(Asked)) -> Vec<u8> {
    if question.starts_with("GET /root.xml ") {
        return script.description.clone().unwrap_or_else(|| page("200 OK", &description()));
    }
    if question.starts_with("GET /actions.xml ") {
        return page("200 OK", &actions());
    }
    let action = ACTIONS.iter().find(|(name, _)| question.contains(&format!("#{name}\"")));
    let field = |name: &str| {
        let (_, behind) = question.split_once(&format!("<{name}>")).unwrap();
        behind.split_once('<').unwrap().0.to_owned()
    };
    let asked = |close, granted| Asked {
        by: By::Upnp,
        tcp: field("NewProtocol") == "TCP",
        key: field("NewExternalPort").parse().unwrap(),
        nonce: [0; 12],
        close,
        granted,
    };
    match action {
        Some((name @ "GetExternalIPAddress", _)) => {
            let outside = &script.outside;
            page("200 OK", &done(name, &format!("<NewExternalIPAddress>{outside}</NewExternalIPAddress>")))
        }
        Some((name @ "DeletePortMapping", _)) => {
            note(asked(true, true));
            page("200 OK", &done(name, ""))
        }
        Some((name, _)) => {
            // Like many, it keeps ports open for ever only.
            let refusal = match script.refusal {
                None if field("NewLeaseDuration") != "0" => Some((725, "OnlyPermanentLeasesSupported")),
                other => other,
            };
            let granted = refusal.is_none() && script.raw.is_none();
            note(asked(false, granted));
            let answer = match refusal {
                Some((code, words)) => page("500 Internal Server Error", &fault(code, words)),
                None => page("200 OK", &done(name, "")),
            };
            script.raw.clone().unwrap_or(answer)
        }
        None => page("400 Bad Request", ""),
    }
}

fn page(status: &str, body: &str) -> Vec<u8> {
    format!("HTTP/1.1 {status}\r\nConnection: close\r\n\r\n{body}").into_bytes()
}

fn description() -> String {
    let urls = "<SCPDURL>/actions.xml</SCPDURL><controlURL>/ctl</controlURL>";
    let services =
        format!("<serviceList><service><serviceType>{KIND}</serviceType>{urls}</service></serviceList>");
    let inner = format!("<deviceList><device>{services}</device></deviceList>");
    format!("<root xmlns=\"urn:schemas-upnp-org:device-1-0\"><device>{inner}</device></root>")
}

fn actions() -> String {
    let argument = |name: &&str| format!("<argument><name>{name}</name><direction>in</direction></argument>");
    let action = |(name, arguments): &(&str, &[&str])| {
        let arguments: String = arguments.iter().map(argument).collect();
        format!("<action><name>{name}</name><argumentList>{arguments}</argumentList></action>")
    };
    let all: String = ACTIONS.iter().map(action).collect();
    format!("<scpd xmlns=\"urn:schemas-upnp-org:service-1-0\"><actionList>{all}</actionList></scpd>")
}

fn envelope(body: &str) -> String {
    let space = "http://schemas.xmlsoap.org/soap/envelope/";
    format!("<?xml version=\"1.0\"?><s:Envelope xmlns:s=\"{space}\"><s:Body>{body}</s:Body></s:Envelope>")
}

fn done(action: &str, values: &str) -> String {
    envelope(&format!("<u:{action}Response xmlns:u=\"{KIND}\">{values}</u:{action}Response>"))
}

fn fault(code: u16, words: &str) -> String {
    let error = format!(
        "<UPnPError xmlns=\"urn:schemas-upnp-org:control-1-0\"><errorCode>{code}</errorCode>\
         <errorDescription>{words}</errorDescription></UPnPError>"
    );
    envelope(&format!("<s:Fault><faultcode>s:Client</faultcode><detail>{error}</detail></s:Fault>"))
}
