import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { bundlePage, pageScriptFile } from './build_page.ts';

/** `npm run page`: makes the script of the reports' page again. */
writeFileSync(fileURLToPath(new URL('./html/page_script.ts', import.meta.url)), pageScriptFile(await bundlePage()));
