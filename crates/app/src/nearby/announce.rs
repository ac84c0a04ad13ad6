//! Tells the network where others are let into the rooms opened here.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use confab_protocol::Fingerprint;
use mdns_sd::{ServiceDaemon, ServiceInfo};
use sysinfo::System;
use tracing::debug;

use super::record::Record;
use super::{PORT, SERVICE};

/// How long the last word, that the server is gone, may take.
const GOODBYE: Duration = Duration::from_millis(500);
/// What a computer without a name is called.
const NAMELESS: &str = "Confab";

/// Tells of one server as long as it is open to others. Has a thread while there is something to tell.
/// Where nothing can be told, nobody hears of the server, and everything else works. Dropping it takes
/// back what was told, within half a second.
pub(crate) struct Announcer {
    record: Record,
    port: u16,
    daemon: Option<ServiceDaemon>,
    /// The ports told of, and the addresses that each is open at.
    told: BTreeMap<u16, Vec<IpAddr>>,
}

impl Announcer {
    /// Tells of the server with that certificate, whose rooms belong to that application.
    pub(crate) fn new(fingerprint: Fingerprint, app: u32) -> Self {
        let name = System::host_name().ok().filter(|name| !name.is_empty());
        Self::on(PORT, name.unwrap_or_else(|| NAMELESS.to_owned()), fingerprint, app)
    }

    /// The same under that name, to those who listen at another port.
    pub(super) fn on(port: u16, name: String, fingerprint: Fingerprint, app: u32) -> Self {
        let record = Record { name, fingerprint, app };
        Self { record, port, daemon: None, told: BTreeMap::new() }
    }

    /// From now on the server is open there and nowhere else.
    pub(crate) fn tell(&mut self, doors: &[SocketAddr]) {
        let mut open: BTreeMap<u16, Vec<IpAddr>> = BTreeMap::new();
        for door in doors {
            open.entry(door.port()).or_default().push(door.ip());
        }
        if open == self.told {
            return;
        }
        if open.is_empty() {
            self.stop();
            return;
        }
        if let Err(error) = self.change(&open) {
            debug!(%error, "the network is not told of the rooms opened here");
        }
        self.told = open;
    }

    fn change(&mut self, open: &BTreeMap<u16, Vec<IpAddr>>) -> mdns_sd::Result<()> {
        let daemon = match &self.daemon {
            Some(daemon) => daemon,
            None => self.daemon.insert(ServiceDaemon::new_with_port(self.port)?),
        };
        for port in self.told.keys().filter(|port| !open.contains_key(port)) {
            daemon.unregister(&format!("{}.{SERVICE}", self.record.instance(*port)))?;
        }
        for (port, addresses) in
            open.iter().filter(|(port, addresses)| self.told.get(port) != Some(addresses))
        {
            let (instance, host) = (self.record.instance(*port), self.record.host(*port));
            let properties = self.record.properties();
            daemon.register(ServiceInfo::new(
                SERVICE,
                &instance,
                &host,
                addresses.as_slice(),
                *port,
                &properties[..],
            )?)?;
        }
        Ok(())
    }

    fn stop(&mut self) {
        self.told.clear();
        if let Some(ended) = self.daemon.take().and_then(|daemon| daemon.shutdown().ok()) {
            // It takes back what it told before it ends.
            let _ = ended.recv_timeout(GOODBYE);
        }
    }
}

impl Drop for Announcer {
    fn drop(&mut self) {
        self.stop();
    }
}
