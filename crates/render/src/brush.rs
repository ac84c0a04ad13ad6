//! Everything between a scene and the driver's draw calls.

use std::collections::HashMap;

use confab_frame::VideoFrame;
use confab_scene::{Scene, TileId};
use wgpu::{Buffer, BufferUsages, CommandEncoder, TextureFormat, TextureView};

use crate::RenderError;
use crate::gpu::Gpu;
use crate::instance::{Instance, Way};
use crate::pipeline::Pipeline;
use crate::planes::Planes;

/// The latest frame of a tile; asked once for each tile of a scene.
pub(crate) type Frames<'a> = &'a dyn Fn(&TileId) -> Option<VideoFrame>;

/// Draws scenes into textures of one format, whoever they belong to.
#[derive(Debug)]
pub(crate) struct Brush {
    gpu: Gpu,
    pipeline: Pipeline,
    instances: Buffer,
    pictures: HashMap<TileId, Planes>,
    /// Bound by tiles without a picture.
    nothing: Planes,
    uploads: u64,
}

/// What a scene comes to: its parts in the order in which they are drawn.
#[derive(Debug)]
pub(crate) struct Strokes(Vec<(Way, TileId)>);

impl Brush {
    /// A brush of this driver for textures of that format.
    pub(crate) fn new(gpu: Gpu, format: TextureFormat) -> Result<Self, RenderError> {
        let pipeline = Pipeline::new(&gpu, format);
        let nothing = Planes::new(&gpu, pipeline.planes_layout(), (2, 2));
        let instances = gpu.device.create_buffer(&wgpu::BufferDescriptor {
            label: Some("tiles"),
            size: Instance::STRIDE * (Instance::PARTS * Scene::MAX_TILES) as u64,
            usage: BufferUsages::VERTEX | BufferUsages::COPY_DST,
            mapped_at_creation: false,
        });
        gpu.check()?;
        Ok(Self { gpu, pipeline, instances, pictures: HashMap::new(), nothing, uploads: 0 })
    }

    /// The driver.
    pub(crate) fn gpu(&self) -> &Gpu {
        &self.gpu
    }

    /// Pictures copied to the driver so far.
    pub(crate) fn uploads(&self) -> u64 {
        self.uploads
    }

    /// From now on textures have this size, pixels.
    pub(crate) fn resize(&self, size: (u32, u32)) -> Result<(), RenderError> {
        self.check_size(size)?;
        self.pipeline.set_size(&self.gpu, size);
        Ok(())
    }

    /// Hands a scene and its pictures to the driver. Those of tiles that are gone are let go.
    pub(crate) fn prepare(&mut self, scene: &Scene, frames: Frames<'_>) -> Result<Strokes, RenderError> {
        self.pictures.retain(|id, _| scene.tiles.iter().any(|tile| tile.id == *id));
        let (mut bytes, mut parts) = (Vec::new(), Vec::new());
        for tile in scene.tiles.iter().filter(|tile| !tile.rect.is_empty()) {
            let frame = frames(&tile.id);
            let size = frame.as_ref().map(|frame| (frame.buffer.width(), frame.buffer.height()));
            for part in Instance::of(scene, tile, size) {
                bytes.extend(part.bytes());
                parts.push((part.way, tile.id.clone()));
            }
            match frame {
                Some(frame) => self.upload(&tile.id, &frame)?,
                None => drop(self.pictures.remove(&tile.id)),
            }
        }
        if !bytes.is_empty() {
            self.gpu.queue.write_buffer(&self.instances, 0, &bytes);
        }
        Ok(Strokes(parts))
    }

    /// Draws what was prepared last into a texture of the present size.
    pub(crate) fn paint(
        &self,
        scene: &Scene,
        strokes: &Strokes,
        into: &TextureView,
        commands: &mut CommandEncoder,
    ) {
        let mut pass = commands.begin_render_pass(&wgpu::RenderPassDescriptor {
            label: Some("scene"),
            color_attachments: &[Some(wgpu::RenderPassColorAttachment {
                view: into,
                depth_slice: None,
                resolve_target: None,
                ops: wgpu::Operations {
                    load: wgpu::LoadOp::Clear(premultiplied(scene)),
                    store: wgpu::StoreOp::Store,
                },
            })],
            ..wgpu::RenderPassDescriptor::default()
        });
        let parts = strokes.0.iter().map(|(way, id)| {
            let planes = self.pictures.get(id).unwrap_or(&self.nothing);
            (*way, planes.group())
        });
        self.pipeline.draw(&mut pass, &self.instances, parts);
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
}

fn premultiplied(scene: &Scene) -> wgpu::Color {
    let [r, g, b, a] = scene.background.map(|part| f64::from(part) / 255.0);
    wgpu::Color { r: r * a, g: g * a, b: b * a, a }
}
