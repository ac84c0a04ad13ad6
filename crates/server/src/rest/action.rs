//! What a request asks for, from its action's name and its parameters.

use confab_protocol::{RoomId, SdkAppId};
use serde_json::{Map, Value};

use super::answer::RestError;

/// The only version of the interface.
pub(crate) const VERSION: &str = "2019-07-22";
/// How many people one request may remove.
const MAX_USERS: usize = 10;

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
}

impl Action {
    /// Reads the parameters of the action called `name`.
    pub(crate) fn parse(name: &str, parameters: Parameters) -> Result<Action, RestError> {
        let (by_text, remove) = match name {
            "RemoveUser" => (false, true),
            "RemoveUserByStrRoomId" => (true, true),
            "DismissRoom" => (false, false),
            "DismissRoomByStrRoomId" => (true, false),
            _ => {
                let message = format!("the action {name:?} is not offered by this server");
                return Err(RestError::new("InvalidAction", message));
            }
        };
        parameters.only(if remove { &["SdkAppId", "RoomId", "UserIds"] } else { &["SdkAppId", "RoomId"] })?;
        let app = SdkAppId(parameters.number(
            "SdkAppId",
            "MissingParameter.SdkAppId",
            "InvalidParameter.SdkAppId",
        )?);
        let room = if by_text { parameters.text_room() } else { parameters.number_room() }?;
        if remove {
            Ok(Action::Remove { app, room, users: parameters.users()? })
        } else {
            Ok(Action::Dismiss { app, room })
        }
    }

    /// The application whose room is meant.
    pub(crate) fn app(&self) -> SdkAppId {
        match self {
            Action::Remove { app, .. } | Action::Dismiss { app, .. } => *app,
        }
    }
}

/// The parameters of a request, from a JSON body or a query.
#[derive(Debug)]
pub(crate) struct Parameters {
    members: Map<String, Value>,
    /// In a query everything is text, numbers too.
    from_query: bool,
}

impl Parameters {
    /// Reads the body of a POST.
    pub(crate) fn from_json(body: &[u8]) -> Result<Parameters, RestError> {
        let wrong = |text: String| RestError::new("InvalidParameter", text);
        match serde_json::from_slice(body) {
            Ok(Value::Object(members)) => Ok(Parameters { members, from_query: false }),
            Ok(_) => Err(wrong("the body must be a JSON object".to_owned())),
            Err(error) => Err(wrong(format!("the body is not JSON: {error}"))),
        }
    }

    /// Reads the pairs of a GET; `UserIds.0=a&UserIds.1=b` becomes a list in the order of numbers.
    pub(crate) fn from_query(pairs: Vec<(String, String)>) -> Parameters {
        let mut members = Map::new();
        let mut lists: Vec<(String, usize, String)> = Vec::new();
        for (name, value) in pairs {
            match name.rsplit_once('.').map(|(list, index)| (list, index.parse())) {
                Some((list, Ok(index))) => lists.push((list.to_owned(), index, value)),
                Some((_, Err(_))) | None => {
                    members.insert(name, Value::String(value));
                }
            }
        }
        lists.sort_by_key(|(_, index, _)| *index);
        for (name, _, value) in lists {
            if let Value::Array(items) = members.entry(name).or_insert_with(|| Value::Array(Vec::new())) {
                items.push(Value::String(value));
            }
        }
        Parameters { members, from_query: true }
    }

    fn only(&self, known: &[&str]) -> Result<(), RestError> {
        match self.members.keys().find(|name| !known.contains(&name.as_str())) {
            Some(name) => {
                let message = format!("the parameter {name:?} is not known");
                Err(RestError::new("UnknownParameter", message))
            }
            None => Ok(()),
        }
    }

    /// A member that is there and not null.
    fn given(&self, name: &str, missing: &'static str) -> Result<&Value, RestError> {
        self.members
            .get(name)
            .filter(|value| !value.is_null())
            .ok_or_else(|| RestError::new(missing, format!("the parameter {name} is missing")))
    }

    fn number(&self, name: &str, missing: &'static str, invalid: &'static str) -> Result<u32, RestError> {
        let value = self.given(name, missing)?;
        let number = match value.as_str() {
            Some(text) if self.from_query => text.parse().ok(),
            _ => value.as_u64(),
        };
        number.and_then(|number| u32::try_from(number).ok()).ok_or_else(|| {
            RestError::new(invalid, format!("the parameter {name} must be a number of 32 bits"))
        })
    }

    fn number_room(&self) -> Result<RoomId, RestError> {
        let number = self.number("RoomId", "MissingParameter.RoomId", "InvalidParameter.RoomId")?;
        RoomId::number(number)
            .map_err(|error| RestError::new("InvalidParameterValue.RoomId", error.to_string()))
    }

    fn text_room(&self) -> Result<RoomId, RestError> {
        let text = self.given("RoomId", "MissingParameter.RoomId")?.as_str().ok_or_else(|| {
            RestError::new("InvalidParameter.RoomId", "the parameter RoomId must be a text")
        })?;
        RoomId::text(text).map_err(|error| RestError::new("InvalidParameterValue.RoomId", error.to_string()))
    }

    /// Ids that nobody could have are kept: nobody of that id is in the room, which is no error.
    fn users(&self) -> Result<Vec<String>, RestError> {
        let wrong = |text: String| RestError::new("InvalidParameter.UserIds", text);
        let list = self.given("UserIds", "MissingParameter.UserIds")?.as_array();
        let list = list.ok_or_else(|| wrong("the parameter UserIds must be a list of texts".to_owned()))?;
        if list.is_empty() || list.len() > MAX_USERS {
            return Err(wrong(format!("UserIds has {} entries; 1 to {MAX_USERS} are allowed", list.len())));
        }
        list.iter()
            .map(|user| user.as_str().filter(|user| !user.is_empty()).map(str::to_owned))
            .collect::<Option<Vec<String>>>()
            .ok_or_else(|| wrong("every entry of UserIds must be a text that is not empty".to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn json(action: &str, body: &str) -> Result<Action, &'static str> {
        Parameters::from_json(body.as_bytes())
            .and_then(|parameters| Action::parse(action, parameters))
            .map_err(|error| error.code)
    }

    fn query(action: &str, pairs: &[(&str, &str)]) -> Result<Action, &'static str> {
        let pairs = pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        Action::parse(action, Parameters::from_query(pairs)).map_err(|error| error.code)
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
            ("DescribeRoomInfo", "{}", "InvalidAction"),
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
        ];
        for (action, body, code) in cases {
            assert_eq!(json(action, body), Err(code), "{action} {body}");
        }
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
                if let Ok(parameters) = Parameters::from_json(body) {
                    prop_assert!(Action::parse(&action, parameters).is_err(), "a room or an app is missing");
                }
            }
            let pairs = names.into_iter().map(|name| (name, value.clone())).collect();
            prop_assert!(Action::parse(&action, Parameters::from_query(pairs)).is_err());
        }
    }
}
