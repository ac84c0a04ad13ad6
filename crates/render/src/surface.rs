//! The way to the screen that leaves pictures where the driver has them.

use std::fmt;

use confab_frame::VideoFrame;
use confab_scene::{Scene, TileId};
use wgpu::{Backends, CurrentSurfaceTexture, Instance, PresentMode, SurfaceTarget, SurfaceTexture};

use crate::RenderError;
use crate::brush::Brush;
use crate::gpu::Gpu;
use crate::target::FORMAT;

/// Draws scenes straight onto a window, without a copy in memory. Made on the window's thread, used
/// on one thread of any kind.
pub struct Surface {
    // Before the instance that it is of.
    surface: wgpu::Surface<'static>,
    instance: Instance,
    /// Opened by the first scene.
    brush: Option<Brush>,
    format: wgpu::TextureFormat,
    /// What the surface is set up for; `None` where it has to be set up anew.
    size: Option<(u32, u32)>,
}

impl Surface {
    /// The surface of a window, which is kept as long as the surface. The system's own driver only:
    /// where there is none, reading a picture back costs little more.
    pub fn of_window(window: impl Into<SurfaceTarget<'static>>) -> Result<Self, RenderError> {
        let instance = instance();
        let surface = instance.create_surface(window);
        Self::new(instance, surface)
    }

    /// The surface of a `CAMetalLayer`.
    ///
    /// # Safety
    ///
    /// `layer` points to a `CAMetalLayer`; the surface keeps it from then on.
    #[cfg(target_os = "macos")]
    #[allow(unsafe_code, reason = "a layer is a pointer to wgpu")]
    pub unsafe fn of_layer(layer: std::ptr::NonNull<std::ffi::c_void>) -> Result<Self, RenderError> {
        let instance = instance();
        let target = wgpu::SurfaceTargetUnsafe::CoreAnimationLayer(layer.as_ptr());
        // SAFETY: the caller says that it is a layer; wgpu retains it.
        let surface = unsafe { instance.create_surface_unsafe(target) };
        Self::new(instance, surface)
    }

    fn new(
        instance: Instance,
        surface: Result<wgpu::Surface<'static>, wgpu::CreateSurfaceError>,
    ) -> Result<Self, RenderError> {
        let surface = surface.map_err(|error| RenderError::NoSurface(error.to_string()))?;
        Ok(Self { surface, instance, brush: None, format: FORMAT, size: None })
    }

    /// Draws `scene`, asking `frames` once for each tile, and shows it. Says whether it did: a window
    /// that nobody sees takes no pictures. After [`RenderError::Lost`] this surface is of no use.
    pub fn draw(
        &mut self,
        scene: &Scene,
        frames: &dyn Fn(&TileId) -> Option<VideoFrame>,
    ) -> Result<bool, RenderError> {
        scene.check()?;
        self.open()?;
        let Some(brush) = &mut self.brush else { return Ok(false) };
        if self.size != Some(scene.size) {
            brush.resize(scene.size)?;
            configure(&self.surface, brush.gpu(), self.format, scene.size);
            self.size = Some(scene.size);
        }
        let Some((texture, stays)) = acquire(&self.surface, brush.gpu(), self.format, scene.size)? else {
            return Ok(false);
        };
        if !stays {
            self.size = None;
        }
        let strokes = brush.prepare(scene, frames)?;
        let gpu = brush.gpu();
        let view = texture.texture.create_view(&wgpu::TextureViewDescriptor::default());
        let mut commands = gpu.device.create_command_encoder(&wgpu::CommandEncoderDescriptor::default());
        brush.paint(scene, &strokes, &view, &mut commands);
        gpu.queue.submit([commands.finish()]);
        gpu.queue.present(texture);
        gpu.check()?;
        Ok(true)
    }

    fn open(&mut self) -> Result<(), RenderError> {
        if self.brush.is_none() {
            let (gpu, adapter) = Gpu::for_surface(&self.instance, &self.surface)?;
            self.format = format(&self.surface.get_capabilities(&adapter).formats);
            self.brush = Some(Brush::new(gpu, self.format)?);
        }
        Ok(())
    }
}

impl fmt::Debug for Surface {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Surface")
            .field("brush", &self.brush)
            .field("size", &self.size)
            .finish_non_exhaustive()
    }
}

fn instance() -> Instance {
    let backends = Backends::PRIMARY;
    Instance::new(wgpu::InstanceDescriptor {
        backends,
        ..wgpu::InstanceDescriptor::new_without_display_handle()
    })
}

/// The shader's colours are gamma encoded already: a format that encodes them again is the last
/// choice.
fn format(offered: &[wgpu::TextureFormat]) -> wgpu::TextureFormat {
    let plain = [FORMAT, wgpu::TextureFormat::Rgba8Unorm];
    let found = plain.into_iter().find(|format| offered.contains(format));
    found.or_else(|| offered.first().copied()).unwrap_or(FORMAT)
}

fn configure(
    surface: &wgpu::Surface<'_>,
    gpu: &Gpu,
    format: wgpu::TextureFormat,
    (width, height): (u32, u32),
) {
    surface.configure(
        &gpu.device,
        &wgpu::SurfaceConfiguration {
            usage: wgpu::TextureUsages::RENDER_ATTACHMENT,
            format,
            color_space: wgpu::SurfaceColorSpace::Auto,
            width,
            height,
            // Every system has it.
            present_mode: PresentMode::Fifo,
            desired_maximum_frame_latency: 2,
            alpha_mode: wgpu::CompositeAlphaMode::Auto,
            view_formats: Vec::new(),
        },
    );
}

/// The next texture to draw into, if the window can be seen, and whether the surface still fits the
/// window after that.
fn acquire(
    surface: &wgpu::Surface<'_>,
    gpu: &Gpu,
    format: wgpu::TextureFormat,
    size: (u32, u32),
) -> Result<Option<(SurfaceTexture, bool)>, RenderError> {
    for _ in 0..2 {
        match surface.get_current_texture() {
            CurrentSurfaceTexture::Success(texture) => return Ok(Some((texture, true))),
            CurrentSurfaceTexture::Suboptimal(texture) => return Ok(Some((texture, false))),
            CurrentSurfaceTexture::Timeout | CurrentSurfaceTexture::Occluded => return Ok(None),
            CurrentSurfaceTexture::Outdated => configure(surface, gpu, format, size),
            CurrentSurfaceTexture::Lost => {
                gpu.check()?;
                return Err(RenderError::Lost("the window's surface was lost".to_owned()));
            }
            CurrentSurfaceTexture::Validation => {
                gpu.check()?;
                return Err(RenderError::Lost("the window's surface was refused".to_owned()));
            }
        }
    }
    // The window changes faster than the surface follows; the next picture will find it at rest.
    Ok(None)
}

#[cfg(test)]
mod tests {
    use wgpu::TextureFormat::{Bgra8Unorm, Bgra8UnormSrgb, Rgba8Unorm, Rgba16Float};

    use super::*;

    #[test]
    fn a_format_that_encodes_colours_again_is_the_last_choice() {
        assert_eq!(format(&[Bgra8UnormSrgb, Rgba16Float, Rgba8Unorm, Bgra8Unorm]), Bgra8Unorm);
        assert_eq!(format(&[Bgra8UnormSrgb, Rgba8Unorm]), Rgba8Unorm);
        assert_eq!(format(&[Bgra8UnormSrgb]), Bgra8UnormSrgb);
    }
}
