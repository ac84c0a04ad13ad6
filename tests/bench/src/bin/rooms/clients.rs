//! People who enter, as cheaply as can be, so that the server's work is what takes time.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use anyhow::{Context, Result, bail, ensure};
use confab_signal::lk::signal_response::Message as Response;
use confab_signal::{JoinQuery, decode_response};
use futures_util::StreamExt;
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

/// An open signalling connection; whoever has it is in.
pub(crate) type Inside = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// The requests of that many people in rooms of two, signed beforehand.
pub(crate) fn bodies(who: &str, count: usize) -> Vec<String> {
    let one = |number: usize| {
        let mut params = bench::params("http://127.0.0.1", &format!("{who}-{number}"), 1);
        params.room_id = None;
        params.server = None;
        params.str_room_id = Some(format!("{who}-{}", number / 2));
        serde_json::to_string(&params).unwrap_or_default()
    };
    (0..count).map(one).collect()
}

/// Has everybody enter, over that many connections that stay open.
pub(crate) async fn enter_all(http: SocketAddr, bodies: Vec<String>, connections: usize) -> Result<()> {
    each(bodies, connections, async move |line: &mut Line, body| line.enter(http, &body).await.map(drop))
        .await
        .map(drop)
}

/// Has everybody enter and open signalling until they are told that they are in.
pub(crate) async fn join_all(
    http: SocketAddr,
    bodies: Vec<String>,
    connections: usize,
) -> Result<Vec<Inside>> {
    each(bodies, connections, async move |line: &mut Line, body| {
        let token = line.enter(http, &body).await?;
        let query = JoinQuery { protocol: 16, access_token: token, ..JoinQuery::default() };
        let (mut socket, _) = connect_async(format!("ws://{http}/rtc?{}", query.to_query())).await?;
        loop {
            let message = socket.next().await.context("the server closed the websocket")??;
            let Message::Binary(bytes) = message else { continue };
            let response = decode_response(&bytes)?;
            if let Some(Response::Join(_)) = response {
                return Ok(socket);
            }
            if let Some(Response::Leave(leave)) = response {
                bail!("the server put us out: {:?}", leave.reason());
            }
        }
    })
    .await
}

/// Does `work` with every body, on as many connections at once.
async fn each<T, W>(bodies: Vec<String>, connections: usize, work: W) -> Result<Vec<T>>
where
    T: Send + 'static,
    W: AsyncFn(&mut Line, String) -> Result<T> + Clone + 'static,
{
    let left = Arc::new(Mutex::new(bodies));
    let mut tasks = JoinSet::new();
    let local = tokio::task::LocalSet::new();
    for _ in 0..connections {
        let (left, work) = (left.clone(), work.clone());
        let task = async move {
            let (mut line, mut done) = (Line::default(), Vec::new());
            loop {
                let body = left.lock().ok().and_then(|mut left| left.pop());
                let Some(body) = body else { return Ok::<_, anyhow::Error>(done) };
                done.push(work(&mut line, body).await?);
            }
        };
        tasks.spawn_local_on(task, &local);
    }
    local
        .run_until(async {
            let mut all = Vec::new();
            while let Some(done) = tasks.join_next().await {
                all.extend(done??);
            }
            Ok(all)
        })
        .await
}

/// A connection that stays open.
#[derive(Default)]
struct Line {
    stream: Option<TcpStream>,
    read: Vec<u8>,
}

impl Line {
    /// Enters; the token.
    async fn enter(&mut self, http: SocketAddr, body: &str) -> Result<String> {
        let stream = match &mut self.stream {
            Some(stream) => stream,
            none => {
                let stream = TcpStream::connect(http).await?;
                stream.set_nodelay(true)?;
                none.insert(stream)
            }
        };
        let length = body.len();
        let request = format!(
            "POST /v1/enter HTTP/1.1\r\nHost: {http}\r\nContent-Type: application/json\r\n\
             Content-Length: {length}\r\n\r\n{body}"
        );
        stream.write_all(request.as_bytes()).await?;
        self.read.clear();
        loop {
            ensure!(stream.read_buf(&mut self.read).await? > 0, "the server closed the connection");
            if let Some(body) = whole(&self.read)? {
                let answer: Value = serde_json::from_slice(body)?;
                let token = answer["token"].as_str();
                return Ok(token.with_context(|| format!("not let in: {answer}"))?.to_owned());
            }
        }
    }
}

/// The body of an answer that has come as a whole.
fn whole(read: &[u8]) -> Result<Option<&[u8]>> {
    let Some(end) = read.windows(4).position(|four| four == b"\r\n\r\n") else { return Ok(None) };
    let (head, body) = read.split_at(end + 4);
    let head = std::str::from_utf8(head)?.to_ascii_lowercase();
    let length = head.lines().find_map(|line| line.strip_prefix("content-length:"));
    let length: usize = length.context("an answer without a length")?.trim().parse()?;
    Ok((body.len() >= length).then_some(body))
}
