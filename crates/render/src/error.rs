//! What drivers refuse, and what helps.

use confab_scene::SceneError;

/// Why nothing was drawn.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RenderError {
    /// The computer's owner installs a driver; retrying before that does not help.
    #[error(
        "no graphics driver can draw here ({0}). Install one that offers Vulkan, Metal, Direct3D 12 or \
         OpenGL ES 3; on Debian and Ubuntu without a graphics card: apt install mesa-vulkan-drivers"
    )]
    NoAdapter(String),
    /// The driver was found and refused; often gone after an update of the driver.
    #[error("the graphics driver {adapter} could not be opened: {reason}")]
    NoDevice {
        /// The driver's name.
        adapter: String,
        /// What it said.
        reason: String,
    },
    /// A window that cannot be drawn on; another way of showing pictures may work.
    #[error("the window cannot be drawn on: {0}")]
    NoSurface(String),
    /// The driver stopped working, as after a reset; a new [`crate::Compositor`] or [`crate::Surface`] may work.
    #[error("the graphics driver stopped working: {0}")]
    Lost(String),
    /// Larger than this driver's largest picture.
    #[error("a picture of {width}x{height} is larger than this graphics driver draws ({max})")]
    TooLarge {
        /// Width asked for.
        width: u32,
        /// Height asked for.
        height: u32,
        /// Longest side the driver can draw.
        max: u32,
    },
    /// The scene makes no sense; whoever described it has to mend it.
    #[error(transparent)]
    Scene(#[from] SceneError),
    /// A picture's bytes do not match its size.
    #[error("the picture could not be written as PNG: {0}")]
    Png(#[from] png::EncodingError),
}
