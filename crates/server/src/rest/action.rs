//! What a request asks for, from its action's name and its parameters.

use confab_protocol::{RoomId, SdkAppId};

use super::answer::RestError;
use super::describe;
use super::parameters::Parameters;
use crate::history::{RoomQuery, StayQuery};
use crate::http::ObjectError;

/// The only version of the interface.
pub(crate) const VERSION: &str = "2019-07-22";
/// How many people one request may remove.
pub(crate) const MAX_USERS: usize = 10;

/// An action that is offered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Offered {
    RemoveUser,
    RemoveUserByStrRoomId,
    DismissRoom,
    DismissRoomByStrRoomId,
    DescribeRoomInfo,
    DescribeUserInfo,
}

/// One request, understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Action {
    /// Take people out of a room.
    Remove {
        /// Whose room.
        app: SdkAppId,
        /// Which room.
        room: RoomId,
        /// 1 to 10 ids; they need not be in the room.
        users: Vec<String>,
    },
    /// End a room.
    Dismiss {
        /// Whose room.
        app: SdkAppId,
        /// Which room.
        room: RoomId,
    },
    /// Which rooms there have been.
    Rooms(RoomQuery),
    /// Who has been in a room.
    Stays(StayQuery),
}

impl Offered {
    /// All of them.
    pub(crate) const ALL: [Offered; 6] = [
        Offered::RemoveUser,
        Offered::RemoveUserByStrRoomId,
        Offered::DismissRoom,
        Offered::DismissRoomByStrRoomId,
        Offered::DescribeRoomInfo,
        Offered::DescribeUserInfo,
    ];

    /// As requests name it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Offered::RemoveUser => "RemoveUser",
            Offered::RemoveUserByStrRoomId => "RemoveUserByStrRoomId",
            Offered::DismissRoom => "DismissRoom",
            Offered::DismissRoomByStrRoomId => "DismissRoomByStrRoomId",
            Offered::DescribeRoomInfo => "DescribeRoomInfo",
            Offered::DescribeUserInfo => "DescribeUserInfo",
        }
    }

    /// The action of that name.
    pub(crate) fn named(name: &str) -> Result<Offered, RestError> {
        let found = Offered::ALL.into_iter().find(|offered| offered.name() == name);
        found.ok_or_else(|| {
            let message = format!("the action {name:?} is not offered by this server");
            RestError::new("InvalidAction", message)
        })
    }

    /// The error of parameters that are none.
    pub(crate) fn unreadable(self, error: &ObjectError) -> RestError {
        let code = match self {
            Offered::DescribeRoomInfo | Offered::DescribeUserInfo => describe::UNREADABLE,
            Offered::RemoveUser
            | Offered::RemoveUserByStrRoomId
            | Offered::DismissRoom
            | Offered::DismissRoomByStrRoomId => "InvalidParameter",
        };
        let message = match error {
            ObjectError::NoJson(error) => format!("the body is not JSON: {error}"),
            ObjectError::NoObject => "the body must be a JSON object".to_owned(),
            ObjectError::Twice(name) => format!("the parameter {name:?} is given twice"),
        };
        RestError::new(code, message)
    }
}

impl Action {
    /// Reads the parameters of an action; `now` is Unix time in seconds.
    pub(crate) fn parse(offered: Offered, parameters: &Parameters, now: u64) -> Result<Action, RestError> {
        let (by_text, remove) = match offered {
            Offered::DescribeRoomInfo => return describe::rooms(parameters, now).map(Action::Rooms),
            Offered::DescribeUserInfo => return describe::stays(parameters, now).map(Action::Stays),
            Offered::RemoveUser => (false, true),
            Offered::RemoveUserByStrRoomId => (true, true),
            Offered::DismissRoom => (false, false),
            Offered::DismissRoomByStrRoomId => (true, false),
        };
        parameters.only(if remove { &["SdkAppId", "RoomId", "UserIds"] } else { &["SdkAppId", "RoomId"] })?;
        let app = parameters.app()?;
        let room = if by_text { parameters.text_room() } else { parameters.number_room() }?;
        if remove {
            Ok(Action::Remove { app, room, users: parameters.users(MAX_USERS, "InvalidParameter.UserIds")? })
        } else {
            Ok(Action::Dismiss { app, room })
        }
    }

