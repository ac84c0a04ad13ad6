//! What travels between the clients and the server, and what HTTP and WebSocket do with it.

use super::{Arrival, Due, SILENCE, Wire, World};
use crate::client::Out;
use crate::stream::Stream;
use crate::wire::{Down, Up};
use confab_protocol::Event;
use confab_server::sim::Told;
use std::cmp::Reverse;
use std::net::SocketAddr;
use std::time::Instant;

impl World {
    pub(super) fn arrive(&mut self, arrival: Arrival) {
        let now = self.now;
        match arrival {
            Arrival::ToServer(from, bytes) => {
                self.server.datagram(from, &bytes, now);
                self.serve();
            }
            Arrival::ToClient(to, from, bytes) => {
                if let Some(at) = self.place_of(to) {
                    self.places[at].client.receive(to, from, &bytes, now);
                    self.flush(at);
                }
            }
            Arrival::Up(wire, up) => self.asked(wire, up),
            Arrival::Down(number, down) => {
                let Some(wire) = self.wires.get(&number) else { return };
                let at = wire.client;
                let closed = matches!(down, Down::Close);
                if self.places[at].wire == Some(number) {
                    self.places[at].client.hear(down, now);
                    self.flush(at);
                } else if !closed {
                    // Nobody listens there any more, which the server learns.
                    self.say(number, Up::Close);
                }
                if closed && self.wires.get(&number).is_some_and(|wire| wire.closed) {
                    self.wires.remove(&number);
                }
            }
        }
    }

    /// What comes from a client over TCP, as the HTTP and websocket layers treat it.
    fn asked(&mut self, number: u64, up: Up) {
        let now = self.now;
        let Some(wire) = self.wires.get_mut(&number).filter(|wire| !wire.closed) else { return };
        if let Some(heard) = &mut wire.heard {
            *heard = now;
        }
        match up {
            Up::Dial => wire.down.send(Down::Accepted, now),
            Up::Enter(raw, stay) => {
                let answer = self.server.enter(*raw, Some(stay), now);
                wire.down.send(Down::Answer(Box::new(answer)), now);
            }
            Up::Open(token) => match self.server.open(&token, now) {
                Ok(line) => {
                    (wire.line, wire.heard) = (Some(line), Some(now));
                    wire.down.send(Down::Opened, now);
                }
                Err(text) => {
                    wire.down.send(Down::Refused(text), now);
                    wire.closed = true;
                }
            },
            Up::Request(request) => {
                if let Some(line) = &wire.line {
                    self.server.request(line, *request, now);
                }
            }
            Up::Close => {
                wire.closed = true;
                wire.down.clear();
                let line = wire.line.take();
                self.wires.remove(&number);
                if let Some(line) = line {
                    self.server.hang_up(line, now);
                }
            }
        }
        self.serve();
    }

    /// Takes along what the server has to say.
    pub(super) fn serve(&mut self) {
        let now = self.now;
        for wire in self.wires.values_mut() {
            let Some(line) = &mut wire.line else { continue };
            let closed = loop {
                match line.hear() {
                    Told::Response(response) => wire.down.send(Down::Response(response), now),
                    Told::Nothing => break false,
                    Told::Closed => break true,
                }
            };
            if closed {
                wire.line = None;
                wire.closed = true;
                wire.down.send(Down::Close, now);
            }
        }
        let mut outgoing = self.server.outgoing();
        if let Some(order) = &mut self.order {
            order.shuffle(&mut outgoing);
        }
        for (to, bytes) in outgoing {
            let Some(at) = self.place_of(to) else { continue };
            for arrives in self.places[at].down.arrivals(bytes.len(), now).into_iter().flatten() {
                self.post(arrives, Arrival::ToClient(to, self.media, bytes.clone()));
            }
        }
    }

