/** Decodes the bytes of one text element. */
export type TextDecode = (bytes: Uint8Array) => string;

/** Specific Character Set (0008,0005), without its "ISO_IR " or "ISO 2022 IR ", → label of the Encoding standard. */
const LABELS: Readonly<Record<string, string>> = {
  '6': 'iso-8859-1', '13': 'shift_jis', '100': 'iso-8859-1', '101': 'iso-8859-2', '109': 'iso-8859-3',
  '110': 'iso-8859-4', '126': 'iso-8859-7', '127': 'iso-8859-6', '138': 'iso-8859-8', '144': 'iso-8859-5',
  '148': 'iso-8859-9', '166': 'windows-874', '203': 'iso-8859-15', '192': 'utf-8', '58': 'gbk', '149': 'euc-kr',
  'GB18030': 'gb18030', 'GBK': 'gbk',
};

/** ISO 2022 escape sequences after ESC (PS3.3, C.12.1.1.2) for sets of the upper half (G1) → label. */
const UPPER: Readonly<Record<string, string>> = {
  '-A': 'iso-8859-1', '-B': 'iso-8859-2', '-C': 'iso-8859-3', '-D': 'iso-8859-4', '-F': 'iso-8859-7',
  '-G': 'iso-8859-6', '-H': 'iso-8859-8', '-L': 'iso-8859-5', '-M': 'iso-8859-9', '-T': 'windows-874',
  '-b': 'iso-8859-15', ')I': 'shift_jis', '$)C': 'euc-kr', '$)A': 'gbk',
};

/** The same for sets of the lower half (G0): one byte a character, or two. */
const LOWER: Readonly<Record<string, 'single' | 'jis x 0208' | 'jis x 0212'>> = {
  '(B': 'single', '(J': 'single', '$B': 'jis x 0208', '$@': 'jis x 0208', '$(D': 'jis x 0212',
};

const ESC = 0x1b;
/** "\", "^" and "=" end a value or a component; there, the upper half is again that of the first value. */
const DELIMITERS: ReadonlySet<number> = new Set([0x5c, 0x5e, 0x3d, 0x0a, 0x0d, 0x0c]);

function decoded(bytes: Uint8Array, label: string): string {
  return new TextDecoder(label).decode(bytes);
}

/** Two bytes of seven bits each, as ISO 2022 writes JIS, put the way EUC-JP has them. */
function fromJis(bytes: Uint8Array, supplementary: boolean): string {
  const euc: number[] = [];
  for (let index = 0; index + 1 < bytes.length; index += 2) {
    if (supplementary) euc.push(0x8f);
    euc.push((bytes[index] ?? 0) | 0x80, (bytes[index + 1] ?? 0) | 0x80);
  }
  return decoded(Uint8Array.from(euc), 'euc-jp');
}

/** Text that switches character sets with escape sequences. */
function decodeSwitching(bytes: Uint8Array, initial: string): string {
  let text = '';
  let upper = initial;
  let lower: 'single' | 'jis x 0208' | 'jis x 0212' = 'single';
  let start = 0;
  const flush = (end: number): void => {
    const run = bytes.subarray(start, end);
    text += lower === 'single' ? decoded(run, upper) : fromJis(run, lower === 'jis x 0212');
  };
  for (let at = 0; at < bytes.length; at += 1) {
    const byte = bytes[at] ?? 0;
    if (byte === ESC) {
      flush(at);
      const ahead = String.fromCharCode(...bytes.subarray(at + 1, at + 4));
      const sequence = [ahead, ahead.slice(0, 2)].find((key) => key in UPPER || key in LOWER);
      if (sequence) {
        lower = LOWER[sequence] ?? lower;
        upper = UPPER[sequence] ?? upper;
      }
      at += sequence?.length ?? 0;
      start = at + 1;
    } else if (lower === 'single' && upper !== initial && DELIMITERS.has(byte)) {
      flush(at);
      upper = initial;
      start = at;
    }
  }
  flush(bytes.length);
  return text;
}

/** Without a declared character set, ASCII is due; what is not ASCII is UTF-8 if it can be, else Latin 1. */
function decodeUndeclared(bytes: Uint8Array): string {
  if (!bytes.some((byte) => byte > 0x7f)) return decoded(bytes, 'iso-8859-1');
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return decoded(bytes, 'iso-8859-1');
  }
}

/**
 * The decoder for Specific Character Set (0008,0005), whose values are given one by one; code extensions (ISO 2022)
 * included. Unknown terms read like none.
 */
export function textDecoderFor(terms: readonly string[]): TextDecode {
  const [first = ''] = terms;
  const term = first.trim().toUpperCase().replace(/[_-]/g, ' ').replace(/^ISO (2022 )?(IR )?/, '');
  const label = LABELS[term] ?? null;
  // Only these may switch; in the multi-byte sets an escape byte is part of a character.
  if (label === 'utf-8' || label === 'gb18030' || (label === 'gbk' && terms.length === 1)) {
    return (bytes) => decoded(bytes, label);
  }
  return (bytes) => {
    if (!bytes.includes(ESC)) return label === null || term === '6' ? decodeUndeclared(bytes) : decoded(bytes, label);
    // A set that is only reached by an escape sequence is not yet in force at the start.
    return decodeSwitching(bytes, label === null || label === 'euc-kr' || label === 'gbk' ? 'iso-8859-1' : label);
  };
}
