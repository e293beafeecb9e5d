import { formatNs } from '../src/timeline/duration.ts';
import type { Run, ScenarioRecord, ScenarioStatus } from '../src/timeline/record.ts';
import { momentNames, summarizeStages } from '../src/timeline/stages.ts';
import { count, countStatuses, reasonOf, statuses, statusNames } from '../src/timeline/verdict.ts';
import { backoffTable } from './backoff-table.ts';
import { describeOutcome } from './html/overview.ts';
import { renderGantt, slowestRecovery } from './picture.ts';

const marks: Readonly<Record<ScenarioStatus, string>> = { pass: '✅', fail: '❌', inconclusive: '❔', skipped: '⏭️' };

export interface MarkdownOptions {
  /** Path of the slowest recovery's picture, relative to the Markdown file. If absent, Mermaid draws it. */
  readonly picture?: string;
}

/** Renders a run as GitHub Markdown, for the step summary of a CI job. */
export function renderMarkdown({ record }: Pick<Run, 'record'>, { picture }: MarkdownOptions = {}): string {
  const { scenarios, fidelity } = record;
  const mark = marks[record.verdict];
  const outcome = describeOutcome(record);
  const counts = countStatuses(scenarios);
  const tally = statuses
    .filter((status) => counts[status] > 0)
    .map((status) => `${counts[status]} ${statusNames[status]}`);
  const recoveries = scenarios.flatMap((scenario) => scenario.recoveries);
  const summaries = summarizeStages(recoveries);
  const skipped = scenarios.filter((scenario) => scenario.status === 'skipped');
  const fakes = fidelity.parts.filter((part) => part.fake);
  const slowest = slowestRecovery(scenarios);

  return [
    `## ${mark} ${outcome.title}`,
    '',
    escapeMarkdown(outcome.explanation),
    '',
    `${count(scenarios.length, 'scenario')}: ${tally.join(', ') || 'none'} · run \`${record.runId}\` · profile \`${record.profile}\` · cluster \`${record.cluster}\` · seed ${record.seed}`,
    '',
    '| | Claims | Scenario | Outage | |',
    '|---|---|---|--:|---|',
    ...scenarios.map((scenario) => {
      const outage = summarizeStages(scenario.recoveries).find((one) => one.stage.name === 'outage');
      const reason = scenario.status === 'pass' ? '' : reasonOf(scenario);
      const cells = [
        `${marks[scenario.status]} ${statusNames[scenario.status]}`,
        scenario.claims.join(' '),
        scenario.name,
        outage ? formatNs(outage.worstNs) : '',
        reason,
      ];
      return `| ${cells.map(escapeMarkdown).join(' | ')} |`;
    }),
    '',
    ...(slowest
      ? [
          '### The slowest recovery',
          '',
          picture === undefined
            ? renderGantt(slowest)
            : `![The phases of the slowest recovery, in “${escapeMarkdown(slowest.scenario.name)}”](${picture})`,
          '',
        ]
      : []),
    ...(summaries.length > 0
      ? [
          `### Recovery, phase by phase (${count(recoveries.length, 'crash', 'crashes')})`,
          '',
          '| From | To | Median | Worst | n |',
          '|---|---|--:|--:|--:|',
          ...summaries.map(
            ({ stage, count: n, medianNs, worstNs }) =>
              `| ${momentNames[stage.from]} | ${momentNames[stage.to]} | ${formatNs(medianNs)} | ${formatNs(worstNs)} | ${n} |`,
          ),
          '',
        ]
      : []),
    ...scenarios.flatMap((scenario) => renderBackoff(scenario, fidelity.clockScale)),
    '### How real this run was',
    '',
    `Place: ${escapeMarkdown(fidelity.place)}. ${
      fidelity.clockScale === 1
        ? 'No clock is scaled.'
        : `The fake kubelet’s clock runs ${fidelity.clockScale} times as fast.`
    }${fakes.length === 0 ? ' Nothing stands in for anything else.' : ''}`,
    '',
    ...fidelity.parts.map(
      (part) => `- ${part.fake ? '**fake**' : 'real'}: ${escapeMarkdown(`${part.part}: ${part.is}`)}`,
    ),
    '',
    ...(skipped.length > 0
      ? [
          '### Skipped',
          '',
          ...skipped.map(
            (one) => `- ${escapeMarkdown(`${one.claims.join(' ')} ${one.name}: ${reasonOf(one)}`.trim())}`,
          ),
          '',
        ]
      : []),
    ...(record.leftovers.length > 0
      ? ['### Could not be cleaned up', '', ...record.leftovers.map((one) => `- ${escapeMarkdown(one)}`), '']
      : []),
  ].join('\n');
}

function renderBackoff({ name, backoff }: ScenarioRecord, clockScale: number): readonly string[] {
  if (backoff === undefined) return [];
  const { caption, head, rows } = backoffTable(backoff, clockScale);
  const line = (cells: readonly string[]) => `| ${cells.map(escapeMarkdown).join(' | ')} |`;
  return [
    `### ${escapeMarkdown(name)}`,
    '',
    escapeMarkdown(caption),
    '',
    line(head),
    `|${'--:|'.repeat(head.length)}`,
    ...rows.map(line),
    '',
  ];
}

/** Escapes text for Markdown, including table cells. */
function escapeMarkdown(text: string): string {
  return text
    .replace(/[\\`*_[\]|<>#~]/g, '\\$&')
    .replaceAll('&', '&amp;')
    .replace(/\s*[\r\n]+\s*/g, ' ');
}
