//! The parameters of a request, each read with the code of its own error.

use std::collections::HashSet;

use confab_protocol::{RoomId, SdkAppId};
use serde_json::{Map, Value};

use super::answer::RestError;
use crate::http::{ObjectError, object};

/// The parameters of a request, from a JSON body or a query.
#[derive(Debug)]
pub(crate) struct Parameters {
    members: Map<String, Value>,
    /// In a query everything is text, numbers too.
    from_query: bool,
}

impl Parameters {
    /// Reads the body of a POST.
    pub(crate) fn from_json(body: &[u8]) -> Result<Parameters, ObjectError> {
        object(body).map(|members| Parameters { members, from_query: false })
    }

    /// Reads the pairs of a GET; `UserIds.0=a&UserIds.1=b` becomes a list in the order of numbers.
    pub(crate) fn from_query(pairs: Vec<(String, String)>) -> Result<Parameters, ObjectError> {
        let mut members = Map::new();
        let mut lists: Vec<(String, usize, String)> = Vec::new();
        let mut names = HashSet::new();
        for (name, value) in pairs {
            if !names.insert(name.clone()) {
                return Err(ObjectError::Twice(name));
            }
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
        Ok(Parameters { members, from_query: true })
    }

    /// Refuses what the action does not know.
    pub(super) fn only(&self, known: &[&str]) -> Result<(), RestError> {
        match self.members.keys().find(|name| !known.contains(&name.as_str())) {
            Some(name) => {
                let message = format!("the parameter {name:?} is not known");
                Err(RestError::new("UnknownParameter", message))
            }
            None => Ok(()),
        }
    }

    /// A member that is there and not null.
    pub(super) fn get(&self, name: &str) -> Option<&Value> {
        self.members.get(name).filter(|value| !value.is_null())
    }

    fn given(&self, name: &str, missing: &'static str) -> Result<&Value, RestError> {
        self.get(name).ok_or_else(|| RestError::new(missing, format!("the parameter {name} is missing")))
    }

    /// A number of 64 bits that is not negative.
    fn whole(&self, value: &Value) -> Option<u64> {
        match value.as_str() {
            Some(text) if self.from_query => text.parse().ok(),
            _ => value.as_u64(),
        }
    }

    /// A number that has to be there.
    pub(super) fn number<T: TryFrom<u64>>(
        &self,
        name: &str,
        missing: &'static str,
        invalid: &'static str,
    ) -> Result<T, RestError> {
        self.read(name, self.given(name, missing)?, invalid)
    }

    /// A number that may be left out.
    pub(super) fn optional<T: TryFrom<u64>>(
        &self,
        name: &str,
        invalid: &'static str,
    ) -> Result<Option<T>, RestError> {
        self.get(name).map(|value| self.read(name, value, invalid)).transpose()
    }

    fn read<T: TryFrom<u64>>(
        &self,
        name: &str,
        value: &Value,
        invalid: &'static str,
    ) -> Result<T, RestError> {
        let number = self.whole(value).and_then(|number| T::try_from(number).ok());
        let bits = 8 * size_of::<T>();
        number.ok_or_else(|| {
            RestError::new(invalid, format!("the parameter {name} must be a number of {bits} bits"))
        })
    }

    /// A text that has to be there.
    pub(super) fn text(
        &self,
        name: &str,
        missing: &'static str,
        invalid: &'static str,
    ) -> Result<&str, RestError> {
        let text = self.given(name, missing)?.as_str();
        text.ok_or_else(|| RestError::new(invalid, format!("the parameter {name} must be a text")))
    }

    /// The application that is asked about.
    pub(super) fn app(&self) -> Result<SdkAppId, RestError> {
        self.number("SdkAppId", "MissingParameter.SdkAppId", "InvalidParameter.SdkAppId").map(SdkAppId)
    }

    /// A room that has a number.
    pub(super) fn number_room(&self) -> Result<RoomId, RestError> {
        let number: u32 = self.number("RoomId", "MissingParameter.RoomId", "InvalidParameter.RoomId")?;
        RoomId::number(number)
            .map_err(|error| RestError::new("InvalidParameterValue.RoomId", error.to_string()))
    }

    /// A room that has a text.
    pub(super) fn text_room(&self) -> Result<RoomId, RestError> {
        let text = self.text("RoomId", "MissingParameter.RoomId", "InvalidParameter.RoomId")?;
        RoomId::text(text).map_err(|error| RestError::new("InvalidParameterValue.RoomId", error.to_string()))
    }

    /// 1 to `most` user ids. Ids that nobody could have are kept: nobody of that id is in the
    /// room, which is no error.
    pub(super) fn users(&self, most: usize, invalid: &'static str) -> Result<Vec<String>, RestError> {
        let wrong = |text: String| RestError::new(invalid, text);
        let list = self.given("UserIds", "MissingParameter.UserIds")?.as_array();
        let list = list.ok_or_else(|| wrong("the parameter UserIds must be a list of texts".to_owned()))?;
        if list.is_empty() || list.len() > most {
            return Err(wrong(format!("UserIds has {} entries; 1 to {most} are allowed", list.len())));
        }
        list.iter()
            .map(|user| user.as_str().filter(|user| !user.is_empty()).map(str::to_owned))
            .collect::<Option<Vec<String>>>()
            .ok_or_else(|| wrong("every entry of UserIds must be a text that is not empty".to_owned()))
    }
}
