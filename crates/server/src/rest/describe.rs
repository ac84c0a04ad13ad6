//! DescribeRoomInfo and DescribeUserInfo: what they may ask for, and their answers.

use confab_protocol::SdkAppId;
use serde_json::{Map, Value, json};

use super::answer::RestError;
use super::parameters::Parameters;
use crate::history::{Page, REMEMBERED, RoomQuery, RoomRow, StayQuery, StayRow};

/// The longest span of a question about rooms, seconds.
const ROOMS_SPAN: u64 = 24 * 3600;
/// The longest span of a question about people, seconds.
const STAYS_SPAN: u64 = 4 * 3600;
/// Rooms on a page where the request names no page.
const ROOMS: u32 = 10;
/// Stays on a page where the request names no page.
const STAYS: u32 = 6;
/// The most rows on a page, and the most people that may be asked about.
pub(crate) const MOST: u32 = 100;
/// The code of parameters that cannot be read, and of one that has another type and no code of its own.
pub(super) const UNREADABLE: &str = "InvalidParameter.BodyParamsError";

/// Reads the parameters of DescribeRoomInfo; `now` is Unix time in seconds.
pub(super) fn rooms(parameters: &Parameters, now: u64) -> Result<RoomQuery, RestError> {
    parameters.only(&["SdkAppId", "StartTime", "EndTime", "RoomId", "PageNumber", "PageSize"])?;
    let app = parameters.app()?;
    let (start, end) = span(parameters, ROOMS_SPAN, now)?;
    let name = match parameters.get("RoomId") {
        Some(_) => Some(parameters.text("RoomId", "MissingParameter.RoomId", UNREADABLE)?),
        None => None,
    };
    let page = page(parameters, ROOMS)?;
    Ok(RoomQuery { app: app.0, start, end, now, name: name.map(str::to_owned), page })
}

/// Reads the parameters of DescribeUserInfo; `now` is Unix time in seconds.
pub(super) fn stays(parameters: &Parameters, now: u64) -> Result<StayQuery, RestError> {
    let known = ["CommId", "SdkAppId", "StartTime", "EndTime", "UserIds", "PageNumber", "PageSize"];
    parameters.only(&known)?;
    if parameters.get("CommId").is_none() && parameters.get("SdkAppId").is_none() {
        let message = "the parameters CommId and SdkAppId are missing";
        return Err(RestError::new("MissingParameter.CommIdOrSdkAppId", message));
    }
    let call = parameters.text("CommId", "MissingParameter.CommId", UNREADABLE)?;
    let app = parameters.app()?;
    let (name, created) = call_of(call, app).ok_or_else(|| {
        let message = "CommId must be <SdkAppId>_<RoomId>_<second in which the room was created>, with the SdkAppId of the request; DescribeRoomInfo has it";
        RestError::new("InvalidParameterValue", message)
    })?;
    let (start, end) = span(parameters, STAYS_SPAN, now)?;
    let users = match parameters.get("UserIds") {
        Some(_) => Some(parameters.users(MOST as usize, UNREADABLE)?),
        None => None,
    };
    let page = page(parameters, STAYS)?;
    Ok(StayQuery { app: app.0, name: name.to_owned(), created, start, end, now, users, page })
}

/// The room and its creation in a CommId; the room's text may itself hold underscores.
fn call_of(call: &str, app: SdkAppId) -> Option<(&str, u64)> {
    let (of, rest) = call.split_once('_')?;
    let (name, created) = rest.rsplit_once('_')?;
    (of == app.to_string() && !name.is_empty()).then_some(())?;
    Some((name, created.parse().ok()?))
}

