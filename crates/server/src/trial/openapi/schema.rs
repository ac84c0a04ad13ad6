//! As much of JSON Schema as the document uses; a word that is not known fails.

use serde_json::Value;

/// Collects what every `$ref` points at.
pub(super) fn references(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                if name == "$ref" {
                    found.push(member.as_str().unwrap().to_owned());
                } else {
                    references(member, found);
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| references(item, found)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// Whether a value fits a schema of the document, or why not.
pub(super) fn check(document: &Value, schema: &Value, value: &Value) -> Result<(), String> {
    let Value::Object(words) = schema else { panic!("{schema} is no schema") };
    let refuse = |word: &str| Err(format!("{value} has not the {word} of {schema}"));
    let fits = |schema: &Value| check(document, schema, value).is_ok();
    let count = |wanted: &Value| wanted.as_array().unwrap().iter().filter(|one| fits(one)).count();
    for (word, wanted) in words {
        let good = match word.as_str() {
            "$ref" => {
                let place = wanted.as_str().unwrap().strip_prefix('#').unwrap();
                check(document, document.pointer(place).unwrap(), value)?;
                true
            }
            "type" => match wanted.as_array() {
                Some(types) => types.iter().any(|one| is_of(one, value)),
                None => is_of(wanted, value),
            },
            "const" => value == wanted,
            "enum" => wanted.as_array().unwrap().contains(value),
            "oneOf" => count(wanted) == 1,
            "anyOf" => count(wanted) >= 1,
            "required" => {
                wanted.as_array().unwrap().iter().all(|name| value.get(name.as_str().unwrap()).is_some())
            }
            "properties" => {
                for (name, schema) in wanted.as_object().unwrap() {
                    value.get(name).map_or(Ok(()), |member| check(document, schema, member))?;
                }
                true
            }
            "patternProperties" => {
                for (pattern, schema) in wanted.as_object().unwrap() {
                    let members = value.as_object().into_iter().flatten();
                    members
                        .filter(|(name, _)| matches(pattern, name))
                        .try_for_each(|(_, member)| check(document, schema, member))?;
                }
                true
            }
            "additionalProperties" => {
                assert_eq!(wanted, false);
                let known = words.get("properties");
                let patterns = words.get("patternProperties").and_then(Value::as_object);
                let mut names = value.as_object().into_iter().flat_map(|members| members.keys());
                names.all(|name| {
                    known.is_some_and(|known| known.get(name).is_some())
                        || patterns.is_some_and(|all| all.keys().any(|pattern| matches(pattern, name)))
                })
            }
            "items" => {
                value.as_array().into_iter().flatten().try_for_each(|item| check(document, wanted, item))?;
                true
            }
            "minItems" => value.as_array().is_none_or(|items| items.len() as u64 >= wanted.as_u64().unwrap()),
            "maxItems" => value.as_array().is_none_or(|items| items.len() as u64 <= wanted.as_u64().unwrap()),
            "minimum" => value.as_f64().is_none_or(|number| number >= wanted.as_f64().unwrap()),
            "maximum" => value.as_f64().is_none_or(|number| number <= wanted.as_f64().unwrap()),
            "minLength" => value.as_str().is_none_or(|text| text.len() as u64 >= wanted.as_u64().unwrap()),
            "maxLength" => value.as_str().is_none_or(|text| text.len() as u64 <= wanted.as_u64().unwrap()),
            "pattern" => value.as_str().is_none_or(|text| matches(wanted.as_str().unwrap(), text)),
            "description" | "format" | "default" => true,
            other => panic!("the word {other} of {schema} is not known here"),
        };
        if !good {
            return refuse(word);
        }
    }
    Ok(())
}

fn is_of(wanted: &Value, value: &Value) -> bool {
    match wanted.as_str().unwrap() {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_i64() || value.is_u64(),
        "null" => value.is_null(),
        other => panic!("the type {other} is not known here"),
    }
}

fn matches(pattern: &str, text: &str) -> bool {
    match pattern {
        "^[A-Za-z0-9_-]+$" => {
            !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"_-".contains(&b))
        }
        "^[0-9A-Fa-f]{32,64}$" => {
            (32..=64).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_hexdigit())
        }
        r"^UserIds\.[0-9]+$" => text
            .strip_prefix("UserIds.")
            .is_some_and(|number| !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit())),
        other => panic!("the pattern {other} is not known here"),
    }
}
