//! Bodies that are a JSON object in which every member has a name of its own.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::{Map, Value};

/// Why a body is no such object. Names of members are repeated, values are not: they may be secrets.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ObjectError {
    /// The text is broken.
    #[error("it is not JSON: {0}")]
    NoJson(serde_json::Error),
    /// A list, a text or another single value.
    #[error("it is not a JSON object")]
    NoObject,
    /// Nobody can say which one counts.
    #[error("{0} is given twice")]
    Twice(String),
}

/// The members of a JSON object. In objects within it the last of two counts, as serde_json has it.
pub(crate) fn object(text: &[u8]) -> Result<Map<String, Value>, ObjectError> {
    let Members { all, twice } = serde_json::from_slice(text).map_err(|error: serde_json::Error| {
        if error.is_data() { ObjectError::NoObject } else { ObjectError::NoJson(error) }
    })?;
    twice.map_or(Ok(all), |name| Err(ObjectError::Twice(name)))
}

/// What an object holds.
#[derive(Default)]
struct Members {
    all: Map<String, Value>,
    /// The first name that came again.
    twice: Option<String>,
}

impl<'de> Deserialize<'de> for Members {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Members, D::Error> {
        struct Object;

        impl<'de> Visitor<'de> for Object {
            type Value = Members;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members, A::Error> {
                let mut members = Members::default();
                while let Some((name, value)) = map.next_entry::<String, Value>()? {
                    if members.all.contains_key(&name) {
                        members.twice.get_or_insert(name);
                    } else {
                        members.all.insert(name, value);
                    }
                }
                Ok(members)
            }
        }

        deserializer.deserialize_map(Object)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn said(text: &str) -> String {
        object(text.as_bytes()).unwrap_err().to_string()
    }

    #[test]
    fn an_object_is_taken_apart_and_anything_else_is_named() {
        assert_eq!(object(b"{}").unwrap().len(), 0);
        assert_eq!(object(br#" {"a":1,"b":{"a":[2]},"A":null} "#).unwrap().len(), 3);
        for other in ["[]", "[{}]", "null", "5", "-5", "0.5", "true", r#""{}""#] {
            assert_eq!(said(other), "it is not a JSON object", "{other}");
        }
        for broken in ["", "{", r#"{"a":1,}"#, r#"{"a":1} {}"#, "{a:1}", r#"{"a":1e999}"#, "planted"] {
            assert!(said(broken).starts_with("it is not JSON: "), "{broken}: {}", said(broken));
            assert!(!said(broken).contains("planted"));
        }
        assert!(object(b"{\"a\":\"\xff\"}").unwrap_err().to_string().starts_with("it is not JSON: "));
    }

    #[test]
    fn a_member_that_is_given_twice_is_named_and_its_values_are_not() {
        assert_eq!(said(r#"{"a":1,"b":2,"a":"planted","b":3}"#), "a is given twice");
        assert_eq!(said(r#"{"a":null,"a":null}"#), "a is given twice");
        assert_eq!(said(r#"{"a":1,"\u0061":2}"#), "a is given twice", "however it is written");
        assert!(said(r#"{"a":1,"a":2"#).starts_with("it is not JSON: "), "broken text comes first");
    }

    proptest! {
        #[test]
        fn any_object_of_serde_json_is_the_same_here(
            names in prop::collection::btree_map(".{0,4}", any::<i32>(), 0..9), bytes in any::<Vec<u8>>(),
        ) {
            let all = names.into_iter().map(|(name, value)| (name, value.into()));
            let all: Map<String, Value> = all.collect();
            prop_assert_eq!(object(Value::Object(all.clone()).to_string().as_bytes()).unwrap(), all);
            let theirs = serde_json::from_slice::<Value>(&bytes).ok().filter(Value::is_object);
            prop_assert_eq!(object(&bytes).is_ok(), theirs.is_some());
        }
    }
}