/// The span that is asked about, at most `longest` and within the time that is remembered.
fn span(parameters: &Parameters, longest: u64, now: u64) -> Result<(u64, u64), RestError> {
    let start: u64 =
        parameters.number("StartTime", "MissingParameter.StartTs", "InvalidParameter.StartTs")?;
    let end: u64 = parameters.number("EndTime", "MissingParameter.EndTs", "InvalidParameter.EndTs")?;
    let refuse = |code, text: String| Err(RestError::new(code, text));
    if end < start {
        return refuse("InvalidParameter.EndTs", "EndTime is before StartTime".to_owned());
    }
    if start < now.saturating_sub(REMEMBERED) {
        let days = REMEMBERED / 86_400;
        let text = format!("StartTime is more than {days} days ago; nothing older is remembered");
        return refuse("InvalidParameter.StartTsOversize", text);
    }
    if end - start > longest {
        let hours = longest / 3600;
        let text = format!("from StartTime to EndTime are more than {hours} hours; ask for shorter spans");
        return refuse("InvalidParameter.QueryScaleOversize", text);
    }
    Ok((start, end))
}

/// The page that is asked for: the first one with `usual` rows unless number and size are both given.
fn page(parameters: &Parameters, usual: u32) -> Result<Page, RestError> {
    let number = parameters.optional("PageNumber", "InvalidParameter.PageNumber")?;
    let size = parameters.optional("PageSize", "InvalidParameter.PageSize")?;
    match size {
        Some(0) => {
            let text = format!("PageSize is 0; 1 to {MOST} are allowed");
            return Err(RestError::new("InvalidParameter.PageSize", text));
        }
        Some(size) if size > MOST => {
            let text = format!("PageSize is {size}; 1 to {MOST} are allowed");
            return Err(RestError::new("InvalidParameter.PageSizeOversize", text));
        }
        Some(_) | None => {}
    }
    Ok(match (number, size) {
        (Some(number), Some(size)) => Page { number, size },
        _ => Page { number: 0, size: usual },
    })
}

/// The answer of DescribeRoomInfo. `Total` counts the rooms on this page, as the SDK's documentation
/// has it.
pub(super) fn room_list(query: &RoomQuery, rows: &[RoomRow], now: u64) -> Map<String, Value> {
    let state = |row: &RoomRow| {
        json!({
            "CommId": format!("{}_{}_{}", query.app, row.name, row.created),
            "RoomString": row.name,
            "CreateTime": row.created,
            "DestroyTime": row.closed.map_or(json!(now), Value::from),
            "IsFinished": row.closed.is_some(),
            "UserId": row.creator,
        })
    };
    list("RoomList", rows.len() as u64, rows.iter().map(state).collect())
}

/// The answer of DescribeUserInfo, one entry a stay. `Total` counts the stays on all pages.
pub(super) fn user_list(query: &StayQuery, total: u64, rows: &[StayRow], now: u64) -> Map<String, Value> {
    let information = |row: &StayRow| {
        json!({
            "RoomStr": query.name,
            "UserId": row.user,
            "JoinTs": row.joined,
            "LeaveTs": row.left.map_or(json!(now), Value::from),
            "DeviceType": row.device,
            "SdkVersion": row.sdk,
            "ClientIp": row.address,
            "Finished": row.left.is_some(),
        })
    };
    list("UserList", total, rows.iter().map(information).collect())
}

fn list(name: &str, total: u64, rows: Vec<Value>) -> Map<String, Value> {
    Map::from_iter([("Total".to_owned(), json!(total)), (name.to_owned(), Value::Array(rows))])
}

#[cfg(test)]
mod tests {
    use confab_protocol::{Role, RoomId};
    use prometheus_client::metrics::counter::Counter;

    use super::*;
    use crate::happening::{ClientInfo, Happening, What};
    use crate::history::History;

    const NOW: u64 = 1_700_000_000;

    /// Parameters that are well, with some of them replaced or, where null, left out.
    fn parameters(of: Value, with: Value) -> Parameters {
        let (Value::Object(mut members), Value::Object(with)) = (of, with) else { panic!("objects") };
        members.extend(with);
        Parameters::from_json(Value::Object(members).to_string().as_bytes()).unwrap()
    }

