//! The description of the interfaces against the server that it describes.

mod ask;
mod schema;

use std::collections::BTreeSet;

use confab_protocol::HostAction;
use serde_json::{Map, Value};

use super::Trial;
use crate::http::{openapi, routes};
use ask::{Asked, Body, alike};

const JSON: &str = "application/json";

/// One method of one path, as it stands in the document.
struct Operation<'a> {
    path: &'a str,
    method: &'a str,
    said: &'a Value,
}

/// A request and what is answered to it, as they stand in the document.
struct Example<'a> {
    name: &'a str,
    body: Body<'a>,
    /// What was asked does not fit its schema.
    wrong: bool,
    status: u16,
    media: &'a str,
    answered: &'a Value,
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

    /// Schema and examples of the body by its media type.
    fn bodies(&self) -> impl Iterator<Item = (&'a str, &'a Value)> {
        by_media(&self.said["requestBody"]["content"])
    }

    /// Schema and examples of the body in JSON, where there is one.
    fn json_body(&self) -> Option<&'a Value> {
        self.bodies().find(|(media, _)| *media == JSON).map(|(_, content)| content)
    }

    /// What stands in the query, with schema and examples.
    fn queries(&self) -> impl Iterator<Item = &'a Value> {
        let parameters = self.said["parameters"].as_array().into_iter().flatten();
        parameters.filter(|parameter| parameter["in"] == "query")
    }

    /// Status, media type, schema and examples of what is answered.
    fn answers(&self) -> Vec<(u16, &'a str, &'a Value)> {
        let responses = self.said["responses"].as_object().unwrap().iter();
        responses
            .flat_map(|(status, said)| {
                let status = status.parse::<u16>().unwrap();
                by_media(&said["content"]).map(move |(media, content)| (status, media, content))
            })
            .collect()
    }

    fn examples(&self) -> Vec<Example<'a>> {
        let answers = self.answers().into_iter();
        answers
            .flat_map(|(status, media, content)| {
                examples_of(content).map(move |(name, answer)| (status, media, name, answer))
            })
            .map(|(status, media, name, answer)| {
                let wrong = answer.get("x-asked");
                let body = wrong.map(Body::Json).unwrap_or_else(|| self.asked(name));
                let (wrong, answered) = (wrong.is_some(), &answer["value"]);
                Example { name, body, wrong, status, media, answered }
            })
            .collect()
    }

    /// What is asked by the example of that name.
    fn asked(&self, name: &str) -> Body<'a> {
        let of = |content: &'a Value| content["examples"].get(name).map(|example| &example["value"]);
        let in_body = self.bodies().find_map(|(media, content)| {
            of(content).map(|value| if media == JSON { Body::Json(value) } else { Body::Form(value) })
        });
        let in_query = || self.queries().find_map(of).map(Body::Query);
        let asked = in_body.or_else(in_query);
        assert!(asked.is_some() || self.method == "get", "{} {name} says what it asks", self.path);
        asked.unwrap_or(Body::Nothing)
    }
}

fn by_media(content: &Value) -> impl Iterator<Item = (&str, &Value)> {
    content.as_object().into_iter().flatten().map(|(media, content)| (media.as_str(), content))
}

fn examples_of(content: &Value) -> impl Iterator<Item = (&str, &Value)> {
    let examples = content["examples"].as_object().into_iter().flatten();
    examples.map(|(name, example)| (name.as_str(), example))
}

