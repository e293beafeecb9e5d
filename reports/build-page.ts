import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

/** The page's script as it stands in reports: one small file for browsers. Bundled when it changes, and kept beside the code. */
export async function bundlePage(): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [fileURLToPath(new URL('./page/main.ts', import.meta.url))],
    bundle: true,
    write: false,
    minify: true,
    format: 'iife',
    target: ['chrome103', 'firefox115', 'safari16.4'],
    charset: 'ascii',
    legalComments: 'none',
  });
  const [file] = outputFiles;
  if (file === undefined) throw new Error('the page has no script');
  // It stands in an element of that name.
  return file.text.trim().replaceAll('</script', '<\\/script');
}

/** The TypeScript file that holds the bundle. */
export function pageScriptFile(bundle: string): string {
  return `/** Made by \`npm run page\` from reports/page; not to be edited. */\nexport const pageScript = ${JSON.stringify(bundle)};\n`;
}
