//! A tile's frame in the driver's memory.

use std::sync::Arc;

use confab_frame::I420;
use wgpu::{BindGroup, BindGroupLayout, Texture, TextureFormat, TextureUsages};

use crate::gpu::Gpu;

/// The three planes of one tile's picture as textures, and which picture they hold.
#[derive(Debug)]
pub(crate) struct Planes {
    size: (u32, u32),
    textures: [Texture; 3],
    group: BindGroup,
    /// Kept, so that no other picture can have its address while it is compared.
    held: Option<Arc<I420>>,
}

impl Planes {
    /// Textures for a picture of the given size, both sides even.
    pub(crate) fn new(gpu: &Gpu, layout: &BindGroupLayout, size: (u32, u32)) -> Self {
        let (width, height) = size;
        let plane = |width, height| {
            gpu.device.create_texture(&wgpu::TextureDescriptor {
                label: Some("plane"),
                size: extent(width, height),
                mip_level_count: 1,
                sample_count: 1,
                dimension: wgpu::TextureDimension::D2,
                format: TextureFormat::R8Unorm,
                usage: TextureUsages::TEXTURE_BINDING | TextureUsages::COPY_DST,
                view_formats: &[],
            })
        };
        let chroma = || plane(width / 2, height / 2);
        let textures = [plane(width, height), chroma(), chroma()];
        let views =
            textures.each_ref().map(|texture| texture.create_view(&wgpu::TextureViewDescriptor::default()));
        let entry = |binding: u32| wgpu::BindGroupEntry {
            binding,
            resource: wgpu::BindingResource::TextureView(&views[binding as usize]),
        };
        let group = gpu.device.create_bind_group(&wgpu::BindGroupDescriptor {
            label: Some("planes"),
            layout,
            entries: &[entry(0), entry(1), entry(2)],
        });
        Self { size, textures, group, held: None }
    }

    /// The pictures of this size fit.
    pub(crate) fn fits(&self, picture: &I420) -> bool {
        self.size == (picture.width(), picture.height())
    }

    /// Takes a picture over, unless it is the one already there; says whether it was copied.
    pub(crate) fn upload(&mut self, gpu: &Gpu, picture: &Arc<I420>) -> bool {
        if self.held.as_ref().is_some_and(|held| Arc::ptr_eq(held, picture)) {
            return false;
        }
        let (width, height) = self.size;
        let planes = [picture.y(), picture.u(), picture.v()];
        let sizes = [(width, height), (width / 2, height / 2), (width / 2, height / 2)];
        for ((texture, plane), (width, height)) in self.textures.iter().zip(planes).zip(sizes) {
            let rows =
                wgpu::TexelCopyBufferLayout { offset: 0, bytes_per_row: Some(width), rows_per_image: None };
            gpu.queue.write_texture(texture.as_image_copy(), plane, rows, extent(width, height));
        }
        self.held = Some(picture.clone());
        true
    }

    /// The textures as the shader takes them.
    pub(crate) fn group(&self) -> &BindGroup {
        &self.group
    }
}

/// The extent of a flat texture.
pub(crate) fn extent(width: u32, height: u32) -> wgpu::Extent3d {
    wgpu::Extent3d { width, height, depth_or_array_layers: 1 }
}
