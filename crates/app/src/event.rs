//! Everything that is told without being asked for.

use serde::Serialize;
use ts_rs::TS;

use crate::AppState;

/// What a host is told: TRTC's events, and what only a page needs.
#[derive(Debug, Clone, PartialEq, Serialize, TS)]
#[serde(untagged)]
pub enum Event {
    /// TRTC's events.
    Room(confab_protocol::Event),
    /// For whoever renders snapshots of the state.
    View(ViewEvent),
}

/// What only a page needs.
#[derive(Debug, Clone, PartialEq, Serialize, TS)]
#[serde(tag = "event", content = "data", rename_all = "camelCase")]
#[non_exhaustive]
pub enum ViewEvent {
    /// The state changed; this is all of it.
    State(Box<AppState>),
    /// The window is asked to close while this computer hosts rooms: others lose them with it.
    CloseAsked {},
    /// An invitation was opened outside of the app; `take_invitation` gives it.
    Invited {},
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_kinds_have_one_form() {
        let room = Event::Room(confab_protocol::Event::OnEnterRoom { result: 1 });
        assert_eq!(serde_json::to_string(&room).unwrap(), r#"{"event":"onEnterRoom","data":{"result":1}}"#);
        let view = Event::View(ViewEvent::State(Box::default()));
        let json = serde_json::to_string(&view).unwrap();
        assert!(json.starts_with(r#"{"event":"state","data":{"phase":"idle","#), "{json}");
    }
}
