import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createFakeContext } from './fake-context.ts';
import { rekindle } from './rekindle.ts';

const fluid = readFileSync(new URL('../profiles/fluid.yaml', import.meta.url), 'utf8');

let cwd: string;
beforeEach(() => {
  cwd = mkdtempSync(join(tmpdir(), 'rekindle-profile-command-'));
});
afterEach(() => rmSync(cwd, { recursive: true }));

async function run(...args: string[]) {
  const { context, stdout, stderr } = createFakeContext({ cwd });
  return { status: await rekindle(['profile', ...args], context), out: stdout(), err: stderr() };
}

test('the shipped profiles are listed with what people call them, and those of faulty agents apart', async () => {
  const { status, out } = await run('list');
  const [shipped, faulty] = out.split('\n\n');
  expect(status).toBe(0);
  expect(shipped).toMatch(/^fluid +Open-source Fluid$/m);
  expect(faulty).toMatch(/^leaks-mounts +An agent that leaks mounts$/m);
});

test('a shipped profile is shown as it is, and is valid', async () => {
  const { out, status } = await run('show', 'fluid');
  expect({ out, status }).toEqual({ out: fluid, status: 0 });
  writeFileSync(join(cwd, 'mine.yaml'), out);
  expect(await run('validate', 'mine.yaml')).toEqual({
    status: 0,
    out: 'mine.yaml: a valid profile: fluid, Open-source Fluid\n',
    err: '',
  });
});

test('the profile of a faulty agent is shown, too', async () => {
  expect(await run('show', 'too-eager')).toMatchObject({
    status: 0,
    out: expect.stringContaining('name: too-eager\n'),
  });
});

test('reports every problem of a file with its line and column', async () => {
  writeFileSync(join(cwd, 'mine.yaml'), 'version: 2\ntitle: Mine\npromises:\n  class: maybe\n');
  const { status, out, err } = await run('validate', 'mine.yaml');
  expect({ status, out }).toEqual({ status: 2, out: '' });
  expect(
    err,
  ).toContain(`mine.yaml:4:10: promises.class is "maybe"; accepted: rebind, enter, propagate, descriptor, automount, publish, none
    4 |   class: maybe
      |          ^
`);
  expect(err).toContain('mine.yaml: name is missing');
});

test.each([
  [['validate', 'no.yaml'], 'no.yaml: the profile cannot be read: open: ENOENT'],
  [['show', 'juice'], 'rekindle: unknown profile "juice": accepted are ack-fluid, fluid, rekindle'],
  [['frob'], "rekindle: unknown command 'frob': accepted are list, show, init, validate, schema"],
  [['init'], "rekindle: required option '--context <name>' not specified"],
  [['list', '--long'], "rekindle: unknown option '--long': accepted are --json, --help"],
])('%j is refused with what is accepted', async (args, says) => {
  expect(await run(...args)).toEqual({ status: 2, out: '', err: `${says}\n` });
});

test('the schema describes every field and demands those without a default', async () => {
  const { out } = await run('schema');
  const schema = JSON.parse(out);
  expect(schema).toMatchObject({ additionalProperties: false, required: expect.not.arrayContaining(['agent']) });
  expect(fieldsWithout(schema, 'description')).toEqual([]);
});

interface Schema {
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly description?: string;
}

function fieldsWithout(schema: Schema, key: 'description', path = ''): readonly string[] {
  return Object.entries(schema.properties ?? {}).flatMap(([name, field]) => {
    const at = path === '' ? name : `${path}.${name}`;
    return [...(field[key] ? [] : [at]), ...fieldsWithout(field, key, at)];
  });
}
