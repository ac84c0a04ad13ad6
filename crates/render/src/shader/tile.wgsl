// One tile: a rounded rectangle with a picture, bars where the picture does not reach, and the frame
// of somebody who speaks. All lengths are pixels of the target, all colours are gamma encoded.
// Most pixels show nothing but the picture: they are drawn by `core_once` or `core_many`, which do no
// more than that, and only what is left around them by `rim`.

struct Target {
    size: vec2<f32>,
}

struct Corner {
    @builtin(position) at: vec4<f32>,
    @location(0) @interpolate(flat) rect: vec4<f32>,
    @location(1) @interpolate(flat) placed: vec4<f32>,
    @location(2) @interpolate(flat) card: vec4<f32>,
    @location(3) @interpolate(flat) frame: vec4<f32>,
    @location(4) @interpolate(flat) shape: vec4<f32>,
    @location(5) uv: vec2<f32>,
}

@group(0) @binding(0) var<uniform> target_size: Target;
@group(0) @binding(1) var smooth_sampler: sampler;
@group(1) @binding(0) var luma: texture_2d<f32>;
@group(1) @binding(1) var blue: texture_2d<f32>;
@group(1) @binding(2) var red: texture_2d<f32>;

// rect, placed and part: left, top, width, height. frame: colour and thickness.
// shape: radius, 1 to mirror, 1 when there is a picture, samples along each axis of a pixel.
// part: which pixels are drawn.
@vertex
fn corner(
    @builtin(vertex_index) index: u32,
    @location(0) rect: vec4<f32>,
    @location(1) placed: vec4<f32>,
    @location(2) card: vec4<f32>,
    @location(3) frame: vec4<f32>,
    @location(4) shape: vec4<f32>,
    @location(5) part: vec4<f32>,
) -> Corner {
    let unit = vec2(f32(index & 1u), f32(index >> 1u));
    let point = part.xy + unit * part.zw;
    let clip = point / target_size.size * 2.0 - 1.0;
    let at = vec4(clip.x, -clip.y, 0.0, 1.0);
    return Corner(at, rect, placed, card, frame, shape, uv_of(point, placed, shape));
}

// Where in the picture a point of the target lies.
fn uv_of(point: vec2<f32>, placed: vec4<f32>, shape: vec4<f32>) -> vec2<f32> {
    let uv = (point - placed.xy) / placed.zw;
    return vec2(select(uv.x, 1.0 - uv.x, shape.y > 0.5), uv.y);
}

// BT.709, limited range.
fn rgb_at(uv: vec2<f32>) -> vec3<f32> {
    let y = (textureSampleLevel(luma, smooth_sampler, uv, 0.0).r - 16.0 / 255.0) * (255.0 / 219.0);
    let b = (textureSampleLevel(blue, smooth_sampler, uv, 0.0).r - 128.0 / 255.0) * (255.0 / 224.0);
    let r = (textureSampleLevel(red, smooth_sampler, uv, 0.0).r - 128.0 / 255.0) * (255.0 / 224.0);
    let rgb = vec3(y + 1.5748 * r, y - 0.187324 * b - 0.468124 * r, y + 1.8556 * b);
    return clamp(rgb, vec3(0.0), vec3(1.0));
}

// The mean of several samples spread over the pixel: a large picture in a small tile does not flicker.
fn picture_at(uv: vec2<f32>, placed: vec4<f32>, shape: vec4<f32>) -> vec3<f32> {
    let taps = i32(shape.w);
    var sum = vec3(0.0);
    for (var row = 0; row < taps; row++) {
        for (var column = 0; column < taps; column++) {
            let spread = (vec2(f32(column), f32(row)) + 0.5) / shape.w - 0.5;
            sum += rgb_at(uv + spread / placed.zw);
        }
    }
    return sum / (shape.w * shape.w);
}

@fragment
fn core_once(in: Corner) -> @location(0) vec4<f32> {
    return vec4(rgb_at(in.uv), 1.0);
}

@fragment
fn core_many(in: Corner) -> @location(0) vec4<f32> {
    return vec4(picture_at(in.uv, in.placed, in.shape), 1.0);
}

// How much of the pixel the picture covers. A side where it reaches the tile's edge counts as inside:
// the edge itself is softened once, by the tile.
fn picture_share(point: vec2<f32>, rect: vec4<f32>, placed: vec4<f32>) -> f32 {
    let far = vec2(1e6);
    let reaches_start = placed.xy <= rect.xy + 0.01;
    let reaches_end = placed.xy + placed.zw >= rect.xy + rect.zw - 0.01;
    let from_start = select(point - placed.xy, far, reaches_start);
    let from_end = select(placed.xy + placed.zw - point, far, reaches_end);
    let inside = min(from_start, from_end);
    return clamp(min(inside.x, inside.y) + 0.5, 0.0, 1.0);
}

@fragment
fn rim(in: Corner) -> @location(0) vec4<f32> {
    let point = in.at.xy;
    // Distance to the rounded edge, negative inside.
    let half_size = in.rect.zw * 0.5;
    let radius = in.shape.x;
    let from_corner = abs(point - in.rect.xy - half_size) - half_size + radius;
    let distance = length(max(from_corner, vec2(0.0))) + min(max(from_corner.x, from_corner.y), 0.0) - radius;
    let covered = clamp(0.5 - distance, 0.0, 1.0);
    if covered <= 0.0 {
        return vec4(0.0);
    }
    var colour = vec4(in.card.rgb * in.card.a, in.card.a);
    if in.shape.z > 0.5 {
        let share = picture_share(point, in.rect, in.placed);
        if share > 0.0 {
            colour = mix(colour, vec4(picture_at(uv_of(point, in.placed, in.shape), in.placed, in.shape), 1.0), share);
        }
    }
    let framed = select(0.0, clamp(distance + in.frame.w + 0.5, 0.0, 1.0), in.frame.w > 0.0);
    return mix(colour, vec4(in.frame.rgb, 1.0), framed) * covered;
}
