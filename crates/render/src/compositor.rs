use std::collections::HashMap;

use confab_frame::VideoFrame;
use confab_scene::{Scene, TileId};
use wgpu::{Buffer, BufferUsages};

use crate::gpu::Gpu;
use crate::instance::{Instance, Way};
use crate::pipeline::Pipeline;
use crate::planes::Planes;
use crate::target::Target;
use crate::{Picture, RenderError};

/// Draws scenes. Lives on one thread; a picture takes one call, which waits for the driver.
#[derive(Debug)]
pub struct Compositor {
    gpu: Gpu,
    pipeline: Pipeline,
    target: Target,
    instances: Buffer,
    pictures: HashMap<TileId, Planes>,
    /// Bound by tiles without a picture.
    nothing: Planes,
    spare: Option<Vec<u8>>,
    uploads: u64,
}

impl Compositor {
    /// Opens a graphics driver. Fails with a sentence for people when there is none.
    pub fn new() -> Result<Self, RenderError> {
        let gpu = Gpu::open()?;
        let pipeline = Pipeline::new(&gpu);
        let target = Target::new(&gpu, (2, 2));
        pipeline.set_size(&gpu, target.size());
        let nothing = Planes::new(&gpu, pipeline.planes_layout(), (2, 2));
        let instances = gpu.device.create_buffer(&wgpu::BufferDescriptor {
            label: Some("tiles"),
            size: Instance::STRIDE * (Instance::PARTS * Scene::MAX_TILES) as u64,
            usage: BufferUsages::VERTEX | BufferUsages::COPY_DST,
            mapped_at_creation: false,
        });
        gpu.check()?;
        Ok(Self {
            gpu,
            pipeline,
            target,
            instances,
            pictures: HashMap::new(),
            nothing,
            spare: None,
            uploads: 0,
        })
    }

    /// The driver's name and kind, as in "llvmpipe (Vulkan)".
    pub fn adapter(&self) -> &str {
        self.gpu.name()
    }

    /// Pictures copied to the driver so far; one that did not change is not copied again.
    pub fn uploads(&self) -> u64 {
        self.uploads
    }

    /// Draws `scene`, asking `frames` once for each tile, and reads the picture back. A tile whose
    /// frame is absent shows its card. After [`RenderError::Lost`] make a new compositor.
    pub fn draw(
        &mut self,
        scene: &Scene,
        frames: &dyn Fn(&TileId) -> Option<VideoFrame>,
    ) -> Result<Picture, RenderError> {
        scene.check()?;
        self.resize(scene.size)?;
        self.pictures.retain(|id, _| scene.tiles.iter().any(|tile| tile.id == *id));
        let mut bytes = Vec::new();
        let mut parts = Vec::new();
        for tile in scene.tiles.iter().filter(|tile| !tile.rect.is_empty()) {
            let frame = frames(&tile.id);
            let size = frame.as_ref().map(|frame| (frame.buffer.width(), frame.buffer.height()));
            for part in Instance::of(scene, tile, size) {
                bytes.extend(part.bytes());
                parts.push((part.way, &tile.id));
            }
            match frame {
                Some(frame) => self.upload(&tile.id, &frame)?,
                None => drop(self.pictures.remove(&tile.id)),
            }
        }
        if !bytes.is_empty() {
            self.gpu.queue.write_buffer(&self.instances, 0, &bytes);
        }
        self.submit(scene, &parts);
        let memory = self.spare.take().unwrap_or_default();
        self.target.read(&self.gpu, memory)
    }

    /// Takes a picture back that nobody shows any more, so that its memory is used again.
    pub fn recycle(&mut self, picture: Picture) {
        self.spare = Some(picture.bgra);
    }

    fn resize(&mut self, size: (u32, u32)) -> Result<(), RenderError> {
        if self.target.size() != size {
            self.check_size(size)?;
            self.target = Target::new(&self.gpu, size);
            self.pipeline.set_size(&self.gpu, size);
        }
        Ok(())
    }

    fn upload(&mut self, id: &TileId, frame: &VideoFrame) -> Result<(), RenderError> {
        let size = (frame.buffer.width(), frame.buffer.height());
        let fits = self.pictures.get(id).is_some_and(|planes| planes.fits(&frame.buffer));
        if !fits {
            self.check_size(size)?;
            let planes = Planes::new(&self.gpu, self.pipeline.planes_layout(), size);
            self.pictures.insert(id.clone(), planes);
        }
        if let Some(planes) = self.pictures.get_mut(id) {
            self.uploads += u64::from(planes.upload(&self.gpu, &frame.buffer));
        }
        Ok(())
    }

    fn check_size(&self, (width, height): (u32, u32)) -> Result<(), RenderError> {
        let max = self.gpu.longest_side();
        if width.max(height) > max { Err(RenderError::TooLarge { width, height, max }) } else { Ok(()) }
    }

    fn submit(&self, scene: &Scene, parts: &[(Way, &TileId)]) {
        let mut commands = self.gpu.device.create_command_encoder(&wgpu::CommandEncoderDescriptor::default());
        {
            let mut pass = commands.begin_render_pass(&wgpu::RenderPassDescriptor {
                label: Some("scene"),
                color_attachments: &[Some(wgpu::RenderPassColorAttachment {
                    view: self.target.view(),
                    depth_slice: None,
                    resolve_target: None,
                    ops: wgpu::Operations {
                        load: wgpu::LoadOp::Clear(premultiplied(scene)),
                        store: wgpu::StoreOp::Store,
                    },
                })],
                ..wgpu::RenderPassDescriptor::default()
            });
            let parts = parts.iter().map(|(way, id)| {
                let planes = self.pictures.get(id).unwrap_or(&self.nothing);
                (*way, planes.group())
            });
            self.pipeline.draw(&mut pass, &self.instances, parts);
        }
        self.target.copy(&mut commands);
        self.gpu.queue.submit([commands.finish()]);
    }
}

fn premultiplied(scene: &Scene) -> wgpu::Color {
    let [r, g, b, a] = scene.background.map(|part| f64::from(part) / 255.0);
    wgpu::Color { r: r * a, g: g * a, b: b * a, a }
}
