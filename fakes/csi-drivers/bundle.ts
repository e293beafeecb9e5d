/** Bundles the drivers, and the provisioner beside a controller, for their image: `node fakes/csi-drivers/bundle.ts DIRECTORY`. */
import { join } from 'node:path';
import { build } from 'esbuild';

const [outdir = ''] = process.argv.slice(2);
const here = import.meta.dirname;
await build({
  entryPoints: [
    ...['children-main.ts', 'volume-pods-main.ts'].map((file) => join(here, file)),
    join(here, '../control-plane/provisioner-main.ts'),
  ],
  entryNames: '[name]',
  outdir,
  bundle: true,
  platform: 'node',
  format: 'esm',
  target: 'node24',
  outExtension: { '.js': '.mjs' },
  banner: {
    js: "import { createRequire } from 'node:module';\nconst require = createRequire(import.meta.url);",
  },
  keepNames: true,
  logLevel: 'warning',
});
