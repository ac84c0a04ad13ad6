//! The client's pure parts, for simulations of whole rooms in virtual time: who is in the room, and how
//! packets become pictures. Nothing of the running client goes through here.

pub use crate::link::farewell::{End, Farewell};
use crate::publish::packetize::{Packetizer, VoicePacketizer};
use crate::subscribe::assemble::Assembler;
use crate::subscribe::people::{Content, People};
use crate::subscribe::reorder::{Reorder, Step};
use crate::subscribe::video::{HELD, KEY_INTERVAL, PATIENCE};
use bytes::Bytes;
use confab_frame::{EncodedAudio, EncodedVideo};
use confab_protocol::{Event, LeaveReason};
use confab_signal::lk;
use rtc::rtp::packet::Packet;
use std::time::Instant;

/// Everybody else in the room, as the client knows them.
#[derive(Debug, Default)]
pub struct Others(People);

/// Somebody else and what they send.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Other {
    /// Who, by the identity that the server has for them.
    pub user_id: String,
    /// Their camera is sent and not muted.
    pub video: bool,
    /// Their voice is sent and not muted.
    pub audio: bool,
}

impl Others {
    /// Nobody yet; `own` is the client's identity.
    pub fn new(own: &str) -> Others {
        Others(People::new(own))
    }

    /// The whole list, as after joining.
    pub fn replace(&mut self, infos: &[lk::ParticipantInfo]) -> Vec<Event> {
        self.0.replace(infos)
    }

    /// Changes of some people.
    pub fn update(&mut self, infos: &[lk::ParticipantInfo]) -> Vec<Event> {
        self.0.update(infos)
    }

    /// The server told why somebody leaves, before it tells that they do.
    pub fn will_leave(&mut self, user_id: &str, reason: LeaveReason) {
        self.0.will_leave(user_id, reason);
    }

    /// Everybody, by user id.
    pub fn list(&self) -> Vec<Other> {
        let people = self.0.iter();
        people
            .map(|(user_id, person)| Other {
                user_id: user_id.to_owned(),
                video: person.sends(Content::Camera),
                audio: person.sends(Content::Voice),
            })
            .collect()
    }

    /// Whose track that is, and whether it is a picture.
    pub fn track(&self, sid: &str) -> Option<(String, bool)> {
        self.0.track(sid).map(|track| (track.user_id, track.content != Content::Voice))
    }
}

/// An RTP packet without its header's details.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Piece {
    pub sequence: u16,
    pub timestamp: u32,
    pub marker: bool,
    pub payload: Bytes,
}

fn piece(packet: Packet) -> Piece {
    let header = packet.header;
    Piece {
        sequence: header.sequence_number,
        timestamp: header.timestamp,
        marker: header.marker,
        payload: packet.payload,
    }
}

/// Pictures into packets.
#[derive(Debug)]
pub struct PictureOut(Packetizer);

impl PictureOut {
    /// A stream of its own.
    pub fn new(ssrc: u32) -> PictureOut {
        PictureOut(Packetizer::new(ssrc, 102))
    }

    /// The packets of one picture.
    pub fn pieces(&mut self, picture: &EncodedVideo) -> Vec<Piece> {
        self.0.packets(picture).into_iter().map(piece).collect()
    }
}

/// Sound into packets.
#[derive(Debug)]
pub struct VoiceOut(VoicePacketizer);

impl VoiceOut {
    /// A stream of its own.
    pub fn new(ssrc: u32) -> VoiceOut {
        VoiceOut(VoicePacketizer::new(ssrc, 111))
    }

    /// The packet, or nothing for silence.
    pub fn piece(&mut self, sound: &EncodedAudio) -> Option<Piece> {
        self.0.packet(sound).map(piece)
    }
}

/// Packets into pictures: put in order, waited for, put together, and a key frame asked for after a loss.
#[derive(Debug)]
pub struct PictureIn {
    reorder: Reorder<Piece>,
    assembler: Assembler,
    asked: Option<Instant>,
}

impl PictureIn {
    /// A stream whose first packet comes at `now`; the server has asked for its first key frame.
    pub fn new(now: Instant) -> PictureIn {
        PictureIn { reorder: Reorder::new(PATIENCE, HELD), assembler: Assembler::new(), asked: Some(now) }
    }

    /// A packet arrived.
    pub fn push(&mut self, piece: Piece, now: Instant) {
        self.reorder.push(piece.sequence, piece, now);
    }

    /// The pictures that are complete at `now`: whether each is a key frame, and its bytes.
    pub fn pictures(&mut self, now: Instant) -> Vec<(bool, Bytes)> {
        let mut complete = Vec::new();
        while let Some(step) = self.reorder.poll(now) {
            match step {
                Step::Gap(_) => self.assembler.gap(),
                Step::Packet(piece) if piece.payload.is_empty() => {}
                Step::Packet(piece) => {
                    let units = self.assembler.push(&piece.payload, piece.timestamp, piece.marker);
                    complete.extend(units.into_iter().map(|unit| (unit.key, unit.data)));
                }
            }
        }
        complete
    }

    /// Whether a key frame is to be asked for now.
    pub fn asks(&mut self, now: Instant) -> bool {
        let due = self.assembler.wants_key() && self.asked.is_none_or(|asked| now >= asked + KEY_INTERVAL);
        if due {
            self.asked = Some(now);
        }
        due
    }
}
