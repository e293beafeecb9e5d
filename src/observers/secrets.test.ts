import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execaSync } from 'execa';
import { afterEach, expect, it } from 'vitest';

const program = fileURLToPath(new URL('./secrets.ts', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'rekindle-secrets-'));
afterEach(() => rmSync(folder, { recursive: true, force: true }));

it('finds a credential of a pod in a file, and not where the kubelet keeps it', () => {
  const volume = join(folder, 'pods/u1/volumes/kubernetes.io~secret/key');
  mkdirSync(volume, { recursive: true });
  writeFileSync(join(volume, 'accessKeySecret'), 'a-key-that-nothing-else-has\n');
  const leak = join(folder, 'leaked.json');
  writeFileSync(leak, '{"key":"a-key-that-nothing-else-has"}', { mode: 0o666 });
  const { secrets, found } = JSON.parse(execaSync(process.execPath, [program, folder, folder]).stdout);
  expect(secrets).toBe(1);
  expect(found).toContain(`file ${leak}`);
  expect(found.filter((place: string) => place.includes('kubernetes.io~secret'))).toEqual([]);
});
