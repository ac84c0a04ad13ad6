//! Virtual time: packets are made, sent over a way with delays and losses, and played in steps of
//! 10 ms. Nothing waits for a clock.

use super::*;
use proptest::prelude::*;

proptest! {
    #[test]
    fn whatever_the_network_does_packets_play_in_order_and_time_goes_on(
        packets in proptest::collection::vec((any::<bool>(), 0u16..2_000, 0u8..10), 1..400),
    ) {
        let mut arrivals = Vec::new();
        for (n, (late, delay, lost)) in packets.iter().enumerate() {
            let delay = if *late { f64::from(*delay) } else { 0.0 };
            if *lost > 0 {
                arrivals.push((n as f64 * 20.0 + delay, n as u64));
            }
        }
        arrivals.sort_by(|a, b| a.0.total_cmp(&b.0));
        let mut way = Way::new();
        // `play` ends only because every step yields samples.
        way.play(packets.len() as f64 * 20.0 + 3_000.0, &mut arrivals.iter().copied().peekable());
        prop_assert!(way.heard.packets.windows(2).all(|pair| pair[0] < pair[1]));
        let stats = way.jitter.stats();
        prop_assert_eq!(stats.received, arrivals.len() as u64);
        prop_assert!(way.heard.packets.len() as u64 + stats.late + stats.skipped <= stats.received);
        prop_assert!(stats.concealed_samples <= stats.played_samples);
    }
}

/// Packets of 20 ms, 48 kHz, as an encoder makes them; the content is only its number.
fn packet(number: u64, at: Instant) -> AudioPacket {
    // TOC 0x78: one frame of 20 ms.
    let payload = Bytes::copy_from_slice(&[&[0x78][..], &(number as u32).to_be_bytes()].concat());
    AudioPacket { seq: number as u16, timestamp: (number * 960) as u32, payload, at }
}

fn number_of(payload: &Bytes) -> u32 {
    u32::from_be_bytes(payload[1..5].try_into().unwrap())
}

/// What was played, in order.
#[derive(Debug, Default)]
struct Heard {
    packets: Vec<u32>,
    recovered: u64,
    concealed: usize,
    comfort: usize,
    /// Samples made up before the last packet that was played.
    made_up: usize,
    /// From sending to playing, ms, of each packet.
    delays: Vec<f64>,
    /// When each packet was played, ms.
    times: Vec<f64>,
}

struct Way {
    jitter: JitterBuffer,
    start: Instant,
    heard: Heard,
    pending: usize,
    step: u64,
}

impl Way {
    fn new() -> Self {
        Self {
            jitter: JitterBuffer::new(Config::default()),
            start: Instant::now(),
            heard: Heard::default(),
            pending: 0,
            step: 0,
        }
    }

    fn at(&self, ms: f64) -> Instant {
        self.start + Duration::from_secs_f64(ms / 1000.0)
    }

    /// Plays 10 ms at a time until `until` ms. Steps lie 3 ms off the packets, as clocks do.
    fn play(&mut self, until: f64, arrivals: &mut std::iter::Peekable<impl Iterator<Item = (f64, u64)>>) {
        while self.step as f64 * 10.0 + 3.0 < until {
            let ms = self.step as f64 * 10.0 + 3.0;
            self.step += 1;
            while let Some((at, number)) = arrivals.next_if(|(at, _)| *at <= ms) {
                self.jitter.push(packet(number, self.at(at)));
            }
            self.play_step(ms);
        }
    }

    fn play_step(&mut self, ms: f64) {
        while self.pending < 480 {
            match self.jitter.poll(self.at(ms), self.pending) {
                Output::Packet { payload, pace } => {
                    let number = number_of(&payload);
                    self.heard.packets.push(number);
                    self.heard.made_up = self.heard.comfort + self.heard.concealed;
                    self.heard.times.push(ms);
                    self.heard.delays.push(ms + self.pending as f64 / 48.0 - f64::from(number) * 20.0);
                    self.pending += match pace {
                        Pace::Steady => 960,
                        Pace::Faster => 660,
                        Pace::Slower => 1260,
                    };
                }
                Output::Recover { samples, .. } => {
                    self.heard.recovered += 1;
                    self.pending += samples;
                }
                Output::Conceal { samples } => {
                    self.heard.concealed += samples;
                    self.pending += samples;
                }
                Output::Comfort { samples } => {
                    self.heard.comfort += samples;
                    self.pending += samples;
                }
                Output::Silence => self.pending = 480,
            }
        }
        self.pending -= 480;
    }
}

