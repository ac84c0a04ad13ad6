//! `/`: the REST actions of Tencent Cloud. Their parameters are read by hand, so their schemas are written
//! so.

use confab_protocol::RoomId;
use serde_json::{Value, json};

use super::{Answer, Example, JSON, Operation, Schemas, Token};
use crate::rest::{MAX_USERS, MOST, MOST_A_SECOND, Offered, VERSION};

pub(super) fn operations(schemas: &mut Schemas) -> Vec<Operation> {
    let bodies: Vec<Value> = Offered::ALL
        .into_iter()
        .map(|action| schemas.named(&format!("{}Request", action.name()), body(action)))
        .collect();
    let answer = schemas.named("RestAnswer", answer());
    let said = format!(
        "The request is signed with a cloud key, by TC3-HMAC-SHA256 in the header `Authorization`, as \
        Tencent Cloud's SDKs do; `content-type` and `host` have to be signed. The older HmacSHA1 and \
        HmacSHA256 are taken too: action, version and signature then stand among the parameters of a form, or \
        in the query of a GET. More than {MOST_A_SECOND} requests a second for one action by one key are \
        answered with `RequestLimitExceeded`, wrong signatures too often with \
        `RequestLimitExceeded.IPLimitExceeded`."
    );
    let answered = |when| Answer { status: 200, when, media: JSON, schema: answer.clone() };
    let get = Operation::get(
        "/",
        "restByGet",
        "The REST actions by query; without one it says that the server is there.",
        vec![Answer {
            status: 200,
            when: "`OK` where the request names no action, otherwise what a POST is answered.",
            media: "text/plain; charset=utf-8",
            schema: json!({ "type": "string" }),
        }],
        json!("OK"),
    );
    let post = Operation {
        path: "/".to_owned(),
        method: "post",
        id: "rest".to_owned(),
        summary: "Removes people, dismisses rooms, and says what has been.".to_owned(),
        description: said,
        token: Token::None,
        parameters: headers(),
        body: Some((json!({ "oneOf": bodies }), true)),
        answers: vec![answered("What was asked for, or an error, in the envelope.")],
        examples: examples(),
    };
    vec![get, post]
}

fn headers() -> Vec<Value> {
    let header = |name: &str, required: bool, schema: Value, what: &str| json!({ "name": name, "in": "header", "required": required, "schema": schema, "description": what });
    let text = || json!({ "type": "string" });
    let names = Offered::ALL.map(Offered::name);
    vec![
        header("X-TC-Action", true, json!({ "enum": names }), "What is to be done."),
        header("X-TC-Version", true, json!({ "const": VERSION }), "Of the interface."),
        header("X-TC-Timestamp", true, json!({ "type": "integer" }), "Unix time, at most 5 minutes off."),
        header("X-TC-Region", false, text(), "Not looked at."),
    ]
}

/// The schema of an action's parameters.
fn body(action: Offered) -> Value {
    let id = || json!({ "type": "integer", "minimum": 0, "maximum": u32::MAX });
    let time = || json!({ "type": "integer", "minimum": 0, "description": "Unix time, seconds." });
    let text = |what: &str| json!({ "type": "string", "description": what });
    let users = |most: usize| json!({ "type": "array", "items": { "type": "string" }, "minItems": 1, "maxItems": most });
    let number = || json!({ "type": "integer", "minimum": 1, "maximum": RoomId::MAX_NUMBER });
    let name = || json!({ "type": "string", "minLength": 1, "maxLength": RoomId::MAX_TEXT });
    let page = |all: &mut Value| {
        all["PageNumber"] = json!({ "type": "integer", "minimum": 0, "maximum": u32::MAX });
        all["PageSize"] = json!({ "type": "integer", "minimum": 1, "maximum": MOST });
    };
    let (properties, required): (Value, &[&str]) = match action {
        Offered::RemoveUser => (
            json!({ "SdkAppId": id(), "RoomId": number(), "UserIds": users(MAX_USERS) }),
            &["SdkAppId", "RoomId", "UserIds"],
        ),
        Offered::RemoveUserByStrRoomId => (
            json!({ "SdkAppId": id(), "RoomId": name(), "UserIds": users(MAX_USERS) }),
            &["SdkAppId", "RoomId", "UserIds"],
        ),
        Offered::DismissRoom => (json!({ "SdkAppId": id(), "RoomId": number() }), &["SdkAppId", "RoomId"]),
        Offered::DismissRoomByStrRoomId => {
            (json!({ "SdkAppId": id(), "RoomId": name() }), &["SdkAppId", "RoomId"])
        }
        Offered::DescribeRoomInfo => {
            let room = text("Only rooms of this name, a number or a text.");
            let mut all = json!({ "SdkAppId": id(), "StartTime": time(), "EndTime": time(), "RoomId": room });
            page(&mut all);
            (all, &["SdkAppId", "StartTime", "EndTime"])
        }
        Offered::DescribeUserInfo => {
            let call = text("A room from its creation to its end, as DescribeRoomInfo names it.");
            let mut all = json!({
                "CommId": call, "SdkAppId": id(), "StartTime": time(), "EndTime": time(),
                "UserIds": users(MOST as usize),
            });
            page(&mut all);
            (all, &["CommId", "SdkAppId", "StartTime", "EndTime"])
        }
    };
    json!({ "type": "object", "properties": properties, "required": required, "additionalProperties": false })
}

