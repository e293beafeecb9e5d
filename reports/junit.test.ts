import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { RunRecord, ScenarioRecord } from '../src/timeline/record.ts';
import { sampleRun } from '../src/timeline/testing/sample-run.ts';
import { escapeXml, renderJunit } from './junit.ts';
import { readXml, type XmlElement } from './testing/read-xml.ts';

const { record } = sampleRun({ operations: 300 });
const render = (over: Partial<RunRecord> = {}) => readXml(renderJunit({ record: { ...record, ...over } }));
const cases = (root: XmlElement) =>
  root.children.flatMap((suite) => suite.children.filter((child) => child.name === 'testcase'));
const caseOf = (root: XmlElement, start: string) => cases(root).find((one) => one.attributes.name?.startsWith(start));

type Patterns = Readonly<Record<string, RegExp>>;

/** What an element may be; `children` in their order, each with `?` or `*`. */
interface Rule {
  readonly required?: Patterns;
  readonly optional?: Patterns;
  readonly children?: string;
  readonly text?: true;
}

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

  /*
   * By junit-10.xsd of Jenkins' xUnit plugin (jenkinsci/xunit-plugin, .../types/model/xsd), which refuses a file that breaks it, and
   * with the children in the order that its predecessor, which JUnit 5 is held to, asks for (jenkins-junit.xsd, junit-team/junit5).
   */
  it('is valid by the schema of Jenkins', () => {
    const count = /^\d+$/;
    const time = /^\d+\.\d{3}$/;
    const any = /^/;
    const schema: Readonly<Record<string, Rule>> = {
      testsuites: {
        optional: { name: any, time, tests: count, failures: count, errors: count },
        children: 'testsuite*',
      },
      testsuite: {
        required: { name: any, tests: count, failures: count, errors: count },
        optional: { file: any, skipped: count, time, timestamp: /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d$/ },
        children: 'properties? testcase* system-out? system-err?',
      },
      properties: { children: 'property*' },
      property: { required: { name: any, value: any } },
      testcase: {
        required: { name: any },
        optional: { time, classname: any },
        children: 'skipped? error* failure* system-out* system-err*',
      },
      failure: { optional: { type: any, message: any }, text: true },
      error: { optional: { type: any, message: any }, text: true },
      skipped: { optional: { type: any, message: any }, text: true },
      'system-out': { text: true },
    };
    const problems = (element: XmlElement): readonly string[] => {
      const { name, attributes, children, text } = element;
      const { required = {}, optional = {}, children: allowed = '', ...rule } = schema[name] ?? {};
      const patterns: Readonly<Record<string, RegExp>> = { ...required, ...optional };
      const order = new RegExp(`^${allowed.replace(/([\w-]+)([?*]) ?/g, '(<$1>)$2')}$`);
      return [
        ...(name in schema ? [] : [`no element ${name}`]),
        ...Object.keys(required).flatMap((key) => (key in attributes ? [] : [`${name} without ${key}`])),
        ...Object.entries(attributes).flatMap(([key, value]) =>
          patterns[key]?.test(value) === true ? [] : [`${name} ${key}="${value}"`],
        ),
        ...(order.test(children.map((child) => `<${child.name}>`).join('')) ? [] : [`children of ${name}`]),
        ...(rule.text === true || text.trim() === '' ? [] : [`text in ${name}`]),
        ...children.flatMap(problems),
      ];
    };
    expect(problems(render())).toEqual([]);
    expect(problems(render({ scenarios: [] }))).toEqual([]);
    const wrong = renderJunit({ record })
      .replace('<testcase ', '<testcase line="1" ')
      .replace(' failures="', ' failed="')
      .replace('<skipped ', '<system-out/><skipped ');
    expect(problems(readXml(wrong))).toEqual([
      expect.stringMatching(/^testsuites failed=/),
      'testcase line="1"',
      'children of testcase',
    ]);
  });

  it('names the files to be shown with a test case', () => {
    const root = readXml(renderJunit({ record }, ({ id }) => (id === 'crash-kill-1' ? ['results/1/report.html'] : [])));
    const outputs = cases(root).map((one) => one.children.find(({ name }) => name === 'system-out')?.text ?? '');
    expect(outputs.map((text) => text.includes('[[ATTACHMENT|'))).toEqual([true, ...Array(9).fill(false)]);
    expect(outputs[0]?.endsWith('\n[[ATTACHMENT|results/1/report.html]]')).toBe(true);
  });

  it('begins the name of a test case with the claims, and its output with where it stands', () => {
    const [first] = cases(render());
    expect(first?.children.at(-1)?.text).toMatch(/^crash-and-recovery.feature:12\n/);
    expect(first?.attributes).toMatchObject({
      name: 'C1 C2 C3 the pod reads again after kill 1 in the FUSE pod',
      classname: 'Crash and recovery',
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

  it('describes the recovery in the output', () => {
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