/// Sends packets `numbers`, each `delay(number)` ms late, and plays until a second after the last.
fn send(numbers: impl Iterator<Item = u64>, delay: impl Fn(u64) -> f64) -> Way {
    let mut arrivals: Vec<(f64, u64)> = numbers.map(|n| (n as f64 * 20.0 + delay(n), n)).collect();
    arrivals.sort_by(|a, b| a.0.total_cmp(&b.0));
    let end = arrivals.last().unwrap().0 + 40.0;
    let mut way = Way::new();
    way.play(end, &mut arrivals.into_iter().peekable());
    way
}

/// A steady source of numbers in 0.0..1.0.
fn noise(number: u64) -> f64 {
    let mut hash = number.wrapping_mul(0x9E37_79B9_7F4A_7C15);
    hash ^= hash >> 29;
    hash = hash.wrapping_mul(0xBF58_476D_1CE4_E5B9);
    (hash >> 40) as f64 / (1u64 << 24) as f64
}

#[test]
fn on_a_clean_way_nothing_is_made_up_and_the_delay_is_the_least() {
    for jitter_ms in [0.0, 2.0, 4.5] {
        let way = send(0..3_000, |n| noise(n) * jitter_ms);
        let stats = way.jitter.stats();
        assert_eq!((stats.lost, stats.concealed_samples, stats.underruns, stats.late), (0, 0, 0, 0));
        assert_eq!(way.heard.made_up, 0, "with {jitter_ms} ms");
        assert!(way.heard.packets.iter().copied().eq(0..3_000));
        let worst = way.heard.delays.iter().copied().fold(0.0, f64::max);
        assert!(worst <= 22.0, "{worst} ms with {jitter_ms} ms");
        assert!(stats.delay <= Duration::from_millis(32) && stats.target == Duration::from_millis(20));
        assert_eq!(stats.stretched, 0);
    }
}

#[test]
fn each_lost_packet_is_made_up_once() {
    let lost = |n: &u64| n % 100 == 25;
    let way = send((0..2_000).filter(|n| !lost(n)), |_| 0.0);
    let stats = way.jitter.stats();
    assert_eq!(stats.lost, 20);
    assert_eq!(stats.concealed_samples + stats.recovered * 960, 20 * 960);
    assert_eq!(way.heard.packets.len(), 1_980);
    assert_eq!((stats.late, stats.underruns, stats.skipped), (0, 0, 0));
    let worst = way.heard.delays.iter().copied().fold(0.0, f64::max);
    assert!(worst <= 25.0, "the delay grew to {worst} ms");
}

#[test]
fn steady_loss_makes_room_to_rebuild_packets_from_the_next() {
    let way = send((0..2_000).filter(|n| n % 20 != 7), |_| 0.0);
    let stats = way.jitter.stats();
    assert_eq!(stats.lost, 100);
    assert!(stats.recovered > 80, "{stats:?}");
    assert_eq!(stats.concealed_samples, (stats.lost - stats.recovered) * 960);
    assert!(stats.target <= Duration::from_millis(40), "{stats:?}");
}

#[test]
fn two_lost_in_a_row_are_made_up_and_rebuilt() {
    let run = |lost: &[u64]| {
        let lost = lost.to_vec();
        let jittery = |n: u64| if n < 60 { noise(n) * 45.0 } else { 0.0 };
        send((0..200).filter(move |n| !lost.contains(n)), jittery).jitter.stats()
    };
    let (whole, lossy) = (run(&[]), run(&[100, 101]));
    assert_eq!((lossy.lost - whole.lost, lossy.recovered - whole.recovered), (2, 1));
    assert_eq!(lossy.concealed_samples - whole.concealed_samples, 960);
}

#[test]
fn exchanged_packets_are_played_in_order() {
    let way = send(0..500, |n| if n % 10 == 4 { 25.0 } else { 0.0 });
    assert!(way.heard.packets.windows(2).all(|pair| pair[0] < pair[1]));
    let stats = way.jitter.stats();
    // The first may surprise; then the delay has room.
    assert!(stats.late + stats.underruns <= 3, "{stats:?}");
    assert!(way.heard.packets.len() >= 497);
    assert!(stats.target >= Duration::from_millis(35), "{stats:?}");
}

