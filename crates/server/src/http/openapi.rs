//! `GET /v1/openapi.json`: the interfaces described for programs (OpenAPI 3.1). The schemas of `/v1` come
//! from the types that are read and written.

mod plain;
mod rest;
mod v1;

use std::sync::LazyLock;

use axum::http::{HeaderValue, header};
use axum::response::Response;
use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, SchemaGenerator};
use serde_json::{Map, Value, json};

/// Where the schemas stand in the document.
const SCHEMAS: &str = "/components/schemas";
const JSON: &str = "application/json";

/// What is said of the whole.
const ABOUT: &str = "Rooms, people and roles have the semantics of Tencent TRTC: its ids, scenes, roles and \
    codes. Media and signalling are LiveKit's, at the `url` and with the `token` that an entry is answered \
    with. Texts in angle brackets stand for what the caller has: `<UserSig of ann>`.";

/// Answers with the document.
pub(super) async fn describe() -> Response {
    static TEXT: LazyLock<String> = LazyLock::new(|| document().to_string());
    let mut response = Response::new(TEXT.as_str().into());
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(JSON));
    response
}

/// The whole document.
pub(crate) fn document() -> Value {
    let mut schemas = Schemas::new();
    let operations: Vec<Operation> =
        [v1::operations(&mut schemas), rest::operations(&mut schemas), plain::operations()].concat();
    let mut paths = Map::new();
    for operation in operations {
        let path = paths.entry(operation.path.clone()).or_insert_with(|| json!({}));
        let method = operation.method;
        path[method] = operation.into_json();
    }
    json!({
        "openapi": "3.1.0",
        "info": { "title": "Confab", "version": env!("CARGO_PKG_VERSION"), "description": ABOUT },
        "paths": paths,
        "components": {
            "schemas": schemas.into_json(),
            "securitySchemes": {
                "session": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "The token of an entry, or that of an API key which administers the room.",
                },
            },
        },
    })
}

/// Whether a request shows the token of a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Token {
    None,
    Possible,
    Needed,
}

/// One method of one path.
#[derive(Debug, Clone)]
struct Operation {
    path: String,
    method: &'static str,
    id: String,
    summary: String,
    description: String,
    token: Token,
    /// Headers and parts of the query.
    parameters: Vec<Value>,
    /// The schema of the body, and whether there has to be one.
    body: Option<(Value, bool)>,
    answers: Vec<Answer>,
    examples: Vec<Example>,
}

/// What an operation answers with one status.
#[derive(Debug, Clone)]
struct Answer {
    status: u16,
    when: &'static str,
    media: &'static str,
    schema: Value,
}

/// A request and what is answered to it.
#[derive(Debug, Clone)]
struct Example {
    name: &'static str,
    asked: Option<Value>,
    status: u16,
    answered: Value,
}

impl Operation {
    /// A GET of this path without parameters.
    fn get(path: &str, id: &str, summary: &str, answers: Vec<Answer>, example: Value) -> Operation {
        let example = Example { name: "usual", asked: None, status: 200, answered: example };
        Operation {
            path: path.to_owned(),
            method: "get",
            id: id.to_owned(),
            summary: summary.to_owned(),
            description: String::new(),
            token: Token::None,
            parameters: Vec::new(),
            body: None,
            answers,
            examples: vec![example],
        }
    }

    fn into_json(self) -> Value {
        let mut all = json!({ "operationId": self.id, "summary": self.summary });
        if !self.description.is_empty() {
            all["description"] = self.description.into();
        }
        match self.token {
            Token::None => {}
            Token::Possible => all["security"] = json!([{}, { "session": [] }]),
            Token::Needed => all["security"] = json!([{ "session": [] }]),
        }
        if !self.parameters.is_empty() {
            all["parameters"] = self.parameters.into();
        }
        if let Some((schema, required)) = self.body {
            let asked =
                self.examples.iter().filter_map(|example| Some((example.name, example.asked.clone()?)));
            let content = content(JSON, schema, asked);
            all["requestBody"] = json!({ "required": required, "content": content });
        }
        let answers = self.answers.into_iter().map(|answer| {
            let examples = self.examples.iter().filter(|example| example.status == answer.status);
            let answered = examples.map(|example| (example.name, example.answered.clone()));
            let content = content(answer.media, answer.schema, answered);
            (answer.status.to_string(), json!({ "description": answer.when, "content": content }))
        });
        all["responses"] = answers.collect::<Map<_, _>>().into();
        all
    }
}

/// What bodies of a media type look like.
fn content<'a>(media: &str, schema: Value, examples: impl Iterator<Item = (&'a str, Value)>) -> Value {
    let mut said = json!({ "schema": schema });
    let examples: Map<String, Value> =
        examples.map(|(name, value)| (name.to_owned(), json!({ "value": value }))).collect();
    if !examples.is_empty() {
        said["examples"] = examples.into();
    }
    Value::Object(Map::from_iter([(media.to_owned(), said)]))
}

/// Collects schemas by name.
struct Schemas {
    /// Of what is read.
    read: SchemaGenerator,
    /// Of what is written.
    written: SchemaGenerator,
    /// Those that are written by hand.
    own: Map<String, Value>,
}

impl Schemas {
    fn new() -> Schemas {
        let settings = || SchemaSettings::draft2020_12().with(|all| all.definitions_path = SCHEMAS.into());
        Schemas {
            read: settings().for_deserialize().into_generator(),
            written: settings().for_serialize().into_generator(),
            own: Map::new(),
        }
    }

    /// A reference to the schema of a type that is read.
    fn of_read<T: JsonSchema>(&mut self) -> Value {
        self.read.subschema_for::<T>().to_value()
    }

    /// A reference to the schema of a type that is written.
    fn of_written<T: JsonSchema>(&mut self) -> Value {
        self.written.subschema_for::<T>().to_value()
    }

    /// The schema of a type that is read, to be taken apart.
    fn taken_apart<T: JsonSchema>(&mut self) -> Value {
        T::json_schema(&mut self.read).to_value()
    }

    /// A reference to a schema with that name.
    fn named(&mut self, name: &str, schema: Value) -> Value {
        self.own.insert(name.to_owned(), schema);
        json!({ "$ref": format!("#{SCHEMAS}/{name}") })
    }

    fn into_json(mut self) -> Value {
        let mut all = self.written.take_definitions(true);
        all.values_mut().for_each(without_null);
        all.extend(self.read.take_definitions(true));
        all.extend(self.own);
        let mut all = Value::Object(all);
        in_plain_words(&mut all);
        all
    }
}

/// What is written leaves a member out rather than write null.
fn without_null(schema: &mut Value) {
    let Some(properties) = schema.get_mut("properties").and_then(Value::as_object_mut) else { return };
    for property in properties.values_mut() {
        if let Some(Value::Array(types)) = property.get_mut("type") {
            types.retain(|one| one != "null");
            if let [only] = types.as_slice() {
                property["type"] = only.clone();
            }
        }
        if let Some(Value::Array(any)) = property.get_mut("anyOf") {
            any.retain(|one| one["type"] != "null");
        }
    }
}

/// Descriptions are the comments of our types, which point at other types.
fn in_plain_words(schema: &mut Value) {
    match schema {
        Value::Object(members) => {
            for (name, member) in members {
                if name == "description"
                    && let Value::String(text) = member
                {
                    *text = text.replace("[`crate::", "`").replace("[`", "`").replace("`]", "`");
                } else {
                    in_plain_words(member);
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(in_plain_words),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}
