//! What of sound and pictures gets through bad networks.

use sim::{Heard, Weather, World};
use std::time::Duration;

fn meeting(seed: u64, weather: Weather, people: &[&'static str]) -> World {
    let places: Vec<(&str, Weather)> = people.iter().map(|name| (*name, weather)).collect();
    let mut world = World::with_media(seed, &places);
    for at in 0..people.len() {
        world.set_voice(at, true);
        world.set_camera(at, true);
        world.enter(at, 1).unwrap();
    }
    world
}

/// Whether the voices of all have come to all, or with `true` their pictures too.
fn everybody_hears(world: &World, people: &[&str], pictures: bool) -> bool {
    let pairs = || (0..people.len()).flat_map(|at| people.iter().map(move |user| (at, *user)));
    pairs().filter(|(at, user)| people[*at] != *user).all(|(at, user)| {
        (!pictures || world.client(at).heard(user, true).played > 0)
            && world.client(at).heard(user, false).played > 0
    })
}

/// What of 30 s of two voices and two cameras reaches somebody over that network.
fn half_a_minute(weather: Weather, seed: u64) -> Vec<(Heard, Heard)> {
    let people = ["ann", "bob", "eve"];
    let mut world = meeting(seed, weather, &people);
    let begun = world.run_until(Duration::from_secs(40), |world| everybody_hears(world, &people, false));
    assert!(begun, "{weather:?}, seed {seed}: not everybody is heard\n{}", world.trace());
    let figures = |world: &World, user: &str| [false, true].map(|video| world.client(0).heard(user, video));
    let before: Vec<_> = people[1..].iter().map(|user| figures(&world, user)).collect();
    world.run(Duration::from_secs(30));
    assert_eq!(world.fault(), None, "{weather:?}, seed {seed}:\n{}", world.trace());
    let after = people[1..].iter().map(|user| figures(&world, user));
    after.zip(before).map(|(now, then)| (now[0].since(then[0]), now[1].since(then[1]))).collect()
}

#[test]
fn sound_goes_on_however_bad_the_network() {
    for (loss, delay, jitter) in [(0.05, 50, 20), (0.1, 100, 60), (0.2, 200, 80)] {
        for seed in 0..3 {
            let weather = Weather::bad(loss, delay, jitter);
            for (voice, picture) in half_a_minute(weather, seed) {
                println!(
                    "loss {loss}: {} blocks of 1500, {} ms made up, {} ms at once, {} pictures of 450",
                    voice.played,
                    voice.missing * 10,
                    voice.gap * 10,
                    picture.played
                );
                // Lost on the way to the server and on the way from it.
                let arrive = 1500.0 * (1.0 - loss) * (1.0 - loss);
                assert!(voice.played as f64 > arrive * 0.9, "{weather:?}, seed {seed}: {voice:?}");
                assert!(voice.gap <= 20, "{weather:?}, seed {seed}: {voice:?}");
            }
        }
    }
}

#[test]
fn nine_pictures_of_ten_arrive_where_a_twentieth_is_lost_and_two_of_three_where_a_tenth_is() {
    for (loss, delay, jitter, least) in [(0.05, 30, 15, 405), (0.05, 50, 20, 405), (0.1, 100, 60, 300)] {
        for seed in 0..4 {
            for (_, picture) in half_a_minute(Weather::bad(loss, delay, jitter), seed) {
                println!("loss {loss}, {delay} ms: {} pictures of 450", picture.played);
                assert!(picture.played >= least, "loss {loss}, {delay} ms, seed {seed}: {picture:?}");
            }
        }
    }
}

#[test]
fn after_a_cut_of_three_or_twelve_seconds_sound_and_pictures_are_back() {
    let people = ["ann", "bob", "eve"];
    for (cut, seed) in [(3, 1), (3, 2), (12, 3), (12, 4)] {
        let mut world = meeting(seed, Weather::bad(0.05, 60, 30), &people);
        assert!(world.run_until(Duration::from_secs(30), |world| everybody_hears(world, &people, true)));
        world.run(Duration::from_secs(3));
        world.cut(1);
        world.run(Duration::from_secs(cut));
        world.heal(1);
        let healed = world.elapsed();
        let before: Vec<_> =
            pairs(&people).map(|(at, user, video)| world.client(at).heard(user, video).played).collect();
        let back = |world: &World| {
            let now = pairs(&people).map(|(at, user, video)| world.client(at).heard(user, video).played);
            now.zip(&before).all(|(now, before)| now > *before + 20)
        };
        let is_back = world.run_until(Duration::from_secs(30), back);
        println!("cut {cut} seed {seed}: back after {:?}", world.elapsed() - healed);
        assert!(is_back, "cut {cut}, seed {seed}:\n{}", world.trace());
        assert_eq!(world.fault(), None, "cut {cut}, seed {seed}:\n{}", world.trace());
    }
}

fn pairs<'a>(people: &'a [&'static str]) -> impl Iterator<Item = (usize, &'static str, bool)> + 'a {
    (0..people.len())
        .flat_map(|at| people.iter().map(move |user| (at, *user)))
        .filter(|(at, user)| people[*at] != *user)
        .flat_map(|(at, user)| [(at, user, false), (at, user, true)])
}
