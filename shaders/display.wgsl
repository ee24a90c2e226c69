// One pane of the viewer: an image through its window, two images left and right of a divider, the signed difference of
// two images, or their SSIM map. Values are read where the engine left them; nothing is copied back to be shown.

struct Stored {
  scale: f32,   // native value = stored value · scale + offset
  offset: f32,
  stride: u32,  // values from one row to the next
  there: u32,   // 0 where the buffer holds no image
}

struct Pane {
  toColumn: vec4f,   // column = x·toColumn.x + y·toColumn.y + toColumn.z for the canvas position (x, y)
  toRow: vec4f,      // the same for the row
  grid: vec2u,       // columns, rows
  mode: u32,         // IMAGE, SWIPE, DIFFERENCE or SSIM
  inverted: u32,
  low: f32,          // window: native value that is black, and its width
  width: f32,
  span: f32,         // difference: native value of the colour map's ends
  divider: f32,      // swipe: canvas x of the divider
  evalLow: f32,      // SSIM: native values are clamped to [evalLow, evalHigh]
  evalHigh: f32,
  evalRange: f32,    // and C1 and C2 stand on this span
  smoothing: f32,    // 1: interpolate between voxels, 0: show them as squares
  samples: u32,      // samples a pixel along each axis where voxels are smaller than pixels
  @align(16) first: Stored,
  second: Stored,
}

struct Colours {
  background: vec4f,                // of the canvas
  diverging: array<vec4f, 9>,
  sequential: array<vec4f, 9>,
}

@group(0) @binding(0) var<uniform> pane: Pane;
@group(0) @binding(1) var<uniform> colours: Colours;
@group(0) @binding(2) var<storage, read> first: array<f32>;    // [rows, first.stride]
@group(0) @binding(3) var<storage, read> second: array<f32>;   // [rows, second.stride]

const IMAGE = 0u;
const SWIPE = 1u;
const DIFFERENCE = 2u;
const SSIM = 3u;

@vertex
fn cover(@builtin(vertex_index) vertex: u32) -> @builtin(position) vec4f {
  let corner = vec2f(f32((vertex << 1u) & 2u), f32(vertex & 2u));
  return vec4f(corner * 2.0 - 1.0, 0.0, 1.0);
}

/// Native value of a voxel, the position clamped to the grid.
fn voxel(isSecond: bool, position: vec2i) -> f32 {
  let p = vec2u(clamp(position, vec2i(0), vec2i(pane.grid) - 1));
  if (isSecond) {
    return second[p.y * pane.second.stride + p.x] * pane.second.scale + pane.second.offset;
  }
  return first[p.y * pane.first.stride + p.x] * pane.first.scale + pane.first.offset;
}

/// Native value at a continuous position; voxel i covers [i, i + 1).
fn sampleAt(isSecond: bool, at: vec2f) -> f32 {
  if (pane.smoothing == 0.0) {
    return voxel(isSecond, vec2i(floor(at)));
  }
  let centred = at - 0.5;
  let base = vec2i(floor(centred));
  let f = centred - floor(centred);
  let upper = mix(voxel(isSecond, base), voxel(isSecond, base + vec2i(1, 0)), f.x);
  let lower = mix(voxel(isSecond, base + vec2i(0, 1)), voxel(isSecond, base + vec2i(1, 1)), f.x);
  return mix(upper, lower, f.y);
}

/// Mean over the pixel's footprint.
fn value(isSecond: bool, at: vec2f) -> f32 {
  let n = pane.samples;
  if (n <= 1u) {
    return sampleAt(isSecond, at);
  }
  var sum = 0.0;
  for (var j = 0u; j < n; j++) {
    for (var i = 0u; i < n; i++) {
      let shift = (vec2f(f32(i), f32(j)) + 0.5) / f32(n) - 0.5;
      sum += sampleAt(isSecond, at + vec2f(dot(pane.toColumn.xy, shift), dot(pane.toRow.xy, shift)));
    }
  }
  return sum / f32(n * n);
}

fn grey(native: f32) -> vec3f {
  let t = saturate((native - pane.low) / pane.width);
  return vec3f(select(t, 1.0 - t, pane.inverted == 1u));
}

fn divergingColour(t: f32) -> vec3f {
  let at = saturate(t) * 8.0;
  let i = min(u32(at), 7u);
  return mix(colours.diverging[i].rgb, colours.diverging[i + 1u].rgb, at - f32(i));
}

fn sequentialColour(t: f32) -> vec3f {
  let at = saturate(t) * 8.0;
  let i = min(u32(at), 7u);
  return mix(colours.sequential[i].rgb, colours.sequential[i + 1u].rgb, at - f32(i));
}

/// A voxel as the metrics see it; zero outside the image, as the metric pads.
fn evaluated(isSecond: bool, position: vec2i) -> f32 {
  if (any(position < vec2i(0)) || any(position >= vec2i(pane.grid))) {
    return 0.0;
  }
  return clamp(voxel(isSecond, position), pane.evalLow, pane.evalHigh);
}

/// SSIM of the 11×11 Gaussian window (σ 1.5) around a voxel.
fn ssim(centre: vec2i) -> f32 {
  var weightSum = 0.0;
  var mean = vec2f(0.0);
  var square = vec2f(0.0);
  var product = 0.0;
  for (var dy = -5; dy <= 5; dy++) {
    for (var dx = -5; dx <= 5; dx++) {
      let weight = exp(-f32(dx * dx + dy * dy) / 4.5);
      let p = centre + vec2i(dx, dy);
      let pair = vec2f(evaluated(false, p), evaluated(true, p));
      weightSum += weight;
      mean += weight * pair;
      square += weight * pair * pair;
      product += weight * pair.x * pair.y;
    }
  }
  mean /= weightSum;
  let variance = square / weightSum - mean * mean;
  let covariance = product / weightSum - mean.x * mean.y;
  let c1 = 0.0001 * pane.evalRange * pane.evalRange;
  let c2 = 0.0009 * pane.evalRange * pane.evalRange;
  return ((2.0 * mean.x * mean.y + c1) * (2.0 * covariance + c2))
    / ((dot(mean, mean) + c1) * (variance.x + variance.y + c2) + 1e-30);
}

@fragment
fn show(@builtin(position) position: vec4f) -> @location(0) vec4f {
  let at = vec2f(
    dot(pane.toColumn.xy, position.xy) + pane.toColumn.z,
    dot(pane.toRow.xy, position.xy) + pane.toRow.z,
  );
  if (any(at < vec2f(0.0)) || any(at >= vec2f(pane.grid)) || pane.first.there == 0u) {
    return colours.background;
  }
  if (pane.mode == IMAGE) {
    return vec4f(grey(value(false, at)), 1.0);
  }
  if (pane.mode == SWIPE) {
    let right = position.x >= pane.divider;
    if (right && pane.second.there == 0u) {
      return colours.background;
    }
    return vec4f(grey(value(right, at)), 1.0);
  }
  if (pane.second.there == 0u) {
    return colours.background;
  }
  if (pane.mode == DIFFERENCE) {
    let difference = value(false, at) - value(true, at);
    return vec4f(divergingColour(0.5 + 0.5 * difference / pane.span), 1.0);
  }
  return vec4f(sequentialColour(ssim(vec2i(floor(at)))), 1.0);
}
