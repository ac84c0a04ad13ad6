//! The way into memory, for whoever paints by himself or keeps a picture.

use confab_frame::VideoFrame;
use confab_scene::{Scene, TileId};

use crate::brush::Brush;
use crate::gpu::Gpu;
use crate::target::{FORMAT, Target};
use crate::{Picture, RenderError};

/// Draws scenes into memory. Lives on one thread; a picture takes one call, which waits for the
/// driver.
#[derive(Debug)]
pub struct Compositor {
    brush: Brush,
    target: Target,
    spare: Option<Vec<u8>>,
}

impl Compositor {
    /// Opens a graphics driver. Fails with a sentence for people when there is none.
    pub fn new() -> Result<Self, RenderError> {
        let brush = Brush::new(Gpu::open()?, FORMAT)?;
        let target = Target::new(brush.gpu(), (2, 2));
        brush.resize(target.size())?;
        Ok(Self { brush, target, spare: None })
    }

    /// The driver's name and kind, as in "llvmpipe (Vulkan)".
    pub fn adapter(&self) -> &str {
        self.brush.gpu().name()
    }

    /// Pictures copied to the driver so far; one that did not change is not copied again.
    pub fn uploads(&self) -> u64 {
        self.brush.uploads()
    }

    /// Draws `scene`, asking `frames` once for each tile, and reads the picture back. A tile whose
    /// frame is absent shows its card. After [`RenderError::Lost`] make a new compositor.
    pub fn draw(
        &mut self,
        scene: &Scene,
        frames: &dyn Fn(&TileId) -> Option<VideoFrame>,
    ) -> Result<Picture, RenderError> {
        scene.check()?;
        if self.target.size() != scene.size {
            self.brush.resize(scene.size)?;
            self.target = Target::new(self.brush.gpu(), scene.size);
        }
        let strokes = self.brush.prepare(scene, frames)?;
        let gpu = self.brush.gpu();
        let mut commands = gpu.device.create_command_encoder(&wgpu::CommandEncoderDescriptor::default());
        self.brush.paint(scene, &strokes, self.target.view(), &mut commands);
        self.target.copy(&mut commands);
        gpu.queue.submit([commands.finish()]);
        let memory = self.spare.take().unwrap_or_default();
        self.target.read(gpu, memory)
    }

    /// Takes a picture back that nobody shows any more, so that its memory is used again.
    pub fn recycle(&mut self, picture: Picture) {
        self.spare = Some(picture.bgra);
    }
}
