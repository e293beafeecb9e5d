/**
 * Looks for the credentials that pods of this node have from their Secrets in the arguments and the environment of every
 * process: one JSON line with how many of each there were, and where one was found. The credentials are read from the
 * kubelet's directory, its argument, so that they are in nobody's arguments on the way here.
 */
import { globSync, readdirSync, readFileSync, writeSync } from 'node:fs';

const [kubeletRoot = ''] = process.argv.slice(2);
const credentials = globSync(`${kubeletRoot}/pods/*/volumes/kubernetes.io~secret/*/accessKeySecret`).map((path) =>
  readFileSync(path, 'utf8').trim(),
);
const secrets = [...new Set(credentials)].filter((secret) => secret !== '');
const processes = readdirSync('/proc').filter((name) => /^\d+$/.test(name));

/** Empty where the process has ended, or has none as the kernel's threads. */
function read(pid: string, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8');
  } catch {
    return '';
  }
}

/** MinIO takes its root key from its environment; it is the other side of the key, and not a consumer of the dataset. */
const isStore = (pid: string) =>
  /\bminio\b/.test(read(pid, 'cmdline')) && read(pid, 'environ').includes('MINIO_ROOT_PASSWORD=');

const consumers = processes.filter((pid) => !isStore(pid));
const found = consumers.flatMap((pid) =>
  ['cmdline', 'environ']
    .filter((file) => secrets.some((secret) => read(pid, file).includes(secret)))
    .map((file) => `${file} of process ${pid} (${read(pid, 'comm').trim()})`),
);
writeSync(1, `${JSON.stringify({ event: 'searched', secrets: secrets.length, processes: consumers.length, found })}\n`);