    /// Takes along what a client has to say.
    pub(super) fn flush(&mut self, at: usize) {
        let now = self.now;
        let mut datagrams = Vec::new();
        for out in std::mem::take(&mut self.places[at].client.out) {
            match out {
                Out::Dial => {
                    self.next_wire += 1;
                    let wire = Wire {
                        client: at,
                        up: Stream::default(),
                        down: Stream::default(),
                        line: None,
                        heard: None,
                        closed: false,
                    };
                    self.wires.insert(self.next_wire, wire);
                    self.places[at].wire = Some(self.next_wire);
                }
                Out::Say(up) => {
                    let ends = matches!(up, Up::Close);
                    if let Some(wire) = self.places[at].wire {
                        self.say(wire, up);
                        if ends {
                            self.places[at].wire = None;
                        }
                    }
                }
                Out::Datagram { from, bytes } => datagrams.push((from, bytes)),
            }
        }
        if let Some(order) = &mut self.order {
            order.shuffle(&mut datagrams);
        }
        for (from, bytes) in datagrams {
            for arrives in self.places[at].up.arrivals(bytes.len(), now).into_iter().flatten() {
                self.post(arrives, Arrival::ToServer(from, bytes.clone()));
            }
        }
        for event in self.places[at].client.take_told() {
            self.trace.note(now, &self.places[at].name, &Shown(&event));
            self.places[at].told.push(event);
        }
        self.try_wires();
    }

    pub(super) fn say(&mut self, wire: u64, up: Up) {
        if let Some(wire) = self.wires.get_mut(&wire) {
            wire.up.send(up, self.now);
        }
    }

    /// Tries what is due on the TCP connections.
    pub(super) fn try_wires(&mut self) {
        let now = self.now;
        let mut arrivals = Vec::new();
        for (number, wire) in &mut self.wires {
            let place = &mut self.places[wire.client];
            if wire.up.due().is_some_and(|due| due <= now) {
                let through = wire.up.go(&mut place.up, now);
                arrivals.extend(through.into_iter().map(|(at, up)| (at, Arrival::Up(*number, up))));
            }
            if wire.down.due().is_some_and(|due| due <= now) {
                let through = wire.down.go(&mut place.down, now);
                arrivals.extend(through.into_iter().map(|(at, down)| (at, Arrival::Down(*number, down))));
            }
        }
        for (at, arrival) in arrivals {
            self.post(at, arrival);
        }
        self.watch();
    }

    /// Closes websockets that say nothing.
    fn watch(&mut self) {
        let now = self.now;
        let silent: Vec<u64> = self
            .wires
            .iter()
            .filter(|(_, wire)| !wire.closed && wire.heard.is_some_and(|heard| now >= heard + SILENCE))
            .map(|(number, _)| *number)
            .collect();
        for number in silent {
            let Some(mut wire) = self.wires.remove(&number) else { continue };
            if let Some(line) = wire.line.take() {
                self.server.hang_up(line, now);
            }
            wire.closed = true;
            wire.up.clear();
            wire.down.clear();
            wire.down.send(Down::Close, now);
            self.wires.insert(number, wire);
        }
    }

    fn post(&mut self, at: Instant, arrival: Arrival) {
        self.next_due += 1;
        self.due.push(Reverse(Due { at, number: self.next_due, arrival }));
    }

    fn place_of(&self, address: SocketAddr) -> Option<usize> {
        let SocketAddr::V4(address) = address else { return None };
        let number = usize::from(address.ip().octets()[3]).checked_sub(1)?;
        (number < self.places.len()).then_some(number)
    }
}

/// An event in few words, without what no seed decides.
struct Shown<'a>(&'a Event);

impl std::fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.0 {
            Event::OnEnterRoom { result } => write!(f, "onEnterRoom {result}"),
            Event::OnExitRoom { reason, cause, .. } => write!(f, "onExitRoom {reason:?} {cause:?}"),
            Event::OnRemoteUserEnterRoom { user_id, .. } => write!(f, "onRemoteUserEnterRoom {user_id}"),
            Event::OnRemoteUserLeaveRoom { user_id, reason } => {
                write!(f, "onRemoteUserLeaveRoom {user_id} {reason:?}")
            }
            Event::OnUserVideoAvailable { user_id, available } => {
                write!(f, "onUserVideoAvailable {user_id} {available}")
            }
            Event::OnUserAudioAvailable { user_id, available } => {
                write!(f, "onUserAudioAvailable {user_id} {available}")
            }
            Event::OnError { code, .. } => write!(f, "onError {code}"),
            other => write!(f, "{other:?}"),
        }
    }
}
