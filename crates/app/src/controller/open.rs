//! Rooms opened on this computer.

use confab_protocol::{Code, Fault};
use serde_json::Value;

use super::actor::{Actor, Change, Done, HostingNow, Reply};
use super::command::store_fault;
use super::jobs;
use crate::Host;

impl<H: Host> Actor<H> {
    pub(super) async fn host_room(&mut self, port: Option<u16>, lan: Option<bool>, reply: Reply) {
        match &self.hosting {
            HostingNow::Yes(running) if running.is_as(port, lan) => {
                return Self::answer(reply, jobs::value(&running.info));
            }
            HostingNow::Yes(running) => return Self::answer(reply, Err(elsewhere(&running.info.addresses))),
            HostingNow::Changing => return Self::answer(reply, Err(changing())),
            HostingNow::No => {}
        }
        let key = match self.store.host_key() {
            Ok(key) => key,
            Err(error) => return Self::answer(reply, Err(store_fault(&error))),
        };
        self.hosting = HostingNow::Changing;
        self.start(jobs::host(reply, key, port, lan.unwrap_or(false))).await;
    }

    pub(super) async fn stop_hosting(&mut self, reply: Reply) {
        match std::mem::replace(&mut self.hosting, HostingNow::Changing) {
            HostingNow::Yes(running) => {
                let job = async move {
                    let stopped = jobs::blocking(move || {
                        running.stop();
                        Ok(Value::Null)
                    });
                    let answer = stopped.await;
                    Done { change: Change::HostingStopped, reply: Some((reply, answer)) }
                };
                self.start(job).await;
            }
            HostingNow::Changing => Self::answer(reply, Err(changing())),
            HostingNow::No => {
                self.hosting = HostingNow::No;
                Self::answer(reply, Ok(Value::Null));
            }
        }
    }
}

fn elsewhere(addresses: &[String]) -> Fault {
    Fault::new(Code::REFUSED).with_message(format!(
        "Rooms are open at {} already; stop hosting first to open them elsewhere.",
        addresses.join(", ")
    ))
}

fn changing() -> Fault {
    Fault::new(Code::REFUSED)
        .with_message("Rooms are being opened or closed right now; try again in a moment.")
}
