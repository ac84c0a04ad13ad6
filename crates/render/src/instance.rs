use confab_scene::{Colour, Rect, Scene, Tile};

/// Thickness of a speaking frame, in the page's pixels.
const FRAME: f32 = 3.0;
/// Most samples along each axis of a drawn pixel.
const MAX_TAPS: f32 = 4.0;

/// What the shader is told of one tile; the order is that of the shader's locations.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Instance([[f32; 4]; Self::LOCATIONS]);

impl Instance {
    /// Vectors of four numbers.
    pub(crate) const LOCATIONS: usize = 5;
    /// Bytes of one instance.
    pub(crate) const STRIDE: u64 = Self::LOCATIONS as u64 * 16;

    /// A tile with a picture of the given size, or without one.
    pub(crate) fn new(scene: &Scene, tile: &Tile, picture: Option<(u32, u32)>) -> Self {
        let rect = tile.rect;
        let placed = picture.map_or(rect, |size| tile.fit.place(size, rect));
        let [red, green, blue, _] = unit(scene.accent);
        let frame = if tile.speaking { (FRAME * scene.scale).round().max(1.0) } else { 0.0 };
        let radius = tile.radius.clamp(0.0, rect.w.min(rect.h) / 2.0);
        let flag = |on: bool| f32::from(u8::from(on));
        Self([
            numbers(rect),
            numbers(placed),
            unit(scene.card),
            [red, green, blue, frame],
            [radius, flag(tile.mirror), flag(picture.is_some()), taps(picture, placed)],
        ])
    }

    /// The bytes as the vertex buffer holds them.
    pub(crate) fn bytes(&self) -> impl Iterator<Item = u8> + '_ {
        self.0.iter().flatten().flat_map(|number| number.to_ne_bytes())
    }
}

fn numbers(rect: Rect) -> [f32; 4] {
    [rect.x, rect.y, rect.w, rect.h]
}

fn unit(colour: Colour) -> [f32; 4] {
    colour.map(|part| f32::from(part) / 255.0)
}

/// One bilinear sample covers two pixels of the picture; a smaller tile needs several.
fn taps(picture: Option<(u32, u32)>, placed: Rect) -> f32 {
    let shrink = picture.map_or(1.0, |(width, _)| width as f32 / placed.w.max(1.0));
    (shrink / 2.0).ceil().clamp(1.0, MAX_TAPS)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn instance(tile: Tile, picture: Option<(u32, u32)>) -> [[f32; 4]; 5] {
        Instance::new(&Scene { scale: 2.0, ..Scene::default() }, &tile, picture).0
    }

    #[test]
    fn a_corner_is_never_rounder_than_half_the_tile() {
        let tile = Tile { rect: Rect::new(0.0, 0.0, 40.0, 20.0), radius: 99.0, ..Tile::default() };
        assert_eq!(instance(tile, None)[4][0], 10.0);
    }

    #[test]
    fn a_large_picture_in_a_small_tile_is_sampled_more_than_once() {
        let tile = Tile { rect: Rect::new(0.0, 0.0, 320.0, 180.0), ..Tile::default() };
        assert_eq!(instance(tile.clone(), Some((1280, 720)))[4][3], 2.0);
        assert_eq!(instance(tile.clone(), Some((320, 180)))[4][3], 1.0);
        assert_eq!(instance(tile, Some((8192, 4608)))[4][3], 4.0);
    }

    #[test]
    fn the_frame_of_somebody_who_speaks_follows_the_screens_scale() {
        let tile = Tile { rect: Rect::new(0.0, 0.0, 9.0, 9.0), speaking: true, ..Tile::default() };
        assert_eq!(instance(tile.clone(), None)[3][3], 6.0);
        assert_eq!(instance(Tile { speaking: false, ..tile }, None)[3][3], 0.0);
    }
}
