/**
 * Unrolls the loops of a shader that run over constants and turns the arrays that they index into single variables.
 *
 * Register tiles are arrays in WGSL. GPU compilers keep them in registers after unrolling; SwiftShader and some others
 * leave them in memory, many times slower. Loops of the form `for (var i = 0u; i < N; i++) { … }`, with N made of
 * numbers and the file's constants, are repeated as text; then `var a: array<T, N>;` of which every index is a constant
 * becomes `var a_0: T;` and so on. Everything else stays as it is.
 */
export function unroll(code: string): string {
  const bare = code.replace(/ *\/\/.*$/gm, ''); // a name in a comment is no use of it
  const constants = new Map<string, number>();
  for (const [, name, value] of bare.matchAll(/^const (\w+) = (\d+)u;/gm)) constants.set(name!, Number(value));
  return scalarise(unrollLoops(bare, constants), constants);
}

const LOOP = /for \(var (\w+) = 0u; \1 < ([\w +*-]+); \1\+\+\) \{/g;
const MOST_COPIES = 64;

function unrollLoops(code: string, constants: ReadonlyMap<string, number>): string {
  LOOP.lastIndex = 0;
  for (let match = LOOP.exec(code); match; match = LOOP.exec(code)) {
    const [header, variable, bound] = match as unknown as [string, string, string];
    const count = evaluate(bound, constants);
    if (count === null || count > MOST_COPIES) continue;
    const bodyStart = match.index + header.length;
    const bodyEnd = closingBrace(code, bodyStart);
    const body = code.slice(bodyStart, bodyEnd);
    if (/\b(continue|break)\b/.test(body)) continue;
    const uses = new RegExp(`\\b${variable}\\b`, 'g');
    const copies = Array.from({ length: count }, (_, i) => `{${body.replace(uses, `${i}u`)}}`).join('\n');
    code = code.slice(0, match.index) + copies + code.slice(bodyEnd + 1);
    LOOP.lastIndex = match.index; // loops within the copies
  }
  return code;
}

function scalarise(code: string, constants: ReadonlyMap<string, number>): string {
  const declaration = /\bvar (\w+): array<(?:array<(\w+), ([\w +*]+)>|(\w+)), ([\w +*]+)>;/g;
  for (let match = declaration.exec(code); match; match = declaration.exec(code)) {
    const [text, name, innerType, innerLength, plainType, outerLength] = match;
    const lengths = [outerLength!, ...(innerLength ? [innerLength] : [])].map((length) => evaluate(length, constants));
    const scopeEnd = closingBrace(code, match.index);
    const scope = code.slice(match.index + text.length, scopeEnd);
    const replaced = replaceUses(scope, name!, lengths.length, constants);
    if (replaced === null || lengths.includes(null)) continue;
    const indices = lengths.reduce<string[]>(
      (names, length) => names.flatMap((known) => Array.from({ length: length! }, (_, i) => `${known}_${i}`)), [name!],
    );
    // Zero in each round of a loop, as WGSL has it of any variable: not all compilers clear those without a value.
    const variables = indices.map((one) => `var ${one} = ${innerType ?? plainType}();`).join(' ');
    code = code.slice(0, match.index) + variables + replaced + code.slice(scopeEnd);
    declaration.lastIndex = match.index;
  }
  return code;
}

/** `a[1u][0u]` → `a_1_0` throughout; null where an index is not a constant. */
function replaceUses(scope: string, name: string, rank: number, constants: ReadonlyMap<string, number>): string | null {
  let constant = true;
  const index = '\\[([^\\[\\]]+)\\]';
  const replaced = scope.replace(new RegExp(`\\b${name}\\b((?:${index}){0,${rank}})`, 'g'), (use, brackets: string) => {
    const indices = [...brackets.matchAll(/\[([^[\]]+)\]/g)].map(([, text]) => evaluate(text!, constants));
    if (indices.length !== rank || indices.includes(null)) {
      constant = false;
      return use;
    }
    return [name, ...indices].join('_');
  });
  return constant ? replaced : null;
}

/** The value of a sum or difference of products of numbers and constants, or null. */
function evaluate(expression: string, constants: ReadonlyMap<string, number>): number | null {
  let sum = 0;
  for (const term of expression.split(/(?=[+-])/)) {
    let product = term.trim().startsWith('-') ? -1 : 1;
    for (const factor of term.replace(/^\s*[+-]/, '').split('*')) {
      const text = factor.trim();
      const value = /^\d+u?$/.test(text) ? Number.parseInt(text, 10) : constants.get(text);
      if (value === undefined) return null;
      product *= value;
    }
    sum += product;
  }
  return sum;
}

/** Where the block ends that position `start` is in. */
function closingBrace(code: string, start: number): number {
  let depth = 1;
  for (let i = start; i < code.length; i++) {
    if (code[i] === '{') depth++;
    if (code[i] === '}' && --depth === 0) return i;
  }
  throw new Error('shader: a brace is not closed');
}
