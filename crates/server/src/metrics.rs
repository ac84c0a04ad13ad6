//! Counters for `/metrics`.

use prometheus_client::encoding::{EncodeLabelSet, text};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

use crate::callback::Counters;
use crate::control::Census;

/// What the room service counts. Gauges are set when they are asked for.
#[derive(Debug)]
pub(crate) struct Metrics {
    registry: Registry,
    v1: Family<V1, Counter>,
    rest: Family<Rest, Counter>,
    failed: Family<Failed, Counter>,
    refused: Family<Limited, Counter>,
    rooms: Gauge,
    people: Family<People, Gauge>,
    callbacks: Counters,
    history_lost: Counter,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct V1 {
    request: String,
    code: i32,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Rest {
    action: String,
    code: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Failed {
    request: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Limited {
    request: &'static str,
    by: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct People {
    seat: String,
}

impl Metrics {
    /// The format's media type.
    pub(crate) const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

    pub(crate) fn new() -> Metrics {
        let (v1, rest) = (Family::default(), Family::default());
        let (rooms, people) = (Gauge::default(), Family::default());
        let mut registry = Registry::with_prefix("confab");
        registry.register("v1_requests", "Requests to /v1 by answered TRTC code", v1.clone());
        registry.register("rest_requests", "TRTC REST requests by action and error code", rest.clone());
        let (failed, refused) = (Family::default(), Family::default());
        let wrong = "Signatures, tokens, tickets and passcodes that were wrong";
        registry.register("failed_attempts", wrong, failed.clone());
        let often = "Attempts that were answered with nothing but that too many had failed";
        registry.register("refused_attempts", often, refused.clone());
        registry.register("rooms", "Rooms with somebody in them or expected", rooms.clone());
        registry.register("people", "People by whether they are present or expected", people.clone());
        let (callbacks, history_lost) = (Counters::default(), Counter::default());
        registry.register("callbacks", "Callbacks by app and what became of them", callbacks.clone());
        let lost = "Entries that the history was too slow for";
        registry.register("history_lost", lost, history_lost.clone());
        Metrics { registry, v1, rest, failed, refused, rooms, people, callbacks, history_lost }
    }

    /// Counts an answer of `/v1/<request>`.
    pub(crate) fn v1(&self, request: &str, code: i32) {
        self.v1.get_or_create(&V1 { request: request.to_owned(), code }).inc();
    }

    /// Counts an answered action; `code` is empty for a success.
    pub(crate) fn rest(&self, action: &str, code: &str) {
        self.rest.get_or_create(&Rest { action: action.to_owned(), code: code.to_owned() }).inc();
    }

    /// Counts a signature, token or passcode that was wrong.
    pub(crate) fn failed_attempt(&self, request: &'static str) {
        self.failed.get_or_create(&Failed { request }).inc();
    }

    /// Counts an attempt that was refused because too many had failed, by `address` or `person`.
    pub(crate) fn refused_attempt(&self, request: &'static str, by: &'static str) {
        self.refused.get_or_create(&Limited { request, by }).inc();
    }

    /// What the senders of callbacks count with.
    pub(crate) fn callbacks(&self) -> Counters {
        self.callbacks.clone()
    }

    /// What the history counts with.
    pub(crate) fn history_lost(&self) -> Counter {
        self.history_lost.clone()
    }

    /// Everything, as text.
    pub(crate) fn text(&self, census: Census) -> String {
        let set = |gauge: &Gauge, value: usize| gauge.set(i64::try_from(value).unwrap_or(i64::MAX));
        set(&self.rooms, census.rooms);
        for (seat, count) in [("present", census.present), ("reserved", census.reserved)] {
            set(&self.people.get_or_create(&People { seat: seat.to_owned() }), count);
        }
        let mut text = String::new();
        // Writing into a String cannot fail.
        let _ = text::encode(&mut text, &self.registry);
        text
    }
}
