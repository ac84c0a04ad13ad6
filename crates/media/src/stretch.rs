//! Shortens or lengthens a piece of sound by one period of its pitch, so that playback can move in
//! time without being heard to.

/// Shortest and longest period that is taken out or put in: 2.5 and 10 ms.
const SHORTEST: usize = 120;
const LONGEST: usize = 480;
/// What two periods are compared over.
const COMPARED: usize = 480;
/// Every this many samples is enough to compare.
const THIN: usize = 4;
/// Below this likeness, voiced sound would be heard to jump.
const ALIKE: f32 = 0.6;
/// Mean square below which there is nothing to be heard.
const QUIET: f32 = 1e-5;

/// Takes one period out of the first `len` samples of `sound` and returns how many are left: `len`
/// where nothing fits, which is the case for fewer than 20 ms and where no period is found.
pub fn shorten(sound: &mut [f32], len: usize) -> usize {
    let Some(period) = sound.get(..len).and_then(period) else { return len };
    for n in 0..period {
        let weight = n as f32 / period as f32;
        sound[n] = sound[n] * (1.0 - weight) + sound[n + period] * weight;
    }
    sound.copy_within(2 * period..len, period);
    len - period
}

/// Puts one period more into the first `len` samples of `sound` and returns how many there are then:
/// `len` where no period is found or `sound` has no room.
pub fn lengthen(sound: &mut [f32], len: usize) -> usize {
    let Some(period) = sound.get(..len).and_then(period) else { return len };
    if sound.len() < len + period {
        return len;
    }
    // The first period, then a way from the second back to the first, then everything from the
    // second on.
    sound.copy_within(period..len, 2 * period);
    for n in 0..period {
        let weight = n as f32 / period as f32;
        sound[n + period] = sound[n + 2 * period] * (1.0 - weight) + sound[n] * weight;
    }
    len + period
}

/// The period by which the beginning of the sound repeats itself best, if it does.
fn period(sound: &[f32]) -> Option<usize> {
    if sound.len() < COMPARED + LONGEST {
        return None;
    }
    let start = &sound[..COMPARED];
    if energy(start) < QUIET {
        return Some(LONGEST);
    }
    let (period, likeness) = (SHORTEST..=LONGEST)
        .step_by(THIN)
        .map(|lag| (lag, likeness(start, &sound[lag..lag + COMPARED])))
        .max_by(|a, b| a.1.total_cmp(&b.1))?;
    // The best of the thinned search may be off by a few samples.
    let near = period.saturating_sub(THIN - 1).max(SHORTEST)..=(period + THIN - 1).min(LONGEST);
    let best = near
        .map(|lag| (lag, likeness_of_all(start, &sound[lag..lag + COMPARED])))
        .max_by(|a, b| a.1.total_cmp(&b.1))?;
    (likeness > ALIKE / 2.0 && best.1 > ALIKE).then_some(best.0)
}

fn energy(sound: &[f32]) -> f32 {
    sound.iter().map(|sample| sample * sample).sum::<f32>() / sound.len() as f32
}

fn likeness(a: &[f32], b: &[f32]) -> f32 {
    correlate(a.iter().step_by(THIN).zip(b.iter().step_by(THIN)))
}

fn likeness_of_all(a: &[f32], b: &[f32]) -> f32 {
    correlate(a.iter().zip(b))
}

/// Normalised correlation, 1 for sounds that differ in nothing but a positive factor.
fn correlate<'a>(pairs: impl Iterator<Item = (&'a f32, &'a f32)>) -> f32 {
    let (product, a, b) = pairs
        .fold((0.0, 1e-9f32, 1e-9f32), |(product, aa, bb), (a, b)| (product + a * b, aa + a * a, bb + b * b));
    product / (a * b).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn voice(len: usize, pitch: f32) -> Vec<f32> {
        (0..len)
            .map(|n| {
                let phase = 2.0 * std::f32::consts::PI * pitch * n as f32 / 48_000.0;
                0.3 * (phase.sin() + 0.5 * (2.0 * phase).sin() + 0.3 * (5.0 * phase).cos())
            })
            .collect()
    }

    /// The largest step between neighbours, which a cut would make large.
    fn roughness(sound: &[f32]) -> f32 {
        sound.windows(2).map(|pair| (pair[1] - pair[0]).abs()).fold(0.0, f32::max)
    }

    #[test]
    fn a_period_is_taken_out_or_put_in_without_a_step() {
        for pitch in [110.0, 180.0, 260.0, 390.0] {
            let sound = voice(960, pitch);
            let smooth = roughness(&sound) * 1.2;
            let mut shorter = sound.clone();
            let len = shorten(&mut shorter, 960);
            assert!((480..=840).contains(&len), "{len} at {pitch} Hz");
            assert!(roughness(&shorter[..len]) < smooth);
            let mut longer = sound.clone();
            longer.resize(5760, 0.0);
            let len = lengthen(&mut longer, 960);
            assert!((1080..=1440).contains(&len), "{len} at {pitch} Hz");
            assert!(roughness(&longer[..len]) < smooth, "{pitch}");
        }
    }

    #[test]
    fn silence_is_moved_by_the_longest_step_and_noise_not_at_all() {
        assert_eq!(shorten(&mut [0.0; 960], 960), 480);
        assert_eq!(lengthen(&mut [0.0; 5760], 960), 1440);
        let mut seed = 1u32;
        let mut noise: Vec<f32> = (0..960)
            .map(|_| {
                seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                (seed >> 8) as f32 / 8_388_608.0 - 1.0
            })
            .collect();
        assert_eq!(shorten(&mut noise, 960), 960);
    }

    #[test]
    fn short_pieces_and_full_buffers_are_left_alone() {
        assert_eq!(shorten(&mut [0.0; 480], 480), 480);
        assert_eq!(lengthen(&mut [0.0; 960], 960), 960);
        assert_eq!(shorten(&mut [], 960), 960);
    }
}
