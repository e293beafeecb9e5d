import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { afterEach, beforeEach, expect, test } from 'vitest';

const script = fileURLToPath(new URL('./install.js', import.meta.url));
const project = fileURLToPath(new URL('..', import.meta.url));
const { arch } = process;

/** Files of packages, as npm leaves them. */
const installed = {
  code: 'client/dist/index.js',
  types: 'client/dist/index.d.ts',
  map: 'client/dist/index.js.map',
  program: `addon/prebuilds/linux-${arch}/addon.node`,
  foreignProgram: 'addon/prebuilds/darwin-x64/addon.node',
  node: `node-linux-${arch}/bin/node`,
};

let folder: string;

beforeEach(() => {
  // Temporary files may be on a file system whose programs cannot be started.
  mkdirSync(join(project, 'dist'), { recursive: true });
  folder = mkdtempSync(join(project, 'dist/install '));
  mkdirSync(join(folder, 'project/packaging'), { recursive: true });
  cpSync(script, join(folder, 'project/packaging/install.js'));
  writeFileSync(join(folder, 'project/package.json'), '{"type":"module"}');
  mkdirSync(join(folder, 'programs'));
  const files = Object.values(installed).map((path) => `'node_modules/${path}'`);
  const npm = `#!/bin/sh\necho "$@" >npm-arguments\nfor file in ${files.join(' ')}; do mkdir -p "$(dirname "$file")"; : >"$file"; done\n`;
  writeFileSync(join(folder, 'programs/npm'), npm, { mode: 0o755 });
});

afterEach(() => rmSync(folder, { recursive: true }));

/** Installs with a fake npm. Resolves with its arguments and with what was left of its files. */
async function install(node: string, ...args: readonly string[]) {
  const path = `${join(folder, 'programs')}${delimiter}${process.env.PATH}`;
  await execa(node, [join(folder, 'project/packaging/install.js'), ...args], { env: { PATH: path } });
  const left = (path: string) => existsSync(join(folder, 'project/node_modules', path));
  return {
    npm: readFileSync(join(folder, 'project/npm-arguments'), 'utf8').trim(),
    left: Object.entries(installed).flatMap(([name, file]) => (left(file) ? [name] : [])),
  };
}

test('what runs needs neither types nor programs for other processors, nor a second Node', async () => {
  const { npm, left } = await install(process.execPath);
  expect(npm).toBe('ci --prefer-offline --omit=dev');
  expect(left).toEqual(['code', 'program']);
});

test('what develops is installed whole, and again once it is there', async () => {
  const whole = { npm: 'ci --prefer-offline', left: ['code', 'types', 'map', 'program', 'foreignProgram'] };
  expect(await install(process.execPath, '--dev')).toEqual(whole);
  mkdirSync(join(folder, 'project/node_modules/vitest'));
  expect(await install(process.execPath)).toEqual(whole);
});

test('the Node of npm stays if it is the one that runs', async () => {
  const own = join(folder, 'project/node_modules/node');
  mkdirSync(dirname(own));
  cpSync(process.execPath, own);
  expect((await install(own)).left).toEqual(['code', 'program', 'node']);
});

test('no package asks for a Node that is newer than the oldest that the project allows', () => {
  const { packages } = JSON.parse(readFileSync(join(project, 'package-lock.json'), 'utf8'));
  const { engines } = JSON.parse(readFileSync(join(project, 'package.json'), 'utf8'));
  expect(engines.node).toBe('>=20.19');
  const unsupported = Object.entries<{ readonly engines?: { readonly node?: string } }>(packages).filter(
    ([, { engines }]) => engines?.node !== undefined && !allows(engines.node, [20, 19]),
  );
  expect(unsupported).toEqual([]);
});

/** Whether a range of `engines` contains a version. Handles the forms that the lock file has. */
function allows(range: string, [major, minor]: readonly [number, number]): boolean {
  return range.split('||').some((alternative) => {
    const [, sign = '', atMajor, atMinor = '0'] = /^\s*(>=|>|\^|~)?\s*v?(\d+)(?:\.(\d+))?/.exec(alternative) ?? [];
    if (atMajor === undefined) return alternative.trim() === '*';
    const reached = major > Number(atMajor) || (major === Number(atMajor) && minor >= Number(atMinor));
    return reached && (sign.startsWith('>') || major === Number(atMajor));
  });
}
