import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

/** The file can be run by us. */
export function executable(path) {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** Where a program of one of these names may be: for each name, in order of preference, every folder of PATH. */
export function pathsInPath(names) {
  const folders = (process.env.PATH ?? '').split(delimiter).filter(Boolean);
  return names.flatMap((name) => folders.map((folder) => join(folder, name)));
}
