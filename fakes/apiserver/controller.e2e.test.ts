import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa, execaSync } from 'execa';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { serverVersion } from './api-server.ts';
import { start } from './testing/test-rig.ts';

const cwd = fileURLToPath(new URL('./controller', import.meta.url));

/** Why the program cannot be built here. */
function missingForGo(): string | undefined {
  if (execaSync('go', ['version'], { reject: false }).failed) return 'needs the Go toolchain on the PATH';
  const download = execaSync('go', ['mod', 'download'], { cwd, reject: false, timeout: 300_000 });
  return download.failed ? 'needs a Go proxy that has its modules' : undefined;
}

const missing = missingForGo();

describe.skipIf(missing)(`a controller-runtime program${missing ? ` (skipped: ${missing})` : ''}`, () => {
  let folder: string;
  let program: string;
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'rekindle-controller-'));
    program = join(folder, 'controller');
    await execa('go', ['build', '-o', program, '.'], { cwd });
  }, 900_000);
  afterAll(() => rmSync(folder, { recursive: true }));

  it('leads, watches, reconciles, applies, patches, pages and deletes on the stand-in', {
    timeout: 120_000,
  }, async () => {
    await using rig = await start();
    const kubeconfig = join(folder, 'kubeconfig');
    writeFileSync(kubeconfig, rig.server.kubeConfig);
    const { stdout } = await execa(program, { env: { KUBECONFIG: kubeconfig } });
    expect(JSON.parse(stdout)).toEqual({
      leader: true,
      reconciled: ['first', 'second'],
      phase: 'Seen',
      deleted: true,
      applied: '34',
      removed: true,
      conflict: 'Apply failed with 1 conflict: conflict with "controller-test": .data.a',
      paged: 5,
      pods: expect.arrayContaining(['pod-0', 'pod-2', 'pod-4']),
      version: serverVersion,
    });
  });
});
