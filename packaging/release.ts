/**
 * Makes a release: `node packaging/release.ts [--publish] [--tag vX.Y.Z]`. Without `--publish` it is a dry run, which CI makes of every
 * change: it checks what a release needs, and writes to `dist/release` what would be published beside the package: the notes and a bill of
 * materials. The workflow `.github/workflows/release.yaml` runs it for a tag.
 */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { execaSync } from 'execa';
import { lastRelease } from '../clusters/kubernetes/installations.ts';

const project = fileURLToPath(new URL('..', import.meta.url));
const read = (path: string) => readFileSync(join(project, path), 'utf8');

export interface Section {
  /** `Unreleased` or a version. */
  readonly title: string;
  readonly text: string;
}

/** The sections of a change log in the format of Keep a Changelog, the newest first. */
export function parseChangelog(text: string): readonly Section[] {
  return text
    .split(/^## (?=\[)/m)
    .slice(1)
    .map((section) => {
      const [heading = '', ...lines] = section.split('\n');
      return { title: /^\[([^\]]+)\]/.exec(heading)?.[1] ?? heading, text: lines.join('\n').trim() };
    });
}

/**
 * What keeps a version from being released, one sentence each. `tag`: absent in a dry run, whose version may still be unreleased.
 */
export function problemsOf(
  { version, tag, last }: { readonly version: string; readonly tag?: string; readonly last: string },
  sections: readonly Section[],
): readonly string[] {
  const titles = sections.map(({ title }) => title);
  const released = titles.filter((title) => title !== 'Unreleased');
  const own = sections.find(({ title }) => title === version);
  const before = released.find((title) => title !== version);
  return [
    ...(tag === undefined || tag === `v${version}` ? [] : [`the tag is ${tag}, but package.json has ${version}`]),
    ...(tag === undefined || own !== undefined ? [] : [`CHANGELOG.md has no section [${version}]`]),
    ...(own === undefined || own.text !== '' ? [] : [`the section [${version}] of CHANGELOG.md is empty`]),
    ...(before === last
      ? []
      : [
          `upgrades are tried from ${last} (clusters/kubernetes/installations.ts), but the release before is ${before}`,
        ]),
  ];
}

const say = (line: string) => process.stdout.write(`${line}\n`);

/** Runs npm in the project. Returns what it prints. */
function npm(...args: readonly string[]): string {
  const { stdout } = execaSync('npm', args, { cwd: project, stdin: 'ignore', stderr: 'inherit' });
  return stdout;
}

function release({ tag, publishes }: { readonly tag?: string; readonly publishes: boolean }): number {
  const { version } = JSON.parse(read('package.json')) as { readonly version: string };
  const sections = parseChangelog(read('CHANGELOG.md'));
  const problems = problemsOf({ version, last: lastRelease.version, ...(tag !== undefined && { tag }) }, sections);
  for (const problem of problems) say(`not ready: ${problem}`);
  if (problems.length > 0) return 1;
  const folder = join(project, 'dist/release');
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const notes = sections.find(({ title }) => title === version) ?? sections[0];
  writeFileSync(join(folder, 'notes.md'), `${notes?.text ?? ''}\n`);
  writeFileSync(join(folder, 'sbom.spdx.json'), npm('sbom', '--sbom-format=spdx', '--omit=dev'));
  const dry = publishes ? [] : ['--dry-run'];
  const printed = npm('publish', '--json', '--access=public', ...(publishes ? ['--provenance'] : []), ...dry);
  // Scripts of the package may print before npm does.
  const { rekindle: package_ } = JSON.parse(printed.slice(printed.search(/^\{$/m))) as {
    readonly rekindle: { readonly id: string; readonly size: number; readonly files: readonly { path: string }[] };
  };
  const { id, size, files } = package_;
  const strays = files.filter(({ path }) => /\.test\.|(^|\/)(results|node_modules)\//.test(path));
  say(`${id}${publishes ? '' : ', not published'}: ${files.length} files, ${(size / 1e6).toFixed(1)} MB packed`);
  for (const { path } of strays) say(`does not belong into the package: ${path}`);
  return strays.length > 0 ? 1 : 0;
}

if (import.meta.main) {
  const { values } = parseArgs({ options: { publish: { type: 'boolean', default: false }, tag: { type: 'string' } } });
  const { tag, publish } = values;
  process.exitCode = release({ publishes: publish, ...(tag !== undefined && { tag }) });
}
