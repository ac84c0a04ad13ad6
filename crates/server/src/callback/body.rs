//! What a callback says and how it is signed (TRTC, room and media callbacks).

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use confab_protocol::{LeaveReason, RoomId};
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::Sha256;

use crate::happening::{ClientInfo, Happening, Stream, What};

/// TRTC's number of an event; none for what is no event there.
pub(super) fn number(what: &What) -> Option<u32> {
    match what {
        What::RoomCreated { .. } => Some(101),
        What::RoomClosed { .. } => Some(102),
        What::Entered { .. } => Some(103),
        What::Left { reason, .. } => exit_reason(*reason).map(|_| 104),
        What::RoleChanged { .. } => Some(105),
        What::Media { stream, on, .. } => {
            let start = match stream {
                Stream::Main => 201,
                Stream::Audio => 203,
                Stream::Sub => 205,
            };
            Some(if *on { start } else { start + 1 })
        }
    }
}

/// The body of a callback that is sent at `now`, Unix milliseconds.
pub(super) fn json(happening: &Happening, now: u64) -> Vec<u8> {
    let number = number(&happening.what).unwrap_or_default();
    let mut about = about(&happening.what);
    about["RoomId"] = room(&happening.room);
    about["EventTs"] = json!(happening.at_ms / 1000);
    let body = json!({
        "EventGroupId": number / 100,
        "EventType": number,
        "CallbackTs": now,
        "EventInfo": about,
    });
    body.to_string().into_bytes()
}

/// What stands in the header `Sign`.
pub(super) fn sign(key: &str, body: &[u8]) -> String {
    // HMAC takes keys of every length, so the error cannot occur; an empty signature is believed by nobody.
    Hmac::<Sha256>::new_from_slice(key.as_bytes())
        .map(|mac| BASE64_STANDARD.encode(mac.chain_update(body).finalize().into_bytes()))
        .unwrap_or_default()
}

fn room(room: &RoomId) -> Value {
    room.as_number().map_or_else(|| json!(room.as_text()), |number| json!(number))
}

/// `EventInfo` without room and time, an object.
fn about(what: &What) -> Value {
    match what {
        What::RoomCreated { by } => json!({ "UserId": by.as_str() }),
        What::RoomClosed { by } => json!({ "UserId": by.as_ref().map_or("", |by| by.as_str()) }),
        What::Entered { user, role, again, client } => json!({
            "UserId": user.as_str(), "Role": *role as u32, "Reason": enter_reason(*again),
            "TerminalType": terminal(client), "UserType": user_type(client),
        }),
        What::Left { user, role, reason, client } => json!({
            "UserId": user.as_str(), "Role": *role as u32, "Reason": exit_reason(*reason),
            "TerminalType": terminal(client), "UserType": user_type(client),
        }),
        What::RoleChanged { user, role } => json!({ "UserId": user.as_str(), "Role": *role as u32 }),
        What::Media { user, .. } => json!({ "UserId": user.as_str() }),
    }
}

/// 1 for an entry, 3 for a return after a connection was lost.
fn enter_reason(again: bool) -> u32 {
    if again { 3 } else { 1 }
}

/// Who becomes audience has not left the room, which is told as a change of roles.
fn exit_reason(reason: LeaveReason) -> Option<u32> {
    match reason {
        LeaveReason::Left => Some(1),
        LeaveReason::TimedOut => Some(2),
        LeaveReason::Removed => Some(3),
        LeaveReason::BecameAudience => None,
    }
}

fn terminal(client: &ClientInfo) -> u32 {
    match client.os.as_str() {
        "windows" => 1,
        "android" => 2,
        "ios" => 3,
        "linux" => 4,
        _ => 100,
    }
}

fn user_type(client: &ClientInfo) -> u32 {
    if client.browser { 1 } else { 3 }
}

#[cfg(test)]
mod tests {
    use confab_protocol::{Role, SdkAppId};

    use super::*;

