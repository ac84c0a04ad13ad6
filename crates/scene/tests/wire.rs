//! The form in which the page reports its scene.
#![allow(clippy::unwrap_used, reason = "a test may fail loudly")]

use confab_scene::{Fit, Rect, Scene, Tile};

#[test]
fn a_scene_reads_what_the_page_writes() {
    let json = r#"{"size":[1280,800],"scale":2,"background":[0,0,0,255],"card":[9,9,9,255],"accent":[1,2,3,255],
        "tiles":[{"id":"alice","rect":{"x":1.5,"y":2,"w":3,"h":4},"fit":"fit","mirror":true,"radius":8,"speaking":true}]}"#;
    let scene: Scene = serde_json::from_str(json).unwrap();
    let tile = Tile {
        id: "alice".into(),
        rect: Rect::new(1.5, 2.0, 3.0, 4.0),
        fit: Fit::Fit,
        mirror: true,
        radius: 8.0,
        speaking: true,
    };
    assert_eq!((scene.size, scene.scale, &scene.tiles), ((1280, 800), 2.0, &vec![tile]));
    assert_eq!(serde_json::from_str::<Scene>(&serde_json::to_string(&scene).unwrap()).unwrap(), scene);
}

#[test]
fn what_is_left_out_has_its_default() {
    let scene: Scene = serde_json::from_str(r#"{"size":[640,360],"tiles":[{"id":""}]}"#).unwrap();
    assert_eq!(scene.background, Scene::default().background);
    assert_eq!(scene.tiles, [Tile::default()]);
    assert!(scene.tiles[0].id.is_local());
}
