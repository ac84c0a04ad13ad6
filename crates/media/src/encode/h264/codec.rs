//! The calls into OpenH264's encoder, and all that is unsafe about them.
#![allow(
    unsafe_code,
    reason = "OpenH264 is a C++ library; its safe wrapper cannot change rates while it runs"
)]

use std::ffi::c_void;
use std::fmt;
use std::ptr;
use std::sync::Arc;

use confab_frame::I420;
use openh264_sys2::source::APILoader;
use openh264_sys2::{
    CAMERA_VIDEO_REAL_TIME, CONSTANT_ID, ENCODER_OPTION_BITRATE, ENCODER_OPTION_FRAME_RATE,
    ENCODER_OPTION_MAX_BITRATE, ENCODER_OPTION_RC_FRAME_SKIP, ENCODER_OPTION_TRACE_LEVEL, ISVCEncoder,
    ISVCEncoderVtbl, LOW_COMPLEXITY, PRO_BASELINE, RC_BITRATE_MODE, SBitrateInfo, SCREEN_CONTENT_REAL_TIME,
    SEncParamExt, SFrameBSInfo, SM_SINGLE_SLICE, SPATIAL_LAYER_ALL, SSourcePicture, VIDEO_CODING_LAYER,
    videoFormatI420, videoFrameTypeIDR, videoFrameTypeSkip,
};

use super::Config;
use crate::MediaError;

/// A coded picture as the codec gave it.
pub(super) struct Coded {
    pub(super) data: Arc<[u8]>,
    pub(super) key: bool,
    pub(super) temporal_id: u8,
}

/// OpenH264's encoder, owned.
pub(super) struct Codec {
    encoder: *mut ISVCEncoder,
    calls: ISVCEncoderVtbl,
    /// What the codec writes about a picture; 7 KiB, so it is kept.
    info: Box<SFrameBSInfo>,
}

// SAFETY: the encoder keeps no thread-local state and is used by one owner at a time (`&mut self`).
unsafe impl Send for Codec {}

impl fmt::Debug for Codec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Codec")
    }
}

/// Calls a function of the codec's table and turns its status into an error.
macro_rules! call {
    ($codec:expr, $function:ident $(, $argument:expr)*) => {{
        let codec: &Codec = $codec;
        let name = stringify!($function);
        match codec.calls.$function {
            // SAFETY: the table belongs to this live encoder; the arguments are valid for the call
            // as each caller says.
            Some(function) => check(name, unsafe { function(codec.encoder $(, $argument)*) }),
            None => Err(MediaError::VideoEncode(format!("the codec has no {name}"))),
        }
    }};
}

fn check(name: &str, status: i32) -> Result<(), MediaError> {
    if status == 0 { Ok(()) } else { Err(MediaError::VideoEncode(format!("{name} said {status}"))) }
}

impl Codec {
    pub(super) fn new(config: &Config) -> Result<Self, MediaError> {
        let Config { width, height, .. } = *config;
        let side = |side: u32| (16..=4096).contains(&side) && side.is_multiple_of(2);
        if !side(width) || !side(height) {
            return Err(MediaError::PictureSize { width, height });
        }
        let mut encoder: *mut ISVCEncoder = ptr::null_mut();
        // SAFETY: `encoder` is a valid place for the pointer that is handed out.
        check("WelsCreateSVCEncoder", unsafe { APILoader::WelsCreateSVCEncoder(&mut encoder) })?;
        if encoder.is_null() {
            return Err(MediaError::VideoEncode("there is no memory for an encoder".to_owned()));
        }
        // SAFETY: a created encoder points at its table of functions, which lives as long as the code.
        let calls = unsafe { **encoder };
        let mut codec = Self { encoder, calls, info: Box::default() };
        let mut level = 0i32;
        codec.set_option(ENCODER_OPTION_TRACE_LEVEL, &mut level)?;
        let params = codec.params(config)?;
        call!(&codec, InitializeExt, &params)?;
        Ok(codec)
    }

    fn params(&self, config: &Config) -> Result<SEncParamExt, MediaError> {
        let mut params = SEncParamExt::default();
        call!(self, GetDefaultParams, &mut params)?;
        let (width, height) = (config.width as i32, config.height as i32);
        let bitrate = signed(config.bitrate);
        params.iUsageType = if config.screen { SCREEN_CONTENT_REAL_TIME } else { CAMERA_VIDEO_REAL_TIME };
        (params.iPicWidth, params.iPicHeight) = (width, height);
        params.fMaxFrameRate = config.fps.clamp(1, 120) as f32;
        params.iTargetBitrate = bitrate;
        params.iMaxBitrate = peak(bitrate);
        params.iRCMode = RC_BITRATE_MODE;
        params.bEnableFrameSkip = config.skips();
        params.iTemporalLayerNum = 2;
        params.iSpatialLayerNum = 1;
        params.iComplexityMode = LOW_COMPLEXITY;
        // Key frames come when somebody needs one; a change of scene does not need one.
        params.uiIntraPeriod = 0;
        params.bEnableSceneChangeDetect = false;
        params.eSpsPpsIdStrategy = CONSTANT_ID;
        params.iEntropyCodingModeFlag = 0;
        params.iMultipleThreadIdc = 1;
        params.bEnableDenoise = false;
        params.bEnableBackgroundDetection = true;
        params.bEnableAdaptiveQuant = true;
        params.bEnableLongTermReference = false;
        (params.iMinQp, params.iMaxQp) = (12, 46);
        let layer = &mut params.sSpatialLayers[0];
        (layer.iVideoWidth, layer.iVideoHeight) = (width, height);
        layer.fFrameRate = params.fMaxFrameRate;
        layer.iSpatialBitrate = bitrate;
        layer.iMaxSpatialBitrate = peak(bitrate);
        layer.uiProfileIdc = PRO_BASELINE;
        layer.sSliceArgument.uiSliceMode = SM_SINGLE_SLICE;
        Ok(params)
    }

