import { describe, expect, test } from 'vitest';
import { specialise } from './kernel.ts';
import { unroll } from './unroll.ts';

const squeezed = (code: string) => code.replace(/\s+/g, ' ').trim();

describe('unrolling', () => {
  test('repeats a loop over a constant and names the elements of its array', () => {
    const code = `const N = 2u;
fn f() {
  var sum: array<vec4f, N>;
  for (var i = 0u; i < N; i++) { sum[i] += x[i + p.offset]; }
}`;
    expect(squeezed(unroll(code))).toBe(squeezed(`const N = 2u;
fn f() {
  var sum_0 = vec4f(); var sum_1 = vec4f();
  { sum_0 += x[0u + p.offset]; } { sum_1 += x[1u + p.offset]; }
}`));
  });

  test('handles nested loops, nested arrays and sums as indices', () => {
    const code = `const N = 2u;
fn f() {
  var a: array<array<f32, 2u>, N>;
  var b: array<f32, N + 1u>;
  for (var i = 0u; i < N; i++) { for (var j = 0u; j < 2u; j++) { a[i][j] = b[i + j]; } }
}`;
    const result = squeezed(unroll(code));
    expect(result).toContain('{ { a_0_0 = b_0; } { a_0_1 = b_1; } } { { a_1_0 = b_1; } { a_1_1 = b_2; } }');
    expect(result).not.toContain('array<');
  });

  test('leaves loops over run-time bounds, and arrays that they index, alone', () => {
    const code = 'fn f() {\n  var a: array<f32, 4u>;\n  for (var i = 0u; i < count; i++) { a[i] = 1.0; }\n}';
    expect(unroll(code)).toBe(code);
  });

  test('leaves a loop alone that something jumps out of', () => {
    const code = 'fn f() {\n  for (var i = 0u; i < 4u; i++) { if (i > n) { break; } }\n}';
    expect(unroll(code)).toBe(code);
  });
});

describe('specialising a shader', () => {
  test('replaces the values of its constants and aliases', () => {
    expect(specialise('alias Lane = f32;\nconst GATE = false;\n', { Lane: 'vec4f', GATE: true }))
      .toBe('alias Lane = vec4f;\nconst GATE = true;\n');
  });

  test('refuses a name that the shader does not declare', () => {
    expect(() => specialise('const A = 1u;', { B: 2 })).toThrow('shader declares no constant or alias named B');
  });

  test('refuses a snippet that does not exist', () => {
    expect(() => specialise('#include "lib/none.wgsl"\n', {})).toThrow('lib/none.wgsl does not exist');
  });
});
