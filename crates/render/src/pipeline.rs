//! How the driver is told to draw: shader, layouts and the state around them.

use wgpu::{
    BindGroup, BindGroupLayout, Buffer, BufferUsages, Device, RenderPipeline, ShaderStages, TextureFormat,
};

use crate::gpu::Gpu;
use crate::instance::{Instance, Way};

/// The shader and what it needs besides pictures.
#[derive(Debug)]
pub(crate) struct Pipeline {
    rim: RenderPipeline,
    once: RenderPipeline,
    many: RenderPipeline,
    planes: BindGroupLayout,
    size: Buffer,
    common: BindGroup,
}

impl Pipeline {
    /// Compiles the shader for targets of this format.
    pub(crate) fn new(gpu: &Gpu, format: TextureFormat) -> Self {
        let device = &gpu.device;
        let shared = shared_layout(device);
        let planes = planes_layout(device);
        let shader = device.create_shader_module(wgpu::include_wgsl!("shader/tile.wgsl"));
        let layout = device.create_pipeline_layout(&wgpu::PipelineLayoutDescriptor {
            label: Some("tiles"),
            bind_group_layouts: &[Some(&shared), Some(&planes)],
            immediate_size: 0,
        });
        let over = Some(wgpu::BlendState::PREMULTIPLIED_ALPHA_BLENDING);
        let of = |entry, blend| {
            let colour = wgpu::ColorTargetState { format, blend, write_mask: wgpu::ColorWrites::ALL };
            pipeline(device, &layout, &shader, entry, colour)
        };
        let (rim, once, many) = (of("rim", over), of("core_once", None), of("core_many", None));
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
            layout: &shared,
            entries: &[
                wgpu::BindGroupEntry { binding: 0, resource: size.as_entire_binding() },
                wgpu::BindGroupEntry { binding: 1, resource: wgpu::BindingResource::Sampler(&smooth) },
            ],
        });
        Self { rim, once, many, planes, size, common }
    }

    /// What the textures of a picture are bound by.
    pub(crate) fn planes_layout(&self) -> &BindGroupLayout {
        &self.planes
    }

    /// Tells the shader how large the target is, pixels.
    pub(crate) fn set_size(&self, gpu: &Gpu, (width, height): (u32, u32)) {
        let numbers = [width as f32, height as f32, 0.0, 0.0];
        let bytes: Vec<u8> = numbers.iter().flat_map(|number| number.to_ne_bytes()).collect();
        gpu.queue.write_buffer(&self.size, 0, &bytes);
    }

    /// Draws the instances in order, each in its way and with the planes beside it.
    pub(crate) fn draw<'a>(
        &self,
        pass: &mut wgpu::RenderPass<'_>,
        instances: &Buffer,
        parts: impl Iterator<Item = (Way, &'a BindGroup)>,
    ) {
        pass.set_vertex_buffer(0, instances.slice(..));
        let mut current = None;
        for (index, (way, planes)) in (0_u32..).zip(parts) {
            if current != Some(way) {
                current = Some(way);
                pass.set_pipeline(match way {
                    Way::Rim => &self.rim,
                    Way::Once => &self.once,
                    Way::Many => &self.many,
                });
                pass.set_bind_group(0, &self.common, &[]);
            }
            pass.set_bind_group(1, planes, &[]);
            pass.draw(0..4, index..index + 1);
        }
    }
}

fn shared_layout(device: &Device) -> BindGroupLayout {
    let size = wgpu::BindGroupLayoutEntry {
        binding: 0,
        visibility: ShaderStages::VERTEX,
        ty: wgpu::BindingType::Buffer {
            ty: wgpu::BufferBindingType::Uniform,
            has_dynamic_offset: false,
            min_binding_size: None,
        },
        count: None,
    };
    let smooth = wgpu::BindGroupLayoutEntry {
        binding: 1,
        visibility: ShaderStages::FRAGMENT,
        ty: wgpu::BindingType::Sampler(wgpu::SamplerBindingType::Filtering),
        count: None,
    };
    device.create_bind_group_layout(&wgpu::BindGroupLayoutDescriptor {
        label: Some("common"),
        entries: &[size, smooth],
    })
}

fn planes_layout(device: &Device) -> BindGroupLayout {
    let plane = |binding| wgpu::BindGroupLayoutEntry {
        binding,
        visibility: ShaderStages::FRAGMENT,
        ty: wgpu::BindingType::Texture {
            sample_type: wgpu::TextureSampleType::Float { filterable: true },
            view_dimension: wgpu::TextureViewDimension::D2,
            multisampled: false,
        },
        count: None,
    };
    device.create_bind_group_layout(&wgpu::BindGroupLayoutDescriptor {
        label: Some("planes"),
        entries: &[plane(0), plane(1), plane(2)],
    })
}

fn pipeline(
    device: &Device,
    layout: &wgpu::PipelineLayout,
    shader: &wgpu::ShaderModule,
    entry: &str,
    colour: wgpu::ColorTargetState,
) -> RenderPipeline {
    let attributes: [wgpu::VertexAttribute; Instance::LOCATIONS] =
        std::array::from_fn(|location| wgpu::VertexAttribute {
            format: wgpu::VertexFormat::Float32x4,
            offset: location as u64 * 16,
            shader_location: location as u32,
        });
    let instance = wgpu::VertexBufferLayout {
        array_stride: Instance::STRIDE,
        step_mode: wgpu::VertexStepMode::Instance,
        attributes: &attributes,
    };
    device.create_render_pipeline(&wgpu::RenderPipelineDescriptor {
        label: Some(entry),
        layout: Some(layout),
        vertex: wgpu::VertexState {
            module: shader,
            entry_point: Some("corner"),
            compilation_options: wgpu::PipelineCompilationOptions::default(),
            buffers: &[Some(instance)],
        },
        primitive: wgpu::PrimitiveState {
            topology: wgpu::PrimitiveTopology::TriangleStrip,
            ..wgpu::PrimitiveState::default()
        },
        depth_stencil: None,
        multisample: wgpu::MultisampleState::default(),
        fragment: Some(wgpu::FragmentState {
            module: shader,
            entry_point: Some(entry),
            compilation_options: wgpu::PipelineCompilationOptions::default(),
            targets: &[Some(colour)],
        }),
        multiview_mask: None,
        cache: None,
    })
}
