//! `/`: the REST actions of Tencent Cloud. Their parameters are read by hand, so their schemas are written
//! so.

use confab_protocol::RoomId;
use serde_json::{Value, json};

use super::plain::{TEXT, text, without_parameters};
use super::{Answer, Asked, Body, Content, Example, HMAC, JSON, NOTHING, Operation, Schemas, TC3};
use crate::rest::{MAX_USERS, MOST, MOST_A_SECOND, Offered, VERSION};

const FORM: &str = "application/x-www-form-urlencoded";
/// The members of a list, where it is numbered.
const NUMBERED: &str = r"^UserIds\.[0-9]+$";
/// What stands in every form beside the parameters of its action.
const OF_FORMS: [&str; 5] = ["Action", "Version", "Timestamp", "SecretId", "Signature"];

pub(super) fn operations(schemas: &mut Schemas) -> Vec<Operation> {
    let mut named = |kind: &str, schema: fn(Offered) -> Value| -> Vec<Value> {
        let actions = Offered::ALL.into_iter();
        actions.map(|action| schemas.named(&format!("{}{kind}", action.name()), schema(action))).collect()
    };
    let (bodies, queries, forms) = (named("Request", body), named("Query", flat), named("Form", form));
    let answer = schemas.named("RestAnswer", answer());
    let get = Operation {
        shows: &[NOTHING, TC3, HMAC],
        parameters: headers().into_iter().chain([query(&[forms.as_slice(), &queries].concat())]).collect(),
        ..Operation::get(
            "/",
            "restByGet",
            "The REST actions by query; without one it says that the server is there.",
            vec![Answer {
                status: 200,
                when: "`OK` where the request names no action, otherwise what a POST is answered.",
                contents: vec![text(TEXT), Content { media: JSON, schema: answer.clone() }],
            }],
            vec![without_parameters(TEXT, json!("OK")), by_query()],
        )
    };
    let asked = vec![
        Content { media: JSON, schema: json!({ "oneOf": bodies }) },
        Content { media: FORM, schema: json!({ "oneOf": forms }) },
    ];
    let post = Operation {
        path: "/".to_owned(),
        method: "post",
        id: "rest".to_owned(),
        summary: "Removes people, dismisses rooms, and says what has been.".to_owned(),
        description: about(),
        shows: &[TC3, HMAC],
        parameters: headers(),
        body: Some(Body { contents: asked, required: true }),
        answers: vec![Answer {
            status: 200,
            when: "What was asked for, or an error, in the envelope.",
            contents: Content::json(answer),
        }],
        examples: examples(),
    };
    vec![get, post]
}

fn about() -> String {
    format!(
        "The request is signed with a cloud key, by TC3-HMAC-SHA256 in the header `Authorization`, as \
        Tencent Cloud's SDKs do; `content-type` and `host` have to be signed, and the body is JSON. The \
        older HmacSHA1 and HmacSHA256 are taken too: without the header `X-TC-Action`, action, version and \
        signature stand among the parameters of a form, or in the query of a GET. More than \
        {MOST_A_SECOND} requests a second for one action by one key are answered with \
        `RequestLimitExceeded`, wrong signatures too often with `RequestLimitExceeded.IPLimitExceeded`."
    )
}

/// What stands in headers with TC3-HMAC-SHA256, and among the parameters with the older signatures.
fn headers() -> Vec<Value> {
    let header = |name: &str, schema: Value, what: &str| json!({ "name": name, "in": "header", "required": false, "schema": schema, "description": what });
    let names = Offered::ALL.map(Offered::name);
    vec![
        header("X-TC-Action", json!({ "enum": names }), "What is to be done; needed with TC3-HMAC-SHA256."),
        header("X-TC-Version", json!({ "const": VERSION }), "Of the interface; needed likewise."),
        header(
            "X-TC-Timestamp",
            json!({ "type": "integer" }),
            "Unix time, at most 5 minutes off; needed likewise.",
        ),
        header("X-TC-Region", json!({ "type": "string" }), "Not looked at."),
    ]
}

