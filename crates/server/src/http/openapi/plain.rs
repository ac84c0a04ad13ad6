//! What is asked by GET without parameters.

use serde_json::{Value, json};

use super::{Answer, JSON, Operation};

const HTML: &str = "text/html; charset=utf-8";
const TEXT: &str = "text/plain; charset=utf-8";

pub(super) fn operations() -> Vec<Operation> {
    let health = json!({
        "type": "object",
        "required": ["status", "rooms", "people"],
        "properties": {
            "status": { "const": "ok" },
            "rooms": { "type": "integer", "minimum": 0, "description": "Rooms with somebody in them or expected." },
            "people": { "type": "integer", "minimum": 0, "description": "People who are in rooms." },
        },
        "additionalProperties": false,
    });
    let stopping =
        Answer { status: 503, when: "The server is shutting down.", media: TEXT, schema: text_schema() };
    let metrics = "confab_rooms 0";
    vec![
        Operation::get(
            "/healthz",
            "health",
            "Whether the server does its work.",
            vec![usual("It does.", JSON, health), stopping],
            json!({ "status": "ok", "rooms": 0, "people": 0 }),
        ),
        Operation::get(
            "/join",
            "invite",
            "The page behind an invitation's address: it opens the app.",
            vec![usual("The same for every invitation.", HTML, text_schema())],
            json!("<!doctype html>"),
        ),
        Operation::get(
            "/metrics",
            "metrics",
            "Counters for a monitoring system, as OpenMetrics.",
            vec![usual(
                "One line of the example is among many.",
                crate::metrics::Metrics::CONTENT_TYPE,
                text_schema(),
            )],
            json!(metrics),
        ),
        Operation::get(
            "/v1/openapi.json",
            "describe",
            "This document.",
            vec![usual("An OpenAPI document.", JSON, json!({ "type": "object", "required": ["openapi"] }))],
            json!({ "openapi": "3.1.0" }),
        ),
    ]
}

fn usual(when: &'static str, media: &'static str, schema: Value) -> Answer {
    Answer { status: 200, when, media, schema }
}

fn text_schema() -> Value {
    json!({ "type": "string" })
}
