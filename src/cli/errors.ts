/** The command line itself is wrong: exit status 2. The message is one sentence. */
export class UsageError extends Error {
  override name = 'UsageError';
}

/** What was asked for cannot be done: exit status 1. The message is one sentence. */
export class RefusedError extends Error {
  override name = 'RefusedError';
}

const FILE_PROBLEMS: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file or folder',
  EACCES: 'permission denied',
  EPERM: 'permission denied',
  EISDIR: 'this is a folder, a file was expected',
  ENOTDIR: 'a part of this path is a file, not a folder',
  ENOSPC: 'no space is left on the disk',
  EROFS: 'this is on a read-only file system',
};

/** Any error as one line without a stack trace; control characters that a hostile file put there are taken out. */
export function sentence(error: unknown): string {
  const { code, path, message } = error as { code?: unknown; path?: unknown; message?: unknown };
  const known = typeof code === 'string' ? FILE_PROBLEMS[code] : undefined;
  const text = known ? `${String(path ?? 'file')}: ${known}` : String(message ?? error).split('\n', 1)[0];
  return text.replace(/[\u0000-\u001f\u007f-\u009f]/g, ' ').trim() || 'something failed without saying what';
}
