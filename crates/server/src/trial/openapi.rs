//! The description of the interfaces against the server that it describes.

mod ask;
mod schema;

use std::collections::BTreeSet;

use confab_protocol::HostAction;
use serde_json::Value;

use super::Trial;
use crate::http::{openapi, routes};
use ask::{Asked, alike};

/// One method of one path, as it stands in the document.
struct Operation<'a> {
    path: &'a str,
    method: &'a str,
    said: &'a Value,
}

impl<'a> Operation<'a> {
    fn all(document: &'a Value) -> Vec<Operation<'a>> {
        let paths = document["paths"].as_object().unwrap().iter();
        paths
            .flat_map(|(path, methods)| {
                let methods = methods.as_object().unwrap().iter();
                methods.map(move |(method, said)| Operation { path, method, said })
            })
            .collect()
    }

    /// Schema and examples of the body, where there is one.
    fn body(&self) -> Option<&'a Value> {
        self.said.get("requestBody").map(|body| &body["content"]["application/json"])
    }

    /// Status, schema and examples of what is answered.
    fn answers(&self) -> Vec<(u16, &'a Value)> {
        let responses = self.said["responses"].as_object().unwrap().iter();
        let only = |content: &'a Value| content.as_object().unwrap().values().next().unwrap();
        responses.map(|(status, said)| (status.parse().unwrap(), only(&said["content"]))).collect()
    }

    /// Every example: its name, the body, the status, the answer.
    fn examples(&self) -> Vec<(&'a str, Option<&'a Value>, u16, &'a Value)> {
        let answers = self.answers().into_iter();
        answers
            .flat_map(|(status, content)| {
                let examples = content["examples"].as_object().into_iter().flatten();
                examples.map(move |(name, answered)| {
                    let asked = self.body().map(|body| &body["examples"][name]["value"]);
                    (name.as_str(), asked, status, &answered["value"])
                })
            })
            .collect()
    }
}

#[test]
fn every_route_is_described_and_nothing_else() {
    let described = openapi::document();
    let described: BTreeSet<&str> =
        described["paths"].as_object().unwrap().keys().map(String::as_str).collect();
    let answered = routes().into_iter().flat_map(|(path, _)| match path.strip_suffix("{action}") {
        Some(before) => HostAction::NAMES.map(|name| format!("{before}{name}")).to_vec(),
        None => vec![path.to_owned()],
    });
    let answered: BTreeSet<String> = answered.collect();
    assert_eq!(described, answered.iter().map(String::as_str).collect());
}

#[test]
fn the_document_is_sound_and_its_references_lead_somewhere() {
    let document = openapi::document();
    assert_eq!(document["openapi"], "3.1.0");
    assert!(document["info"]["title"].is_string() && document["info"]["version"].is_string());
    let mut references = Vec::new();
    schema::references(&document, &mut references);
    assert!(references.len() > 20, "{references:?}");
    for reference in &references {
        assert!(document.pointer(reference.strip_prefix('#').unwrap()).is_some(), "{reference}");
    }
    let schemas = document["components"]["schemas"].as_object().unwrap();
    for name in schemas.keys() {
        let wanted = format!("#/components/schemas/{name}");
        assert!(references.contains(&wanted), "nobody points at {name}");
    }
    let operations = Operation::all(&document);
    let ids: BTreeSet<&str> =
        operations.iter().map(|one| one.said["operationId"].as_str().unwrap()).collect();
    assert_eq!(ids.len(), operations.len(), "an id names one operation");
    for Operation { path, method, said } in &operations {
        assert!(said["summary"].as_str().is_some_and(|text| text.ends_with('.')), "{method} {path}");
        assert!(said["responses"]["200"]["description"].is_string(), "{method} {path}");
        assert_eq!(said.get("requestBody").is_some(), *method == "post", "{method} {path}");
    }
}

