//! What takes its time, apart from the actor.

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use confab_media::picture;
use confab_protocol::{Code, Fault};
use confab_scene::TileId;
use confab_session::media_fault;
use serde::Serialize;
use serde_json::Value;

use super::Answer;
use super::actor::{Change, Done, Reply};
use super::command::store_fault;
use crate::hosting::{Kept, Networks, Opening, Running};
use crate::{Host, Picture, Stage, Store};

pub(super) fn done(reply: Reply, change: Change, answer: Answer) -> Done {
    Done { change, reply: Some((reply, answer)) }
}

/// A job whose success is null.
pub(super) async fn plain(reply: Reply, job: impl Future<Output = Result<(), Fault>>) -> Done {
    let answer = job.await.map(|()| Value::Null);
    done(reply, Change::None, answer)
}

/// A device that is tried: only when it works the change is made.
pub(super) async fn choose(
    reply: Reply,
    tried: impl Future<Output = Result<(), Fault>>,
    change: Change,
) -> Done {
    match tried.await {
        Ok(()) => done(reply, change, Ok(Value::Null)),
        Err(fault) => done(reply, Change::None, Err(fault)),
    }
}

/// A job with an answer of its own.
pub(super) async fn answered(reply: Reply, job: impl Future<Output = Answer>) -> Done {
    let answer = job.await;
    done(reply, Change::None, answer)
}

/// Work that blocks, on a thread for such work.
pub(super) async fn blocking<T, W>(work: W) -> Result<T, Fault>
where
    T: Send + 'static,
    W: FnOnce() -> Result<T, Fault> + Send + 'static,
{
    tokio::task::spawn_blocking(work).await.unwrap_or_else(|_| Err(Fault::new(Code::FAILED)))
}

/// A value as JSON.
pub(super) fn value(value: &impl Serialize) -> Answer {
    serde_json::to_value(value).map_err(|error| {
        Fault::new(Code::FAILED).with_message(format!("The answer cannot be written: {error}."))
    })
}

pub(super) async fn snapshot(reply: Reply, stage: Stage, user: String) -> Done {
    let work = move || {
        let frame = stage.frame(&TileId(user.clone())).ok_or_else(|| {
            let whose = if user.is_empty() { "the own camera".to_owned() } else { format!("{user:?}") };
            Fault::new(Code::REFUSED).with_message(format!("There is no picture of {whose} right now."))
        })?;
        let file = picture::png(&frame.buffer).map_err(|error| media_fault(&error))?;
        value(&of_file(&file))
    };
    answered(reply, blocking(work)).await
}

pub(super) async fn stage_snapshot<H: Host>(reply: Reply, stage: Stage, host: Arc<H>) -> Done {
    let work = move || value(&of_file(&host.stage_snapshot(&stage)?));
    answered(reply, blocking(work)).await
}

pub(super) async fn host(reply: Reply, store: Arc<Store>, networks: Networks, opening: Opening) -> Done {
    let open = move || {
        let kept = Kept::of(&store).map_err(|error| store_fault(&error))?;
        let mut running = Running::start(kept, &opening, networks)?;
        running.open(&opening)?;
        Ok(running)
    };
    match blocking(open).await {
        Ok(running) => {
            let answer = value(&running.info);
            done(reply, Change::HostingStarted(Box::new(running)), answer)
        }
        Err(fault) => done(reply, Change::HostingFailed, Err(fault)),
    }
}

/// Opens running rooms to other computers, or closes them; they go on if that fails.
pub(super) async fn open(reply: Reply, mut running: Box<Running>, opening: Opening) -> Done {
    let set = blocking(move || {
        let set = running.open(&opening);
        Ok((running, set))
    });
    match set.await {
        Ok((running, set)) => {
            let answer = set.and_then(|()| value(&running.info));
            done(reply, Change::HostingStarted(running), answer)
        }
        Err(fault) => done(reply, Change::HostingFailed, Err(fault)),
    }
}

fn of_file(file: &[u8]) -> Picture {
    let (width, height) = png_size(file).unwrap_or_default();
    Picture { png: STANDARD.encode(file), width, height }
}

/// Width and height from a PNG file's first chunk, which stands at a fixed place.
fn png_size(file: &[u8]) -> Option<(u32, u32)> {
    let number = |at: usize| file.get(at..)?.first_chunk().map(|bytes| u32::from_be_bytes(*bytes));
    Some((number(16)?, number(20)?))
}

#[cfg(test)]
mod tests {
    use confab_frame::I420;

    use super::*;

    #[test]
    fn a_picture_knows_its_size() {
        let file = picture::png(&I420::black(320, 180).unwrap()).unwrap();
        let picture = of_file(&file);
        assert_eq!((picture.width, picture.height), (320, 180));
        assert_eq!(STANDARD.decode(picture.png).unwrap(), file);
    }
}
