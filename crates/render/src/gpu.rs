//! The graphics driver: found, opened and listened to.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use wgpu::{Backends, Device, Instance, Queue};

use crate::RenderError;

/// An opened graphics driver.
pub(crate) struct Gpu {
    pub(crate) device: Device,
    pub(crate) queue: Queue,
    name: String,
    fault: Fault,
}

/// The first thing that went wrong in the driver since it was last asked. wgpu reports such errors
/// by a call from any thread and would end the process if nobody listened.
#[derive(Clone, Default)]
struct Fault(Arc<Mutex<Option<String>>>);

impl Fault {
    fn set(&self, reason: String) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(reason);
    }

    fn take(&self) -> Option<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

impl Gpu {
    /// Opens the system's own driver, OpenGL ES where there is no newer one.
    pub(crate) fn open() -> Result<Self, RenderError> {
        Self::of_adapter(&any_adapter()?)
    }

    /// Opens a driver that can draw on a window, and tells which.
    pub(crate) fn for_surface(
        instance: &Instance,
        surface: &wgpu::Surface<'_>,
    ) -> Result<(Self, wgpu::Adapter), RenderError> {
        let wish = wgpu::RequestAdapterOptions {
            compatible_surface: Some(surface),
            ..wgpu::RequestAdapterOptions::default()
        };
        let adapter = pollster::block_on(instance.request_adapter(&wish))
            .map_err(|error| RenderError::NoAdapter(error.to_string()))?;
        Ok((Self::of_adapter(&adapter)?, adapter))
    }

    fn of_adapter(adapter: &wgpu::Adapter) -> Result<Self, RenderError> {
        let info = adapter.get_info();
        let name = name(&info);
        let limits = wgpu::Limits::downlevel_defaults().using_resolution(adapter.limits());
        let wish = wgpu::DeviceDescriptor {
            label: Some("stage"),
            required_limits: limits,
            ..wgpu::DeviceDescriptor::default()
        };
        let (device, queue) = pollster::block_on(adapter.request_device(&wish))
            .map_err(|error| RenderError::NoDevice { adapter: name.clone(), reason: error.to_string() })?;
        let fault = Fault::default();
        let (uncaptured, lost) = (fault.clone(), fault.clone());
        device.on_uncaptured_error(Arc::new(move |error: wgpu::Error| uncaptured.set(error.to_string())));
        device.set_device_lost_callback(move |_, reason| lost.set(reason));
        tracing::info!(adapter = %name, driver = %info.driver_info, "opened the graphics driver");
        Ok(Self { device, queue, name, fault })
    }

    /// The driver's name and kind.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// What went wrong since this was last asked.
    pub(crate) fn check(&self) -> Result<(), RenderError> {
        self.fault.take().map_or(Ok(()), |reason| Err(RenderError::Lost(reason)))
    }

    /// Longest side of a picture that the driver can hold, pixels.
    pub(crate) fn longest_side(&self) -> u32 {
        self.device.limits().max_texture_dimension_2d
    }
}

impl fmt::Debug for Gpu {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Gpu({})", self.name)
    }
}

/// Looks for a graphics driver without opening it: its name and kind, as in "llvmpipe (Vulkan)".
pub fn adapter() -> Result<String, RenderError> {
    any_adapter().map(|adapter| name(&adapter.get_info()))
}

fn name(info: &wgpu::AdapterInfo) -> String {
    format!("{} ({})", info.name, info.backend)
}

fn any_adapter() -> Result<wgpu::Adapter, RenderError> {
    adapter_of(Backends::PRIMARY).or_else(|newer| {
        adapter_of(Backends::GL).map_err(|older| RenderError::NoAdapter(format!("{newer}; {older}")))
    })
}

fn adapter_of(backends: Backends) -> Result<wgpu::Adapter, String> {
    let wish =
        wgpu::InstanceDescriptor { backends, ..wgpu::InstanceDescriptor::new_without_display_handle() };
    let found = Instance::new(wish).request_adapter(&wgpu::RequestAdapterOptions::default());
    pollster::block_on(found).map_err(|error| error.to_string())
}
