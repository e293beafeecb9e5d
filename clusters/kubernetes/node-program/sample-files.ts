import { execa } from 'execa';
import { credentialsOf } from '../../../recovery/linux/processes.ts';

/** Enters the directory as root, and reads as the user of the process. Files that are larger, or further down, are not read. */
const script = `
  const { createHash } = require('node:crypto');
  const { readdirSync, readFileSync, statSync } = require('node:fs');
  const [directory, uid, gid] = process.argv.slice(1);
  process.chdir(directory);
  process.setgroups([]);
  process.setgid(Number(gid));
  process.setuid(Number(uid));
  const found = {};
  const list = (at) => readdirSync(at || '.', { withFileTypes: true }).map((entry) => ({ entry, path: at + entry.name }));
  const top = list('');
  const folders = top.filter(({ entry }) => entry.isDirectory()).slice(0, 3);
  const read = ({ path }) => {
    if (Object.keys(found).length >= 3) return;
    try {
      if (statSync(path).size <= 1 << 20) found[path] = createHash('sha256').update(readFileSync(path)).digest('hex');
    } catch {}
  };
  const files = (entries) => entries.filter(({ entry }) => entry.isFile()).slice(0, 20).forEach(read);
  files(top);
  for (const { path } of folders) try { files(list(path + '/')); } catch {}
  console.log(JSON.stringify(found));`;

/**
 * SHA-256 in hex of up to three small files below a directory of a process's root, by relative path. Runs in another process, because
 * the directory may never answer: empty after ten seconds, or if nothing can be read.
 */
export async function sampleFiles(pid: number, path: string): Promise<Readonly<Record<string, string>>> {
  const { uid = 0, gid = 0 } = credentialsOf('/proc', pid) ?? {};
  const { failed, stdout } = await execa(
    process.execPath,
    ['-e', script, `/proc/${pid}/root${path}`, String(uid), String(gid)],
    { reject: false, stdin: 'ignore', timeout: 10_000, killSignal: 'SIGKILL' },
  );
  return failed ? {} : JSON.parse(stdout);
}
