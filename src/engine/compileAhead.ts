import { pipelineFor } from '../kernels/pipeline.ts';
import { variantsFor, type Variants } from '../kernels/variants.ts';
import { LIGHT } from '../model/config.ts';
import { fusionFor } from './fusionFor.ts';
import { lower } from './lower.ts';
import { networkGraph, weightShapes } from './networkGraph.ts';

/**
 * Compiles what a Restore-RWKV needs while its weights are still on their way: kernels take sizes and channel counts as
 * uniforms, so every network and image uses the same pipelines.
 */
export async function compileAhead(device: GPUDevice, variants: Variants = variantsFor(device)): Promise<void> {
  const shapes = weightShapes(LIGHT);
  // Values matter to buffers and uniforms only, which are not made here.
  const lookup = (path: string) => ({ shape: shapes.get(path)!, data: new Float32Array(1) });
  const { dispatches } = lower(networkGraph(LIGHT, (path) => shapes.get(path)!, 64, 64, fusionFor(variants)), lookup, variants);
  await Promise.all(dispatches.map((dispatch) => pipelineFor(device, dispatch)));
}
