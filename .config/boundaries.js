import { dirname, relative, resolve, sep } from 'node:path';

const root = resolve(import.meta.dirname, '..');

/** What each folder of src may import besides itself. Files go one way: formats → image → analysis; model needs nothing. */
const COMPUTING = ['formats', 'image', 'analysis', 'model', 'kernels', 'weights', 'engine', 'training', 'shaders'];
const ALLOWED = {
  formats: [],
  image: ['formats'],
  analysis: ['formats', 'image'],
  model: [],
  kernels: ['model', 'shaders'],
  weights: ['model', 'formats'],
  engine: ['model', 'kernels', 'weights'],
  training: ['model', 'kernels', 'weights', 'engine'],
  conformance: [...COMPUTING, 'public'],
  app: [...COMPUTING, 'conformance', 'public', 'package.json'],
  cli: [...COMPUTING, 'conformance', 'public', 'package.json', '.config'],
};
const ONLY_IN_APP = /^(react|react-dom|zustand)(\/|$)/;

/** `src/engine/plan.ts` → `engine`, `shaders/biWkv.wgsl` → `shaders`, null outside the repository. */
function placeOf(file) {
  const parts = relative(root, file).split(sep);
  if (parts[0] === '..') return null;
  return parts[0] === 'src' ? parts[1] : parts[0];
}

/** Import boundaries: a folder of src imports only itself and what ALLOWED gives it. */
const boundaries = {
  meta: {
    type: 'problem',
    schema: [],
    messages: {
      folder: 'src/{{from}} may not import {{to}}; it may import {{allowed}}',
      package: '{{name}} belongs to src/app only',
    },
  },
  create(context) {
    const from = placeOf(context.filename);
    if (!(from in ALLOWED)) return {};
    const check = (node) => {
      const name = node.source?.value;
      if (typeof name !== 'string') return;
      if (ONLY_IN_APP.test(name) && from !== 'app') {
        context.report({ node, messageId: 'package', data: { name } });
      }
      if (!name.startsWith('.')) return;
      const to = placeOf(resolve(dirname(context.filename), name.replace(/\?.*$/, '')));
      if (to === from || ALLOWED[from].includes(to)) return;
      const allowed = [from, ...ALLOWED[from]].join(', ');
      context.report({ node, messageId: 'folder', data: { from, to: String(to), allowed } });
    };
    return {
      ImportDeclaration: check,
      ImportExpression: check,
      ExportNamedDeclaration: check,
      ExportAllDeclaration: check,
      TSImportType: check,
    };
  },
};

export default { meta: { name: 'house' }, rules: { boundaries } };
