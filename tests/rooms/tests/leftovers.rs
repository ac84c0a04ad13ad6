//! What is left of a room after it: alone in its process, because it counts threads.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may fail loudly")]

use confab_protocol::Event;
use confab_session::{Receive, SessionConfig};
use rooms::{Guest, Hall, config, stamped};
use std::collections::BTreeMap;

/// Threads of this process by name, those of runtimes and of the server left out.
fn media_threads() -> BTreeMap<String, usize> {
    let mut threads = BTreeMap::new();
    for task in std::fs::read_dir("/proc/self/task").unwrap() {
        let name = std::fs::read_to_string(task.unwrap().path().join("comm")).unwrap_or_default();
        let name = name.trim().to_owned();
        let ours = ["camera", "encode", "decode", "audio", "voice", "microphone", "speaker"];
        if ours.iter().any(|ours| name.starts_with(ours)) {
            *threads.entry(name).or_default() += 1;
        }
    }
    threads
}

#[test]
fn nothing_is_left_of_a_room_when_the_exit_is_told() {
    let serving = runtime();
    let meeting = runtime();
    let hall = serving.block_on(Hall::open());
    let (params, peer) = (hall.params("ann", 60), hall.params("bob", 60));
    let mut bob =
        serving.block_on(async { Guest::with(SessionConfig { receive: Receive::None, ..config() }) });
    serving.block_on(async {
        bob.send_both().await;
        bob.join(peer).await;
        bob.until_told(Event::OnSendFirstLocalVideoFrame { stream_type: 0 }).await;
    });
    let (threads, baseline, after) = meeting.block_on(async {
        let mut ann = Guest::new();
        let alive = || tokio::runtime::Handle::current().metrics().num_alive_tasks();
        let (threads, baseline) = (media_threads(), alive());
        ann.send_both().await;
        ann.join(params).await;
        assert_eq!(stamped(ann.session.remote_video("bob").unwrap(), 3).await.len(), 3);
        assert!(alive() > baseline && media_threads() != threads);
        ann.leave().await;
        (threads, baseline, alive())
    });
    assert_eq!(after, baseline, "tasks are left");
    assert_eq!(media_threads(), threads, "threads are left");
    serving.block_on(bob.leave());
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap()
}
