//! What Confab's parts agree on: rooms, people, roles, codes, events, UserSig.
//! Everything here is a value: no clock, no socket, no file.
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::panic, reason = "a test may fail loudly"))]

mod ago;
mod code;
mod enter;
mod event;
mod fault;
mod guest;
mod host;
mod id;
mod invitation;
mod message;
mod notice;
mod participant;
pub mod private_map_key;
mod quality;
mod room_id;
mod scene;
mod schema;
mod server_address;
mod statistics;
mod switch;
mod tls_text;
pub mod user_sig;
mod wire;

pub use code::Code;
pub use enter::{EnterParams, Proof, RawEnterParams, UserSigText};
pub use event::{Event, UserQuality, Volume};
pub use fault::Fault;
pub use guest::{Guest, GuestSecret, GuestSecretError, Passcode};
pub use host::{HostAction, RoomState, Waiting};
pub use id::{DisplayName, DisplayNameError, SdkAppId, UserId, UserIdError, is_unseen};
pub use invitation::{Invitation, InvitationError, InviteAnswer, OneTimeTicket, OneTimeTicketError, Part};
pub use message::{CmdId, CustomMessage, MESSAGE_TOPIC, MessageError, MessageRate, RateError};
pub use notice::{ExitCause, ExitReason, LeaveReason, NOTICE_TOPIC, Notice, ROLE_ATTRIBUTE};
pub use participant::{Participant, StreamType};
pub use quality::{Measured, Quality, Steady};
pub use room_id::{RoomId, RoomIdError};
pub use scene::{Role, Scene, UnknownRole, UnknownScene};
pub use server_address::{
    DEFAULT_SERVER, Fingerprint, FingerprintError, ServerAddress, Trust, server_address,
};
pub use statistics::{LocalStatistics, RemoteStatistics, Statistics};
pub use switch::OtherRoom;
pub use wire::{EnterAnswer, EnterRequest, IceServer, Limits, Stay, TicketAnswer, TicketRequest, TicketRoom};
