import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Envelope } from '@cucumber/messages';
import { openLineFile } from '../timeline/line-file.ts';

/** Cucumber's messages, one JSON object a line, for any of its formatters. */
export const messagesFile = 'messages.ndjson';

/**
 * Writes the message files of all runners as one stream into `resultsDir`, and removes them. Each scenario was a run of Cucumber's
 * own, which begins with its feature file, its step definitions and its hooks: these are written once, and later
 * references to them lead there. `discarded`: folders whose last run does not count.
 */
export async function mergeMessages(
  folders: readonly string[],
  resultsDir: string,
  discarded: ReadonlySet<string> = new Set(),
): Promise<void> {
  const found = folders.filter((folder) => existsSync(join(folder, messagesFile)));
  const parts = found.map((folder) => join(folder, messagesFile));
  const merged = await openLineFile(join(resultsDir, messagesFile));
  const lines = found.flatMap((folder) => {
    const own = readFileSync(join(folder, messagesFile), 'utf8').split('\n').slice(0, -1);
    return discarded.has(folder) ? own.slice(0, Math.max(0, own.findLastIndex(beginsRun))) : own;
  });
  for (const line of mergeStreams(lines)) merged.line(line);
  await merged.close();
  for (const part of parts) rmSync(part);
}

const beginsRun = (line: string) => (JSON.parse(line) as Envelope).meta !== undefined;

const uuids = /[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}/g;

/** One stream of several complete ones that follow each other. */
export function* mergeStreams(lines: Iterable<string>): Generator<string> {
  const declarations = new Map<string, readonly string[]>();
  const replacements = new Map<string, string>();
  let finished: Envelope['testRunFinished'];
  let success = true;
  let runId: string | undefined;
  for (const line of lines) {
    const { meta, source, gherkinDocument, pickle, stepDefinition, hook, parameterType, ...event }: Envelope =
      JSON.parse(line);
    if (event.testRunStarted) {
      const { id = '' } = event.testRunStarted;
      if (runId !== undefined) replacements.set(id, runId);
      else yield line;
      runId ??= id;
    } else if (event.testRunFinished) {
      finished = event.testRunFinished;
      success &&= finished.success;
    } else if (meta ?? source ?? gherkinDocument ?? pickle ?? stepDefinition ?? hook ?? parameterType) {
      // The same declaration of two runs differs in its ids only.
      const ids = line.match(uuids) ?? [];
      const content = line.replaceAll(uuids, '');
      const known = declarations.get(content);
      ids.forEach((id, i) => void replacements.set(id, known?.[i] ?? replacements.get(id) ?? id));
      if (known !== undefined) continue;
      declarations.set(content, ids);
      yield line;
    } else {
      yield line.replaceAll(uuids, (id) => replacements.get(id) ?? id);
    }
  }
  if (finished === undefined) return;
  const { testRunStartedId: _, ...end } = finished;
  yield JSON.stringify({ testRunFinished: { ...end, success, ...(runId && { testRunStartedId: runId }) } });
}
