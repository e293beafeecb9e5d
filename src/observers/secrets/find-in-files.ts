import { closeSync, openSync, readdirSync, readSync } from 'node:fs';
import { join, relative } from 'node:path';

/** Forms in which a secret may be written down: as it is, and as a Secret's data and an HTTP header have it. */
export function formsOf(secret: string): readonly Buffer[] {
  return [Buffer.from(secret), Buffer.from(Buffer.from(secret).toString('base64').replace(/=+$/, ''))];
}

export interface Searched {
  readonly files: number;
  /** Those that hold the secret, relative to the folder. */
  readonly found: readonly string[];
}

/** Files below a folder that hold a secret in one of its forms. Links are not followed. */
export function findInFiles(folder: string, secret: string): Searched {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  const paths = files.map(({ parentPath, name }) => join(parentPath, name));
  const forms = formsOf(secret);
  const found = paths.filter((path) => holds(path, forms)).map((path) => relative(folder, path));
  return { files: paths.length, found };
}

const chunkBytes = 1 << 20;

/** Piece by piece, because a history may be larger than a string can be; pieces overlap by more than a form is long. */
function holds(path: string, forms: readonly Buffer[]): boolean {
  const overlap = Math.max(...forms.map(({ length }) => length));
  const chunk = Buffer.alloc(chunkBytes + overlap);
  const descriptor = openSync(path, 'r');
  try {
    for (let at = 0; ; at += chunkBytes) {
      const length = readSync(descriptor, chunk, 0, chunk.length, at);
      if (forms.some((form) => chunk.subarray(0, length).includes(form))) return true;
      if (length < chunk.length) return false;
    }
  } finally {
    closeSync(descriptor);
  }
}
