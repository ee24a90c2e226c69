import { lanesFor } from '../../kernels/kernel.ts';
import type { Node } from '../../engine/graph.ts';
import { operands, schedule } from '../../engine/graph.ts';
import type { StoredTensor } from '../../weights/tensor.ts';
import * as I from './assembly/instructions.ts';
import { instructionsOf } from './nodeInstructions.ts';
import type { Instruction, Region, Stage } from './regions.ts';
import { generalScan, isPlain, plainScan } from './scans.ts';
import { groupNodes, marginOf, needsNeighbours, type Group } from './stages.ts';
import type { Call, Constant, Writer } from './writer.ts';

/** A graph as stages for the machine. */
export interface Lowered {
  readonly stages: readonly Stage[];
  /** By the inputs' names: [H, W, C] with channels rounded up to multiples of four. */
  readonly inputs: ReadonlyMap<string, { readonly region: Region; readonly channels: number }>;
  readonly output: { readonly region: Region; readonly channels: number; readonly shape: Node['shape'] };
  /** What weights become; the same key stands for the same content in every graph of a network. */
  readonly weights: ReadonlyMap<string, Constant>;
  /** What holds for this grid only. */
  readonly tables: readonly Constant[];
  readonly calls: readonly Call[];
  /** Of a thread's own memory. */
  readonly ownBytes: number;
}

/** Floats of a band's widest value: with what is read and written beside it, what a first-level cache holds. */
const BAND_FLOATS = 8192;
/** Fewer tokens are not worth reading a matrix for. */
const BAND_TOKENS = 32;
/** Small grids are cut into so many bands that threads share them evenly. */
const BANDS = 8;

/** The same image with its channels rounded up. */
const floatsOf = ({ shape: [, h, w, c] }: Node): number => h * w * lanesFor(c);

/**
 * @param output of a graph of images of batch 1
 * @param parameter gives weights in the layouts of `Ops`
 */
