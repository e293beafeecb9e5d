import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** All tags of the feature files below a folder, sorted. */
export function featureTags(folder: string): readonly string[] {
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.feature'));
  return [...new Set(files.flatMap((file) => tagsOf(readFileSync(join(folder, file), 'utf8'))))].toSorted();
}

/** Tags stand on lines of their own, before what they belong to; a `#` after a space begins a comment. */
export function tagsOf(feature: string): readonly string[] {
  return feature
    .split('\n')
    .filter((line) => /^\s*@/.test(line))
    .flatMap((line) => line.replace(/\s#.*/, '').match(/@[^\s@]+/g) ?? []);
}
