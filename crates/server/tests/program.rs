//! The program `confab-server` as an operator meets it.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may fail loudly")]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Child, Command, ExitStatus, Stdio};
#[cfg(unix)]
use std::time::{Duration, Instant};

fn program(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_confab-server"));
    command.env_clear().args(arguments).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// Runs it to its end: status, standard output, standard error.
fn run(arguments: &[&str]) -> (ExitStatus, String, String) {
    let output = program(arguments).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status, text(output.stdout), text(output.stderr))
}

/// A serving program, ended when dropped.
struct Serving {
    child: Child,
    greeting: Vec<String>,
    url: String,
}

impl Serving {
    /// Starts it with `--dev` on free ports and reads its greeting.
    fn dev() -> Serving {
        Serving::with(&[])
    }

    /// The same with further arguments.
    fn with(more: &[&str]) -> Serving {
        let mut arguments = vec!["--dev", "--http", "127.0.0.1:0", "--media", "127.0.0.1:0", "--log", "info"];
        arguments.extend(more);
        let mut child = program(&arguments).spawn().unwrap();
        let mut greeting = Vec::new();
        for line in BufReader::new(child.stdout.take().unwrap()).lines() {
            let line = line.unwrap();
            let last = line.contains("cargo xtask run");
            greeting.push(line);
            if last {
                break;
            }
        }
        let url = greeting[0].strip_prefix("Confab is at ").unwrap().to_owned();
        Serving { child, greeting, url }
    }

    fn get(&self, path: &str) -> String {
        let address: SocketAddr = self.url.strip_prefix("http://").unwrap().parse().unwrap();
        let mut stream = TcpStream::connect(address).unwrap();
        write!(stream, "GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        // Both fail only if it has ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn dev_prints_keys_that_work_and_how_to_open_the_app() {
    let serving = Serving::dev();
    assert!(serving.get("/healthz").starts_with("HTTP/1.1 200"));
    let app = serving.greeting.iter().find_map(|line| line.trim().strip_prefix("app ")).unwrap().trim();
    let command = serving.greeting.last().unwrap();
    assert!(command.contains(&format!("CONFAB_SERVER={} CONFAB_APP={app} ", serving.url)), "{command}");
    let (status, sig, _) = run(&["--app", app, "usersig", "--app", "1400000001", "--user", "alice"]);
    assert!(status.success());
    let address: SocketAddr = serving.url.strip_prefix("http://").unwrap().parse().unwrap();
    let body = format!(
        r#"{{"sdkAppId":1400000001,"userId":"alice","userSig":"{}","roomId":5,"scene":0,"role":20}}"#,
        sig.trim()
    );
    let mut stream = TcpStream::connect(address).unwrap();
    let length = body.len();
    write!(
        stream,
        "POST /v1/enter HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n{body}"
    )
    .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.contains(r#""code":0"#), "{answer}");
}

#[cfg(unix)]
#[test]
fn sigterm_ends_it_with_zero_within_three_seconds() {
    let mut serving = Serving::dev();
    // Somebody who is in the middle of a request does not hold it up.
    let address: SocketAddr = serving.url.strip_prefix("http://").unwrap().parse().unwrap();
    let mut slow = TcpStream::connect(address).unwrap();
    slow.write_all(b"POST /v1/enter HTTP/1.1\r\nHost: a\r\nContent-Length: 99\r\n\r\n{").unwrap();
    let begin = Instant::now();
    let told = Command::new("kill").args(["-TERM", &serving.child.id().to_string()]).status().unwrap();
    assert!(told.success());
    let status = serving.child.wait().unwrap();
    assert_eq!(status.code(), Some(0));
    assert!(begin.elapsed() < Duration::from_secs(3), "{:?}", begin.elapsed());
}

#[test]
fn a_port_in_use_is_said_with_its_number() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap();
    let (status, _, said) = run(&["--http", &address.to_string(), "--media", "127.0.0.1:0"]);
    assert_eq!(status.code(), Some(1));
    assert!(said.contains(&format!("HTTP port {} on 127.0.0.1 is already in use", address.port())), "{said}");
    let taken = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap();
    let arguments = ["--http", "127.0.0.1:0", "--workers", "1", "--media", &address.to_string()];
    let (status, _, said) = run(&arguments);
    assert_eq!(status.code(), Some(1));
    assert!(
        said.contains(&format!("media port {} on 127.0.0.1 is already in use", address.port())),
        "{said}"
    );
}

#[test]
fn a_database_belongs_to_one_server_until_that_is_killed() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("confab.db");
    let file = file.to_str().unwrap();
    let mut first = Serving::with(&["--database", file]);
    let (status, _, said) =
        run(&["--dev", "--http", "127.0.0.1:0", "--media", "127.0.0.1:0", "--database", file]);
    assert_eq!(status.code(), Some(1));
    assert!(said.contains(&format!("the database {file} is in use by another server")), "{said}");
    first.child.kill().unwrap();
    first.child.wait().unwrap();
    let second = Serving::with(&["--database", file]);
    assert!(second.get("/healthz").starts_with("HTTP/1.1 200"));
}

#[test]
fn an_unknown_field_is_refused_with_its_line() {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(b"http = \"127.0.0.1:0\"\n\nmadia = \"127.0.0.1:0\"\n").unwrap();
    let (status, _, said) = run(&["--config", file.path().to_str().unwrap()]);
    assert_eq!(status.code(), Some(1));
    assert!(said.contains("line 3: unknown field `madia`"), "{said}");
}

#[test]
fn what_is_missing_for_a_signature_is_said() {
    let (status, out, said) = run(&["usersig", "--user", "alice"]);
    assert_eq!((status.code(), out.as_str()), (Some(1), ""));
    assert!(said.contains("no app is configured"), "{said}");
    let (status, _, said) = run(&["--api-key", "planted-secret", "token", "--room", "a", "--user", "b"]);
    assert_eq!(status.code(), Some(1));
    assert!(said.contains("--api-key: expected KEY:SECRET") && !said.contains("planted"), "{said}");
}
