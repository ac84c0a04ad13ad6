//! How values whose JSON is read by hand look to those who describe an interface.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

use crate::{GuestSecret, OneTimeTicket, Role, RoomId, Scene, TicketRoom, UserId};

/// A schema by the type's name.
macro_rules! described {
    ($($type:ident: $schema:expr;)+) => {$(
        impl JsonSchema for $type {
            fn schema_name() -> Cow<'static, str> {
                stringify!($type).into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                $schema
            }
        }
    )+};
}

described! {
    Scene: json_schema!({
        "description": "What kind of room it is, by number or name: 0 a video call, 1 a broadcast, 2 an \
            audio call, 3 a voice broadcast.",
        "enum": mixed(Scene::ALL.map(|scene| (scene.number(), scene.name()))),
    });
    Role: json_schema!({
        "description": "What somebody may do in a live scene, by number or name: 20 sends, 21 watches.",
        "enum": mixed(Role::ALL.map(|role| (role.number(), role.name()))),
    });
    TicketRoom: json_schema!({
        "description": "A room: 123 by number, \"123\" by text; they are two rooms.",
        "oneOf": [
            { "type": "integer", "minimum": 1, "maximum": RoomId::MAX_NUMBER },
            { "type": "string", "minLength": 1, "maxLength": RoomId::MAX_TEXT },
        ],
    });
    UserId: json_schema!({
        "description": "Who somebody is within an application.",
        "type": "string",
        "pattern": "^[A-Za-z0-9_-]+$",
        "minLength": 1,
        "maxLength": UserId::MAX_LEN,
    });
    GuestSecret: json_schema!({
        "description": "What a guest keeps to be the same person the next time, made at random.",
        "type": "string",
        "pattern": "^[0-9A-Fa-f]{32,64}$",
    });
    OneTimeTicket: json_schema!({
        "description": "What lets one person in once, as a server gave it out.",
        "type": "string",
        "minLength": 1,
        "maxLength": OneTimeTicket::MAX_LEN,
    });
}

/// The numbers, then the names.
fn mixed<const N: usize>(values: [(u8, &'static str); N]) -> Vec<serde_json::Value> {
    let numbers = values.iter().map(|(number, _)| (*number).into());
    numbers.chain(values.iter().map(|(_, name)| (*name).into())).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn schema<T: JsonSchema>() -> Value {
        SchemaGenerator::default().into_root_schema_for::<T>().to_value()
    }

    #[test]
    fn every_number_and_name_of_a_schema_is_read_and_no_other() {
        let scenes = schema::<Scene>()["enum"].take();
        assert_eq!(scenes, json!([0, 1, 2, 3, "videoCall", "live", "audioCall", "voiceChatRoom"]));
        for scene in scenes.as_array().unwrap() {
            assert!(serde_json::from_value::<Scene>(scene.clone()).is_ok(), "{scene}");
        }
        let roles = schema::<Role>()["enum"].take();
        assert_eq!(roles, json!([20, 21, "anchor", "audience"]));
    }

    #[test]
    fn the_limits_of_a_schema_are_those_of_its_parser() {
        let longest = |schema: &Value| usize::try_from(schema["maxLength"].as_u64().unwrap()).unwrap();
        let user = longest(&schema::<UserId>());
        assert!(
            "u".repeat(user).parse::<UserId>().is_ok() && "u".repeat(user + 1).parse::<UserId>().is_err()
        );
        let room = schema::<TicketRoom>();
        let (number, text) = (room["oneOf"][0]["maximum"].as_i64().unwrap(), longest(&room["oneOf"][1]));
        assert!(RoomId::number(number).is_ok() && RoomId::number(number + 1).is_err());
        assert!(RoomId::text(&"r".repeat(text)).is_ok() && RoomId::text(&"r".repeat(text + 1)).is_err());
        let ticket = longest(&schema::<OneTimeTicket>());
        let read = |length| OneTimeTicket::try_from("t".repeat(length));
        assert!(read(ticket).is_ok() && read(ticket + 1).is_err());
    }
}
