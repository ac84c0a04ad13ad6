//! WebDriver as a test uses it: find, click, type, read.

use std::net::{Ipv4Addr, TcpListener};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use reqwest::Method;
use serde_json::{Value, json};
use tempfile::NamedTempFile;

use crate::program::client;
use crate::{PATIENCE, Screen};

/// The key under which WebDriver names an element.
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";
/// Pause between two looks at something that changes by itself.
const LOOK: Duration = Duration::from_millis(50);

/// WebKit's own WebDriver and one session with it: a hand and an eye on the page.
#[derive(Debug)]
pub struct Driver {
    process: Child,
    /// Where the driven program's id is written: the driver starts it and forgets it.
    program: NamedTempFile,
    client: reqwest::Client,
    session: String,
}

/// An element of the page.
#[derive(Debug, Clone)]
pub struct Element(String);

impl Driver {
    /// Starts WebKitWebDriver on the screen, and through it the program with these arguments. What it
    /// complains about goes to the file `log`, where one is named.
    pub async fn start(
        screen: &Screen,
        program: &str,
        arguments: &[String],
        environment: &[(String, String)],
        log: Option<&Path>,
    ) -> Result<Self> {
        let (port, client) = (free_port()?, client()?);
        let mut command = Command::new("WebKitWebDriver");
        command.arg(format!("--port={port}")).stdin(Stdio::null());
        screen.carry(&mut command);
        // The program inherits these: the last two let it be driven.
        command.envs(environment.iter().map(|(name, value)| (name, value)));
        command.env("TAURI_AUTOMATION", "true").env("TAURI_WEBVIEW_AUTOMATION", "true");
        let process = command
            .spawn()
            .context("cannot start WebKitWebDriver; it is in the package webkit2gtk-driver")?;
        let session = format!("http://127.0.0.1:{port}");
        let mut driver = Self { process, program: NamedTempFile::new()?, client, session };
        driver.wait_until_ready().await?;
        let log = log.map(|log| format!("2>> '{}'", log.display())).unwrap_or_default();
        let shell = format!("echo $$ > '{}'; exec \"$0\" \"$@\" {log}", driver.program.path().display());
        let mut line = vec!["-c".to_owned(), shell, program.to_owned()];
        line.extend_from_slice(arguments);
        let capabilities = json!({ "capabilities": { "alwaysMatch": {
            "webkitgtk:browserOptions": { "binary": "/bin/sh", "args": line },
        } } });
        let answer = driver.ask(Method::POST, "/session", Some(capabilities)).await?;
        let id = answer["sessionId"].as_str().context("the session has no id")?;
        driver.session = format!("{}/session/{id}", driver.session);
        Ok(driver)
    }

    async fn wait_until_ready(&self) -> Result<()> {
        let deadline = Instant::now() + PATIENCE;
        while self.ask(Method::GET, "/status", None).await.is_err() {
            ensure!(Instant::now() < deadline, "WebKitWebDriver does not answer");
            tokio::time::sleep(LOOK).await;
        }
        Ok(())
    }

