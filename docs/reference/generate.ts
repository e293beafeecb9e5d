/** Writes the pages of the reference from the code: `npm run docs`. A test holds them against it. */
import { writeFileSync } from 'node:fs';
import { referencePages } from './pages.ts';

for (const { file, text } of await referencePages()) writeFileSync(new URL(file, import.meta.url), text);
