import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { escapeXml, renderJunit } from './junit.ts';
import type { RunRecord, ScenarioRecord } from './record.ts';
import { sampleRun } from './sample.ts';
import { readXml, type XmlElement } from './xml_reader.ts';

const { record } = sampleRun({ operations: 300 });
const render = (over: Partial<RunRecord> = {}) => readXml(renderJunit({ record: { ...record, ...over } }));
const cases = (root: XmlElement) =>
  root.children.flatMap((suite) => suite.children.filter((child) => child.name === 'testcase'));
const caseOf = (root: XmlElement, start: string) => cases(root).find((one) => one.attributes.name?.startsWith(start));

describe('renderJunit', () => {
  it('has a suite for each feature and counts as JUnit does', () => {
    const root = render();
    expect(root.attributes).toMatchObject({ tests: '10', failures: '1', errors: '1' });
    const skipped = root.children.map((suite) => Number(suite.attributes.skipped));
    expect(skipped.reduce((a, b) => a + b)).toBe(2);
    expect(root.children.map((suite) => suite.attributes.name)).toEqual([
      'Crash and recovery',
      'Enable the recovery of FUSE mount points',
      'Limits',
      'Dataset and JindoRuntime',
      'Serverless',
    ]);
    const sum = root.children.reduce((total, suite) => total + Number(suite.attributes.tests), 0);
    expect(sum).toBe(10);
  });

  it('has only what the schema of Jenkins has (junit-10.xsd), and file and line, which GitLab and GitHub read', () => {
    const allowed: Readonly<Record<string, { readonly attributes: string; readonly children: string }>> = {
      testsuites: { attributes: 'name time tests failures errors', children: 'testsuite' },
      testsuite: {
        attributes: 'name tests failures errors skipped time timestamp',
        children: 'properties testcase system-out system-err',
      },
      properties: { attributes: '', children: 'property' },
      property: { attributes: 'name value', children: '' },
      testcase: {
        attributes: 'name time classname file line',
        children: 'skipped error failure system-out system-err',
      },
      failure: { attributes: 'type message', children: '' },
      error: { attributes: 'type message', children: '' },
      skipped: { attributes: 'type message', children: '' },
      'system-out': { attributes: '', children: '' },
    };
    const check = ({ name, attributes, children }: XmlElement): void => {
      expect(allowed[name]?.attributes.split(' ')).toEqual(expect.arrayContaining(Object.keys(attributes)));
      expect(allowed[name]?.children.split(' ')).toEqual(expect.arrayContaining(children.map((child) => child.name)));
      for (const time of attributes.time === undefined ? [] : [attributes.time]) expect(time).toMatch(/^\d+\.\d{3}$/);
      children.forEach(check);
    };
    check(render());
  });

  it('names the files to be shown with a test case', () => {
    const root = readXml(renderJunit({ record }, ({ id }) => (id === 'crash-kill-1' ? ['results/1/report.html'] : [])));
    const outputs = cases(root).map((one) => one.children.find(({ name }) => name === 'system-out')?.text ?? '');
    expect(outputs.map((text) => text.includes('[[ATTACHMENT|'))).toEqual([true, ...Array(9).fill(false)]);
    expect(outputs[0]?.endsWith('\n[[ATTACHMENT|results/1/report.html]]')).toBe(true);
  });

  it('begins the name of a test case with the claims', () => {
    const [first] = cases(render());
    expect(first?.attributes).toMatchObject({
      name: 'C1 C2 C3 the pod reads again after kill 1 in the FUSE pod',
      classname: 'Crash and recovery',
      file: 'crash-and-recovery.feature',
      line: '12',
    });
    expect(first?.children.map((child) => child.name)).toEqual(['system-out']);
  });

  it('says why a scenario failed, with the sentence of the check', () => {
    const [failure] = caseOf(render(), 'C3 three crashes')?.children ?? [];
    expect(failure?.name).toBe('failure');
    expect(failure?.attributes.message).toBe(
      'The mount tables of node and pod have 47 lines after three crashes and had 44 before.',
    );
    expect(failure?.text).toContain('C3 the mount table does not grow: fail. 47 lines after the last recovery');
    expect(failure?.text).toContain('AssertionError');
  });

  it('says why a scenario was skipped, and that an inconclusive one is neither passed nor refuted', () => {
    const root = render();
    expect(caseOf(root, 'V1 V3')?.children[0]).toMatchObject({
      name: 'skipped',
      attributes: { message: 'The sandbox has no virtual node; run it with --cluster kind.' },
    });
    expect(caseOf(root, 'L1 a daemon that')?.children[0]?.name).toBe('error');
  });

  it('names run and fidelity as properties of each suite', () => {
    for (const suite of render().children) {
      const properties = suite.children[0]?.children.map((one) => [one.attributes.name, one.attributes.value]);
      expect(Object.fromEntries(properties ?? [])).toMatchObject({
        'rekindle.run': '7f3a9c',
        'rekindle.fidelity': 'sandbox',
        'rekindle.fakes': 'FUSE daemon, kubelet, API server, object store',
        'rekindle.clock-scale': '10',
      });
    }
  });

  it('tells the recovery in the output', () => {
    const [first] = cases(render());
    expect(first?.children[0]?.text).toMatch(
      /kill-1 in default\/demo-app: crash \+0 ms, .*readable in the pod \+\d+ ms/,
    );
  });

  it('is well-formed for a run without scenarios', () => {
    expect(render({ scenarios: [] })).toMatchObject({ attributes: { tests: '0' }, children: [] });
  });

  it('survives whatever a program printed', () => {
    const [scenario] = record.scenarios as readonly [ScenarioRecord];
    const hostile = fc.string({ unit: 'binary', maxLength: 40 });
    fc.assert(
      fc.property(hostile, hostile, (name, reason) => {
        const root = render({ scenarios: [{ ...scenario, name, feature: name, reason, status: 'fail' }] });
        expect(cases(root)).toHaveLength(1);
      }),
    );
    const root = render({ scenarios: [{ ...scenario, claims: [], name: '\u001b[31m<&">\ud800\n', status: 'pass' }] });
    expect(cases(root)[0]?.attributes.name).toBe('\\x1b[31m<&">\ufffd\n');
  });

  it('writes what XML cannot hold as an escape', () => {
    expect(escapeXml('a\u0000b\ufffec')).toBe('a\\x00b\\xfffec');
  });
});