/// The object without one of its members.
fn without(object: &Value, member: &str) -> Value {
    let mut less = object.clone();
    less.as_object_mut().unwrap().remove(member);
    less
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
fn every_security_scheme_is_shown_somewhere_and_no_other() {
    let document = openapi::document();
    let mut shown = BTreeSet::new();
    for Operation { said, .. } in Operation::all(&document) {
        let alternatives = said["security"].as_array().into_iter().flatten();
        shown.extend(alternatives.flat_map(|one| one.as_object().unwrap().keys()));
    }
    let known = document["components"]["securitySchemes"].as_object().unwrap();
    assert_eq!(shown, known.keys().collect());
    let scheme = |name: &str| (known[name]["type"].as_str().unwrap(), known[name]["scheme"].as_str());
    assert_eq!(scheme("tc3"), ("http", Some("TC3-HMAC-SHA256")));
    assert_eq!(scheme("hmac"), ("apiKey", None));
}

#[test]
fn every_example_fits_its_schema() {
    let document = openapi::document();
    let (mut seen, mut refused) = (0, 0);
    for operation in Operation::all(&document) {
        let place = format!("{} {}", operation.method, operation.path);
        let bodies = operation.bodies().map(|(_, content)| content);
        let answers = operation.answers().into_iter().map(|(_, _, content)| content);
        for content in bodies.chain(operation.queries()).chain(answers) {
            for (name, example) in examples_of(content) {
                schema::check(&document, &content["schema"], &example["value"])
                    .unwrap_or_else(|why| panic!("{place}: {name}: {why}"));
                seen += 1;
            }
        }
        for Example { name, body, .. } in operation.examples().iter().filter(|example| example.wrong) {
            let schema = &operation.json_body().unwrap()["schema"];
            let fits = schema::check(&document, schema, body.value().unwrap());
            assert!(fits.is_err(), "{place}: {name} fits its schema");
            refused += 1;
        }
    }
    assert!(seen > 120 && refused > 15, "{seen} and {refused}");
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
    let (mut wrong, mut seen) = (Vec::new(), BTreeSet::new());
    for operation in Operation::all(&document) {
        let answers = operation.answers();
        for Example { name, body, status, media, answered, .. } in operation.examples() {
            let place = format!("{} {}: {name}", operation.method, operation.path);
            let asked = Asked { method: operation.method, path: operation.path, example: name, body };
            let (real, of_media, answer) = asked.send().await;
            if (real, of_media.as_str()) != (status, media) || !alike(answered, &answer) {
                let truth = format!("{real} {of_media} {answer} in truth");
                wrong.push(format!("{place}: {status} {media} {answered} in the document, {truth}"));
                continue;
            }
            seen.insert((operation.method, operation.path, status, media));
            let (.., content) = answers.iter().find(|(one, of, _)| (*one, *of) == (status, media)).unwrap();
            let fits = schema::check(&document, &content["schema"], &answer);
            wrong.extend(fits.err().map(|why| format!("{place}: {why}")));
            if let Some(code) = answer["code"].as_i64().filter(|code| *code != 0) {
                let listed = operation.said["description"].as_str().unwrap();
                let known = listed.contains(&format!("- `{code}`: "));
                wrong.extend((!known).then(|| format!("{place}: {code} is not in the list")));
            }
        }
        for (status, media, _) in answers {
            // Nobody asks a server that is about to end.
            let shown = seen.contains(&(operation.method, operation.path, status, media)) || status == 503;
            let place = format!("{} {}", operation.method, operation.path);
            wrong.extend((!shown).then(|| format!("{place}: {status} {media} has no example")));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[tokio::test]
async fn what_a_schema_needs_is_needed_and_what_it_does_not_know_is_refused() {
    let document = openapi::document();
    let mut wrong = Vec::new();
    for operation in Operation::all(&document) {
        let Some(content) = operation.json_body() else { continue };
        let all = examples_of(content).filter(|(name, _)| {
            operation.path == "/" || ["admitted", "given", "with_signature", "done"].contains(name)
        });
        for (name, example) in all {
            let body = &example["value"];
            let of_action = document["components"]["schemas"].get(format!("{name}Request"));
            let wanted = of_action.unwrap_or(&content["schema"]);
            let mut more = body.clone();
            more["unheardOf"] = Value::from(1);
            schema::check(&document, wanted, &more).unwrap_err();
            let (status, _, answer) = Asked::post(operation.path, name, Body::Json(&more)).send().await;
            let refused = status == 400 || answer["Response"]["Error"]["Code"] == "UnknownParameter";
            wrong.extend((!refused).then(|| format!("{} {name}: {answer}", operation.path)));
            for member in body.as_object().unwrap().keys() {
                let less = without(body, member);
                let needed = schema::check(&document, wanted, &less).is_err();
                let (_, _, answer) = Asked::post(operation.path, name, Body::Json(&less)).send().await;
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

#[tokio::test]
async fn what_a_form_needs_is_needed_and_what_it_does_not_know_is_refused() {
    let document = openapi::document();
    let form = document["paths"]["/"]["post"]["requestBody"]["content"].as_object().unwrap();
    let (_, content) = form.iter().find(|(media, _)| *media != JSON).unwrap();
    let body = &content["examples"]["form"]["value"];
    let send = async |body: &Value| {
        let (_, _, answer) = Asked::post("/", "form", Body::Form(body)).send().await;
        answer["Response"]["Error"]["Code"].as_str().unwrap_or_default().to_owned()
    };
    let mut more = body.clone();
    more["unheardOf"] = Value::from("1");
    schema::check(&document, &content["schema"], &more).unwrap_err();
    assert_eq!(send(&more).await, "UnknownParameter");
    for member in body.as_object().unwrap().keys() {
        let less = without(body, member);
        let needed = schema::check(&document, &content["schema"], &less).is_err();
        let said = send(&less).await;
        assert_eq!(said.starts_with("MissingParameter"), needed, "without {member}: {said}");
    }
}

#[tokio::test]
async fn a_schema_knows_every_member_that_is_read() {
    let document = openapi::document();
    let mut seen = 0;
    for operation in Operation::all(&document).iter().filter(|one| one.path.starts_with("/v1/")) {
        let Some(content) = operation.json_body() else { continue };
        let odd = Value::Object(Map::from_iter([("unheardOf".to_owned(), Value::from(1))]));
        let (_, _, answer) = Asked::post(operation.path, "unreadable", Body::Json(&odd)).send().await;
        let sentence = answer["message"].as_str().unwrap();
        assert!(sentence.contains("there is no field unheardOf"), "{}: {sentence}", operation.path);
        let read = sentence.split_once(", only ").map_or("", |(_, known)| known.trim_end_matches('.'));
        let mut read: BTreeSet<&str> = read.split(", ").filter(|name| !name.is_empty()).collect();
        // It is taken out before the others are read.
        read.extend((operation.path == "/v1/enter").then_some("stay"));
        let schema = match content["schema"]["$ref"].as_str() {
            Some(place) => document.pointer(place.strip_prefix('#').unwrap()).unwrap(),
            None => &content["schema"],
        };
        let properties = schema["properties"].as_object().into_iter().flatten();
        let known: BTreeSet<&str> = properties.map(|(name, _)| name.as_str()).collect();
        assert_eq!(known, read, "{}", operation.path);
        seen += read.len();
    }
    assert!(seen >= 50, "{seen}");
}
