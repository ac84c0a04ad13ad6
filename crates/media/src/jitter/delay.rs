//! How long packets are to wait, from how late others came.

use std::collections::VecDeque;
use std::time::Duration;

/// The latest packet of each such time is remembered, so that a burst that was held up counts once.
const SPAN_US: i64 = 500_000;
/// Spans remembered: 20 s. What comes twice in that time comes again, and is waited for.
const SPANS: i64 = 40;
/// Room above what was seen.
const MARGIN_US: i64 = 5_000;
/// Seconds over which the undisturbed way is looked for; longer would follow a drifting clock late.
const WINDOW_S: i64 = 10;
/// Playback proceeds by steps of 10 ms.
const STEP_US: i64 = 10_000;
/// A packet of the most common size.
const PACKET_US: i64 = 20_000;
/// A new talk spurt whose way differs from the one known by more than this starts afresh.
const OTHER_WAY_US: i64 = 200_000;
/// Loss above which the delay leaves room to rebuild a packet from the next.
const LOSSY: f64 = 0.02;
/// Loss below which it no longer does.
const LOSSLESS: f64 = 0.01;
/// Share that one packet has in the measured loss.
const LOSS_SHARE: f64 = 0.01;

/// Learns how long packets take and how long they should wait.
#[derive(Debug)]
pub(super) struct Delay {
    min_us: i64,
    max_us: i64,
    /// The quickest way of each of the last seconds: (second, transit).
    quickest: VecDeque<(i64, i64)>,
    /// The slowest way of each of the last spans: (span, transit).
    slowest: VecDeque<(i64, i64)>,
    loss: f64,
    room_for_repair: bool,
}

impl Delay {
    /// Limits count from arrival to the end of the first step.
    pub(super) fn new(min: Duration, max: Duration) -> Self {
        let wait = |limit: Duration| (limit.as_micros() as i64 - STEP_US).max(0);
        Self {
            min_us: wait(min),
            max_us: wait(max).max(wait(min)),
            quickest: VecDeque::new(),
            slowest: VecDeque::new(),
            loss: 0.0,
            room_for_repair: false,
        }
    }

    /// A talk spurt begins: what is known of the way is kept unless it has plainly changed.
    pub(super) fn begin(&mut self, transit_us: i64) {
        if !self.quickest.is_empty() && (transit_us - self.base_us()).abs() > OTHER_WAY_US {
            self.restart();
        }
    }

    /// Forgets the way.
    pub(super) fn restart(&mut self) {
        self.quickest.clear();
        self.slowest.clear();
    }

    /// A packet arrived: its transit is its arrival less its timestamp.
    pub(super) fn arrived(&mut self, at_us: i64, transit_us: i64) {
        let second = at_us.div_euclid(1_000_000);
        match self.quickest.back_mut() {
            Some((last, transit)) if *last >= second => *transit = transit_us.min(*transit),
            _ => self.quickest.push_back((second, transit_us)),
        }
        while self.quickest.front().is_some_and(|(oldest, _)| *oldest <= second - WINDOW_S) {
            self.quickest.pop_front();
        }
        let span = at_us.div_euclid(SPAN_US);
        match self.slowest.back_mut() {
            Some((last, transit)) if *last >= span => *transit = transit_us.max(*transit),
            _ => self.slowest.push_back((span, transit_us)),
        }
        while self.slowest.front().is_some_and(|(oldest, _)| *oldest <= span - SPANS) {
            self.slowest.pop_front();
        }
    }

    /// A packet was played.
    pub(super) fn kept(&mut self) {
        self.measure(0.0);
    }

    /// A packet was missing at its moment.
    pub(super) fn lost(&mut self) {
        self.measure(1.0);
    }

    fn measure(&mut self, lost: f64) {
        self.loss += (lost - self.loss) * LOSS_SHARE;
        self.room_for_repair = self.loss > if self.room_for_repair { LOSSLESS } else { LOSSY };
    }

    /// The undisturbed transit: the quickest of the last seconds.
    pub(super) fn base_us(&self) -> i64 {
        self.quickest.iter().map(|(_, transit)| *transit).min().unwrap_or(0)
    }

    /// How long after its undisturbed arrival a packet is due.
    pub(super) fn wait_us(&self) -> i64 {
        let jitter = self.jitter_us();
        let repair = if self.room_for_repair { PACKET_US + jitter } else { 0 };
        jitter.max(repair).clamp(self.min_us, self.max_us)
    }

    /// What the packets of the last spans were late by, at most, but for the worst span: a single hold-up
    /// is no jitter. Before there are two whole spans none is left out.
    fn jitter_us(&self) -> i64 {
        let (mut worst, mut second) = (i64::MIN, i64::MIN);
        for (_, transit) in &self.slowest {
            second = second.max((*transit).min(worst));
            worst = worst.max(*transit);
        }
        let latest = if self.slowest.len() > 2 { second } else { worst };
        if self.slowest.is_empty() { MARGIN_US } else { latest - self.base_us() + MARGIN_US }
    }
}
