//! What is wrong with a request, in words for people who know no Rust.

use serde_path_to_error::Error;

/// What is wrong and where, without a full stop. Names of fields are repeated, values are not: they may
/// be secrets.
pub(crate) fn plain(error: &Error<serde_json::Error>) -> String {
    let place = error.path().to_string();
    say(if place == "." { "" } else { &place }, &error.inner().to_string())
}

/// The same below a field, for a value that was read by itself.
pub(crate) fn plain_in(field: &str, error: &Error<serde_json::Error>) -> String {
    let place = error.path().to_string();
    let place = if place == "." { field.to_owned() } else { format!("{field}.{place}") };
    say(&place, &error.inner().to_string())
}

/// The same of a field whose value has no fields; a sentence of ours names the field itself.
pub(crate) fn plain_of(field: &str, error: &serde_json::Error) -> String {
    let said = say(field, &error.to_string());
    said.strip_prefix(&format!("{field}: ")).map(str::to_owned).unwrap_or(said)
}

/// The same of a member of an object that was read without the others; nothing where these are all it lacks.
pub(crate) fn plain_alone(member: &str, error: &serde_json::Error) -> Option<String> {
    let message = error.to_string();
    (!message.starts_with(MISSING)).then(|| say(member, &message))
}

/// How serde begins to say that a field is not there.
const MISSING: &str = "missing field ";

/// Turns serde's sentence round. What is no sentence of serde's own is one of ours and stays.
fn say(place: &str, message: &str) -> String {
    let of_value = ["invalid type: ", "invalid value: ", "invalid length "];
    if of_value.iter().any(|start| message.starts_with(start))
        && let Some((_, wanted)) = message.rsplit_once(", expected ")
    {
        let place = if place.is_empty() { "it" } else { place };
        return format!("{place} must be {}", kind(wanted));
    }
    if let Some(field) = quoted(message, MISSING) {
        let within = if place.is_empty() { String::new() } else { format!("{place}.") };
        return format!("{within}{field} is missing");
    }
    if let Some(field) = quoted(message, "unknown field ") {
        let known: Vec<&str> = message.split('`').skip(3).step_by(2).collect();
        return match known.as_slice() {
            [] => format!("there is no field {field}"),
            known => format!("there is no field {field}, only {}", known.join(", ")),
        };
    }
    if place.is_empty() { message.to_owned() } else { format!("{place}: {message}") }
}

/// What stands in backticks behind a beginning.
fn quoted<'a>(message: &'a str, start: &str) -> Option<&'a str> {
    let rest = message.strip_prefix(start)?.strip_prefix('`')?;
    rest.split_once('`').map(|(name, _)| name)
}

/// What serde expected, by the name that a person gives it.
fn kind(expected: &str) -> String {
    let whole = |least: &str, most: &str| format!("a whole number from {least} to {most}");
    match expected {
        "u8" => whole("0", &u8::MAX.to_string()),
        "u16" => whole("0", &u16::MAX.to_string()),
        "u32" => whole("0", &u32::MAX.to_string()),
        "u64" | "usize" => whole("0", &u64::MAX.to_string()),
        "i32" => whole(&i32::MIN.to_string(), &i32::MAX.to_string()),
        "i64" | "isize" => whole(&i64::MIN.to_string(), &i64::MAX.to_string()),
        "f32" | "f64" => "a number".to_owned(),
        "a string" | "string" | "str" => "a text".to_owned(),
        "a boolean" | "boolean" => "true or false".to_owned(),
        "a sequence" | "sequence" => "a list".to_owned(),
        "a map" | "map" => "an object".to_owned(),
        name if name.starts_with("struct ") => "an object".to_owned(),
        ours => ours.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use confab_protocol::{RawEnterParams, Scene, Stay, TicketRequest};
    use serde::de::DeserializeOwned;
    use serde_json::{Value, json};

    use super::*;

    fn said<T: DeserializeOwned>(value: Value) -> String {
        plain(&serde_path_to_error::deserialize::<_, T>(value).err().unwrap())
    }

    #[test]
    fn what_is_wrong_is_said_in_plain_words_without_the_value() {
        assert_eq!(said::<u16>(json!(70_000)), "it must be a whole number from 0 to 65535");
        assert_eq!(said::<Stay>(json!(5)), "it must be an object");
        assert_eq!(said::<Stay>(json!({ "id": ["planted"] })), "id must be a text");
        assert_eq!(
            said::<Stay>(json!({ "id": "a", "returning": "planted" })),
            "returning must be true or false"
        );
        assert_eq!(said::<Stay>(json!({})), "id is missing");
        assert_eq!(said::<Vec<u8>>(json!({})), "it must be a list");
        let room = said::<TicketRequest>(json!({ "room": 5.5 }));
        assert_eq!(room, "room must be a room's number or its text");
        let app = said::<TicketRequest>(json!({ "room": 5, "sdkAppId": "planted, expected u16" }));
        assert_eq!(app, "sdkAppId must be a whole number from 0 to 4294967295");
        assert_eq!(said::<RawEnterParams>(json!({ "roomId": true })), "roomId must be a whole number");
        let unknown = said::<Stay>(json!({ "id": "a", "back": "planted" }));
        assert_eq!(unknown, "there is no field back, only id, returning");
        let scene = said::<RawEnterParams>(json!({ "scene": 9 }));
        assert!(scene.starts_with("scene: The scene 9 does not exist"), "{scene}");
        let alone = |value| plain_of("scene", &serde_json::from_value::<Scene>(value).unwrap_err());
        assert!(alone(json!(9)).starts_with("The scene 9 does not exist"), "{}", alone(json!(9)));
        assert_eq!(alone(json!({})), "scene must be a scene: 0 to 3 or its name");
        let error = serde_path_to_error::deserialize::<_, Stay>(json!({ "id": 1 })).unwrap_err();
        assert_eq!(plain_in("stay", &error), "stay.id must be a text");
    }
}
