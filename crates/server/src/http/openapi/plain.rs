//! What is asked by GET without parameters.

use serde_json::{Value, json};

use super::{Answer, Asked, Content, Example, JSON, Operation};
use crate::metrics::Metrics;

const HTML: &str = "text/html; charset=utf-8";
pub(super) const TEXT: &str = "text/plain; charset=utf-8";

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
    let stopping = Answer { status: 503, when: "The server is shutting down.", contents: vec![text(TEXT)] };
    let described = json!({ "type": "object", "required": ["openapi"] });
    vec![
        Operation::get(
            "/healthz",
            "health",
            "Whether the server does its work.",
            vec![usual("It does.", Content { media: JSON, schema: health }), stopping],
            vec![without_parameters(JSON, json!({ "status": "ok", "rooms": 0, "people": 0 }))],
        ),
        Operation::get(
            "/join",
            "invite",
            "The page behind an invitation's address: it opens the app.",
            vec![usual("The same for every invitation.", text(HTML))],
            vec![without_parameters(HTML, json!("<!doctype html>"))],
        ),
        Operation::get(
            "/metrics",
            "metrics",
            "Counters for a monitoring system, as OpenMetrics.",
            vec![usual("One line of the example is among many.", text(Metrics::CONTENT_TYPE))],
            vec![without_parameters(Metrics::CONTENT_TYPE, json!("confab_rooms 0"))],
        ),
        Operation::get(
            "/v1/openapi.json",
            "describe",
            "This document.",
            vec![usual("An OpenAPI document.", Content { media: JSON, schema: described })],
            vec![without_parameters(JSON, json!({ "openapi": "3.1.0" }))],
        ),
    ]
}

/// What a GET is answered that says nothing beside its path.
pub(super) fn without_parameters(media: &'static str, answered: Value) -> Example {
    Example { name: "usual", asked: Asked::Nothing, status: 200, media, answered }
}

/// A text of that media type.
pub(super) fn text(media: &'static str) -> Content {
    Content { media, schema: json!({ "type": "string" }) }
}

fn usual(when: &'static str, content: Content) -> Answer {
    Answer { status: 200, when, contents: vec![content] }
}
