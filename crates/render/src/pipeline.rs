use wgpu::{BindGroup, BindGroupLayout, Buffer, BufferUsages, RenderPipeline};

use crate::gpu::Gpu;
use crate::instance::Instance;
use crate::target::FORMAT;

/// The shader and what it needs besides pictures.
#[derive(Debug)]
pub(crate) struct Pipeline {
    tiles: RenderPipeline,
    size: Buffer,
    common: BindGroup,
}

impl Pipeline {
    /// Compiles the shader.
    pub(crate) fn new(gpu: &Gpu) -> Self {
        let device = &gpu.device;
        let tiles = tiles(device);
        let size = device.create_buffer(&wgpu::BufferDescriptor {
            label: Some("target size"),
            size: 16,
            usage: BufferUsages::UNIFORM | BufferUsages::COPY_DST,
            mapped_at_creation: false,
        });
        let smooth = device.create_sampler(&wgpu::SamplerDescriptor {
            label: Some("smooth"),
            mag_filter: wgpu::FilterMode::Linear,
            min_filter: wgpu::FilterMode::Linear,
            ..wgpu::SamplerDescriptor::default()
        });
        let common = device.create_bind_group(&wgpu::BindGroupDescriptor {
            label: Some("common"),
            layout: &tiles.get_bind_group_layout(0),
            entries: &[
                wgpu::BindGroupEntry { binding: 0, resource: size.as_entire_binding() },
                wgpu::BindGroupEntry { binding: 1, resource: wgpu::BindingResource::Sampler(&smooth) },
            ],
        });
        Self { tiles, size, common }
    }

    /// What the textures of a picture are bound by.
    pub(crate) fn planes_layout(&self) -> BindGroupLayout {
        self.tiles.get_bind_group_layout(1)
    }

    /// Tells the shader how large the target is, pixels.
    pub(crate) fn set_size(&self, gpu: &Gpu, (width, height): (u32, u32)) {
        let numbers = [width as f32, height as f32, 0.0, 0.0];
        let bytes: Vec<u8> = numbers.iter().flat_map(|number| number.to_ne_bytes()).collect();
        gpu.queue.write_buffer(&self.size, 0, &bytes);
    }

    /// Draws the instances in order, each with the planes beside it.
    pub(crate) fn draw<'a>(
        &self,
        pass: &mut wgpu::RenderPass<'_>,
        instances: &Buffer,
        planes: impl Iterator<Item = &'a BindGroup>,
    ) {
        pass.set_pipeline(&self.tiles);
        pass.set_bind_group(0, &self.common, &[]);
        pass.set_vertex_buffer(0, instances.slice(..));
        for (index, group) in (0_u32..).zip(planes) {
            pass.set_bind_group(1, group, &[]);
            pass.draw(0..4, index..index + 1);
        }
    }
}

fn tiles(device: &wgpu::Device) -> RenderPipeline {
    let shader = device.create_shader_module(wgpu::include_wgsl!("shader/tile.wgsl"));
    let attributes: [wgpu::VertexAttribute; Instance::LOCATIONS] =
        std::array::from_fn(|location| wgpu::VertexAttribute {
            format: wgpu::VertexFormat::Float32x4,
            offset: location as u64 * 16,
            shader_location: location as u32,
        });
    let layout = wgpu::VertexBufferLayout {
        array_stride: Instance::STRIDE,
        step_mode: wgpu::VertexStepMode::Instance,
        attributes: &attributes,
    };
    let over = wgpu::ColorTargetState {
        format: FORMAT,
        blend: Some(wgpu::BlendState::PREMULTIPLIED_ALPHA_BLENDING),
        write_mask: wgpu::ColorWrites::ALL,
    };
    device.create_render_pipeline(&wgpu::RenderPipelineDescriptor {
        label: Some("tiles"),
        layout: None,
        vertex: wgpu::VertexState {
            module: &shader,
            entry_point: Some("corner"),
            compilation_options: wgpu::PipelineCompilationOptions::default(),
            buffers: &[Some(layout)],
        },
        primitive: wgpu::PrimitiveState {
            topology: wgpu::PrimitiveTopology::TriangleStrip,
            ..wgpu::PrimitiveState::default()
        },
        depth_stencil: None,
        multisample: wgpu::MultisampleState::default(),
        fragment: Some(wgpu::FragmentState {
            module: &shader,
            entry_point: Some("shade"),
            compilation_options: wgpu::PipelineCompilationOptions::default(),
            targets: &[Some(over)],
        }),
        multiview_mask: None,
        cache: None,
    })
}
