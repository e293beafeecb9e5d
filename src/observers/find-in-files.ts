import { closeSync, openSync, readdirSync, readSync } from 'node:fs';
import { join, relative } from 'node:path';

/** The encodings in which a secret may appear: plain, and base64 as in a Secret's data or an HTTP header. */
function encodingsOf(secret: string): readonly Buffer[] {
  return [Buffer.from(secret), Buffer.from(Buffer.from(secret).toString('base64').replace(/=+$/, ''))];
}

export interface FileSearch {
  readonly files: number;
  /** Paths of the files that contain the secret, relative to the folder. */
  readonly found: readonly string[];
}

/**
 * Searches the files below a folder for a secret in any encoding, and texts that are going to be written there, by name. Does
 * not follow links.
 */
export function findInFiles(folder: string, secret: string, texts: Readonly<Record<string, string>> = {}): FileSearch {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  const paths = files.map(({ parentPath, name }) => join(parentPath, name));
  const encodings = encodingsOf(secret);
  const found = paths.filter((path) => contains(path, encodings)).map((path) => relative(folder, path));
  const leaking = Object.entries(texts).filter(([, text]) =>
    encodings.some((encoding) => text.includes(`${encoding}`)),
  );
  return { files: paths.length + Object.keys(texts).length, found: [...found, ...leaking.map(([name]) => name)] };
}

const chunkBytes = 1 << 20;

/** Reads in chunks, because a history may exceed the size of a string. Chunks overlap by the longest encoding. */
function contains(path: string, encodings: readonly Buffer[]): boolean {
  const overlap = Math.max(...encodings.map(({ length }) => length));
  const chunk = Buffer.alloc(chunkBytes + overlap);
  const descriptor = openSync(path, 'r');
  try {
    for (let at = 0; ; at += chunkBytes) {
      const length = readSync(descriptor, chunk, 0, chunk.length, at);
      if (encodings.some((encoding) => chunk.subarray(0, length).includes(encoding))) return true;
      if (length < chunk.length) return false;
    }
  } finally {
    closeSync(descriptor);
  }
}