#[test]
fn every_example_fits_its_schema() {
    let document = openapi::document();
    let mut seen = 0;
    for operation in Operation::all(&document) {
        let answers = operation.answers();
        for (name, asked, status, answered) in operation.examples() {
            let place = format!("{} {}: {name}", operation.method, operation.path);
            let wanted = &answers.iter().find(|(one, _)| *one == status).unwrap().1["schema"];
            schema::check(&document, wanted, answered).unwrap_or_else(|why| panic!("{place}: {why}"));
            if let (Some(body), Some(asked)) = (operation.body(), asked) {
                let fits = schema::check(&document, &body["schema"], asked);
                let wrong = ["unreadable", "no_such_scene", "no_such_role"].contains(&name);
                assert_eq!(fits.is_err(), wrong, "{place}: {fits:?}");
            }
            seen += 1;
        }
    }
    assert!(seen > 70, "{seen}");
}

#[tokio::test]
async fn the_server_serves_the_document() {
    let trial = Trial::start().await;
    let answer = trial.client.get(format!("{}/v1/openapi.json", trial.server.url())).send().await.unwrap();
    assert_eq!(answer.headers()["content-type"], "application/json");
    assert_eq!(answer.json::<Value>().await.unwrap(), openapi::document());
}

#[tokio::test]
async fn the_server_answers_every_example_as_the_document_says() {
    let document = openapi::document();
    let mut wrong = Vec::new();
    for operation in Operation::all(&document) {
        let answers = operation.answers();
        for (name, body, status, answered) in operation.examples() {
            let place = format!("{} {}: {name}", operation.method, operation.path);
            let asked = Asked { method: operation.method, path: operation.path, example: name, body };
            let (real, answer) = asked.send().await;
            if real != status || !alike(answered, &answer) {
                wrong.push(format!("{place}: {status} {answered} in the document, {real} {answer} in truth"));
                continue;
            }
            let wanted = &answers.iter().find(|(one, _)| *one == status).unwrap().1["schema"];
            wrong
                .extend(schema::check(&document, wanted, &answer).err().map(|why| format!("{place}: {why}")));
            if let Some(code) = answer["code"].as_i64().filter(|code| *code != 0) {
                let listed = operation.said["description"].as_str().unwrap();
                let known = listed.contains(&format!("- `{code}`: "));
                wrong.extend((!known).then(|| format!("{place}: {code} is not in the list")));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[tokio::test]
async fn what_a_schema_needs_is_needed_and_what_it_does_not_know_is_refused() {
    let document = openapi::document();
    let mut wrong = Vec::new();
    for operation in Operation::all(&document) {
        let Some(content) = operation.body() else { continue };
        let examples = content["examples"].as_object().unwrap().iter();
        for (name, example) in examples.filter(|(name, _)| {
            operation.path == "/" || ["admitted", "given", "with_signature", "done"].contains(&name.as_str())
        }) {
            let body = &example["value"];
            let of_action = document["components"]["schemas"].get(format!("{name}Request"));
            let wanted = of_action.unwrap_or(&content["schema"]);
            let mut more = body.clone();
            more["unheardOf"] = Value::from(1);
            schema::check(&document, wanted, &more).unwrap_err();
            let (status, answer) = Asked::post(operation.path, name, &more).send().await;
            let refused = status == 400 || answer["Response"]["Error"]["Code"] == "UnknownParameter";
            wrong.extend((!refused).then(|| format!("{} {name}: {answer}", operation.path)));
            for member in body.as_object().unwrap().keys() {
                let mut less = body.clone();
                less.as_object_mut().unwrap().remove(member);
                let needed = schema::check(&document, wanted, &less).is_err();
                let (_, answer) = Asked::post(operation.path, name, &less).send().await;
                let error = answer["Response"]["Error"]["Code"].as_str().unwrap_or_default();
                // Whose role it is stands in members that a token replaces; the application wants a passcode.
                let instead = operation.path == "/v1/role" && member != "role" || member == "passcode";
                let refused = answer["code"].as_i64().is_some_and(|code| code != 0)
                    || error.starts_with("MissingParameter");
                if refused != (needed || instead) {
                    wrong.push(format!("{} {name} without {member}: {answer}", operation.path));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}
