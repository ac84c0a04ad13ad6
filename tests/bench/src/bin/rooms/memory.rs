//! What people who are in and do nothing cost, by the allocations that live.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Context, Result};
use bench::Hall;
use serde_json::{Value, json};
use tokio::runtime::Builder;

use crate::clients::{bodies, join_all};
use crate::count::{Owner, live, owned_by};

/// After the last join, until what was only needed for it is let go.
const SETTLE: Duration = Duration::from_secs(2);

/// Bytes for each of `people`, in rooms of two.
pub(crate) fn measure(people: usize, connections: usize) -> Result<Value> {
    owned_by(Owner::Clients);
    let start = || owned_by(Owner::Service);
    let serving =
        Builder::new_multi_thread().worker_threads(1).enable_all().on_thread_start(start).build()?;
    let meeting = Builder::new_current_thread().enable_all().build()?;
    let hall = serving.block_on(serving.spawn(Hall::open()))??;
    let http: SocketAddr = hall.url().trim_start_matches("http://").parse().context("no address")?;
    let join = |who: &str, count: usize| {
        let inside = meeting.block_on(join_all(http, bodies(who, count), connections));
        std::thread::sleep(SETTLE);
        inside
    };
    // What is made once is made for these.
    let first = join("first", connections)?;
    let before = [Owner::Service, Owner::Others].map(live);
    let inside = join("one", people)?;
    let after = [Owner::Service, Owner::Others].map(live);
    let each = |at: usize| (after[at] - before[at]) / i64::try_from(people.max(1)).unwrap_or(1);
    let (participant, engine) = (each(0), each(1));
    meeting.block_on(async { drop((first, inside)) });
    serving.block_on(hall.stop());
    Ok(json!({
        "people": people,
        "participant_bytes": participant,
        "room_of_two_bytes": 2 * participant,
        "engine_participant_bytes": engine,
    }))
}
