/** Generates the reference pages from the code (`npm run docs`). A test checks that they are up to date. */
import { writeFileSync } from 'node:fs';
import { referencePages } from './pages.ts';

for (const { file, text } of await referencePages()) writeFileSync(new URL(file, import.meta.url), text);
