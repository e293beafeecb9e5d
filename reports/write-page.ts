import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { bundlePage, pageScriptFile } from './build-page.ts';

/** `npm run page`: makes the script of the reports' page again. */
writeFileSync(fileURLToPath(new URL('./html/page-script.ts', import.meta.url)), pageScriptFile(await bundlePage()));
