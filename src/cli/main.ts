import { USAGE } from './arguments.ts';
import { sentence, UsageError } from './errors.ts';

/** A verb takes its own arguments and gives the exit status. */
type Verb = (args: string[]) => Promise<number>;

const verbs: Readonly<Record<string, () => Promise<Verb>>> = {
  inspect: async () => (await import('./inspect.ts')).inspect,
  restore: async () => (await import('./restore.ts')).restore,
  degrade: async () => (await import('./degrade.ts')).degrade,
  evaluate: async () => (await import('./evaluate.ts')).evaluate,
  sweep: async () => (await import('./sweep.ts')).sweep,
  train: async () => (await import('./train.ts')).train,
  verify: async () => (await import('./verify.ts')).verify,
  bench: async () => (await import('./bench.ts')).bench,
};

async function main([name, ...args]: string[]): Promise<number> {
  if (name === '--help' || name === '-h' || name === 'help' || args.includes('--help')) {
    console.log(USAGE);
    return 0;
  }
  if (name === undefined) throw new UsageError(`a verb is missing: ${Object.keys(verbs).join(', ')} (--help says more)`);
  if (!Object.hasOwn(verbs, name)) {
    throw new UsageError(`there is no verb "${name}"; there are ${Object.keys(verbs).join(', ')} (--help says more)`);
  }
  return (await verbs[name]())(args);
}

function fail(error: unknown): never {
  process.stderr.write(`error: ${sentence(error)}\n`);
  process.exit(error instanceof UsageError ? 2 : 1);
}

process.on('uncaughtException', fail);
process.on('unhandledRejection', fail);
// A reader such as `head` may close our stdout early: that is not a failure of ours.
process.stdout.on('error', (error: NodeJS.ErrnoException) => (error.code === 'EPIPE' ? process.exit(0) : fail(error)));

// Dawn keeps the process alive as long as its instance lives, so the end is said.
main(process.argv.slice(2)).then((status) => process.exit(status), fail);
