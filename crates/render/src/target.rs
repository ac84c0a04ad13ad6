//! Where a picture for memory is drawn, and how it comes back from the driver.

use std::sync::mpsc;
use std::time::Duration;

use wgpu::{Buffer, BufferUsages, CommandEncoder, Texture, TextureFormat, TextureUsages, TextureView};

use crate::gpu::Gpu;
use crate::planes::extent;
use crate::{Picture, RenderError};

/// Pixels as cairo, Windows and macOS take them.
pub(crate) const FORMAT: TextureFormat = TextureFormat::Bgra8Unorm;
/// A driver that takes longer than this for one picture hangs.
const PATIENCE: Duration = Duration::from_secs(5);

/// The texture that is drawn into and the buffer it is read back by.
#[derive(Debug)]
pub(crate) struct Target {
    size: (u32, u32),
    stride: u32,
    texture: Texture,
    view: TextureView,
    readback: Buffer,
}

impl Target {
    /// A target of the given size; both sides at least 1.
    pub(crate) fn new(gpu: &Gpu, size: (u32, u32)) -> Self {
        let (width, height) = size;
        let texture = gpu.device.create_texture(&wgpu::TextureDescriptor {
            label: Some("target"),
            size: extent(width, height),
            mip_level_count: 1,
            sample_count: 1,
            dimension: wgpu::TextureDimension::D2,
            format: FORMAT,
            usage: TextureUsages::RENDER_ATTACHMENT | TextureUsages::COPY_SRC,
            view_formats: &[],
        });
        let stride = (width * 4).next_multiple_of(wgpu::COPY_BYTES_PER_ROW_ALIGNMENT);
        let readback = gpu.device.create_buffer(&wgpu::BufferDescriptor {
            label: Some("readback"),
            size: u64::from(stride) * u64::from(height),
            usage: BufferUsages::COPY_DST | BufferUsages::MAP_READ,
            mapped_at_creation: false,
        });
        let view = texture.create_view(&wgpu::TextureViewDescriptor::default());
        Self { size, stride, texture, view, readback }
    }

    /// Width and height, pixels.
    pub(crate) fn size(&self) -> (u32, u32) {
        self.size
    }

    /// What is drawn into.
    pub(crate) fn view(&self) -> &TextureView {
        &self.view
    }

    /// Lets the drawn picture be copied to the readback buffer when the commands run.
    pub(crate) fn copy(&self, commands: &mut CommandEncoder) {
        let layout =
            wgpu::TexelCopyBufferLayout { offset: 0, bytes_per_row: Some(self.stride), rows_per_image: None };
        let into = wgpu::TexelCopyBufferInfo { buffer: &self.readback, layout };
        commands.copy_texture_to_buffer(self.texture.as_image_copy(), into, extent(self.size.0, self.size.1));
    }

    /// Waits for the submitted commands and takes the picture, in `memory` if it is large enough.
    pub(crate) fn read(&self, gpu: &Gpu, mut memory: Vec<u8>) -> Result<Picture, RenderError> {
        let (sender, receiver) = mpsc::sync_channel(1);
        self.readback.map_async(wgpu::MapMode::Read, .., move |result| {
            // The receiver is only gone when waiting has failed, which is reported there.
            let _ = sender.try_send(result);
        });
        gpu.device
            .poll(wgpu::PollType::Wait { submission_index: None, timeout: Some(PATIENCE) })
            .map_err(|error| RenderError::Lost(error.to_string()))?;
        gpu.check()?;
        receiver
            .try_recv()
            .map_err(|_| RenderError::Lost("the picture was not read back".to_owned()))?
            .map_err(|error| RenderError::Lost(error.to_string()))?;
        memory.clear();
        {
            let mapped =
                self.readback.get_mapped_range(..).map_err(|error| RenderError::Lost(error.to_string()))?;
            memory.extend_from_slice(&mapped);
        }
        self.readback.unmap();
        let (width, height) = self.size;
        Ok(Picture { width, height, stride: self.stride, bgra: memory })
    }
}
