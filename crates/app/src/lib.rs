//! What the app does, without a window: one list of commands, one stream of events, one state.
//! Hosts put a face on it: the desktop shell, `confab-headless`, tests.
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::panic, reason = "a test may fail loudly"))]

pub mod controller;
mod device;
mod event;
mod flags;
mod host;
mod hosting;
mod invitation;
pub mod lines;
pub mod log;
mod nearby;
mod presenter;
mod request;
mod stage;
mod store;
pub mod types;
mod view;

pub use controller::{Controller, Options};
pub use device::{DeviceKind, DeviceView, SelectedDevices, VoiceProcessing};
pub use event::{Event, ViewEvent};
pub use flags::{Flags, ReceiveFlag};
pub use host::Host;
pub use invitation::{InvitationForms, InvitationText};
pub use nearby::NearbyView;
pub use presenter::{PresenterKind, PresenterView};
pub use request::{COMMANDS, MadeTicket, MessageData, Picture, Request, SignedUser};
pub use stage::Stage;
pub use store::{Store, StoreError, make_folder};
pub use view::{
    AppState, CameraView, ExitView, Hosting, MicrophoneView, Outside, OutsideState, Phase, RoomView,
    SpeakerView, SwitchView,
};

/// The only error that a host sees, and its codes.
pub use confab_protocol::{Code, Fault};
/// Which videos are received, and how the people in the room are described.
pub use confab_session::Receive;
