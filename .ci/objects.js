/*
 * node .ci/objects.js KUBECONFIG FILE: keeps in FILE all that people or programs have set in the objects of a cluster, once it has been the
 * same for two seconds. If FILE exists, the cluster must be as it was then, within a minute; else status 1, and each difference is printed.
 * Left out is what the cluster writes by itself: events, leases, what kubelets and controllers report, taints of nodes that are not ready,
 * status, and objects that are being deleted. Needs kubectl.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

const [kubeconfig, file] = process.argv.slice(2);
const kubectl = (...words) =>
  execFileSync('kubectl', ['--kubeconfig', kubeconfig, ...words], { encoding: 'utf8', maxBuffer: 1 << 28 });

const transient = new Set([
  'events',
  'events.events.k8s.io',
  'leases.coordination.k8s.io',
  'csinodes.storage.k8s.io',
  'certificatesigningrequests.certificates.k8s.io',
  'componentstatuses',
  'endpoints',
  'endpointslices.discovery.k8s.io',
]);
const kinds = kubectl('api-resources', '--verbs=list', '--output=name').trim().split('\n');
const listed = kinds.filter((kind) => !transient.has(kind)).join(',');

/** Each object's fields by path, such as "spec.replicas" or "metadata.labels.app", as JSON. */
function objects() {
  const { items } = JSON.parse(kubectl('get', listed, '--all-namespaces', '--output=json'));
  const found = {};
  for (const { apiVersion, kind, metadata, status, ...rest } of items) {
    const { namespace = '', name, uid, labels, annotations, finalizers, deletionTimestamp } = metadata;
    if (deletionTimestamp !== undefined) continue;
    const taints = rest.spec?.taints?.filter(({ key }) => !key.startsWith('node.kubernetes.io/'));
    if (taints !== undefined) rest.spec.taints = taints;
    found[`${apiVersion} ${kind} ${namespace}/${name}`] = fields({ uid, labels, annotations, finalizers, ...rest });
  }
  return found;
}

function fields(value, path = '', found = {}) {
  if (typeof value !== 'object' || value === null) found[path] = JSON.stringify(value) ?? 'absent';
  else for (const [key, each] of Object.entries(value)) fields(each, path === '' ? key : `${path}.${key}`, found);
  return found;
}

function differences(before, after) {
  return [...new Set([...Object.keys(before), ...Object.keys(after)])].sort().flatMap((object) => {
    if (before[object] === undefined) return [`${object} is new`];
    if (after[object] === undefined) return [`${object} is gone`];
    const paths = new Set([...Object.keys(before[object]), ...Object.keys(after[object])]);
    const changed = [...paths].filter((path) => before[object][path] !== after[object][path]);
    return changed.map((path) =>
      object.includes(' Secret ')
        ? `${object}: ${path}`
        : `${object}: ${path}: ${before[object][path]}, now ${after[object][path]}`,
    );
  });
}

/** Waits up to a minute until an earlier state, by default the last one, is found again. */
async function differencesFrom(state) {
  let before = state ?? objects();
  for (const end = Date.now() + 60_000; ; ) {
    await sleep(2000);
    const after = objects();
    const found = differences(before, after);
    if (found.length === 0 || Date.now() > end) return { after, found };
    if (state === undefined) before = after;
  }
}

if (existsSync(file)) {
  const { found } = await differencesFrom(JSON.parse(readFileSync(file, 'utf8')));
  process.stdout.write(found.map((each) => `${each.slice(0, 300)}\n`).join(''));
  process.exitCode = found.length === 0 ? 0 : 1;
} else {
  const { after, found } = await differencesFrom();
  writeFileSync(file, JSON.stringify(after));
  if (found.length > 0) process.stdout.write(`still changing: ${found.join('\n')}\n`);
}
