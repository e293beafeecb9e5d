/*
 * node .ci/objects.js KUBECONFIG: prints a line for each object of a cluster, with a hash of all that people or programs set in it. Left
 * out is what the cluster writes by itself: events, leases, what kubelets and controllers report, and status. Needs kubectl.
 */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';

const [kubeconfig] = process.argv.slice(2);
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
const { items } = JSON.parse(
  kubectl('get', kinds.filter((kind) => !transient.has(kind)).join(','), '--all-namespaces', '--output=json'),
);
const lines = items.map(({ apiVersion, kind, metadata, status, ...rest }) => {
  const { namespace = '', name, uid, labels, annotations, finalizers } = metadata;
  const own = JSON.stringify([uid, labels, annotations, finalizers, rest]);
  return `${apiVersion} ${kind} ${namespace}/${name} ${createHash('sha256').update(own).digest('hex').slice(0, 12)}`;
});
process.stdout.write(`${[...new Set(lines)].sort().join('\n')}\n`);
