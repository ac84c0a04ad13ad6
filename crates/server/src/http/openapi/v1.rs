//! `/v1`: entering, tickets, roles, and what hosts do.

use confab_protocol::{
    Code, EnterAnswer, HostAction, InviteAnswer, RawEnterParams, Stay, TicketAnswer, TicketRequest,
};
use serde_json::{Value, json};

use super::{Answer, Asked, Body, Content, Example, JSON, NOTHING, Operation, SESSION, Schemas};

/// Codes that every request of `/v1` may be answered with.
const ALWAYS: [Code; 3] = [Code::INVALID_PARAMETER, Code::SERVER_PROCESS_FAILED, Code::FAILED_TOO_OFTEN];
/// Those of parameters, UserSig and permission.
const OF_ENTRIES: [Code; 9] = [
    Code::ROOM_PARAM_NULL,
    Code::INVALID_SDK_APP_ID,
    Code::INVALID_ROOM_ID,
    Code::INVALID_USER_ID,
    Code::INVALID_USER_SIG,
    Code::INVALID_PRIVATE_MAP_KEY,
    Code::BAD_SCENE_OR_ROLE,
    Code::USER_SIG_CHECK_FAILED,
    Code::INVALID_ROLE,
];

pub(super) fn operations(schemas: &mut Schemas) -> Vec<Operation> {
    let mut all = vec![enter(schemas), ticket(schemas), role(schemas), invite(schemas)];
    all.extend(room(schemas));
    all
}

fn enter(schemas: &mut Schemas) -> Operation {
    let stay = schemas.of_read::<Stay>();
    let mut body = entry(schemas, &["server", "guest", "passcode"], &["sdkAppId", "userId", "userSig"]);
    body["properties"]["stay"] = stay;
    body["anyOf"] = json!([{ "required": ["roomId"] }, { "required": ["strRoomId"] }]);
    let own = [Code::REFUSED, Code::NO_PRIVILEGE_CREATE_ROOM, Code::NO_PRIVILEGE_ENTER_ROOM, Code::ROOM_FULL];
    let ann = json!({
        "sdkAppId": 1_400_000_001, "userId": "ann", "userSig": "<UserSig of ann>", "roomId": 123,
        "scene": 0, "role": 20, "name": "Ann",
    });
    let with = |changes: Value| changed(&ann, &changes);
    let admitted = json!({
        "code": 0, "url": "ws://127.0.0.1:7880", "token": "<token of ann>", "room": "1400000001/n:123",
        "iceServers": [], "limits": { "online": 300, "publishing": 50 },
    });
    let expired = "The UserSig expired 59 minutes ago; ask the server of your application for a new one.";
    let wrong_scene =
        "The scene 9 does not exist; it is 0 to 3 or videoCall, live, audioCall, voiceChatRoom.";
    Operation {
        examples: vec![
            example("admitted", ann.clone(), 200, admitted),
            example(
                "waiting",
                with(json!({ "userId": "carol", "userSig": "<UserSig of carol>", "name": "Carol" })),
                200,
                json!({ "code": 0, "waiting": true }),
            ),
            example(
                "expired",
                with(json!({ "userSig": "<expired UserSig of ann>" })),
                200,
                json!({ "code": -100_018, "detail": -70_001, "message": expired }),
            ),
            wrong(
                "no_such_scene",
                with(json!({ "scene": 9 })),
                200,
                json!({ "code": -100_011, "message": wrong_scene }),
            ),
            unreadable(with(json!({ "roomId": true })), "roomId must be a whole number"),
            too_often(with(json!({ "userSig": "<UserSig of somebody else>" }))),
        ],
        ..operation(
            "enter",
            "Asks for a seat in a room.",
            "A seat is held for 30 seconds, within which the client opens LiveKit's signalling at `url` with \
             `token`. Where `waiting` is true the same request is sent again, every two seconds or so, until a \
             host has answered. `ticket` is what a host gave to one person, and lets them in at once. `stay` \
             names one stay from entry to exit, so that a client whose connection was lost is let back into \
             it, and not into one that has ended.",
            body,
            &[&OF_ENTRIES, &own],
            schemas.of_written::<EnterAnswer>(),
        )
    }
}