export function lower(output: Node, parameter: (path: string) => StoredTensor): Lowered {
  const nodes = schedule(output);
  const groups = groupNodes(nodes);
  const users = new Map<Node, { node: Node; field: string }[]>(nodes.map((node) => [node, []]));
  for (const node of nodes) for (const [field, operand] of operands(node)) users.get(operand)!.push({ node, field });
  const groupOf = new Map<Node, Group>();
  for (const group of groups) for (const node of group.kind === 'scan' ? [group.node] : group.nodes) groupOf.set(node, group);

  const stages: Stage[] = [];
  const inputs = new Map<string, { region: Region; channels: number }>();
  const weights = new Map<string, Constant>();
  const tables: Constant[] = [];
  const calls: Call[] = [];
  let ownBytes = 0;
  const writer: Writer = {
    region: (floats) => ({ bytes: 4 * floats, address: 0 }),
    weight(key, floats, make) {
      const known = weights.get(key);
      if (known) return known.region;
      const region = { bytes: 4 * floats, address: 0 };
      weights.set(key, { region, make });
      return region;
    },
    table(data) {
      const region = { bytes: data.byteLength, address: 0 };
      tables.push({ region, make: () => data });
      return region;
    },
    stage: (stage) => stages.push({ finally: [], calledOnly: false, ...stage }),
    own(bytes) {
      ownBytes = Math.max(ownBytes, bytes);
    },
    call: (call) => calls.push(call) - 1,
  };

  /** Whole images, and the same with a border, that later stages read. */
  const whole = new Map<Node, Region>();
  const bordered = new Map<Node, Map<number, Region>>();
  const wholeOf = (node: Node): Region => {
    const region = whole.get(node) ?? writer.region(floatsOf(node));
    whole.set(node, region);
    return region;
  };
  const borderedOf = (node: Node, margin: number): Region => {
    const known = bordered.get(node) ?? new Map<number, Region>();
    bordered.set(node, known);
    const [, h, w, c] = node.shape;
    const region = known.get(margin) ?? writer.region((h + 2 * margin) * (w + 2 * margin) * lanesFor(c));
    known.set(margin, region);
    return region;
  };
  /** Keys of which each channel's maximum is found as they are written: of plain scans only. */
  const largest = new Map<Node, Region>();
  const plainKey = (key: Node): boolean => groupOf.get(key)!.kind === 'tokens' && users.get(key)!.every(({ node, field }) =>
    node.op === 'biWkv' && field === 'key' && node.value !== key && isPlain(node, parameter)) && key !== output;

  function lowerTokens({ height, width, nodes }: Extract<Group, { kind: 'tokens' }>): void {
    const total = height * width;
    const widest = Math.max(...nodes.map((node) => lanesFor(node.op === 'conv' ? node.x.shape[3] * 9 : node.shape[3])));
    const quads = Math.min(Math.max(BAND_TOKENS, BAND_FLOATS / widest), total / BANDS) / 4;
    const band = 4 * Math.max(1, Math.ceil(quads));
    const code: Instruction[] = [];
    const last: Instruction[] = [];
    let own = 0;
    const scratch = (floats: number): Region => {
      const region = { bytes: 4 * band * floats, address: ~own };
      own += region.bytes;
      return region;
    };
    const local = new Map<Node, Region>();
    const at = (node: Node) => local.get(node) ?? wholeOf(node);

    for (const node of nodes) {
      const later = users.get(node)!.filter((user) => groupOf.get(user.node) !== groupOf.get(node) || needsNeighbours(user.node));
      const margins = new Set(later.map(({ node, field }) => marginOf(node, field)));
      if (node.op !== 'input' && node !== output && !margins.has(null)) local.set(node, scratch(lanesFor(node.shape[3])));
      const y = at(node);
      if (node.op === 'input') inputs.set(node.name, { region: y, channels: node.shape[3] });
      else code.push(...instructionsOf(node, y, { at, borderedOf, wholeOf, scratch, writer, parameter }));
      for (const margin of margins) {
        if (margin === null) continue;
        code.push([I.PAD, y, borderedOf(node, margin), height, width, margin, 4 * lanesFor(node.shape[3])]);
      }
      if (later.some(({ node, field }) => node.op === 'biWkv' && field === 'key') && plainKey(node)) {
        const [bytes, bands] = [4 * lanesFor(node.shape[3]), Math.ceil(total / band)];
        const each = writer.region((bands * bytes) / 4);
        largest.set(node, writer.region(bytes / 4));
        code.push([I.MAXIMA, y, each, bytes, band]);
        last.push([I.LARGEST, each, bands, bytes, largest.get(node)!]);
      }
    }
    writer.own(own);
    if (code.length > 0) writer.stage({ band, total, code, finally: last });
  }

  const begun = new Set<Node>();
  for (const group of groups) {
    if (group.kind === 'tokens') {
      lowerTokens(group);
      continue;
    }
    const { node } = group;
    const images = { key: wholeOf(node.key), value: wholeOf(node.value), y: wholeOf(node) };
    const top = largest.get(node.key);
    if (top) plainScan(node, images, begun.has(node.key) ? null : top, parameter, writer);
    else generalScan(node, images, parameter, writer);
    begun.add(node.key);
    // What reads a scan's neighbours finds it bordered.
    const margins = new Set(users.get(node)!.map((user) => marginOf(user.node, user.field)));
    const [, h, w, c] = node.shape;
    for (const margin of margins) {
      if (margin === null) continue;
      const code: Instruction = [I.PAD, images.y, borderedOf(node, margin), h, w, margin, 4 * lanesFor(c)];
      writer.stage({ band: 4 * w, total: h * w, code: [code] });
    }
  }
  const { shape } = output;
  return {
    stages, inputs, output: { region: wholeOf(output), channels: shape[3], shape }, weights, tables, calls, ownBytes,
  };
}
