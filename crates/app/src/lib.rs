//! What the app does, without a window: one list of commands, one stream of events, one state.
//! Hosts put a face on it: the desktop shell, `confab-headless`, tests.
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::panic, reason = "a test may fail loudly"))]

mod device;
mod event;
mod request;
pub mod types;
mod view;

pub use device::{DeviceKind, DeviceView};
pub use event::{Event, ViewEvent};
pub use request::{COMMANDS, Picture, Request, SignedUser};
pub use view::{AppState, CameraView, ExitView, Hosting, MicrophoneView, Phase, RoomView};

/// The only error that a host sees.
pub use confab_protocol::Fault;