/// The whole query of a GET.
fn query(schemas: &[Value]) -> Value {
    json!({
        "name": "parameters",
        "in": "query",
        "required": false,
        "style": "form",
        "explode": true,
        "description": "Each member is a parameter: those of a form where the older signature stands among \
            them, otherwise those of the action alone.",
        "schema": { "anyOf": schemas },
    })
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

/// The same where each parameter stands by itself, as in a query: a list is numbered.
fn flat(action: Offered) -> Value {
    let mut all = body(action);
    let list = all["properties"].as_object_mut().and_then(|properties| properties.remove("UserIds"));
    if let Some(list) = list {
        let what = format!("The list UserIds, numbered from 0, with at most {} members.", list["maxItems"]);
        all["patternProperties"] = json!({ NUMBERED: { "type": "string", "description": what } });
    }
    if let Some(required) = all["required"].as_array_mut() {
        required.retain(|name| name != "UserIds");
    }
    all
}

/// The same with what the older signature needs beside.
fn form(action: Offered) -> Value {
    let text = |what: &str| json!({ "type": "string", "description": what });
    let whole = |what: &str| json!({ "type": "integer", "minimum": 0, "description": what });
    let own = json!({
        "Action": { "const": action.name() },
        "Version": { "const": VERSION },
        "Timestamp": whole("Unix time, at most 5 minutes off."),
        "Nonce": whole("Any number."),
        "SecretId": text("Of the cloud key."),
        "SignatureMethod": { "enum": ["HmacSHA1", "HmacSHA256"], "default": "HmacSHA1" },
        "Signature": text("Of all the others, in base64."),
        "Region": text("Not looked at."),
        "Language": text("Not looked at."),
        "RequestClient": text("Not looked at."),
        "Token": text("Not looked at."),
    });
    let mut all = flat(action);
    if let (Some(properties), Value::Object(own)) = (all["properties"].as_object_mut(), own) {
        properties.extend(own);
    }
    if let Some(required) = all["required"].as_array_mut() {
        required.extend(OF_FORMS.map(Value::from));
    }
    all
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

const APP: u32 = 1_400_000_001;
/// The span that examples ask about.
const SPAN: (u64, u64) = (1_700_000_000, 1_700_003_600);
/// The room that examples tell of, from its creation to its end.
const CALL: &str = "<id of the call>";

/// One for each action, by its name, and one in a form.
fn examples() -> Vec<Example> {
    let (begin, end) = SPAN;
    let posted = |name, asked: Value, answered| example(name, Asked::Body(JSON, asked), answered);
    let no_room = json!({
        "Error": { "Code": "FailedOperation.RoomNotExist", "Message": "the room does not exist" },
    });
    let form = signed(json!({ "Action": "DismissRoom", "SdkAppId": APP, "RoomId": 123 }));
    vec![
        posted("RemoveUser", json!({ "SdkAppId": APP, "RoomId": 123, "UserIds": ["ann", "bob"] }), json!({})),
        posted(
            "RemoveUserByStrRoomId",
            json!({ "SdkAppId": APP, "RoomId": "standup", "UserIds": ["ann"] }),
            no_room.clone(),
        ),
        posted("DismissRoom", json!({ "SdkAppId": APP, "RoomId": 123 }), json!({})),
        posted("DismissRoomByStrRoomId", json!({ "SdkAppId": APP, "RoomId": "standup" }), no_room),
        posted(
            "DescribeRoomInfo",
            json!({ "SdkAppId": APP, "StartTime": begin, "EndTime": end, "PageNumber": 0, "PageSize": 10 }),
            rooms(),
        ),
        posted(
            "DescribeUserInfo",
            json!({ "CommId": CALL, "SdkAppId": APP, "StartTime": begin, "EndTime": end, "UserIds": ["ann"] }),
            json!({ "Total": 1, "UserList": [{
                "RoomStr": "123", "UserId": "ann", "JoinTs": begin + 60, "LeaveTs": end, "DeviceType": "linux",
                "SdkVersion": "rust 1.0", "ClientIp": "192.0.2.7", "Finished": false,
            }]}),
        ),
        example("form", Asked::Body(FORM, form), json!({})),
    ]
}

/// A GET with the older signature.
fn by_query() -> Example {
    let (begin, end) = SPAN;
    let asked = json!({ "Action": "DescribeRoomInfo", "SdkAppId": APP, "StartTime": begin, "EndTime": end });
    example("DescribeRoomInfo", Asked::Query(signed(asked)), rooms())
}

fn example(name: &'static str, asked: Asked, mut members: Value) -> Example {
    members["RequestId"] = json!("<id of the answer>");
    Example { name, asked, status: 200, media: JSON, answered: json!({ "Response": members }) }
}

/// Parameters with what the older signature needs beside.
fn signed(mut parameters: Value) -> Value {
    let (_, now) = SPAN;
    parameters["Version"] = json!(VERSION);
    parameters["Timestamp"] = json!(now);
    parameters["Nonce"] = json!(11_886);
    parameters["SecretId"] = json!("<SecretId>");
    parameters["SignatureMethod"] = json!("HmacSHA256");
    parameters["Signature"] = json!("<signature>");
    parameters
}

/// What DescribeRoomInfo answers.
fn rooms() -> Value {
    let (begin, end) = SPAN;
    json!({ "Total": 1, "RoomList": [{
        "CommId": CALL, "RoomString": "123", "CreateTime": begin + 60, "DestroyTime": end, "IsFinished": false,
        "UserId": "ann",
    }]})
}
