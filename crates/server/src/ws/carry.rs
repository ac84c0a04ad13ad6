//! One websocket, from its acceptance to its close.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::ws::{CloseFrame, Message, WebSocket, close_code};
use confab_signal::{Encoding, Frame, lk};
use futures_util::stream::{SplitSink, SplitStream};
use futures_util::{SinkExt, StreamExt};
use lk::DisconnectReason;
use lk::leave_request::Action;
use lk::signal_response::Message as Response;
use tokio::time::{Instant, interval, timeout, timeout_at};

use super::gate::Entrance;
use crate::sfu::{Embedded, Line, leave};

/// How often we ping.
const PING: Duration = Duration::from_secs(10);
/// A client that says nothing for this long is gone: it pings every five seconds itself.
const SILENCE: Duration = Duration::from_secs(30);
/// A message that cannot be written in this time is not read on the other side.
const WRITE: Duration = Duration::from_secs(10);
/// How long a client is listened to that cannot be written to any more.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// Seats the person and carries their messages until either side ends it.
pub(super) async fn serve(socket: WebSocket, engine: Arc<Embedded>, entrance: Entrance) {
    let (mut sink, stream) = socket.split();
    let Entrance { join, resume } = entrance;
    let line = match &resume {
        Some(sid) => engine.resume(&join.room, &join.identity, sid).await,
        None => engine.join(join).await.map(Some),
    };
    let refusal = match line {
        Ok(Some(line)) => return carry(sink, stream, line).await,
        Ok(None) => leave(DisconnectReason::StateMismatch, Action::Reconnect),
        Err(_) => leave(DisconnectReason::ServerShutdown, Action::Disconnect),
    };
    write(&mut sink, Response::Leave(refusal), Encoding::Binary).await;
    close(&mut sink).await;
}

async fn carry(mut sink: SplitSink<WebSocket, Message>, mut stream: SplitStream<WebSocket>, mut line: Line) {
    let mut encoding = Encoding::Binary;
    let mut pings = interval(PING);
    let mut heard = Instant::now();
    loop {
        tokio::select! {
            response = line.responses.recv() => match response {
                Some(response) => if !write(&mut sink, *response, encoding).await { break },
                None => return close(&mut sink).await,
            },
            message = timeout_at(heard + SILENCE, stream.next()) => {
                heard = Instant::now();
                let Ok(Some(Ok(message))) = message else { return };
                if !hear(message, &line, &mut encoding).await { return }
            }
            _ = pings.tick() => {
                let ping = timeout(WRITE, sink.send(Message::Ping(Vec::new().into()))).await;
                if !matches!(ping, Ok(Ok(()))) { break }
            }
        }
    }
    // The client listens no more. What it said before it went, such as its goodbye, still counts.
    let last_words = async {
        while let Some(Ok(message)) = stream.next().await
            && hear(message, &line, &mut encoding).await
        {}
    };
    if timeout(LAST_WORDS, last_words).await.is_err() {
        tracing::debug!("a client that does not read goes on speaking");
    }
}

/// Passes on what a client says; false when that was the last.
async fn hear(message: Message, line: &Line, encoding: &mut Encoding) -> bool {
    let frame = match message {
        Message::Binary(bytes) => Frame::Binary(bytes.into()),
        Message::Text(text) => Frame::Text(text.as_str().to_owned()),
        Message::Close(_) => return false,
        Message::Ping(_) | Message::Pong(_) => return true,
    };
    *encoding = frame.encoding();
    match frame.request() {
        Ok(Some(request)) => line.send(request).await,
        Ok(None) => true,
        Err(error) => {
            tracing::debug!(%error, "message of a client cannot be read");
            true
        }
    }
}

async fn write(sink: &mut SplitSink<WebSocket, Message>, response: Response, encoding: Encoding) -> bool {
    let message = match Frame::of_response(response, encoding) {
        Ok(Frame::Binary(bytes)) => Message::Binary(bytes.into()),
        Ok(Frame::Text(text)) => Message::Text(text.into()),
        Err(error) => {
            tracing::warn!(%error, "message to a client cannot be written");
            return true;
        }
    };
    matches!(timeout(WRITE, sink.send(message)).await, Ok(Ok(())))
}

async fn close(sink: &mut SplitSink<WebSocket, Message>) {
    let frame = CloseFrame { code: close_code::NORMAL, reason: "".into() };
    // The other side may be gone already.
    let _ = timeout(WRITE, sink.send(Message::Close(Some(frame)))).await;
}