    fn said(room: RoomId, what: What) -> Value {
        let happening = Happening { app: SdkAppId(7), room, created: 5, at_ms: 1_700_000_000_999, what };
        serde_json::from_slice(&json(&happening, 1_700_000_001_234)).unwrap()
    }

    fn info(what: What) -> Value {
        said(RoomId::number(5_u32).unwrap(), what)["EventInfo"].clone()
    }

    fn client(os: &str, browser: bool) -> ClientInfo {
        ClientInfo { os: os.to_owned(), browser, ..ClientInfo::default() }
    }

    fn left(reason: LeaveReason, client: ClientInfo) -> What {
        What::Left { user: "ann".parse().unwrap(), role: Role::Audience, reason, client }
    }

    #[test]
    fn a_body_has_the_members_that_trtc_documents() {
        let room = || RoomId::number(5_u32).unwrap();
        let ann = || "ann".parse().unwrap();
        let entry =
            What::Entered { user: ann(), role: Role::Anchor, again: false, client: client("linux", false) };
        let wanted = json!({
            "EventGroupId": 1, "EventType": 103, "CallbackTs": 1_700_000_001_234_u64,
            "EventInfo": {
                "RoomId": 5, "EventTs": 1_700_000_000, "UserId": "ann", "Role": 20,
                "TerminalType": 4, "UserType": 3, "Reason": 1,
            },
        });
        assert_eq!(said(room(), entry), wanted);
        let text = said(RoomId::text("5").unwrap(), What::RoomCreated { by: ann() });
        assert_eq!(text["EventType"], 101);
        assert_eq!(text["EventInfo"], json!({ "RoomId": "5", "EventTs": 1_700_000_000, "UserId": "ann" }));
        let closed = said(room(), What::RoomClosed { by: None });
        assert_eq!((&closed["EventType"], &closed["EventInfo"]["UserId"]), (&json!(102), &json!("")));
        let role = said(room(), What::RoleChanged { user: ann(), role: Role::Audience });
        assert_eq!((&role["EventType"], &role["EventInfo"]["Role"]), (&json!(105), &json!(21)));
        for (stream, on, number) in [
            (Stream::Main, true, 201),
            (Stream::Main, false, 202),
            (Stream::Audio, true, 203),
            (Stream::Audio, false, 204),
            (Stream::Sub, true, 205),
            (Stream::Sub, false, 206),
        ] {
            let media = said(room(), What::Media { user: ann(), stream, on });
            assert_eq!((&media["EventGroupId"], &media["EventType"]), (&json!(2), &json!(number)));
            assert_eq!(media["EventInfo"]["UserId"], "ann");
        }
    }

    #[test]
    fn reasons_and_clients_have_trtcs_numbers() {
        for (reason, number) in
            [(LeaveReason::Left, 1), (LeaveReason::TimedOut, 2), (LeaveReason::Removed, 3)]
        {
            assert_eq!(info(left(reason, ClientInfo::default()))["Reason"], number);
        }
        assert_eq!(number(&left(LeaveReason::BecameAudience, ClientInfo::default())), None);
        let again = What::Entered {
            user: "ann".parse().unwrap(),
            role: Role::Anchor,
            again: true,
            client: ClientInfo::default(),
        };
        assert_eq!(info(again)["Reason"], 3);
        for (os, number) in
            [("windows", 1), ("android", 2), ("ios", 3), ("linux", 4), ("macos", 100), ("", 100)]
        {
            let told = info(left(LeaveReason::Left, client(os, os == "linux")));
            assert_eq!(told["TerminalType"], number, "{os}");
            assert_eq!(told["UserType"], if os == "linux" { 1 } else { 3 });
        }
    }

    #[test]
    fn the_signature_is_the_hmac_of_the_bytes_that_are_sent() {
        // Computed with `openssl dgst -sha256 -hmac 123654 -binary | base64`.
        assert_eq!(sign("123654", b"{\"code\":0}"), "ImeO5d3F+3hCSegw7PS/A3kmUR6RzRGNL3OZ31g9srY=");
        assert_ne!(sign("123655", b"{\"code\":0}"), sign("123654", b"{\"code\":0}"));
    }
}
