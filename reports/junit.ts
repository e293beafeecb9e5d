import { formatNs } from '../src/timeline/duration.ts';
import { groupBy } from '../src/timeline/group-by.ts';
import type { Run, RunRecord, ScenarioRecord } from '../src/timeline/record.ts';
import { momentNames, waterfallOf } from '../src/timeline/stages.ts';
import { countStatuses, explainVerdict, reasonOf } from '../src/timeline/verdict.ts';

/**
 * Renders a run as JUnit XML for GitHub, GitLab and Jenkins: a test suite for each feature, a test case for each scenario. An
 * inconclusive scenario is an `error`, neither passed nor refuted. The result is valid by junit-10.xsd, which Jenkins' xUnit
 * plugin enforces. The schema has no file and line of a test case, so these are in its output.
 */
export function renderJunit({ record }: Pick<Run, 'record'>, attachmentsOf: AttachmentsOf = () => []): string {
  const features = groupBy(record.scenarios, (scenario) => scenario.feature);
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    // The schema does not allow `skipped` here.
    `<testsuites name="rekindle" ${totals(record.scenarios).replace(/ skipped="\d+"/, '')}>`,
    ...[...features].flatMap(([feature, scenarios]) => suite({ record, feature, scenarios, attachmentsOf })),
    '</testsuites>',
    '',
  ].join('\n');
}

/** `C2 C3 the pod reads again`. */
export function testCaseName(scenario: ScenarioRecord): string {
  return [...scenario.claims, scenario.name].join(' ');
}

/**
 * Paths of files to attach to a test case, absolute or relative to the project's folder. GitLab and Jenkins (JUnit Attachments) find
 * them as `[[ATTACHMENT|path]]` in the output.
 */
export type AttachmentsOf = (scenario: ScenarioRecord) => readonly string[];

interface Suite {
  readonly record: RunRecord;
  readonly feature: string;
  readonly scenarios: readonly ScenarioRecord[];
  readonly attachmentsOf: AttachmentsOf;
}

function suite({ record, feature, scenarios, attachmentsOf }: Suite): string[] {
  const { fidelity } = record;
  const fakes = fidelity.parts.filter((part) => part.fake).map((part) => part.part);
  const properties = {
    'rekindle.run': record.runId,
    'rekindle.version': record.rekindle,
    'rekindle.profile': record.profile,
    'rekindle.cluster': record.cluster,
    'rekindle.seed': String(record.seed),
    'rekindle.verdict': record.verdict,
    'rekindle.says': explainVerdict(record),
    'rekindle.fidelity': fidelity.place,
    'rekindle.fakes': fakes.join(', ') || 'none',
    'rekindle.clock-scale': String(fidelity.clockScale),
    'rekindle.kernel': record.machine.kernel,
  };
  return [
    `  <testsuite name="${escapeXml(feature)}" file="${escapeXml(scenarios[0]?.uri ?? '')}" ${totals(scenarios)} timestamp="${escapeXml(record.startedAt.replace(/\.\d+Z$|Z$/, ''))}">`,
    '    <properties>',
    ...Object.entries(properties).map(
      ([name, value]) => `      <property name="${escapeXml(name)}" value="${escapeXml(value)}"/>`,
    ),
    '    </properties>',
    ...scenarios.flatMap((scenario) => testCase(scenario, attachmentsOf(scenario))),
    '  </testsuite>',
  ];
}

function testCase(scenario: ScenarioRecord, attachments: readonly string[]): string[] {
  const attributes = [
    `name="${escapeXml(testCaseName(scenario))}"`,
    `classname="${escapeXml(scenario.feature)}"`,
    `time="${seconds(scenario)}"`,
  ].join(' ');
  return [
    `    <testcase ${attributes}>`,
    ...outcome(scenario).map((line) => `      ${line}`),
    `      <system-out>${escapeXml([story(scenario), ...attachments.map((path) => `[[ATTACHMENT|${path}]]`)].join('\n'))}</system-out>`,
    '    </testcase>',
  ];
}

