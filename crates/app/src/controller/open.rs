//! Rooms opened on this computer.

use std::sync::Arc;

use confab_protocol::{Code, Fault, Invitation};
use serde_json::Value;

use super::actor::{Actor, Change, Done, HostingNow, Reply};
use super::jobs;
use crate::Host;
use crate::hosting::Opening;

impl<H: Host> Actor<H> {
    pub(super) async fn host_room(&mut self, opening: Opening, reply: Reply) {
        if let Err(fault) = check(&opening) {
            return Self::answer(reply, Err(fault));
        }
        match std::mem::replace(&mut self.hosting, HostingNow::Changing) {
            HostingNow::Yes(running) if running.is_on(opening.port) => {
                self.start(jobs::open(reply, running, opening)).await;
            }
            HostingNow::Yes(running) => {
                Self::answer(reply, Err(elsewhere(&running.info.addresses)));
                self.hosting = HostingNow::Yes(running);
            }
            HostingNow::Changing => Self::answer(reply, Err(changing())),
            HostingNow::No => {
                let (store, networks) = (Arc::clone(&self.store), self.networks.clone());
                self.start(jobs::host(reply, store, networks, opening)).await;
            }
        }
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

/// What cannot be asked for.
fn check(opening: &Opening) -> Result<(), Fault> {
    let length = opening.passcode.as_ref().map_or(0, |passcode| passcode.0.chars().count());
    if length <= Invitation::MAX_PASSCODE {
        return Ok(());
    }
    Err(Fault::new(Code::INVALID_PARAMETER).with_message(format!(
        "passcode: it has {length} characters; at most {} are possible.",
        Invitation::MAX_PASSCODE
    )))
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
