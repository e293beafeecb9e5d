import { readdirSync } from 'node:fs';
import type { Check } from './check.ts';

/** Checks by name, as records refer to them. */
export type CheckCatalogue = ReadonlyMap<string, Check>;

/** The other files of this folder: sources in a checkout, JavaScript in the package. */
const files = readdirSync(import.meta.dirname).filter((file) => /^(?!catalogue)[a-z-]+\.[jt]s$/.test(file));
const modules = await Promise.all(files.map((file): Promise<object> => import(/* @vite-ignore */ `./${file}`)));

/** All checks that can judge a stored run again: what the files of this folder export. */
export const checks: CheckCatalogue = new Map(
  modules
    .flatMap((module): readonly unknown[] => Object.values(module))
    .filter((value) => isCheck(value))
    .map((check) => [check.title.name, check]),
);

function isCheck(value: unknown): value is Check {
  return typeof value === 'function' && 'title' in value;
}