fn answer() -> Value {
    let text = || json!({ "type": "string" });
    let whole = || json!({ "type": "integer", "minimum": 0 });
    let rows = |properties: Value| json!({ "type": "array", "items": { "type": "object", "properties": properties, "additionalProperties": false } });
    let rooms = rows(json!({
        "CommId": text(), "RoomString": text(), "CreateTime": whole(), "DestroyTime": whole(),
        "IsFinished": { "type": "boolean" }, "UserId": text(),
    }));
    let people = rows(json!({
        "RoomStr": text(), "UserId": text(), "JoinTs": whole(), "LeaveTs": whole(), "DeviceType": text(),
        "SdkVersion": text(), "ClientIp": text(), "Finished": { "type": "boolean" },
    }));
    let error = json!({
        "type": "object", "required": ["Code", "Message"], "additionalProperties": false,
        "properties": { "Code": text(), "Message": text() },
    });
    json!({
        "type": "object",
        "required": ["Response"],
        "additionalProperties": false,
        "properties": { "Response": {
            "type": "object",
            "required": ["RequestId"],
            "additionalProperties": false,
            "properties": {
                "RequestId": text(), "Error": error, "Total": whole(), "RoomList": rooms, "UserList": people,
            },
        }},
    })
}

/// One for each action, by its name.
fn examples() -> Vec<Example> {
    let app = 1_400_000_001;
    let (begin, end) = (1_700_000_000, 1_700_003_600);
    let example = |name: &'static str, asked: Value, mut members: Value| {
        members["RequestId"] = json!("<id of the answer>");
        Example { name, asked: Some(asked), status: 200, answered: json!({ "Response": members }) }
    };
    let no_room = json!({
        "Error": { "Code": "FailedOperation.RoomNotExist", "Message": "the room does not exist" },
    });
    let call = "<id of the call>";
    vec![
        example(
            "RemoveUser",
            json!({ "SdkAppId": app, "RoomId": 123, "UserIds": ["ann", "bob"] }),
            json!({}),
        ),
        example(
            "RemoveUserByStrRoomId",
            json!({ "SdkAppId": app, "RoomId": "standup", "UserIds": ["ann"] }),
            no_room.clone(),
        ),
        example("DismissRoom", json!({ "SdkAppId": app, "RoomId": 123 }), json!({})),
        example("DismissRoomByStrRoomId", json!({ "SdkAppId": app, "RoomId": "standup" }), no_room),
        example(
            "DescribeRoomInfo",
            json!({ "SdkAppId": app, "StartTime": begin, "EndTime": end, "PageNumber": 0, "PageSize": 10 }),
            json!({ "Total": 1, "RoomList": [{
                "CommId": call, "RoomString": "123", "CreateTime": begin + 60, "DestroyTime": end,
                "IsFinished": false, "UserId": "ann",
            }]}),
        ),
        example(
            "DescribeUserInfo",
            json!({ "CommId": call, "SdkAppId": app, "StartTime": begin, "EndTime": end, "UserIds": ["ann"] }),
            json!({ "Total": 1, "UserList": [{
                "RoomStr": "123", "UserId": "ann", "JoinTs": begin + 60, "LeaveTs": end, "DeviceType": "linux",
                "SdkVersion": "rust 1.0", "ClientIp": "192.0.2.7", "Finished": false,
            }]}),
        ),
    ]
}
