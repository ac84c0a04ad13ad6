//! The official Tencent Cloud SDK in Python: python/tencent.py, started and asked.

use std::io::{BufRead, BufReader, Write};
use std::net::SocketAddr;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use anyhow::{Context, Result};
use serde_json::{Value, json};

/// The running SDK with one key pair. It is ended when dropped.
#[derive(Debug)]
pub struct Tencent {
    child: Child,
    orders: ChildStdin,
    answers: BufReader<ChildStdout>,
}

impl Tencent {
    /// Starts the SDK with its endpoint set to a server of ours.
    pub fn start(endpoint: SocketAddr, id: &str, key: &str) -> Result<Self> {
        let mut child = Command::new(super::python())
            .arg(super::script("tencent.py"))
            .args([&endpoint.to_string(), id, key])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .with_context(|| {
                format!("no Python at {}: run `cargo xtask setup`", super::python().display())
            })?;
        let orders = child.stdin.take().context("no input")?;
        let answers = BufReader::new(child.stdout.take().context("no output")?);
        Ok(Self { child, orders, answers })
    }

    /// Asks for an action with the parameters in its request class; the answer is empty for a
    /// success and the SDK's exception code otherwise.
    pub fn ask(&mut self, action: &str, parameters: &Value) -> Result<String> {
        self.order(&json!({ "action": action, "parameters": parameters }))
    }

    /// The same as a GET.
    pub fn get(&mut self, action: &str, parameters: &Value) -> Result<String> {
        self.order(&json!({ "action": action, "parameters": parameters, "method": "GET" }))
    }

    /// The same through the SDK's generic client, which knows no request classes.
    pub fn generic(&mut self, action: &str, parameters: &Value) -> Result<String> {
        self.order(&json!({ "action": action, "parameters": parameters, "generic": true }))
    }

    /// Asks as a POST or GET, signed by `TC3-HMAC-SHA256`, `HmacSHA1` or `HmacSHA256`; answers what the
    /// SDK has read, or its exception as `{"code": ..., "message": ...}`.
    pub fn signed(&mut self, method: &str, sign: &str, action: &str, parameters: &Value) -> Result<Value> {
        self.exchange(&json!({ "action": action, "parameters": parameters, "method": method, "sign": sign }))
    }

    fn order(&mut self, order: &Value) -> Result<String> {
        let answer = self.exchange(order)?;
        Ok(answer["code"].as_str().unwrap_or_default().to_owned())
    }

    fn exchange(&mut self, order: &Value) -> Result<Value> {
        writeln!(self.orders, "{order}")?;
        self.orders.flush()?;
        let mut line = String::new();
        self.answers.read_line(&mut line)?;
        let answer: Value = serde_json::from_str(&line).with_context(|| format!("it said {line:?}"))?;
        let request = answer["request"].as_str().context("an answer without RequestId")?;
        anyhow::ensure!(request.len() == 36, "{request:?} is no request id");
        let Some(code) = answer.get("code") else { return Ok(answer["answer"].clone()) };
        anyhow::ensure!(code.is_string(), "{answer} has a code that is no text");
        let message = answer["message"].as_str().context("a refusal without a message")?;
        anyhow::ensure!(!message.is_empty(), "{answer} has an empty message");
        Ok(answer)
    }
}

impl Drop for Tencent {
    fn drop(&mut self) {
        // Both fail only if it has ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