function outcome(scenario: ScenarioRecord): string[] {
  if (scenario.status === 'pass') return [];
  const message = escapeXml(reasonOf(scenario));
  if (scenario.status === 'skipped') return [`<skipped message="${message}"/>`];
  const checks = scenario.checks
    .filter((check) => check.verdict !== 'pass')
    .map((check) => `${check.claims.join(' ')} ${check.name}: ${check.verdict}. ${check.says}`.trim());
  const steps = scenario.steps.flatMap((step) =>
    step.error === undefined ? [] : `${step.keyword} ${step.text}\n${step.error}`,
  );
  const element = scenario.status === 'fail' ? 'failure' : 'error';
  return [
    `<${element} type="${scenario.status}" message="${message}">${escapeXml([...checks, ...steps].join('\n'))}</${element}>`,
  ];
}

function story(scenario: ScenarioRecord): string {
  const steps = scenario.steps.map((step) => `${step.keyword} ${step.text} (${step.status}, ${formatNs(step.tookNs)})`);
  const recoveries = scenario.recoveries.map((recovery) => {
    const rows = waterfallOf(recovery).map((row) => `${momentNames[row.moment]} +${formatNs(row.sinceCrash)}`);
    return `${recovery.fault} in ${recovery.pod}: ${rows.join(', ')}`;
  });
  const checks = scenario.checks.map((check) => `${check.verdict}: ${check.name}: ${check.says}`);
  return [`${scenario.uri}:${scenario.line}`, ...steps, ...recoveries, ...checks].join('\n');
}

function totals(scenarios: readonly ScenarioRecord[]): string {
  const counts = countStatuses(scenarios);
  const time = scenarios.reduce((sum, scenario) => sum + Number(seconds(scenario)), 0);
  return `tests="${scenarios.length}" failures="${counts.fail}" errors="${counts.inconclusive}" skipped="${counts.skipped}" time="${time.toFixed(3)}"`;
}

function seconds(scenario: ScenarioRecord): string {
  return ((scenario.finishedAt - scenario.startedAt) / 1e9).toFixed(3);
}

/** Escapes text for an attribute or element. Characters that XML 1.0 forbids are written as `\x1b`. */
export function escapeXml(text: string): string {
  return text
    .toWellFormed()
    .replace(
      // biome-ignore lint/suspicious/noControlCharactersInRegex: these are the ones to be replaced
      /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g,
      (letter) => `\\x${letter.charCodeAt(0).toString(16).padStart(2, '0')}`,
    )
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll('\r', '&#13;')
    .replaceAll('\n', '&#10;')
    .replaceAll('\t', '&#9;');
}

interface SimulationSummary {
  readonly name: string;
  readonly histories: number;
  readonly milliseconds: number;
  readonly failures: readonly { readonly name: string; readonly message: string; readonly text: string }[];
}

/** A simulation as JUnit XML: one test case for all histories that passed, and one for each that failed. */
export function simulationAsJunit({ name, histories, milliseconds, failures }: SimulationSummary): string {
  const seconds = (milliseconds / 1000).toFixed(3);
  const cases = [
    `<testcase classname="simulate" name="${escapeXml(`${histories - failures.length} ${name}`)}" time="${seconds}"/>`,
    ...failures.map(
      (each) =>
        `<testcase classname="simulate" name="${escapeXml(each.name)}" time="0.000"><failure message="${escapeXml(each.message)}">${escapeXml(each.text)}</failure></testcase>`,
    ),
  ];
  const counts = `tests="${cases.length}" failures="${failures.length}" errors="0"`;
  return `<?xml version="1.0" encoding="UTF-8"?>
<testsuites ${counts} time="${seconds}">
<testsuite name="simulate" ${counts} skipped="0" time="${seconds}">
${cases.join('\n')}
</testsuite>
</testsuites>
`;
}
