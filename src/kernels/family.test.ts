import { existsSync, readdirSync } from 'node:fs';
import { describe, expect, test } from 'vitest';

/** Shaders that draw: they have no equation to compare with and are tested where they are used. */
const RENDER_SHADERS = ['display'];

/** What fusion makes of several operators: held against those operators' references, one after the other. */
const FUSED_SHADERS = ['channelMix', 'shiftedLinear', 'shiftedNorm'];

const shadersFolder = new URL('../../shaders/', import.meta.url);
const kernelsFolder = new URL('./', import.meta.url);

const shaders = readdirSync(shadersFolder, { withFileTypes: true })
  .filter((entry) => entry.isFile() && entry.name.endsWith('.wgsl'))
  .map((entry) => entry.name.slice(0, -'.wgsl'.length))
  .filter((name) => !RENDER_SHADERS.includes(name));

/**
 * Files that must stand beside a shader. A gradient's derivation, test and reference are its operator's own, and another
 * way to tile is a part of its family.
 */
function family(shader: string): string[] {
  if (shader.endsWith('Subgroups')) return family(shader.slice(0, -'Subgroups'.length));
  if (shader.endsWith('Gradient')) return [`${shader.slice(0, -'Gradient'.length)}.gradient.ts`];
  if (FUSED_SHADERS.includes(shader)) return [`${shader}.ts`, `${shader}.test.ts`];
  return [`${shader}.ts`, `${shader}.reference.ts`, `${shader}.test.ts`];
}

describe('the family of a kernel', () => {
  test('there are shaders, each with a name in camel case', () => {
    expect(shaders.length).toBeGreaterThan(0);
    for (const name of shaders) expect(name).toMatch(/^[a-z][A-Za-z0-9]*$/);
  });

  test.for(shaders)('%s.wgsl has its dispatch, its float64 reference and its test', (shader) => {
    const missing = family(shader).filter((name) => !existsSync(new URL(name, kernelsFolder)));
    expect(missing, `src/kernels lacks ${missing.join(', ')}`).toEqual([]);
  });
});
