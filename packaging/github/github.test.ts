import { chmodSync, mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execaSync } from 'execa';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { parseExamples } from '../../docs/examples/examples.ts';
import { compositeAction, workflow } from '../testing/github-schemas.ts';

const project = (path: string) => new URL(`../../${path}`, import.meta.url);
const action = parse(readFileSync(project('action.yml'), 'utf8'));
const page = readFileSync(project('docs/how-to/gate-a-change-in-ci.md'), 'utf8');
const example = parseExamples(page).find((one) => one.kind === 'file' && one.path.startsWith('.github/'));
const documented = parse(example?.text ?? '');

describe('the action', () => {
  test('is one by the syntax of composite actions', () => {
    expect(compositeAction.safeParse(action).error?.issues ?? []).toEqual([]);
  });

  test.each([
    ['a step without a shell', (copy: typeof action) => delete copy.runs.steps[0].shell],
    ['an input without a description', (copy: typeof action) => delete copy.inputs.tags.description],
    ['an unknown field', (copy: typeof action) => Object.assign(copy.runs, { main: 'x.js' })],
  ])('would not be one with %s', (_what, spoil) => {
    const copy = structuredClone(action);
    spoil(copy);
    expect(compositeAction.safeParse(copy).success).toBe(false);
  });

  test('uses each of its inputs, and none that it does not have', () => {
    const used = [...JSON.stringify(action.runs).matchAll(/inputs\.(\w+)/g)].map(([, name]) => name);
    expect([...new Set(used)].sort()).toEqual(Object.keys(action.inputs).sort());
  });
});

describe('the documented workflow', () => {
  test('is one by the syntax of workflows', () => {
    expect(workflow.safeParse(documented).error?.issues ?? []).toEqual([]);
  });

  test('gives the action inputs that it has, and takes outputs that it has', () => {
    const steps: { uses?: string; with?: object }[] = documented.jobs.conform.steps;
    const ours = steps.find(({ uses }) => uses?.includes('/rekindle@'));
    expect(Object.keys(action.inputs)).toEqual(expect.arrayContaining(Object.keys(ours?.with ?? { none: '' })));
    const taken = [...JSON.stringify(steps).matchAll(/steps\.rekindle\.outputs\.(\w+)/g)].map(([, name]) => name);
    expect(Object.keys(action.outputs)).toEqual(expect.arrayContaining(taken));
  });
});

describe('the step that conforms', () => {
  let folder: string;
  beforeEach(() => {
    folder = realpathSync(mkdtempSync(join(tmpdir(), 'rekindle-action-')));
    mkdirSync(join(folder, 'bin'));
    // Stand-ins: a command that says how it was called, and a sudo for those who are not root.
    writeFileSync(
      join(folder, 'bin/rekindle.js'),
      `const { appendFileSync, mkdirSync, writeFileSync, symlinkSync } = require('node:fs');
       mkdirSync('out/run', { recursive: true });
       symlinkSync('run', 'out/latest');
       appendFileSync(process.env.GITHUB_STEP_SUMMARY, '# Report\\n');
       writeFileSync('called.json', JSON.stringify(process.argv.slice(2)));
       process.exit(Number(process.env.STATUS));`,
    );
    writeFileSync(join(folder, 'sudo'), '#!/bin/sh\nif [ "$1" = --preserve-env ]; then shift; fi\nexec "$@"\n');
    chmodSync(join(folder, 'sudo'), 0o755);
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  function run(inputs: Readonly<Record<string, string>>, status: number) {
    const [, { run: script }] = action.runs.steps;
    const files = { GITHUB_OUTPUT: join(folder, 'output'), GITHUB_STEP_SUMMARY: join(folder, 'summary') };
    const PATH = `${folder}:${process.env.PATH}`;
    const env = { ...inputs, ...files, PATH, GITHUB_ACTION_PATH: folder, STATUS: String(status) };
    // As GitHub starts a step with `shell: bash`.
    const args = ['--noprofile', '--norc', '-eo', 'pipefail', '-c', script];
    const ended = execaSync('bash', args, { cwd: folder, env, extendEnv: false, reject: false });
    const read = (name: string) => readFileSync(join(folder, name), 'utf8');
    return { status: ended.exitCode, called: JSON.parse(read('called.json')), output: read('output'), read };
  }

  const inputs = {
    PROFILE: 'my driver.yaml',
    CLUSTER: 'sandbox',
    TAGS: '@C2 or @C3',
    FLAGS: '--seed\n1\n',
    OUT: 'out',
  };

  test('hands its inputs on as they are, and ends as the command does', () => {
    const { status, called, output, read } = run(inputs, 1);
    expect(called).toEqual([
      ...['conform', '--profile', 'my driver.yaml', '--cluster', 'sandbox', '--out', 'out'],
      ...['--tags', '@C2 or @C3', '--seed', '1'],
    ]);
    expect(status).toBe(1);
    expect(output).toBe(`results=${join(folder, 'out/run')}\nstatus=1\n`);
    expect(read('summary')).toBe('# Report\n');
  });

  test('leaves out what is empty', () => {
    const { status, called } = run({ ...inputs, TAGS: '', FLAGS: '' }, 0);
    expect({ status, called }).toEqual({
      status: 0,
      called: ['conform', '--profile', 'my driver.yaml', '--cluster', 'sandbox', '--out', 'out'],
    });
  });
});