    /// The application whose room is meant.
    pub(crate) fn app(&self) -> SdkAppId {
        match self {
            Action::Remove { app, .. } | Action::Dismiss { app, .. } => *app,
            Action::Rooms(RoomQuery { app, .. }) | Action::Stays(StayQuery { app, .. }) => SdkAppId(*app),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Map, Value};

    use super::*;

    const NOW: u64 = 1_700_000_000;

    fn parse(action: &str, parameters: Result<Parameters, ObjectError>) -> Result<Action, RestError> {
        let offered = Offered::named(action)?;
        let parameters = parameters.map_err(|error| offered.unreadable(&error))?;
        Action::parse(offered, &parameters, NOW)
    }

    fn json(action: &str, body: &str) -> Result<Action, &'static str> {
        parse(action, Parameters::from_json(body.as_bytes())).map_err(|error| error.code)
    }

    fn query(action: &str, pairs: &[(&str, &str)]) -> Result<Action, &'static str> {
        let pairs = pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        parse(action, Parameters::from_query(pairs)).map_err(|error| error.code)
    }

    #[test]
    fn the_four_actions_are_read() {
        let app = SdkAppId(7);
        let number = RoomId::number(12_u32).unwrap();
        let text = RoomId::text("room-A 1").unwrap();
        let users = vec!["a".to_owned(), "测试".to_owned()];
        assert_eq!(
            json("RemoveUser", r#"{"SdkAppId":7,"RoomId":12,"UserIds":["a","\u6d4b\u8bd5"]}"#),
            Ok(Action::Remove { app, room: number.clone(), users: users.clone() })
        );
        assert_eq!(
            json("RemoveUserByStrRoomId", r#"{"SdkAppId":7,"RoomId":"room-A 1","UserIds":["a","测试"]}"#),
            Ok(Action::Remove { app, room: text.clone(), users: users.clone() })
        );
        assert_eq!(
            json("DismissRoom", r#"{"SdkAppId":7,"RoomId":12}"#),
            Ok(Action::Dismiss { app, room: number.clone() })
        );
        assert_eq!(
            json("DismissRoomByStrRoomId", r#"{"SdkAppId":7,"RoomId":"room-A 1"}"#),
            Ok(Action::Dismiss { app, room: text })
        );
        let pairs = [("SdkAppId", "7"), ("RoomId", "12"), ("UserIds.1", "测试"), ("UserIds.0", "a")];
        assert_eq!(query("RemoveUser", &pairs), Ok(Action::Remove { app, room: number, users }));
    }

    #[test]
    fn each_wrong_parameter_has_its_own_code() {
        let cases = [
            ("StartCloudRecording", "{}", "InvalidAction"),
            ("DescribeTRTCMarketScaleData", "{}", "InvalidAction"),
            ("removeuser", "{}", "InvalidAction"),
            ("RemoveUser", "{}", "MissingParameter.SdkAppId"),
            ("RemoveUser", r#"{"SdkAppId":null}"#, "MissingParameter.SdkAppId"),
            ("RemoveUser", r#"{"SdkAppId":"7"}"#, "InvalidParameter.SdkAppId"),
            ("RemoveUser", r#"{"SdkAppId":-1}"#, "InvalidParameter.SdkAppId"),
            ("RemoveUser", r#"{"SdkAppId":7}"#, "MissingParameter.RoomId"),
            ("RemoveUser", r#"{"SdkAppId":7,"RoomId":"12"}"#, "InvalidParameter.RoomId"),
            ("RemoveUser", r#"{"SdkAppId":7,"RoomId":1.5}"#, "InvalidParameter.RoomId"),
            ("RemoveUser", r#"{"SdkAppId":7,"RoomId":4294967296}"#, "InvalidParameter.RoomId"),
            ("RemoveUser", r#"{"SdkAppId":7,"RoomId":0}"#, "InvalidParameterValue.RoomId"),
            ("RemoveUser", r#"{"SdkAppId":7,"RoomId":4294967295}"#, "InvalidParameterValue.RoomId"),
            ("RemoveUser", r#"{"SdkAppId":7,"RoomId":1}"#, "MissingParameter.UserIds"),
            ("RemoveUser", r#"{"SdkAppId":7,"RoomId":1,"UserIds":"a"}"#, "InvalidParameter.UserIds"),
            ("RemoveUser", r#"{"SdkAppId":7,"RoomId":1,"UserIds":[]}"#, "InvalidParameter.UserIds"),
            ("RemoveUser", r#"{"SdkAppId":7,"RoomId":1,"UserIds":[1]}"#, "InvalidParameter.UserIds"),
            ("RemoveUser", r#"{"SdkAppId":7,"RoomId":1,"UserIds":[""]}"#, "InvalidParameter.UserIds"),
            ("DismissRoomByStrRoomId", r#"{"SdkAppId":7,"RoomId":12}"#, "InvalidParameter.RoomId"),
            ("DismissRoomByStrRoomId", r#"{"SdkAppId":7,"RoomId":"a/b"}"#, "InvalidParameterValue.RoomId"),
            ("DismissRoomByStrRoomId", r#"{"SdkAppId":7,"RoomId":""}"#, "InvalidParameterValue.RoomId"),
            ("DismissRoom", r#"{"SdkAppId":7,"RoomId":1,"UserIds":["a"]}"#, "UnknownParameter"),
            ("DismissRoom", "[]", "InvalidParameter"),
            ("DismissRoom", "{", "InvalidParameter"),
            ("DismissRoom", r#"{"SdkAppId":7,"RoomId":1,"RoomId":2}"#, "InvalidParameter"),
            ("DescribeRoomInfo", "[]", "InvalidParameter.BodyParamsError"),
            ("DescribeRoomInfo", "{", "InvalidParameter.BodyParamsError"),
            ("DescribeUserInfo", "null", "InvalidParameter.BodyParamsError"),
            ("DescribeUserInfo", r#"{"CommId":"a","CommId":"b"}"#, "InvalidParameter.BodyParamsError"),
        ];
        for (action, body, code) in cases {
            assert_eq!(json(action, body), Err(code), "{action} {body}");
        }
    }

    #[test]
    fn an_action_that_is_not_offered_is_named() {
        let error = Offered::named("StartCloudRecording").unwrap_err();
        assert_eq!(error.message, "the action \"StartCloudRecording\" is not offered by this server");
        assert!(Offered::ALL.into_iter().all(|offered| Offered::named(offered.name()) == Ok(offered)));
    }

    #[test]
    fn parameters_that_are_none_say_why() {
        let said = |body: &str| {
            parse("DescribeRoomInfo", Parameters::from_json(body.as_bytes())).unwrap_err().message
        };
        assert_eq!(said("5"), "the body must be a JSON object");
        assert!(said("{").starts_with("the body is not JSON: EOF"), "{}", said("{"));
        assert_eq!(said(r#"{"SdkAppId":7,"SdkAppId":8}"#), r#"the parameter "SdkAppId" is given twice"#);
    }

    #[test]
    fn ten_people_are_removed_at_once_and_eleven_refused() {
        let body = |n: usize| format!(r#"{{"SdkAppId":7,"RoomId":1,"UserIds":{:?}}}"#, vec!["a"; n]);
        assert!(json("RemoveUser", &body(10)).is_ok());
        assert_eq!(json("RemoveUser", &body(11)), Err("InvalidParameter.UserIds"));
    }

    #[test]
    fn a_query_cannot_mix_up_a_list_and_a_text() {
        let pairs = [("SdkAppId", "7"), ("RoomId", "1"), ("UserIds", "x"), ("UserIds.0", "a")];
        assert_eq!(query("RemoveUser", &pairs), Err("InvalidParameter.UserIds"));
        let pairs = [("SdkAppId", "x"), ("RoomId", "1"), ("UserIds.0", "a")];
        assert_eq!(query("RemoveUser", &pairs), Err("InvalidParameter.SdkAppId"));
        let pairs = [("SdkAppId", "7"), ("RoomId", "1"), ("UserIds.0", "a"), ("UserIds.0", "b")];
        assert_eq!(query("RemoveUser", &pairs), Err("InvalidParameter"));
    }

    proptest! {
        #[test]
        fn any_parameters_are_understood_or_refused(
            bytes in any::<Vec<u8>>(), names in proptest::collection::vec("[A-Za-z.0-9]{0,12}", 0..6),
            action in "(RemoveUser|DismissRoom)(ByStrRoomId)?|.{0,20}", value in ".{0,10}",
        ) {
            let members: Map<String, Value> =
                names.iter().map(|name| (name.clone(), Value::String(value.clone()))).collect();
            let json_text = Value::Object(members).to_string();
            for body in [bytes.as_slice(), json_text.as_bytes()] {
                let parameters = Parameters::from_json(body);
                prop_assert!(parse(&action, parameters).is_err(), "a room or an app is missing");
            }
            let pairs = names.into_iter().map(|name| (name, value.clone())).collect();
            prop_assert!(parse(&action, Parameters::from_query(pairs)).is_err());
        }
    }
}
