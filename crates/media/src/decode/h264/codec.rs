//! The calls into OpenH264's decoder, and all that is unsafe about them.
#![allow(unsafe_code, reason = "OpenH264 is a C++ library; its safe wrapper switches concealment off")]

use std::ffi::c_void;
use std::fmt;
use std::ptr;

use confab_frame::{FramePool, I420};
use openh264_sys2::source::APILoader;
use openh264_sys2::{
    DECODER_OPTION_TRACE_LEVEL, ERROR_CON_SLICE_COPY, ISVCDecoder, ISVCDecoderVtbl, SBufferInfo,
    SDecodingParam, SSysMEMBuffer, VIDEO_BITSTREAM_AVC, dsBitstreamError, dsDataErrorConcealed,
    dsDepLayerLost, dsErrorFree, dsRefListNullPtrs, dsRefLost,
};

use crate::MediaError;

/// States after which a picture, if there is one, was made up in part.
const CONCEALED: i32 =
    dsDataErrorConcealed | dsRefLost | dsBitstreamError | dsDepLayerLost | dsRefListNullPtrs;

/// OpenH264's decoder, owned.
pub(super) struct Codec {
    decoder: *mut ISVCDecoder,
    calls: ISVCDecoderVtbl,
}

// SAFETY: the decoder keeps no thread-local state and is used by one owner at a time (`&mut self`).
unsafe impl Send for Codec {}

impl fmt::Debug for Codec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Codec")
    }
}

fn missing(name: &str) -> MediaError {
    MediaError::VideoDecode(format!("the codec has no {name}"))
}

impl Codec {
    pub(super) fn new() -> Result<Self, MediaError> {
        let mut decoder: *mut ISVCDecoder = ptr::null_mut();
        // SAFETY: `decoder` is a valid place for the pointer that is handed out.
        let status = unsafe { APILoader::WelsCreateDecoder(&mut decoder) };
        if status != 0 || decoder.is_null() {
            return Err(MediaError::VideoDecode("there is no memory for a decoder".to_owned()));
        }
        // SAFETY: a created decoder points at its table of functions, which lives as long as the code.
        let calls = unsafe { **decoder };
        let codec = Self { decoder, calls };
        let mut params = SDecodingParam { eEcActiveIdc: ERROR_CON_SLICE_COPY, ..SDecodingParam::default() };
        params.sVideoProperty.eVideoBsType = VIDEO_BITSTREAM_AVC;
        let initialize = codec.calls.Initialize.ok_or_else(|| missing("Initialize"))?;
        let set_option = codec.calls.SetOption.ok_or_else(|| missing("SetOption"))?;
        let mut level = 0i32;
        // SAFETY: the decoder is live, and both values outlive the calls, which copy them.
        let status = unsafe {
            set_option(decoder, DECODER_OPTION_TRACE_LEVEL, ptr::from_mut(&mut level).cast::<c_void>());
            initialize(decoder, &params)
        };
        if status == 0 {
            Ok(codec)
        } else {
            Err(MediaError::VideoDecode(format!("Initialize said {status}")))
        }
    }

    /// The picture of the access unit, and whether it was made up in part.
    pub(super) fn decode(
        &mut self,
        annexb: &[u8],
        pool: &FramePool,
    ) -> Result<(Option<I420>, bool), MediaError> {
        let decode = self.calls.DecodeFrameNoDelay.ok_or_else(|| missing("DecodeFrameNoDelay"))?;
        let len = i32::try_from(annexb.len())
            .map_err(|_| MediaError::VideoDecode("the access unit is too large".to_owned()))?;
        if len == 0 {
            return Ok((None, false));
        }
        let mut planes = [ptr::null_mut::<u8>(); 3];
        let mut info = SBufferInfo::default();
        // SAFETY: `annexb` is readable for `len` bytes; three plane pointers and one info are written.
        let state = unsafe { decode(self.decoder, annexb.as_ptr(), len, planes.as_mut_ptr(), &mut info) };
        if info.iBufferStatus != 1 || planes.iter().any(|plane| plane.is_null()) {
            return if state == dsErrorFree {
                Ok((None, false))
            } else {
                Err(MediaError::VideoDecode(format!("decoder state {state:#x}")))
            };
        }
        // SAFETY: a finished picture always describes itself as system memory.
        let memory = unsafe { info.UsrData.sSystemBuffer };
        // SAFETY: the three pointers and `memory` are of the same finished picture, valid until the
        // next call.
        let picture = unsafe { copy(planes, &memory, pool) }?;
        Ok((Some(picture), state & CONCEALED != 0))
    }
}

/// Copies the decoder's picture into one of the pool, without its padding.
///
/// # Safety
/// Each plane must be readable for its height times its stride, as `memory` says.
unsafe fn copy(planes: [*mut u8; 3], memory: &SSysMEMBuffer, pool: &FramePool) -> Result<I420, MediaError> {
    let (Ok(width), Ok(height)) = (u32::try_from(memory.iWidth), u32::try_from(memory.iHeight)) else {
        return Err(MediaError::VideoDecode("a picture without a size".to_owned()));
    };
    // Odd sizes of other people's encoders lose their last line or column.
    let (width, height) = (width & !1, height & !1);
    let mut picture = pool.take(width, height).map_err(|_| MediaError::PictureSize { width, height })?;
    let (y, u, v) = picture.planes_mut();
    for ((target, source), (stride, width)) in [y, u, v].into_iter().zip(planes).zip([
        (memory.iStride[0], width as usize),
        (memory.iStride[1], width as usize / 2),
        (memory.iStride[1], width as usize / 2),
    ]) {
        let stride = usize::try_from(stride).unwrap_or(0);
        if stride < width {
            return Err(MediaError::VideoDecode("a picture whose lines overlap".to_owned()));
        }
        for (line, target) in target.chunks_exact_mut(width).enumerate() {
            // SAFETY: line `line` begins `line * stride` bytes into the plane and is `stride` long.
            target.copy_from_slice(unsafe { std::slice::from_raw_parts(source.add(line * stride), width) });
        }
    }
    Ok(picture)
}

impl Drop for Codec {
    fn drop(&mut self) {
        // SAFETY: created by WelsCreateDecoder, ended and destroyed once, never used again.
        unsafe {
            if let Some(uninitialize) = self.calls.Uninitialize {
                uninitialize(self.decoder);
            }
            APILoader::WelsDestroyDecoder(self.decoder);
        }
    }
}
