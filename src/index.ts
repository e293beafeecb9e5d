/**
 * Rekindle from a program: `conform()` runs the scenarios and resolves with their record, `readRun()` reads a stored
 * record, the render functions turn it into reports, and `compareBenches()` compares two benchmarks. Works in Node 20 or
 * later, because a run is a separate process.
 */

export { compareBenches, type SeriesChange } from '../reports/bench/compare.ts';
export { parseBench } from '../reports/bench/parse.ts';
export type { BenchRecord } from '../reports/bench/record.ts';
export { renderHtml } from '../reports/html.ts';
export { renderJunit } from '../reports/junit.ts';
export { renderMarkdown } from '../reports/markdown.ts';
export { renderOpenMetrics } from '../reports/openmetrics.ts';
export { type ConformRequest, conform, RunFailed } from './api/conform.ts';
export { readRecord, readRun } from './api/read-run.ts';
export { UnreadableRun } from './timeline/parse.ts';
export type {
  CheckRecord,
  Fidelity,
  HistoryEvent,
  Recovery,
  Run,
  RunRecord,
  ScenarioRecord,
  ScenarioStatus,
  StepRecord,
  Verdict,
} from './timeline/record.ts';
export { explainVerdict } from './timeline/verdict.ts';
