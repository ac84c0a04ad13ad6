//! Driving the app by lines of JSON: one request a line in, answers and events out. The same for
//! `confab-headless` and for a script beside the window.

mod output;
mod read;

use serde::Serialize;
use serde_json::Value;
use tokio::io::AsyncBufRead;

use crate::{Controller, Event, Fault, Host, Request};

pub use output::{Output, Weight};

/// Longest line that is read, bytes.
pub const LONGEST: usize = 1024 * 1024;

/// What a line asks for, or why it cannot be read, with the id to answer to.
#[derive(Debug)]
struct Line {
    id: Value,
    request: Result<Request, Fault>,
}

/// What a line is answered with: a result, which may be null, or an error.
#[derive(Debug, Serialize)]
struct AnswerLine {
    id: Value,
    #[serde(skip_serializing_if = "Option::is_none")]
    result: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<Fault>,
}

/// Answers requests in their order until the input ends or nobody reads the output any more. A line
/// that cannot be read is answered with an error; only an input or output that fails ends it early.
pub async fn serve<H: Host>(
    controller: &Controller<H>,
    input: impl AsyncBufRead + Unpin,
    output: &Output,
) -> std::io::Result<()> {
    tokio::select! {
        read = follow(controller, input, output) => read,
        failure = output.unread() => match failure {
            Some(error) => Err(named("written", &error)),
            None => Ok(()),
        },
    }
}

async fn follow<H: Host>(
    controller: &Controller<H>,
    mut input: impl AsyncBufRead + Unpin,
    output: &Output,
) -> std::io::Result<()> {
    while let Some(read) = read::line(&mut input, LONGEST).await.map_err(|error| named("read", &error))? {
        let line = match read {
            Ok(text) if text.trim().is_empty() => continue,
            Ok(text) => parse(&text),
            Err(why) => Line { id: Value::Null, request: Err(Fault::unreadable(why)) },
        };
        let answer = match line.request {
            Ok(request) => controller.call(request).await,
            Err(fault) => Err(fault),
        };
        let (result, error) = match answer {
            Ok(result) => (Some(result), None),
            Err(fault) => (None, Some(fault)),
        };
        output.answer(&AnswerLine { id: line.id, result, error }).await;
    }
    Ok(())
}

fn named(what: &str, error: &std::io::Error) -> std::io::Error {
    std::io::Error::new(error.kind(), format!("the lines cannot be {what}: {error}"))
}

/// Writes an event as a line. Snapshots of the state are for pages; scripts ask `get_state`.
pub fn emit(output: &Output, event: &Event) {
    match event {
        Event::Room(event) => {
            let weight = if event.is_figure() { Weight::Figure } else { Weight::Fact };
            output.event(event, weight);
        }
        Event::View(_) => {}
    }
}

fn parse(text: &str) -> Line {
    let mut fields = match serde_json::from_str::<Value>(text) {
        Ok(Value::Object(fields)) => fields,
        Ok(_) => {
            let why = "it is not an object like {\"id\":1,\"command\":\"...\",\"args\":{}}";
            return Line { id: Value::Null, request: Err(Fault::unreadable(why)) };
        }
        Err(error) => return Line { id: Value::Null, request: Err(Fault::unreadable(error)) },
    };
    let id = fields.remove("id").unwrap_or(Value::Null);
    Line { id, request: Request::read(Value::Object(fields)) }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_answer_is_a_result_or_an_error() {
        let line =
            |result, error| serde_json::to_string(&AnswerLine { id: json!(1), result, error }).unwrap();
        assert_eq!(line(Some(Value::Null), None), r#"{"id":1,"result":null}"#);
        let fault = Fault { code: -3, detail: None, message: "no".into() };
        assert_eq!(line(None, Some(fault)), r#"{"id":1,"error":{"code":-3,"message":"no"}}"#);
    }

    #[test]
    fn a_good_line_is_a_request_with_its_id() {
        let line = parse(r#"{"id":"a7","command":"exit_room"}"#);
        assert_eq!((line.id, line.request), (json!("a7"), Ok(Request::ExitRoom {})));
    }

    #[test]
    fn a_bad_line_is_answered_to_its_id_where_it_has_one() {
        for (text, id, why) in [
            ("{", Value::Null, "EOF while parsing"),
            ("hello", Value::Null, "expected value"),
            ("[1]", Value::Null, "it is not an object"),
            (r#"{"id":3}"#, json!(3), "\"command\" is missing"),
            (r#"{"id":4,"command":"fly"}"#, json!(4), "there is no command \"fly\""),
            (r#"{"id":5,"command":"exit_room","args":{"x":1}}"#, json!(5), "unknown field `x`"),
            (r#"{"id":6,"command":"enter_room","args":{"roomId":"1"}}"#, json!(6), "invalid type: string"),
        ] {
            let line = parse(text);
            let fault = line.request.unwrap_err();
            assert_eq!((line.id, fault.code), (id, -2), "{text}");
            assert!(fault.message.contains(why), "{text}: {}", fault.message);
        }
    }

    #[test]
    fn a_role_or_a_scene_that_does_not_exist_has_its_own_code() {
        for (command, args, code, why) in [
            ("enter_room", json!({ "userId": "a", "roomId": 1, "role": 9 }), -102_055, "The role 9"),
            ("enter_room", json!({ "userId": "a", "roomId": 1, "scene": 9 }), -100_011, "scene: "),
            ("switch_role", json!({ "role": 22 }), -102_055, "The role 22"),
            ("enter_room", json!({ "userId": "a", "roomId": true, "role": 20 }), -2, "roomId: "),
            ("enter_room", json!({ "userId": "a", "roomId": true, "role": null }), -2, "roomId: "),
        ] {
            let line = parse(&json!({ "id": 1, "command": command, "args": args }).to_string());
            let fault = line.request.unwrap_err();
            assert_eq!(fault.code, code, "{args}: {}", fault.message);
            assert!(fault.message.contains(why), "{args}: {}", fault.message);
        }
    }
}
