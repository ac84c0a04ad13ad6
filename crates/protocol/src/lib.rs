//! What Confab's parts agree on: rooms, people, roles, codes, events, UserSig.
//! Everything here is a value: no clock, no socket, no file.
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::panic, reason = "a test may fail loudly"))]

mod ago;
mod code;
mod enter;
mod event;
mod fault;
mod guest;
mod id;
mod notice;
mod participant;
pub mod private_map_key;
mod room_id;
mod scene;
mod statistics;
mod tls_text;
pub mod user_sig;
mod wire;

pub use code::Code;
pub use enter::{DEFAULT_SERVER, EnterParams, Proof, RawEnterParams, UserSigText, server_url};
pub use event::{Event, Volume};
pub use fault::Fault;
pub use guest::{Guest, GuestSecret, GuestSecretError, Passcode};
pub use id::{DisplayName, DisplayNameError, SdkAppId, UserId, UserIdError};
pub use notice::{ExitCause, ExitReason, LeaveReason, NOTICE_TOPIC, Notice, ROLE_ATTRIBUTE};
pub use participant::{Participant, StreamType};
pub use room_id::{RoomId, RoomIdError};
pub use scene::{Role, Scene, UnknownRole, UnknownScene};
pub use statistics::{LocalStatistics, RemoteStatistics, Statistics};
pub use wire::{EnterAnswer, EnterRequest, IceServer, Limits, Stay, TicketAnswer, TicketRequest, TicketRoom};
