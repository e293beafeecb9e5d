import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { expect, it } from 'vitest';
import { bundlePackages, packageFlags, packages } from './bundled-packages.ts';

const program = `
  await import('reflect-metadata');
  const names = JSON.parse(process.argv[1]);
  const found = names.map(async (name) => {
    const module = await import(name);
    return [name, import.meta.resolve(name), Object.keys(module).filter((key) => key !== 'module.exports').sort()];
  });
  console.log(JSON.stringify(await Promise.all(found)));
`;

/** Where a process in a folder finds the packages, and the names of what they export. */
async function load(flags: readonly string[], cwd: string) {
  const argv = [...flags, '--input-type=module', '--eval', program, JSON.stringify(packages)];
  const { stdout } = await execa(process.execPath, argv, { cwd });
  const found = JSON.parse(stdout) as readonly [name: string, url: string, exported: readonly string[]][];
  return {
    bundled: found.filter(([, url]) => url.includes('/dist/packages/')).map(([name]) => name),
    exported: Object.fromEntries(found.map(([name, , exported]) => [name, exported])),
  };
}

it('a process of the harness takes packages from the bundles, which export what the packages do', async () => {
  expect(await bundlePackages()).toBe(true);
  const project = fileURLToPath(new URL('..', import.meta.url));
  const [plain, bundled] = await Promise.all([load([], project), load(packageFlags(), project)]);
  expect(plain.bundled).toEqual([]);
  expect(bundled).toEqual({ bundled: packages, exported: plain.exported });
}, 300_000);

it('a package keeps the versions that it depends on', async () => {
  await bundlePackages();
  const folder = fileURLToPath(new URL('../node_modules/execa', import.meta.url));
  expect((await load(packageFlags(), folder)).bundled).toEqual([]);
}, 300_000);
