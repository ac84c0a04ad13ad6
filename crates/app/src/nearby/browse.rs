//! Looks around in the network for computers that let others into their rooms.

use std::net::IpAddr;
use std::time::Duration;

use mdns_sd::{Receiver, ResolvedService, ServiceDaemon, ServiceEvent};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{Interval, MissedTickBehavior, interval};
use tracing::{Instrument, debug, debug_span};

use super::list::{List, NearbyView};
use super::record::Record;
use super::{PORT, SERVICE};

/// How often those who were found are asked whether they are still there: somebody whose network broke
/// has not said goodbye.
const ASK: Duration = Duration::from_secs(20);
/// How long they may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// Looks around until it is dropped. Where that cannot be, nobody is found.
#[derive(Debug)]
pub(crate) struct Browser {
    told: watch::Receiver<Vec<NearbyView>>,
    task: Option<JoinHandle<()>>,
}

impl Browser {
    /// Begins to look; belongs into an asynchronous runtime.
    pub(crate) fn start() -> Self {
        Self::on(PORT)
    }

    /// The same among those who tell at another port.
    pub(super) fn on(port: u16) -> Self {
        let (tell, told) = watch::channel(Vec::new());
        let task = match Look::start(port) {
            Ok(look) => Some(tokio::spawn(look.run(tell).instrument(debug_span!("nearby")))),
            Err(error) => {
                debug!(%error, "nobody can be found in the network");
                None
            }
        };
        Self { told, task }
    }

    /// Waits until there is news and gives all who are there; nothing when no news can come any more. May
    /// be dropped at any time.
    pub(crate) async fn changed(&mut self) -> Option<Vec<NearbyView>> {
        self.told.changed().await.ok()?;
        Some(self.told.borrow_and_update().clone())
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        if let Some(task) = &self.task {
            task.abort();
        }
    }
}

/// The library's thread and what it has found. Dropping it ends the thread.
struct Look {
    daemon: ServiceDaemon,
    events: Receiver<ServiceEvent>,
    list: List,
}

impl Look {
    fn start(port: u16) -> mdns_sd::Result<Self> {
        let daemon = ServiceDaemon::new_with_port(port)?;
        let events = daemon.browse(SERVICE)?;
        Ok(Self { daemon, events, list: List::default() })
    }

    async fn run(mut self, tell: watch::Sender<Vec<NearbyView>>) {
        let mut ask = asking();
        loop {
            tokio::select! {
                event = self.events.recv_async() => match event {
                    Ok(event) => self.take(event),
                    Err(_) => break debug!("nobody is looked for in the network any more"),
                },
                _ = ask.tick() => self.ask(),
            }
            let view = self.list.view();
            tell.send_if_modified(|told| {
                let changed = *told != view;
                *told = view;
                changed
            });
        }
    }

    #[expect(clippy::wildcard_enum_match_arm, reason = "the library tells also how it gets on")]
    fn take(&mut self, event: ServiceEvent) {
        match event {
            ServiceEvent::ServiceResolved(service) => self.found(&service),
            ServiceEvent::ServiceRemoved(_, id) => self.list.lost(&id),
            _ => {}
        }
    }

    fn found(&mut self, service: &ResolvedService) {
        let id = service.get_fullname();
        match Record::read(|key| service.get_property_val(key).flatten()) {
            Some(record) => {
                let addresses: Vec<IpAddr> =
                    service.get_addresses().iter().map(|address| address.to_ip_addr()).collect();
                self.list.found(id.to_owned(), &record, &addresses, service.get_port());
            }
            None => self.list.lost(id),
        }
    }

    /// Whoever does not answer is removed.
    fn ask(&self) {
        for id in self.list.ids() {
            if let Err(error) = self.daemon.verify(id.to_owned(), PATIENCE) {
                debug!(%error, "it is not asked whether somebody is still there");
            }
        }
    }
}

fn asking() -> Interval {
    let mut ask = interval(ASK);
    ask.set_missed_tick_behavior(MissedTickBehavior::Delay);
    ask
}

impl Drop for Look {
    fn drop(&mut self) {
        // It has ended by itself where it cannot be told.
        let _ = self.daemon.shutdown();
    }
}