fn ticket(schemas: &mut Schemas) -> Operation {
    let body = schemas.of_read::<TicketRequest>();
    let own = [
        Code::INVALID_SDK_APP_ID,
        Code::INVALID_ROOM_ID,
        Code::INVALID_USER_SIG,
        Code::NO_PRIVILEGE_ENTER_ROOM,
    ];
    let asked = json!({
        "room": 123, "name": "Gus", "passcode": "open sesame", "guest": "0123456789abcdef0123456789abcdef",
    });
    let given = json!({
        "code": 0, "sdkAppId": 1_400_000_001, "userId": "<user id of a guest>", "userSig": "<UserSig of a guest>",
    });
    let guessed = changed(&asked, &json!({ "passcode": "guessed" }));
    let refused = "The passcode is not the one that this server asks for.";
    Operation {
        examples: vec![
            example("given", asked.clone(), 200, given),
            example("wrong_passcode", guessed.clone(), 200, json!({ "code": -102_011, "message": refused })),
            unreadable(changed(&asked, &json!({ "room": 5.5 })), "room must be a room's number or its text"),
            too_often(guessed),
        ],
        ..operation(
            "ticket",
            "Gives a guest a UserSig, where the application takes guests.",
            "It holds for the one room and a day, and is then used in `/v1/enter`. `ticket` is what a host gave to \
             one person, in place of the passcode; `/v1/enter` wants it too.",
            body,
            &[&own],
            schemas.of_written::<TicketAnswer>(),
        )
    }
}

fn role(schemas: &mut Schemas) -> Operation {
    let body = entry(schemas, &["server", "name", "scene", "guest", "passcode", "ticket"], &["role"]);
    let own =
        [Code::REFUSED, Code::SERVER_TOKEN_ERROR, Code::CENTER_ROOM_NOT_EXIST, Code::NO_PRIVILEGE_ENTER_ROOM];
    let signed = json!({
        "role": 20, "sdkAppId": 1_400_000_001, "userId": "ann", "userSig": "<UserSig of ann>", "roomId": 123,
    });
    Operation {
        shows: &[NOTHING, SESSION],
        examples: vec![
            example("with_token", json!({ "role": 21 }), 200, json!({ "code": 0 })),
            example("with_signature", signed.clone(), 200, json!({ "code": 0 })),
            wrong(
                "no_such_role",
                json!({ "role": 22 }),
                200,
                json!({ "code": -102_055, "message": "The role 22 does not exist; it is 20 or anchor, 21 or audience." }),
            ),
            unreadable(json!({ "role": 20, "seat": 1 }), "<what is wrong>"),
            too_often(changed(&signed, &json!({ "userSig": "<UserSig of somebody else>" }))),
        ],
        ..operation(
            "role",
            "Changes what somebody does in a live room.",
            "Who asks shows the token of their session, or all that they entered with. `privateMapKey` is a fresh \
             permission, where theirs allows less than the role needs.",
            body,
            &[&OF_ENTRIES, &own],
            schemas.of_written::<EnterAnswer>(),
        )
    }
}

fn invite(schemas: &mut Schemas) -> Operation {
    let own = [Code::REFUSED, Code::SERVER_TOKEN_ERROR, Code::CENTER_ROOM_NOT_EXIST];
    let body = json!({ "type": "object", "properties": {}, "additionalProperties": false });
    let refused = "Only the host and co-hosts may do this.";
    let operation = Operation {
        path: "/v1/room/invite".to_owned(),
        id: "makeTicket".to_owned(),
        shows: &[SESSION],
        examples: vec![
            example("done", json!({}), 200, json!({ "code": 0, "ticket": "<ticket>" })),
            example("no_host", json!({}), 200, json!({ "code": -3, "message": refused })),
            unreadable(json!({ "seat": 1 }), "<what is wrong>"),
            too_often(json!({})),
        ],
        ..operation(
            "invite",
            "Gives a host a ticket that lets one person in.",
            "It is good for a day in this room, past passcode and waiting room, and goes into `ticket` of \
             `/v1/ticket` and `/v1/enter`. Who has come by it may come back by it, and nobody else.",
            body.clone(),
            &[&own],
            schemas.of_written::<InviteAnswer>(),
        )
    };
    Operation { body: Some(Body { contents: Content::json(body), required: false }), ..operation }
}

/// One operation for each action, with the body of its own.
fn room(schemas: &mut Schemas) -> Vec<Operation> {
    let mut all = schemas.taken_apart::<HostAction>();
    let variants = all["oneOf"].take();
    let answer = schemas.of_written::<EnterAnswer>();
    let own = [
        Code::REFUSED,
        Code::SERVER_TOKEN_ERROR,
        Code::CENTER_ROOM_NOT_EXIST,
        Code::CENTER_FIND_USER_FAILED,
        Code::NO_PRIVILEGE_ENTER_ROOM,
    ];
    let action = |name: &'static str| {
        let mut variants = variants.as_array().into_iter().flatten();
        let mut body = variants.find(|one| one["properties"]["action"]["const"] == name).cloned()?;
        let summary = body["description"].take();
        without_action(&mut body);
        let required = body.get("required").is_some();
        let asked = asked_of(name);
        let refused = "Only the host and co-hosts may do this.";
        let operation = Operation {
            path: format!("/v1/room/{name}"),
            shows: &[SESSION],
            examples: vec![
                example("done", asked.clone(), 200, json!({ "code": 0 })),
                example("no_host", asked.clone(), 200, json!({ "code": -3, "message": refused })),
                unreadable(changed(&asked, &json!({ "seat": 1 })), "<what is wrong>"),
                too_often(asked),
            ],
            ..operation(name, summary.as_str().unwrap_or_default(), "", body.clone(), &[&own], answer.clone())
        };
        Some(Operation { body: Some(Body { contents: Content::json(body), required }), ..operation })
    };
    HostAction::NAMES.into_iter().filter_map(action).collect()
}

