//! From tiles to the numbers that the shader reads.

use confab_scene::{Colour, Rect, Scene, Tile};

/// Thickness of a speaking frame, in the page's pixels.
const FRAME: f32 = 3.0;
/// Most samples along each axis of a drawn pixel.
const MAX_TAPS: f32 = 4.0;

/// By which of the shader's ways pixels are drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    /// Edges, corners, bars and the speaking frame.
    Rim,
    /// Nothing but the picture, one sample a pixel.
    Once,
    /// Nothing but the picture, several samples a pixel.
    Many,
}

/// What the shader is told of one part of a tile; the order is that of the shader's locations.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Instance {
    /// How the part is drawn.
    pub(crate) way: Way,
    numbers: [[f32; 4]; Self::LOCATIONS],
}

impl Instance {
    /// Vectors of four numbers.
    pub(crate) const LOCATIONS: usize = 6;
    /// Bytes of one instance.
    pub(crate) const STRIDE: u64 = Self::LOCATIONS as u64 * 16;
    /// Most parts of one tile: the core and four sides.
    pub(crate) const PARTS: usize = 5;

    /// The parts of a tile with a picture of the given size, or without one. Together they cover each
    /// pixel that the tile touches once.
    pub(crate) fn of(scene: &Scene, tile: &Tile, picture: Option<(u32, u32)>) -> Vec<Self> {
        let rect = tile.rect;
        let placed = picture.map_or(rect, |size| tile.fit.place(size, rect));
        let [red, green, blue, _] = unit(scene.accent);
        let frame = if tile.speaking { (FRAME * scene.scale).round().max(1.0) } else { 0.0 };
        let radius = tile.radius.clamp(0.0, rect.w.min(rect.h) / 2.0);
        let taps = taps(picture, placed);
        let flag = |on: bool| f32::from(u8::from(on));
        let part = |way, part| Self {
            way,
            numbers: [
                numbers(rect),
                numbers(placed),
                unit(scene.card),
                [red, green, blue, frame],
                [radius, flag(tile.mirror), flag(picture.is_some()), taps],
                numbers(part),
            ],
        };
        let touched = grown(rect);
        let core = picture.and_then(|_| core(rect, placed, radius, frame));
        let Some(core) = core else { return vec![part(Way::Rim, touched)] };
        let sides = around(core, touched).into_iter().filter(|side| !side.is_empty());
        let mut parts: Vec<Self> = sides.map(|side| part(Way::Rim, side)).collect();
        parts.push(part(if taps > 1.0 { Way::Many } else { Way::Once }, core));
        parts
    }

    /// The bytes as the vertex buffer holds them.
    pub(crate) fn bytes(&self) -> impl Iterator<Item = u8> + '_ {
        self.numbers.iter().flatten().flat_map(|number| number.to_ne_bytes())
    }
}

fn numbers(rect: Rect) -> [f32; 4] {
    [rect.x, rect.y, rect.w, rect.h]
}

fn unit(colour: Colour) -> [f32; 4] {
    colour.map(|part| f32::from(part) / 255.0)
}

/// One bilinear sample covers two pixels of the picture, and a little more does not show.
fn taps(picture: Option<(u32, u32)>, placed: Rect) -> f32 {
    let shrink = picture.map_or(1.0, |(width, _)| width as f32 / placed.w.max(1.0));
    ((shrink - 0.5) / 2.0).ceil().clamp(1.0, MAX_TAPS)
}

/// All pixels that a rectangle touches.
fn grown(rect: Rect) -> Rect {
    between((rect.x.floor(), rect.y.floor()), (rect.right().ceil(), rect.bottom().ceil()))
}