#[test]
fn numbers_and_times_wrap_without_a_trace() {
    let shift = |mut packet: AudioPacket| {
        packet.seq = packet.seq.wrapping_add(65_500);
        packet.timestamp = packet.timestamp.wrapping_add(u32::MAX - 20_000);
        packet
    };
    let mut way = Way::new();
    for number in 0..200u64 {
        way.jitter.push(shift(packet(number, way.at(number as f64 * 20.0))));
        for half in 0..2 {
            way.play_step(number as f64 * 20.0 + 3.0 + 10.0 * f64::from(half));
        }
    }
    assert!(way.heard.packets.iter().copied().eq(0..way.heard.packets.len() as u32));
    assert!(way.heard.packets.len() >= 198);
    assert_eq!(way.jitter.stats().concealed_samples, 0);
}

#[test]
fn a_held_up_burst_makes_the_delay_grow_and_it_shrinks_again() {
    // 150 ms in which nothing comes, then everything at once.
    let way = send(0..1_500, |n| if (200..208).contains(&n) { (207 - n) as f64 * 20.0 + 10.0 } else { 0.0 });
    assert_eq!(way.heard.packets.len(), 1_500, "nothing is thrown away");
    let delay_at = |number: usize| way.heard.delays[number];
    let grown = (200..215).map(delay_at).fold(0.0, f64::max);
    assert!(grown > 120.0, "{grown} ms");
    let after_5_s = delay_at(460);
    assert!(after_5_s < 45.0, "{after_5_s} ms");
    assert!(delay_at(1_490) < 30.0, "{} ms", delay_at(1_490));
    let stats = way.jitter.stats();
    assert_eq!(stats.lost, 0);
    assert_eq!(stats.underruns, 1);
}

#[test]
fn what_holds_packets_up_every_few_seconds_is_waited_for_from_the_second_time_on() {
    // 40 ms in which nothing comes, every 7 s.
    let held_up = |n: u64| if n % 350 >= 348 { (350 - n % 350) as f64 * 20.0 } else { 0.0 };
    let made_up = |packets: u64| send(0..packets, held_up).heard.made_up;
    assert!(made_up(600) > 0, "nobody knows of the first");
    assert_eq!(made_up(3_000), made_up(1_000), "the third and all after it are not heard");
    let delay = send(0..3_000, held_up).jitter.stats().delay;
    assert!(delay < Duration::from_millis(70), "{delay:?}");
}

#[test]
fn steady_jitter_is_waited_for() {
    let way = send(0..3_000, |n| noise(n) * 60.0);
    let stats = way.jitter.stats();
    assert!((Duration::from_millis(50)..=Duration::from_millis(90)).contains(&stats.target), "{stats:?}");
    let after = way.jitter.stats().concealed_samples as f64 / stats.played_samples as f64;
    assert!(after < 0.02, "{after} made up");
    assert!(way.heard.packets.len() > 2_960, "{}", way.heard.packets.len());
}

#[test]
fn the_delay_stays_below_its_limit() {
    let way = send(0..3_000, |n| noise(n) * 600.0);
    let stats = way.jitter.stats();
    assert_eq!(stats.target, Duration::from_millis(200));
    assert!(stats.delay <= Duration::from_millis(550), "{stats:?}");
}

#[test]
fn a_pause_of_the_sender_is_background_and_not_loss() {
    // Numbers go on, times jump: what discontinuous transmission looks like.
    let mut way = Way::new();
    for step in 0..600u64 {
        let ms = step as f64 * 10.0;
        let talking = !(100..300).contains(&step);
        if step % 2 == 0 && talking {
            let number = if step < 100 { step / 2 } else { step / 2 - 100 };
            let mut packet = packet(number, way.at(ms));
            packet.timestamp = (step / 2 * 960) as u32;
            way.jitter.push(packet);
        }
        way.play_step(ms + 3.0);
    }
    let stats = way.jitter.stats();
    assert_eq!((stats.lost, stats.concealed_samples, stats.underruns), (0, 0, 0), "{stats:?}");
    assert!(way.heard.packets.iter().copied().eq(0..way.heard.packets.len() as u32));
    assert!(way.heard.packets.len() >= 198);
    assert!(way.heard.comfort > 40_000, "{}", way.heard.comfort);
    assert!(stats.delay <= Duration::from_millis(32), "{stats:?}");
}

