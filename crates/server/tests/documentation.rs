//! The commands of docs/server.md, run against a server with the configuration that stands there.
#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may fail loudly")]

use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;

use confab_protocol::HostAction;
use confab_server::{Config, Server};
use serde_json::Value;

const PAGE: &str = include_str!("../../../docs/server.md");

/// A fenced block: what stands behind the fence, and its text.
#[derive(Debug, Clone, Copy)]
struct Block {
    kind: &'static str,
    text: &'static str,
}

fn blocks() -> Vec<Block> {
    let mut parts = PAGE.split("\n```");
    let mut found = Vec::new();
    parts.next();
    while let (Some(inside), Some(_)) = (parts.next(), parts.next()) {
        let (kind, text) = inside.split_once('\n').unwrap();
        found.push(Block { kind, text });
    }
    found
}

/// The configuration, with ports that are free.
fn configuration() -> String {
    let block = blocks().into_iter().find(|block| block.kind == "toml run").unwrap();
    block.text.replace("127.0.0.1:7880", "127.0.0.1:0").replace("127.0.0.1:7881", "127.0.0.1:0")
}

/// Runs all commands in one shell, in their order; answers with what each has said.
fn run(commands: &[Block], folder: &Path, server: &str) -> Vec<String> {
    let mut script = String::from("set -eu\n");
    for (index, command) in commands.iter().enumerate() {
        let text = command.text.replace("127.0.0.1:7880", server);
        let text = match command.kind {
            "python run" => format!("python3 - <<'END'\n{text}\nEND"),
            _ => text,
        };
        // In braces, so that what one sets is there for the next.
        writeln!(script, "{{\n{text}\n}} > answer-{index}").unwrap();
    }
    let programs = Path::new(env!("CARGO_BIN_EXE_confab-server")).parent().unwrap().display().to_string();
    let path = std::env::var("PATH").unwrap_or_default();
    let mut shell = Command::new("sh");
    shell.arg("-c").arg(script).current_dir(folder).env("PATH", format!("{programs}:{path}"));
    let output = shell.env("no_proxy", "127.0.0.1").output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let answers = (0..commands.len()).map(|index| folder.join(format!("answer-{index}")));
    answers.map(|file| std::fs::read_to_string(file).unwrap()).collect()
}

/// Whether the page says with a block what a command was answered; `...` stands for anything.
fn says(page: &Block, server: &str, answer: &str) -> bool {
    let text = page.text.replace("127.0.0.1:7880", server);
    match page.kind {
        "json" => serde_json::from_str(answer)
            .is_ok_and(|answer: Value| alike(&serde_json::from_str(&text).unwrap(), &answer)),
        "text" => text.trim() == answer.trim(),
        other => panic!("{other} is no answer: {text}"),
    }
}

/// The same of a part of an answer in JSON.
fn alike(page: &Value, answer: &Value) -> bool {
    match (page, answer) {
        (Value::String(any), _) if any == "..." => true,
        (Value::Object(page), Value::Object(answer)) => {
            page.len() == answer.len()
                && page.iter().all(|(name, page)| answer.get(name).is_some_and(|answer| alike(page, answer)))
        }
        (page, answer) => page == answer,
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_command_of_the_page_is_answered_as_the_page_says() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("confab.toml"), configuration()).unwrap();
    let server = Server::start(Config::from_toml("confab.toml", &configuration()).unwrap()).await.unwrap();
    let address = server.http().to_string();

    let all = blocks();
    let commands: Vec<(usize, Block)> = all
        .iter()
        .copied()
        .enumerate()
        .filter(|(_, block)| matches!(block.kind, "sh run" | "python run"))
        .collect();
    assert!(commands.len() >= 9, "{commands:?}");
    let only: Vec<Block> = commands.iter().map(|(_, block)| *block).collect();
    let place = folder.path().to_owned();
    let at = address.clone();
    let answers = tokio::task::spawn_blocking(move || run(&only, &place, &at)).await.unwrap();
    for ((index, command), answer) in commands.into_iter().zip(answers) {
        let page = &all[index + 1];
        assert!(
            says(page, &address, &answer),
            "{}\nthe page has {}\nthe server says {answer}",
            command.text,
            page.text
        );
    }
}

#[test]
fn every_call_has_an_example_that_succeeds() {
    let all = blocks();
    let succeeds = |answer: &Block| answer.kind == "text" || !answer.text.contains("\"code\": -");
    let shown: Vec<&str> = all
        .windows(2)
        .filter(|pair| pair[0].kind == "sh run" && succeeds(&pair[1]))
        .filter_map(|pair| pair[0].text.trim().lines().next_back())
        .collect();
    let actions = HostAction::NAMES.into_iter().chain(["invite"]);
    for call in actions.map(|name| format!("host {name} ")) {
        assert!(shown.iter().any(|line| line.starts_with(&call)), "{call}");
    }
    for path in ["/v1/enter", "/v1/ticket", "/v1/role", "/v1/openapi.json", "/join", "/healthz", "/metrics"] {
        let call = format!("127.0.0.1:7880{path}");
        assert!(shown.iter().any(|line| line.starts_with("curl ") && line.contains(&call)), "{path}");
    }
    assert!(shown.iter().any(|line| line.contains("http://$server/?$query")), "REST by GET");
    assert!(shown.iter().any(|line| line.contains("http://$server/\" -d \"$form\"")), "REST by a form");
}

#[test]
fn the_page_names_every_field_flag_and_variable() {
    let help = Command::new(env!("CARGO_BIN_EXE_confab-server")).arg("--help").output().unwrap();
    let help = String::from_utf8(help.stdout).unwrap();
    let flags = help.split_whitespace().filter(|word| word.starts_with("--") && word.len() > 2);
    for flag in flags.map(|flag| flag.trim_end_matches([',', ';', '.', ')'])) {
        let common = ["--help", "--version", "--dev"].contains(&flag);
        assert!(common || PAGE.contains(&format!("`{flag}`")), "{flag} is not on the page");
    }
    let variables = help.split(|c: char| !(c.is_ascii_uppercase() || c == '_'));
    let variables: Vec<&str> = variables.filter(|word| word.starts_with("CONFAB_")).collect();
    assert!(variables.len() >= 10, "{variables:?}");
    for variable in variables {
        assert!(
            PAGE.contains(&format!("`{variable}`")) || PAGE.contains(&format!("`{variable} ")),
            "{variable}"
        );
    }
    // A field that does not exist is refused with the names of those that do.
    for (text, least) in [("odd = 1", 10), ("[[app]]\nodd = 1", 7), ("[limits]\nodd = 1", 2)] {
        let error = Config::from_toml("c", text).unwrap_err().to_string();
        let known: Vec<&str> = error.split('`').skip(3).step_by(2).collect();
        assert!(known.len() >= least, "{error}");
        for field in known {
            let rows = [format!("| `{field}` |"), format!("| `limits.{field}` |"), format!("`{field}.")];
            assert!(rows.iter().any(|row| PAGE.contains(row)), "the field {field} is not on the page");
        }
    }
}
