import { globSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execaSync } from 'execa';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { versionOf } from '../../fakes/foreign-daemons/foreign-daemon.ts';
import { temporaryFolder } from '../../src/cli/context.ts';
import { requirements } from '../../src/doctor/assess.ts';
import { removeTree } from '../../src/doctor/clean/remove-tree.ts';
import { exampleFolder } from './example-folder.ts';
import { type Example, parseExamples } from './examples.ts';

const project = fileURLToPath(new URL('../..', import.meta.url));
const pages = globSync('docs/**/*.md', { cwd: project })
  .sort()
  .map((page) => ({ page, examples: parseExamples(readFileSync(join(project, page), 'utf8')) }))
  .filter(({ examples }) => examples.length > 0);
const missing = await requirements({ env: process.env, temporary: temporaryFolder(process.env) });

/** Reasons for skipping commands, by requirement. */
const skipReasons: Readonly<Record<string, string | undefined>> = {
  s3fs: versionOf('s3fs', process.env.PATH ?? '') === undefined ? 's3fs is not on the PATH' : undefined,
  kind: 'a kind cluster takes minutes',
  cluster: 'there is no cluster to deploy to',
  minutes: 'it takes minutes',
};

function skipReason({ needs: named }: Example & { readonly kind: 'commands' }): string | undefined {
  const [need] = named;
  if (need !== undefined && !(need in skipReasons)) return `unknown requirement ${need}`;
  const reason = skipReasons[need ?? ''];
  if (reason !== undefined) return reason;
  return missing.map(({ what }) => what)[0];
}

const firstLine = (text: string) => text.trim().split('\n')[0] ?? '';

describe.each(pages)('$page', ({ examples }) => {
  let folder: string;

  // Same layout as after `npm install`, so that npx finds the command here and contacts no registry.
  beforeAll(() => {
    folder = exampleFolder(tmpdir());
    mkdirSync(join(folder, 'node_modules/.bin'), { recursive: true });
    symlinkSync(join(project, 'bin/rekindle.js'), join(folder, 'node_modules/.bin/rekindle'));
    writeFileSync(join(folder, 'package.json'), '{"private":true}');
  });
  afterAll(() => expect(removeTree(folder)).toEqual([]));

  for (const example of examples) {
    if (example.kind === 'file') {
      test(`line ${example.line}: ${example.path} is written`, () => {
        mkdirSync(dirname(join(folder, example.path)), { recursive: true });
        writeFileSync(join(folder, example.path), example.text);
      });
      continue;
    }
    const reason = skipReason(example);
    const suffix = reason === undefined ? '' : ` (${reason})`;
    const title = `line ${example.line}: ${firstLine(example.text)}${suffix}`;
    test.skipIf(reason !== undefined)(title, { timeout: 300_000 }, () => {
      const args = ['--noprofile', '--norc', '-eu', '-o', 'pipefail', '-c', example.text];
      const env = { ...process.env, npm_config_yes: 'false', CI: 'true' };
      const result = execaSync('bash', args, { cwd: folder, env, extendEnv: false, reject: false });
      expect(result.exitCode, `${result.stdout}${result.stderr}`).toBe(example.status);
    });
  }
});