    pub(super) fn encode(&mut self, frame: &I420, milliseconds: i64) -> Result<Option<Coded>, MediaError> {
        let stride = frame.width() as i32;
        let source = SSourcePicture {
            iColorFormat: videoFormatI420,
            iStride: [stride, stride / 2, stride / 2, 0],
            // The codec only reads them, whatever its type says.
            pData: [frame.y(), frame.u(), frame.v(), &[]].map(|plane| plane.as_ptr().cast_mut()),
            iPicWidth: stride,
            iPicHeight: frame.height() as i32,
            uiTimeStamp: milliseconds,
            ..SSourcePicture::default()
        };
        *self.info = SFrameBSInfo::default();
        let info: *mut SFrameBSInfo = &mut *self.info;
        call!(self, EncodeFrame, &source, info)?;
        if self.info.eFrameType == videoFrameTypeSkip || self.info.iFrameSizeInBytes <= 0 {
            return Ok(None);
        }
        let mut data = Vec::with_capacity(self.info.iFrameSizeInBytes as usize);
        let mut temporal_id = 0;
        let layers = usize::try_from(self.info.iLayerNum).unwrap_or(0);
        for layer in self.info.sLayerInfo.iter().take(layers) {
            let count = usize::try_from(layer.iNalCount).unwrap_or(0);
            // SAFETY: after a successful call each layer carries `iNalCount` lengths, and one buffer
            // that holds the units of these lengths one behind the other, valid until the next call.
            let units = unsafe {
                let lengths = std::slice::from_raw_parts(layer.pNalLengthInByte, count);
                let size = lengths.iter().map(|&length| usize::try_from(length).unwrap_or(0)).sum();
                std::slice::from_raw_parts(layer.pBsBuf, size)
            };
            data.extend_from_slice(units);
            if u32::from(layer.uiLayerType) == VIDEO_CODING_LAYER as u32 {
                temporal_id = layer.uiTemporalId;
            }
        }
        let key = self.info.eFrameType == videoFrameTypeIDR;
        Ok(Some(Coded { data: data.into(), key, temporal_id }))
    }

    pub(super) fn force_key(&mut self) -> Result<(), MediaError> {
        call!(self, ForceIntraFrame, true)
    }

    pub(super) fn set_bitrate(&mut self, bitrate: u32) -> Result<(), MediaError> {
        let bitrate = signed(bitrate);
        let of_all = |bitrate| SBitrateInfo { iLayer: SPATIAL_LAYER_ALL, iBitrate: bitrate };
        // The target must never pass the maximum: which comes first depends on the direction, so the
        // maximum is raised as far as it goes before, and set right after.
        self.set_option(ENCODER_OPTION_MAX_BITRATE, &mut of_all(i32::MAX / 4))?;
        self.set_option(ENCODER_OPTION_BITRATE, &mut of_all(bitrate))?;
        self.set_option(ENCODER_OPTION_MAX_BITRATE, &mut of_all(peak(bitrate)))
    }

    pub(super) fn set_fps(&mut self, fps: u32) -> Result<(), MediaError> {
        self.set_option(ENCODER_OPTION_FRAME_RATE, &mut (fps as f32))
    }

    pub(super) fn set_frame_skip(&mut self, skip: bool) -> Result<(), MediaError> {
        self.set_option(ENCODER_OPTION_RC_FRAME_SKIP, &mut { skip })
    }

    /// `value` must be of the type that the option is documented with.
    fn set_option<T>(&mut self, option: i32, value: &mut T) -> Result<(), MediaError> {
        call!(&*self, SetOption, option, ptr::from_mut(value).cast::<c_void>())
    }
}

impl Drop for Codec {
    fn drop(&mut self) {
        let _ = call!(&*self, Uninitialize);
        // SAFETY: created by WelsCreateSVCEncoder, destroyed once, never used again.
        unsafe { APILoader::WelsDestroySVCEncoder(self.encoder) };
    }
}

/// What single pictures may rise to, so that a key frame is not starved.
fn peak(bitrate: i32) -> i32 {
    bitrate.saturating_mul(2)
}

fn signed(bitrate: u32) -> i32 {
    i32::try_from(bitrate).unwrap_or(i32::MAX / 4)
}