    /// The element, once it is there.
    pub async fn element(&self, css: &str) -> Result<Element> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(element) = self.find(css).await? {
                return Ok(element);
            }
            ensure!(Instant::now() < deadline, "there is no {css}; the page says: {}", self.page().await);
            tokio::time::sleep(LOOK).await;
        }
    }

    /// The element, if it is there now.
    pub async fn find(&self, css: &str) -> Result<Option<Element>> {
        let wish = json!({ "using": "css selector", "value": css });
        let found = self.ask(Method::POST, "/elements", Some(wish)).await?;
        Ok(found[0][ELEMENT].as_str().map(|id| Element(id.to_owned())))
    }

    /// Clicks as a person does, with the pointer.
    pub async fn click(&self, css: &str) -> Result<()> {
        let element = self.element(css).await?;
        self.click_on(&element).await
    }

    /// Clicks on an element that was found.
    pub async fn click_on(&self, element: &Element) -> Result<()> {
        self.ask(Method::POST, &format!("/element/{}/click", element.0), Some(json!({}))).await.map(drop)
    }

    /// Replaces what an input holds, key by key.
    pub async fn fill(&self, css: &str, text: &str) -> Result<()> {
        let element = self.element(css).await?;
        // Control and A take all that is there, typing replaces it. What follows a release of all
        // keys in one request is lost, so these are two.
        for keys in ["\u{e009}a\u{e000}", &format!("\u{e003}{text}")] {
            let keys = json!({ "text": keys });
            self.ask(Method::POST, &format!("/element/{}/value", element.0), Some(keys)).await?;
        }
        Ok(())
    }

    /// Presses and releases keys, one after the other, wherever the focus is.
    pub async fn press(&self, keys: &str) -> Result<()> {
        let actions: Vec<Value> = keys
            .chars()
            .flat_map(|key| ["keyDown", "keyUp"].map(|what| json!({ "type": what, "value": key })))
            .collect();
        let wish = json!({ "actions": [{ "type": "key", "id": "keyboard", "actions": actions }] });
        self.ask(Method::POST, "/actions", Some(wish)).await.map(drop)
    }

    /// The text of an element, once it is there.
    pub async fn text(&self, css: &str) -> Result<String> {
        let element = self.element(css).await?;
        let text = self.ask(Method::GET, &format!("/element/{}/text", element.0), None).await?;
        Ok(text.as_str().unwrap_or_default().to_owned())
    }

    /// Waits until `script`, the body of a function, returns something true; returns that.
    pub async fn until(&self, script: &str) -> Result<Value> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let value = self.run(script, &[]).await?;
            if !(value.is_null() || value == json!(false)) {
                return Ok(value);
            }
            ensure!(Instant::now() < deadline, "never true: {script}; the page says: {}", self.page().await);
            tokio::time::sleep(LOOK).await;
        }
    }

    /// Runs the body of a function in the page.
    pub async fn run(&self, script: &str, arguments: &[Value]) -> Result<Value> {
        let wish = json!({ "script": script, "args": arguments });
        self.ask(Method::POST, "/execute/sync", Some(wish)).await
    }

    /// Sends a request to the app as the page does.
    pub async fn call(&self, command: &str, arguments: Value) -> Result<Value> {
        let script = "const [request, done] = arguments;
            window.__TAURI_INTERNALS__.invoke('call', { request })
                .then((result) => done({ result }), (error) => done({ error }));";
        let request = json!({ "command": command, "args": arguments });
        let wish = json!({ "script": script, "args": [request] });
        let answer = self.ask(Method::POST, "/execute/async", Some(wish)).await?;
        if let Some(error) = answer.get("error") {
            bail!("{command}: {error}");
        }
        Ok(answer["result"].clone())
    }

    /// Runs the body of a function that calls its last argument with what it found, in its own time.
    pub async fn run_async(&self, script: &str) -> Result<Value> {
        let wish = json!({ "script": script, "args": [] });
        self.ask(Method::POST, "/execute/async", Some(wish)).await
    }

    /// Waits until the page has painted its present state.
    pub async fn painted(&self) -> Result<()> {
        let script = "const done = arguments[0];
            requestAnimationFrame(() => requestAnimationFrame(() => done(true)));";
        self.run_async(script).await.map(drop)
    }

    async fn page(&self) -> String {
        let text = self.run("return document.body.innerText", &[]).await;
        text.map_or_else(|error| error.to_string(), |text| text.to_string())
    }

    async fn ask(&self, method: Method, path: &str, body: Option<Value>) -> Result<Value> {
        let mut request = self.client.request(method, format!("{}{path}", self.session));
        if let Some(body) = body {
            request = request.json(&body);
        }
        let mut answer: Value = request.send().await?.json().await?;
        let value = answer["value"].take();
        if let Some(error) = value.get("error") {
            bail!("{path}: {error}: {}", value["message"]);
        }
        Ok(value)
    }
}

impl Drop for Driver {
    /// Ends the program as well, which outlives the driver.
    fn drop(&mut self) {
        // All three fail only if it has ended already.
        if let Ok(id) = std::fs::read_to_string(self.program.path()) {
            let _ = Command::new("kill").args(["-KILL", id.trim()]).status();
        }
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn free_port() -> Result<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port())
}
