/**
 * Renews when and where each scenario last passed, from the folders of runs: `npm run last-passes -- results/ci/default/latest`.
 * The table of claims shows it after `npm run docs`. `--to FILE` writes to another file than `src/last-passes.json`.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { lastPassesFile, readLastPasses, renewLastPasses } from '../../src/catalogue.ts';
import { shippedScenarios } from '../../src/gherkin.ts';
import { parseRecord } from '../../src/timeline/parse.ts';

const { values, positionals } = parseArgs({ options: { to: { type: 'string' } }, allowPositionals: true });
const runs = positionals.map((folder) => parseRecord(readFileSync(join(folder, 'record.json'), 'utf8')));
const passes = renewLastPasses(readLastPasses(), runs, shippedScenarios());
const lines = Object.entries(passes).map(([name, dates]) => `  ${JSON.stringify(name)}: ${JSON.stringify(dates)}`);
writeFileSync(values.to ?? lastPassesFile, `{\n${lines.join(',\n')}\n}\n`);
