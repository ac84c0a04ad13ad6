//! UserSig and PrivateMapKey as other people's libraries make them.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may fail loudly")]

use std::io::Read;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use confab_protocol::private_map_key::PrivateMapKey;
use confab_protocol::{RoomId, SdkAppId, user_sig};
use serde_json::Value;

fn vectors() -> Vec<Value> {
    let file: Value = serde_json::from_str(include_str!("usersig_vectors.json")).unwrap();
    file["vectors"].as_array().unwrap().clone()
}

fn text<'a>(vector: &'a Value, name: &str) -> &'a str {
    vector[name].as_str().unwrap_or_else(|| panic!("{name} in {}", vector["name"]))
}

fn number(vector: &Value, name: &str) -> u64 {
    vector[name].as_u64().unwrap_or_else(|| panic!("{name} in {}", vector["name"]))
}

fn app(vector: &Value) -> SdkAppId {
    SdkAppId(u32::try_from(number(vector, "sdkappid")).unwrap())
}

fn userbuf(vector: &Value) -> Option<Vec<u8>> {
    vector["userbuf_b64"].as_str().map(|b64| STANDARD.decode(b64).unwrap())
}

/// The fields of a UserSig, unpacked here on its own way.
fn fields(sig: &str) -> Value {
    let standard = sig.replace('*', "+").replace('-', "/").replace('_', "=");
    let mut json = String::new();
    flate2::read::ZlibDecoder::new(STANDARD.decode(standard).unwrap().as_slice())
        .read_to_string(&mut json)
        .unwrap();
    serde_json::from_str(&json).unwrap()
}

#[test]
fn what_we_sign_has_the_fields_that_others_write() {
    for vector in vectors() {
        let ours = user_sig::sign(
            app(&vector),
            text(&vector, "key"),
            text(&vector, "userid"),
            number(&vector, "expire"),
            number(&vector, "time"),
            userbuf(&vector).as_deref(),
        );
        let theirs: Value = serde_json::from_str(text(&vector, "json")).unwrap();
        assert_eq!(fields(&ours), theirs, "{}", vector["name"]);
        assert_eq!(fields(&ours)["TLS.sig"], vector["tls_sig"], "{}", vector["name"]);
    }
}

#[test]
fn what_others_sign_is_accepted() {
    for vector in vectors() {
        let (user, made) = (text(&vector, "userid"), number(&vector, "time"));
        let key = |_| Some(text(&vector, "key").to_owned());
        let result = user_sig::verify(text(&vector, "usersig"), app(&vector), key, user, made);
        if number(&vector, "expire") == 0 {
            assert_eq!(result.unwrap_err().detail().0, -70001, "{}", vector["name"]);
            continue;
        }
        let ticket = result.unwrap();
        assert_eq!((ticket.user.as_str(), ticket.made), (user, made));
        assert_eq!(ticket.userbuf, userbuf(&vector), "{}", vector["name"]);
    }
}

#[test]
fn permission_tickets_have_the_bytes_that_others_write() {
    let mut seen = 0;
    for vector in vectors().into_iter().filter(|vector| vector.get("userbuf_b64").is_some()) {
        let content = PrivateMapKey::from_bytes(&userbuf(&vector).unwrap()).unwrap();
        let room = match vector["str_room_id"].as_str() {
            Some(text) => RoomId::text(text),
            None => RoomId::number(i64::try_from(number(&vector, "room_id")).unwrap()),
        };
        assert_eq!(content.account, text(&vector, "userid"));
        assert_eq!(content.app, app(&vector));
        assert_eq!(content.room, room.unwrap());
        assert_eq!(u64::from(content.expires), number(&vector, "userbuf_expire"));
        assert_eq!(u64::from(content.bits.0), number(&vector, "privilege"));
        assert_eq!(content.to_bytes(), userbuf(&vector));
        seen += 1;
    }
    assert_eq!(seen, 2);
}
