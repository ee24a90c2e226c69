import shader from '../../../shaders/display.wgsl?raw';
import { DIVERGING, SEQUENTIAL } from '../view/colourMaps.ts';
import type { Source } from '../view/panes.ts';
import { BACKGROUND, oncePerFrame } from './display.ts';
import type { Display, Scene, Stored } from './display.ts';
import { paneSettings } from './paneSettings.ts';
import type { PaneSettings } from './paneSettings.ts';

const PANE_BYTES = 128;
/** Dynamic uniform offsets are multiples of this on every device. */
const PANE_STRIDE = 256;
const MOST_PANES = 3;
const MODES = { image: 0, swipe: 1, difference: 2, ssim: 3 } as const;

interface Image {
  buffer: GPUBuffer;
  stored: Stored;
}

/** The viewer on WebGPU: one render pass from storage buffers, which may be written on the GPU itself. */
export interface GpuDisplay extends Display {
  /** Copies a result that is already on the GPU; no read-back. */
  copy(source: Source, from: GPUBuffer, stored: Stored): void;
}

/** Sets up the canvas's WebGPU context. @throws Error where the canvas has none. */
export function createGpuDisplay(device: GPUDevice, canvas: OffscreenCanvas): GpuDisplay {
  const context = canvas.getContext('webgpu');
  if (!context) throw new Error('the canvas has no WebGPU context');
  const format = navigator.gpu.getPreferredCanvasFormat();
  context.configure({ device, format, alphaMode: 'opaque' });

  const layout = bindLayout(device);
  const module = device.createShaderModule({ label: 'display', code: shader });
  const pipeline = device.createRenderPipeline({
    label: 'display',
    layout: device.createPipelineLayout({ bindGroupLayouts: [layout] }),
    vertex: { module, entryPoint: 'cover' },
    fragment: { module, entryPoint: 'show', targets: [{ format }] },
  });
  const uniforms = device.createBuffer({
    label: 'panes',
    size: PANE_STRIDE * MOST_PANES,
    usage: GPUBufferUsage.UNIFORM | GPUBufferUsage.COPY_DST,
  });
  const colours = colourBuffer(device);
  const nothing = device.createBuffer({ label: 'no image', size: 16, usage: GPUBufferUsage.STORAGE });
  const images = new Map<Source, Image>();

  /** The source's buffer, made anew where its size changed. */
  const place = (source: Source, stored: Stored): GPUBuffer => {
    const size = stored.stride * stored.rows * 4;
    const old = images.get(source);
    if (old?.buffer.size === size) {
      old.stored = stored;
      return old.buffer;
    }
    old?.buffer.destroy();
    const usage = GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_DST;
    const buffer = device.createBuffer({ label: source, size, usage });
    images.set(source, { buffer, stored });
    return buffer;
  };

  const draw = (scene: Scene) => {
    const { width, height } = scene.size;
    if (canvas.width !== width) canvas.width = width;
    if (canvas.height !== height) canvas.height = height;
    const drawn = paneSettings(scene);
    const block = new ArrayBuffer(PANE_STRIDE * MOST_PANES);
    drawn.forEach((settings, i) => writePane(new DataView(block, i * PANE_STRIDE, PANE_BYTES), settings, images));
    device.queue.writeBuffer(uniforms, 0, block);

    const encoder = device.createCommandEncoder({ label: 'display' });
    const [r, g, b] = BACKGROUND.map((c) => c / 255) as [number, number, number];
    const view = context.getCurrentTexture().createView();
    const pass = encoder.beginRenderPass({
      colorAttachments: [{ view, clearValue: { r, g, b, a: 1 }, loadOp: 'clear', storeOp: 'store' }],
    });
    pass.setPipeline(pipeline);
    drawn.forEach(({ pane }, i) => {
      const first = images.get(pane.first)?.buffer ?? nothing;
      const second = (pane.second && images.get(pane.second)?.buffer) ?? nothing;
      const group = device.createBindGroup({
        layout,
        entries: [
          { binding: 0, resource: { buffer: uniforms, size: PANE_BYTES } },
          { binding: 1, resource: { buffer: colours } },
          { binding: 2, resource: { buffer: first } },
          { binding: 3, resource: { buffer: second } },
        ],
      });
      const { rect } = pane;
      pass.setBindGroup(0, group, [i * PANE_STRIDE]);
      pass.setScissorRect(rect.x, rect.y, rect.width, rect.height);
      pass.draw(3);
    });
    pass.end();
    device.queue.submit([encoder.finish()]);
  };

  return {
    set(source, values, stored) {
      if (values && stored) {
        device.queue.writeBuffer(place(source, stored), 0, values as Float32Array<ArrayBuffer>);
        return;
      }
      images.get(source)?.buffer.destroy();
      images.delete(source);
    },
    copy(source, from, stored) {
      const to = place(source, stored);
      const encoder = device.createCommandEncoder({ label: `keep ${source}` });
      encoder.copyBufferToBuffer(from, 0, to, 0, to.size);
      device.queue.submit([encoder.finish()]);
    },
    draw: oncePerFrame(draw),
    dispose() {
      context.unconfigure();
      for (const { buffer } of images.values()) buffer.destroy();
    },
  };
}

function bindLayout(device: GPUDevice): GPUBindGroupLayout {
  const visibility = GPUShaderStage.FRAGMENT;
  return device.createBindGroupLayout({
    entries: [
      { binding: 0, visibility, buffer: { type: 'uniform', hasDynamicOffset: true, minBindingSize: PANE_BYTES } },
      { binding: 1, visibility, buffer: { type: 'uniform' } },
      { binding: 2, visibility, buffer: { type: 'read-only-storage' } },
      { binding: 3, visibility, buffer: { type: 'read-only-storage' } },
    ],
  });
}

/** The background and both colour maps as the shader's `Colours`. */
function colourBuffer(device: GPUDevice): GPUBuffer {
  const all = [BACKGROUND, ...DIVERGING, ...SEQUENTIAL].flatMap(([r, g, b]) => [r / 255, g / 255, b / 255, 1]);
  const usage = GPUBufferUsage.UNIFORM | GPUBufferUsage.COPY_DST;
  const buffer = device.createBuffer({ label: 'colours', size: all.length * 4, usage });
  device.queue.writeBuffer(buffer, 0, new Float32Array(all));
  return buffer;
}

/** `Pane` of display.wgsl, field by field. */
function writePane(to: DataView, settings: PaneSettings, images: ReadonlyMap<Source, Image>): void {
  const { pane, toVoxel: m, evaluation: e } = settings;
  let at = 0;
  const float = (...values: number[]) => values.forEach((v) => to.setFloat32((at += 4) - 4, v, true));
  const integer = (...values: number[]) => values.forEach((v) => to.setUint32((at += 4) - 4, v, true));
  const image = (source: Source | null) => {
    const stored = source && images.get(source)?.stored;
    float(stored ? stored.scale : 0, stored ? stored.offset : 0);
    integer(stored ? stored.stride : 0, stored ? 1 : 0);
  };
  float(m.xx, m.xy, m.x0, 0);
  float(m.yx, m.yy, m.y0, 0);
  integer(settings.columns, settings.rows, MODES[pane.kind], settings.inverted ? 1 : 0);
  float(settings.low, settings.width, settings.span, settings.divider);
  float(e.low, e.high, e.range, settings.smooth ? 1 : 0);
  integer(settings.samples, 0, 0, 0);
  image(pane.first);
  image(pane.second);
}