    fn ask_rooms(with: Value) -> Result<RoomQuery, &'static str> {
        let well = json!({ "SdkAppId": 7, "StartTime": NOW - 60, "EndTime": NOW });
        rooms(&parameters(well, with), NOW).map_err(|error| error.code)
    }

    fn ask_stays(with: Value) -> Result<StayQuery, &'static str> {
        let well =
            json!({ "CommId": "7_5_1699990000", "SdkAppId": 7, "StartTime": NOW - 60, "EndTime": NOW });
        stays(&parameters(well, with), NOW).map_err(|error| error.code)
    }

    #[test]
    fn pages_have_ten_rooms_or_six_stays_unless_both_fields_say_otherwise() {
        let page = |number, size| Page { number, size };
        let cases = [
            (json!({}), None),
            (json!({ "PageSize": 50 }), None),
            (json!({ "PageNumber": 3 }), None),
            (json!({ "PageNumber": null, "PageSize": 50 }), None),
            (json!({ "PageNumber": 3, "PageSize": 50 }), Some(page(3, 50))),
            (json!({ "PageNumber": 0, "PageSize": 1 }), Some(page(0, 1))),
            (json!({ "PageNumber": 0, "PageSize": 100 }), Some(page(0, 100))),
        ];
        for (with, wanted) in cases {
            assert_eq!(ask_rooms(with.clone()).unwrap().page, wanted.unwrap_or(page(0, 10)), "{with}");
            assert_eq!(ask_stays(with.clone()).unwrap().page, wanted.unwrap_or(page(0, 6)), "{with}");
        }
    }

    #[test]
    fn the_last_fortnight_can_be_asked_about_a_day_or_four_hours_at_a_time() {
        let span = |start: u64, end: u64| json!({ "StartTime": start, "EndTime": end });
        let (day, hours, fortnight) = (86_400, 4 * 3600, 14 * 86_400);
        assert!(ask_rooms(span(NOW - day, NOW)).is_ok());
        assert_eq!(ask_rooms(span(NOW - day - 1, NOW)), Err("InvalidParameter.QueryScaleOversize"));
        assert!(ask_stays(span(NOW - hours, NOW)).is_ok());
        assert_eq!(ask_stays(span(NOW - hours - 1, NOW)), Err("InvalidParameter.QueryScaleOversize"));
        for ask in [|with| ask_rooms(with).map(drop), |with| ask_stays(with).map(drop)] {
            assert_eq!(ask(span(NOW - fortnight, NOW - fortnight)), Ok(()));
            let older = span(NOW - fortnight - 1, NOW - fortnight);
            assert_eq!(ask(older), Err("InvalidParameter.StartTsOversize"));
            assert_eq!(ask(span(NOW, NOW - 1)), Err("InvalidParameter.EndTs"));
            assert_eq!(ask(span(NOW, NOW + 60)), Ok(()), "what is still to come");
        }
    }

    #[tokio::test]
    async fn what_is_still_to_come_is_empty() {
        let (history, _thread) = History::start(None, Counter::default()).await.unwrap();
        let (user, client) = ("ann".parse().unwrap(), ClientInfo::default());
        history.tell(&Happening {
            app: SdkAppId(7),
            room: RoomId::number(5_u32).unwrap(),
            created: NOW - 9,
            at_ms: (NOW - 9) * 1000,
            what: What::Entered { user, role: Role::Anchor, again: false, client },
        });
        for (start, found) in [(NOW - 60, 1), (NOW, 1), (NOW + 1, 0), (NOW + 3600, 0)] {
            let span = json!({ "StartTime": start, "EndTime": start + 60 });
            let rooms = history.rooms(ask_rooms(span.clone()).unwrap()).await.unwrap();
            let mut of_room = span;
            of_room["CommId"] = json!(format!("7_5_{}", NOW - 9));
            let (total, stays) = history.stays(ask_stays(of_room).unwrap()).await.unwrap();
            assert_eq!((rooms.len(), stays.len(), total), (found, found, found as u64), "from {start}");
        }
    }

    #[test]
    fn each_wrong_parameter_has_its_own_code() {
        let both = [
            (json!({ "SdkAppId": null }), "MissingParameter.SdkAppId"),
            (json!({ "SdkAppId": "7" }), "InvalidParameter.SdkAppId"),
            (json!({ "StartTime": null }), "MissingParameter.StartTs"),
            (json!({ "StartTime": "1" }), "InvalidParameter.StartTs"),
            (json!({ "StartTime": -1 }), "InvalidParameter.StartTs"),
            (json!({ "EndTime": null }), "MissingParameter.EndTs"),
            (json!({ "EndTime": 1.5 }), "InvalidParameter.EndTs"),
            (json!({ "PageNumber": -1 }), "InvalidParameter.PageNumber"),
            (json!({ "PageNumber": "1" }), "InvalidParameter.PageNumber"),
            (json!({ "PageSize": 0 }), "InvalidParameter.PageSize"),
            (json!({ "PageSize": "9" }), "InvalidParameter.PageSize"),
            (json!({ "PageSize": 101 }), "InvalidParameter.PageSizeOversize"),
            (json!({ "Why": 1 }), "UnknownParameter"),
        ];
        for (with, code) in both {
            assert_eq!(ask_rooms(with.clone()), Err(code), "{with}");
            assert_eq!(ask_stays(with.clone()), Err(code), "{with}");
        }
        assert_eq!(ask_rooms(json!({ "RoomId": 5 })), Err("InvalidParameter.BodyParamsError"));
        let none = json!({ "CommId": null, "SdkAppId": null });
        assert_eq!(ask_stays(none), Err("MissingParameter.CommIdOrSdkAppId"));
        assert_eq!(ask_stays(json!({ "CommId": null })), Err("MissingParameter.CommId"));
        assert_eq!(ask_stays(json!({ "CommId": 7 })), Err("InvalidParameter.BodyParamsError"));
        for users in [json!([]), json!("a"), json!([1]), json!([""]), json!(vec!["a"; 101])] {
            assert_eq!(ask_stays(json!({ "UserIds": users })), Err("InvalidParameter.BodyParamsError"));
        }
        let most = json!({ "UserIds": vec!["a"; 100] });
        assert_eq!(ask_stays(most).unwrap().users.unwrap().len(), 100);
    }

    #[test]
    fn a_comm_id_names_app_room_and_creation() {
        let call = |text: &str| ask_stays(json!({ "CommId": text })).map(|query| (query.name, query.created));
        let named = |name: &str| Ok((name.to_owned(), 1_699_990_000));
        assert_eq!(call("7_5_1699990000"), named("5"));
        assert_eq!(call("7_a_b__1699990000"), named("a_b_"));
        for wrong in ["", "7", "7_5", "7__1", "8_5_1699990000", "7_5_soon", "7_5_-1", "7_5_"] {
            assert_eq!(call(wrong), Err("InvalidParameterValue"), "{wrong}");
        }
    }

    #[test]
    fn answers_have_the_members_that_the_sdk_reads() {
        let query = ask_rooms(json!({})).unwrap();
        let open = RoomRow { name: "5".into(), created: 100, closed: None, creator: "ann".into() };
        let closed = RoomRow { closed: Some(200), ..open.clone() };
        assert_eq!(
            Value::Object(room_list(&query, &[open, closed], NOW)),
            json!({ "Total": 2, "RoomList": [
                { "CommId": "7_5_100", "RoomString": "5", "CreateTime": 100, "DestroyTime": NOW,
                  "IsFinished": false, "UserId": "ann" },
                { "CommId": "7_5_100", "RoomString": "5", "CreateTime": 100, "DestroyTime": 200,
                  "IsFinished": true, "UserId": "ann" },
            ]})
        );
        let query = ask_stays(json!({})).unwrap();
        let row = StayRow {
            user: "ann".into(),
            joined: 100,
            left: None,
            device: "linux".into(),
            sdk: "rust 1".into(),
            address: "192.0.2.7".into(),
        };
        let gone = StayRow { left: Some(150), ..row.clone() };
        assert_eq!(
            Value::Object(user_list(&query, 9, &[row, gone], NOW)),
            json!({ "Total": 9, "UserList": [
                { "RoomStr": "5", "UserId": "ann", "JoinTs": 100, "LeaveTs": NOW, "DeviceType": "linux",
                  "SdkVersion": "rust 1", "ClientIp": "192.0.2.7", "Finished": false },
                { "RoomStr": "5", "UserId": "ann", "JoinTs": 100, "LeaveTs": 150, "DeviceType": "linux",
                  "SdkVersion": "rust 1", "ClientIp": "192.0.2.7", "Finished": true },
            ]})
        );
    }
}