/// The pixels that show nothing but the picture: inside of the corners, the frame and the bars.
fn core(rect: Rect, placed: Rect, radius: f32, frame: f32) -> Option<Rect> {
    let edge = frame + 0.5;
    // A corner of the core lies on a corner's diagonal, where the arc is this deep.
    let arc = radius - (radius - edge) * std::f32::consts::FRAC_1_SQRT_2;
    let inset = if radius > edge { edge.max(arc) } else { edge };
    let shown = Rect::new(placed.x + 0.5, placed.y + 0.5, placed.w - 1.0, placed.h - 1.0);
    let inner = Rect::new(rect.x + inset, rect.y + inset, rect.w - 2.0 * inset, rect.h - 2.0 * inset)
        .intersection(&shown)?;
    let core = between((inner.x.ceil(), inner.y.ceil()), (inner.right().floor(), inner.bottom().floor()));
    (!core.is_empty()).then_some(core)
}

fn between((left, top): (f32, f32), (right, bottom): (f32, f32)) -> Rect {
    Rect::new(left, top, right - left, bottom - top)
}

/// What is left of `outer` above, below, left and right of `inner`.
fn around(inner: Rect, outer: Rect) -> [Rect; Instance::PARTS - 1] {
    [
        between((outer.x, outer.y), (outer.right(), inner.y)),
        between((outer.x, inner.bottom()), (outer.right(), outer.bottom())),
        between((outer.x, inner.y), (inner.x, inner.bottom())),
        between((inner.right(), inner.y), (outer.right(), inner.bottom())),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(tile: &Tile, picture: Option<(u32, u32)>) -> Vec<Instance> {
        Instance::of(&Scene { scale: 2.0, ..Scene::default() }, tile, picture)
    }

    fn at(x: f32, y: f32, w: f32, h: f32) -> Tile {
        Tile { rect: Rect::new(x, y, w, h), ..Tile::default() }
    }

    #[test]
    fn a_corner_is_never_rounder_than_half_the_tile() {
        let tile = Tile { radius: 99.0, ..at(0.0, 0.0, 40.0, 20.0) };
        assert_eq!(parts(&tile, None)[0].numbers[4][0], 10.0);
    }

    #[test]
    fn a_large_picture_in_a_small_tile_is_sampled_more_than_once() {
        let tile = at(0.0, 0.0, 320.0, 180.0);
        let last = |picture| *parts(&tile, Some(picture)).last().unwrap();
        assert_eq!((last((1280, 720)).way, last((1280, 720)).numbers[4][3]), (Way::Many, 2.0));
        assert_eq!((last((640, 360)).way, last((640, 360)).numbers[4][3]), (Way::Once, 1.0));
        assert_eq!(last((8192, 4608)).numbers[4][3], 4.0);
    }

    #[test]
    fn the_frame_of_somebody_who_speaks_follows_the_screens_scale() {
        let tile = Tile { speaking: true, ..at(0.0, 0.0, 9.0, 9.0) };
        assert_eq!(parts(&tile, None)[0].numbers[3][3], 6.0);
        assert_eq!(parts(&Tile { speaking: false, ..tile }, None)[0].numbers[3][3], 0.0);
    }

    #[test]
    fn parts_cover_every_touched_pixel_once() {
        let framed = Tile { radius: 12.5, speaking: true, ..at(3.25, 4.5, 100.5, 60.25) };
        let barred = Tile { fit: confab_scene::Fit::Fit, ..at(0.5, 0.5, 80.0, 80.0) };
        for (tile, picture) in [(framed, (160, 90)), (barred, (160, 90)), (at(1.0, 1.0, 3.0, 3.0), (2, 2))] {
            let drawn: Vec<Rect> = parts(&tile, Some(picture))
                .iter()
                .map(|part| part.numbers[5])
                .map(|[x, y, w, h]| Rect::new(x, y, w, h))
                .collect();
            for y in 0..90 {
                for x in 0..110 {
                    let middle = (x as f32 + 0.5, y as f32 + 0.5);
                    let times = drawn.iter().filter(|part| part.contains(middle.0, middle.1)).count();
                    let touched = Rect::new(x as f32, y as f32, 1.0, 1.0).intersection(&tile.rect).is_some();
                    assert_eq!(times, usize::from(touched), "{tile:?} at {x}, {y}");
                }
            }
        }
    }
}