#[test]
fn a_short_pause_keeps_the_time_between_words() {
    let mut way = Way::new();
    for step in 0..200u64 {
        let talking = !(100..130).contains(&step);
        if step % 2 == 0 && talking {
            let mut packet =
                packet(if step < 100 { step / 2 } else { step / 2 - 15 }, way.at(step as f64 * 10.0));
            packet.timestamp = (step / 2 * 960) as u32;
            way.jitter.push(packet);
        }
        way.play_step(step as f64 * 10.0 + 3.0);
    }
    let pause = way.heard.times[50] - way.heard.times[49];
    assert!((310.0..=330.0).contains(&pause), "{pause} ms");
}

#[test]
fn a_drifting_clock_is_followed_without_gaps() {
    for drift in [200e-6, -200e-6] {
        // Two minutes: 24 ms of drift, more than the least delay.
        let way = send(0..6_000, |n| n as f64 * 20.0 * drift + noise(n) * 2.0);
        let stats = way.jitter.stats();
        assert_eq!((stats.lost, stats.late), (0, 0));
        assert!(stats.concealed_samples <= 960, "{stats:?} at {drift}");
        assert!(stats.delay <= Duration::from_millis(40), "{stats:?} at {drift}");
    }
}

#[test]
fn a_sender_that_begins_anew_is_played() {
    let mut way = Way::new();
    let other = |number: u64, at| AudioPacket { seq: 40_000 + number as u16, ..packet(number, at) };
    for number in 0..100u64 {
        let at = way.at(number as f64 * 20.0);
        way.jitter.push(if number < 50 { packet(number, at) } else { other(number - 50, at) });
        way.play_step(number as f64 * 20.0 + 3.0);
        way.play_step(number as f64 * 20.0 + 13.0);
    }
    assert!(way.heard.packets.len() >= 97, "{:?}", way.heard.packets);
    assert!(way.jitter.stats().delay <= Duration::from_millis(40));
}

#[test]
fn a_long_outage_is_not_caught_up_with_word_by_word() {
    let way = send(0..1_000, |n| if (300..350).contains(&n) { (349 - n) as f64 * 20.0 } else { 0.0 });
    let stats = way.jitter.stats();
    assert!(stats.skipped > 20, "{stats:?}");
    assert!(way.heard.delays[way.heard.delays.len() - 10] < 40.0);
}

#[test]
fn rubbish_and_repeated_packets_change_nothing() {
    let mut way = Way::new();
    let now = way.at(0.0);
    way.jitter.push(AudioPacket { payload: Bytes::new(), ..packet(0, now) });
    assert_eq!(way.jitter.stats().received, 0);
    for number in 0..50u64 {
        for _ in 0..3 {
            way.jitter.push(packet(number, way.at(number as f64 * 20.0)));
        }
        way.play_step(number as f64 * 20.0 + 3.0);
        way.play_step(number as f64 * 20.0 + 13.0);
    }
    assert!(way.heard.packets.iter().copied().eq(0..way.heard.packets.len() as u32));
    assert_eq!(way.jitter.stats().concealed_samples, 0);
}

#[test]
fn before_the_first_packet_and_long_after_the_last_there_is_silence() {
    let mut jitter = JitterBuffer::new(Config::default());
    let start = Instant::now();
    assert_eq!(jitter.poll(start, 0), Output::Silence);
    jitter.push(packet(0, start));
    assert_eq!(jitter.poll(start, 0), Output::Silence);
    let played = jitter.poll(start + Duration::from_millis(10), 0);
    assert!(matches!(played, Output::Packet { pace: Pace::Steady, .. }));
    let quiet = (2..200).map(|step| jitter.poll(start + Duration::from_millis(step * 10), 0));
    assert_eq!(quiet.filter(|output| *output == Output::Silence).count(), 198 - 100);
    // Nobody came back, so it was the end and not a loss.
    assert_eq!(jitter.stats().concealed_samples, 0);
}
