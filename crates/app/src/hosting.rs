//! Rooms opened on this computer: the server, in this process, on threads of its own.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use confab_protocol::{Code, ExitCause, Fault};
use confab_server::{AppConfig, Config, Hosted, Server, StartError};
use tracing::info;

use crate::Hosting;
use crate::store::HostKey;

/// Where others look for a server first.
const PORT: u16 = 7880;

/// A running server, what is told about it, and the key that signs for its application.
pub(crate) struct Running {
    pub(crate) info: Hosting,
    pub(crate) key: String,
    lan: bool,
    server: Hosted,
}

impl Running {
    /// Starts a server. Blocks for milliseconds.
    pub(crate) fn start(key: &HostKey, port: Option<u16>, lan: bool) -> Result<Self, Fault> {
        let ip = if lan { Ipv4Addr::UNSPECIFIED } else { Ipv4Addr::LOCALHOST };
        let config = |port: u16| Config {
            http: SocketAddr::from((ip, port)),
            media: SocketAddr::from((ip, if port == PORT { PORT + 1 } else { 0 })),
            workers: Some(1),
            app: vec![AppConfig { guests: true, ..AppConfig::new(key.sdk_app_id, key.key.clone()) }],
            ..Config::default()
        };
        let started = match Server::spawn(config(port.unwrap_or(PORT))) {
            // Nobody asked for this port: any other will do.
            Err(StartError::PortInUse { .. }) if port.is_none() => Server::spawn(config(0)),
            other => other,
        };
        let server = started.map_err(|error| refused(&error))?;
        let port = server.http().port();
        let addresses = if lan { lan_addresses() } else { vec![IpAddr::V4(Ipv4Addr::LOCALHOST)] };
        let info = Hosting {
            server: format!("http://127.0.0.1:{port}"),
            addresses: addresses.into_iter().map(|ip| SocketAddr::new(ip, port).to_string()).collect(),
            sdk_app_id: key.sdk_app_id,
        };
        info!(server = %info.server, lan, "hosting");
        Ok(Self { info, key: key.key.clone(), lan, server })
    }

    /// Whether rooms are open as they are asked for again; nothing given is as they are.
    pub(crate) fn is_as(&self, port: Option<u16>, lan: Option<bool>) -> bool {
        port.is_none_or(|port| port == self.server.http().port()) && lan.is_none_or(|lan| lan == self.lan)
    }

    /// Tells everybody that the host stopped and waits for the end, at most 3 s.
    pub(crate) fn stop(self) {
        self.server.stop(ExitCause::HostStopped);
    }
}

/// Says what stands in the way in words of the app, which has no settings of a server.
#[expect(clippy::wildcard_enum_match_arm, reason = "the other causes are said well by the server")]
fn refused(error: &StartError) -> Fault {
    let why = match error {
        StartError::PortInUse { address, .. } => {
            format!("port {} is in use by another program; choose another one", address.port())
        }
        StartError::Listen { address, refusal, .. } => format!("{address} cannot be used: {refusal}"),
        other => other.to_string(),
    };
    Fault::new(Code::FAILED).with_message(format!("No room can be opened here: {why}."))
}

impl std::fmt::Debug for Running {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Running").field("info", &self.info).finish_non_exhaustive()
    }
}

/// The address by which this computer reaches others. No packet is sent for it.
fn lan_addresses() -> Vec<IpAddr> {
    let outward = std::net::UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0)).and_then(|socket| {
        socket.connect((Ipv4Addr::new(192, 0, 2, 1), 9))?;
        socket.local_addr()
    });
    match outward {
        Ok(address) => vec![address.ip()],
        Err(_) => vec![IpAddr::V4(Ipv4Addr::LOCALHOST)],
    }
}