/// The action is the last part of the path.
fn without_action(body: &mut Value) {
    let Some(body) = body.as_object_mut() else { return };
    body.remove("description");
    if let Some(Value::Object(properties)) = body.get_mut("properties") {
        properties.remove("action");
    }
    if let Some(Value::Array(required)) = body.get_mut("required") {
        required.retain(|name| name != "action");
        if required.is_empty() {
            body.remove("required");
        }
    }
    body.insert("additionalProperties".to_owned(), false.into());
}

/// What an action is asked for in its examples.
fn asked_of(name: &str) -> Value {
    match name {
        "mute" => json!({ "userId": "bob", "allowUnmute": false }),
        "remove" => json!({ "userId": "bob", "ban": true }),
        "lock" | "waitingRoom" => json!({ "on": true }),
        "admit" | "deny" => json!({ "userId": "carol" }),
        "coHost" => json!({ "userId": "bob", "on": true }),
        "dismiss" => json!({}),
        "unban" => json!({ "userId": "carol" }),
        _ => json!({ "userId": "bob" }),
    }
}

/// The schema of an entry's parameters. All are taken, so that a client may send what it was told; those of
/// `unused` count for nothing.
fn entry(schemas: &mut Schemas, unused: &[&str], required: &[&str]) -> Value {
    let mut properties = schemas.taken_apart::<RawEnterParams>()["properties"].take();
    for name in unused {
        let what = properties[*name]["description"].as_str().unwrap_or_default();
        properties[*name]["description"] =
            format!("{what} Taken where it can be read, and not used further.").into();
    }
    json!({ "type": "object", "properties": properties, "required": required, "additionalProperties": false })
}

fn operation(
    name: &str,
    summary: &str,
    description: &str,
    body: Value,
    codes: &[&[Code]],
    answer: Value,
) -> Operation {
    let codes = ALWAYS.iter().chain(codes.iter().copied().flatten());
    let codes: Vec<String> = codes.map(|code| format!("- `{code}`: {}", code.sentence())).collect();
    let said =
        format!("{description}\n\nCodes beside 0, with the sentence that is usual:\n\n{}", codes.join("\n"));
    let answered = |status, when| Answer { status, when, contents: Content::json(answer.clone()) };
    Operation {
        path: format!("/v1/{name}"),
        method: "post",
        id: name.to_owned(),
        summary: summary.to_owned(),
        description: said.trim_start().to_owned(),
        shows: &[],
        parameters: Vec::new(),
        body: Some(Body { contents: Content::json(body), required: true }),
        answers: vec![
            answered(200, "Code 0, or a code and a sentence that say why not."),
            answered(400, "The request cannot be read."),
            answered(429, "Too many attempts have failed; the header Retry-After says when to ask again."),
        ],
        examples: Vec::new(),
    }
}

fn example(name: &'static str, asked: Value, status: u16, answered: Value) -> Example {
    Example { name, asked: Asked::Body(JSON, asked), status, media: JSON, answered }
}

/// The request does not fit its schema.
fn wrong(name: &'static str, asked: Value, status: u16, answered: Value) -> Example {
    Example { name, asked: Asked::Wrong(asked), status, media: JSON, answered }
}

fn unreadable(asked: Value, why: &str) -> Example {
    let message = format!("The request cannot be read: {why}.");
    wrong("unreadable", asked, 400, json!({ "code": Code::INVALID_PARAMETER, "message": message }))
}

fn too_often(asked: Value) -> Example {
    let message = "Too many attempts have failed; wait 60 seconds and try again.";
    let answered = json!({ "code": Code::FAILED_TOO_OFTEN, "message": message, "retryAfter": 60 });
    example("too_often", asked, 429, answered)
}

/// An object with some of its members changed.
fn changed(object: &Value, changes: &Value) -> Value {
    let mut all = object.clone();
    for (name, value) in changes.as_object().into_iter().flatten() {
        all[name] = value.clone();
    }
    all
}
