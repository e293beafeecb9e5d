import { expect, test } from 'vitest';
import { parseExamples } from './examples.ts';

const fence = '```';

test('returns the marked blocks of a page with their lines', () => {
  const page = [
    '# Page',
    `${fence}sh run needs=kind,docker status=1`,
    'rekindle doctor',
    fence,
    `${fence}sh`,
    'not executed',
    fence,
    `1. ${fence}`,
    `   ${fence}yaml file=a/b.yaml`,
    '   name: x',
    '     y: z',
    `   ${fence}`,
    `${fence}text`,
    `${fence}sh run`,
  ].join('\n');
  expect(parseExamples(page)).toEqual([
    { kind: 'commands', line: 2, text: 'rekindle doctor\n', status: 1, needs: ['kind', 'docker'] },
    { kind: 'file', line: 9, path: 'a/b.yaml', text: 'name: x\n  y: z\n' },
  ]);
});

test('without further words, commands need nothing and must exit with 0', () => {
  expect(parseExamples(`${fence}sh run\ntrue\n${fence}\n`)).toEqual([
    { kind: 'commands', line: 1, text: 'true\n', status: 0, needs: [] },
  ]);
});
