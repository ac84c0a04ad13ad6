/** A rectangle of the canvas; everything is measured in the window's pixels, downwards. */
export const VERTEX = `
attribute vec2 unit;
uniform vec4 bounds;
uniform vec4 part;
varying vec2 point;

void main() {
  point = part.xy + unit * part.zw;
  vec2 clip = (point - bounds.xy) / bounds.zw * 2.0 - 1.0;
  gl_Position = vec4(clip.x, -clip.y, 0.0, 1.0);
}
`;

const COMMON = `
precision highp float;
varying vec2 point;
uniform sampler2D luma;
uniform sampler2D blue;
uniform sampler2D red;
uniform vec4 placed;
uniform float mirror;
uniform float taps;

vec2 uv_of(vec2 at) {
  vec2 uv = (at - placed.xy) / placed.zw;
  return vec2(mix(uv.x, 1.0 - uv.x, mirror), uv.y);
}

// BT.709, limited range.
vec3 rgb_at(vec2 uv) {
  float y = (texture2D(luma, uv).r - 16.0 / 255.0) * (255.0 / 219.0);
  float b = (texture2D(blue, uv).r - 128.0 / 255.0) * (255.0 / 224.0);
  float r = (texture2D(red, uv).r - 128.0 / 255.0) * (255.0 / 224.0);
  return clamp(vec3(y + 1.5748 * r, y - 0.187324 * b - 0.468124 * r, y + 1.8556 * b), 0.0, 1.0);
}

// The mean of several samples spread over the pixel. A loop has to end at a constant.
vec3 picture_at(vec2 uv) {
  if (taps < 1.5) return rgb_at(uv);
  vec3 sum = vec3(0.0);
  for (int row = 0; row < 4; row++) {
    if (float(row) >= taps) break;
    for (int column = 0; column < 4; column++) {
      if (float(column) >= taps) break;
      vec2 spread = (vec2(float(column), float(row)) + 0.5) / taps - 0.5;
      sum += rgb_at(uv + spread / placed.zw);
    }
  }
  return sum / (taps * taps);
}
`;

/** Pixels that show nothing but the picture. */
export const CORE = `${COMMON}
void main() {
  gl_FragColor = vec4(picture_at(uv_of(point)), 1.0);
}
`;

/** Edges, corners, bars, the card of a tile without a picture, and the frame of who speaks. */
export const RIM = `${COMMON}
uniform vec4 rect;
uniform float radius;
uniform vec4 card;
uniform vec4 accent;
uniform float frame;
uniform float shown;

// How much of the pixel the picture covers. A side where it reaches the tile's edge counts as
// inside: the edge itself is softened once, by the tile.
float picture_share() {
  vec2 start = point - placed.xy;
  vec2 end = placed.xy + placed.zw - point;
  if (placed.x <= rect.x + 0.01) start.x = 1e6;
  if (placed.y <= rect.y + 0.01) start.y = 1e6;
  if (placed.x + placed.z >= rect.x + rect.z - 0.01) end.x = 1e6;
  if (placed.y + placed.w >= rect.y + rect.w - 0.01) end.y = 1e6;
  vec2 inside = min(start, end);
  return clamp(min(inside.x, inside.y) + 0.5, 0.0, 1.0);
}

void main() {
  // Distance to the rounded edge, negative inside.
  vec2 half_size = rect.zw * 0.5;
  vec2 from_corner = abs(point - rect.xy - half_size) - half_size + radius;
  float outside = length(max(from_corner, vec2(0.0)));
  float distance = outside + min(max(from_corner.x, from_corner.y), 0.0) - radius;
  float covered = clamp(0.5 - distance, 0.0, 1.0);
  vec4 colour = vec4(card.rgb * card.a, card.a);
  if (shown > 0.5) colour = mix(colour, vec4(picture_at(uv_of(point)), 1.0), picture_share());
  float framed = frame > 0.0 ? clamp(distance + frame + 0.5, 0.0, 1.0) : 0.0;
  gl_FragColor = mix(colour, vec4(accent.rgb, 1.0), framed) * covered;
}
`;
