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
        "components": { "schemas": schemas.into_json(), "securitySchemes": schemes() },
    })
}

/// What requests show, by the names that operations give.
fn schemes() -> Value {
    json!({
        SESSION: {
            "type": "http",
            "scheme": "bearer",
            "description": "The token of an entry, or that of an API key which administers the room.",
        },
        TC3: {
            "type": "http",
            "scheme": "TC3-HMAC-SHA256",
            "description": "The signature of a cloud key in the header `Authorization`, as Tencent Cloud's \
                SDKs make it: `TC3-HMAC-SHA256 Credential=<SecretId>/<date>/trtc/tc3_request, \
                SignedHeaders=content-type;host, Signature=<hex>`. Action, version and time stand in the \
                headers `X-TC-Action`, `X-TC-Version` and `X-TC-Timestamp`.",
        },
        HMAC: {
            "type": "apiKey",
            "in": "query",
            "name": "Signature",
            "description": "The older signature of a cloud key, HmacSHA1 or HmacSHA256 in base64. It stands \
                among the parameters that it signs, in the query of a GET and in the form of a POST.",
        },
    })
}

/// The token of a session.
const SESSION: &str = "session";
/// A cloud key's signature in a header.
const TC3: &str = "tc3";
/// A cloud key's signature among the parameters.
const HMAC: &str = "hmac";
/// Nothing, where something may be shown.
const NOTHING: &str = "";

/// One method of one path.
#[derive(Debug, Clone)]
struct Operation {
    path: String,
    method: &'static str,
    id: String,
    summary: String,
    description: String,
    /// One of these is shown; nothing where there are none.
    shows: &'static [&'static str],
    /// Headers and parts of the query.
    parameters: Vec<Value>,
    body: Option<Body>,
    answers: Vec<Answer>,
    examples: Vec<Example>,
}

/// What a request carries, in one of these forms.
#[derive(Debug, Clone)]
struct Body {
    contents: Vec<Content>,
    required: bool,
}

/// What an operation answers with one status, in one of these forms.
#[derive(Debug, Clone)]
struct Answer {
    status: u16,
    when: &'static str,
    contents: Vec<Content>,
}

/// A media type, and the schema of what is written in it.
#[derive(Debug, Clone)]
struct Content {
    media: &'static str,
    schema: Value,
}

/// A request and what is answered to it.
#[derive(Debug, Clone)]
struct Example {
    name: &'static str,
    asked: Asked,
    status: u16,
    media: &'static str,
    answered: Value,
}

/// What a request of an example says.
#[derive(Debug, Clone)]
enum Asked {
    /// Nothing beside its path.
    Nothing,
    /// This in the query.
    Query(Value),
    /// This as a body of a media type.
    Body(&'static str, Value),
    /// This as a body in JSON, which the schema refuses.
    Wrong(Value),
}

impl Operation {
    /// A GET of this path.
    fn get(path: &str, id: &str, summary: &str, answers: Vec<Answer>, examples: Vec<Example>) -> Operation {
        Operation {
            path: path.to_owned(),
            method: "get",
            id: id.to_owned(),
            summary: summary.to_owned(),
            description: String::new(),
            shows: &[],
            parameters: Vec::new(),
            body: None,
            answers,
            examples,
        }
    }

    fn into_json(mut self) -> Value {
        let mut all = json!({ "operationId": self.id, "summary": self.summary });
        if !self.description.is_empty() {
            all["description"] = self.description.into();
        }
        if !self.shows.is_empty() {
            let alone = |scheme: &&str| match *scheme {
                NOTHING => json!({}),
                scheme => json!({ scheme: [] }),
            };
            all["security"] = self.shows.iter().map(alone).collect();
        }
        let examples = self.examples;
        let of_query = shown(&examples, Example::in_query);
        for parameter in self.parameters.iter_mut().filter(|parameter| parameter["in"] == "query") {
            parameter["examples"] = of_query.clone().into();
        }
        if !self.parameters.is_empty() {
            all["parameters"] = self.parameters.into();
        }
        if let Some(Body { contents, required }) = self.body {
            let content = content(contents, |media| shown(&examples, |example| example.in_body(media)));
            all["requestBody"] = json!({ "required": required, "content": content });
        }
        let answers = self.answers.into_iter().map(|Answer { status, when, contents }| {
            let content =
                content(contents, |media| shown(&examples, |example| example.in_answer(status, media)));
            (status.to_string(), json!({ "description": when, "content": content }))
        });
        all["responses"] = answers.collect::<Map<_, _>>().into();
        all
    }
}

impl Content {
    fn json(schema: Value) -> Vec<Content> {
        vec![Content { media: JSON, schema }]
    }
}

impl Example {
    fn in_query(&self) -> Option<Value> {
        match &self.asked {
            Asked::Query(query) => Some(json!({ "value": query })),
            Asked::Nothing | Asked::Body(..) | Asked::Wrong(_) => None,
        }
    }

    fn in_body(&self, of: &str) -> Option<Value> {
        match &self.asked {
            Asked::Body(media, body) if *media == of => Some(json!({ "value": body })),
            Asked::Body(..) | Asked::Nothing | Asked::Query(_) | Asked::Wrong(_) => None,
        }
    }

    /// A body that the schema refuses is no example of a body, so it stands beside its answer.
    fn in_answer(&self, status: u16, media: &str) -> Option<Value> {
        if (self.status, self.media) != (status, media) {
            return None;
        }
        Some(match &self.asked {
            Asked::Wrong(body) => json!({
                "summary": "What the body in `x-asked` is answered, which does not fit its schema.",
                "x-asked": body,
                "value": self.answered,
            }),
            Asked::Nothing | Asked::Query(_) | Asked::Body(..) => json!({ "value": self.answered }),
        })
    }
}

/// Those examples that stand in one place, as they stand there.
fn shown(examples: &[Example], there: impl Fn(&Example) -> Option<Value>) -> Map<String, Value> {
    examples.iter().filter_map(|example| Some((example.name.to_owned(), there(example)?))).collect()
}

/// What bodies look like by their media type, with the examples of each.
fn content(contents: Vec<Content>, examples: impl Fn(&str) -> Map<String, Value>) -> Value {
    let all = contents.into_iter().map(|Content { media, schema }| {
        let mut said = json!({ "schema": schema });
        let examples = examples(media);
        if !examples.is_empty() {
            said["examples"] = examples.into();
        }
        (media.to_owned(), said)
    });
    Value::Object(all.collect())
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
