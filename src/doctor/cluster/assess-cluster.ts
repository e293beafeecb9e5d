import { type Finding, kernelFinding, missing, note, ok } from '../assess.ts';
import { assessPlaces } from './assess-places.ts';
import type { BucketCheck, InspectedCluster, InspectedNode } from './gather-cluster.ts';

/** Judges what the document asks of a cluster (seed claims P1 to P5) and what recovery needs of each node. Pure. */
export function assessCluster(facts: InspectedCluster): readonly Finding[] {
  const real = facts.nodes.filter(({ virtual }) => !virtual);
  return [
    version(facts),
    ...real.flatMap(os),
    foreign(facts),
    ...stores(facts),
    virtualNodes(facts),
    ...real.flatMap((node) => [kernel(node), fuse(node), propagation(node)]),
    ...assessPlaces(facts),
  ];
}

function version({ version }: InspectedCluster): Finding {
  const what = 'P1 Kubernetes';
  const [, major, minor] = /^v?(\d+)\.(\d+)/.exec(version) ?? [];
  const isEnough = Number(major) > 1 || (Number(major) === 1 && Number(minor) >= 18);
  if (isEnough) return ok(what, version);
  return missing(what, `${version} is before 1.18`, 'upgrade the cluster to Kubernetes 1.18 or later');
}

function os({ name, osImage, architecture }: InspectedNode): readonly Finding[] {
  const what = `P2 OS of ${name}`;
  if (/container\s?os/i.test(osImage))
    return [missing(what, `${osImage} is ContainerOS`, 'use a node pool with another operating system')];
  if (architecture !== 'amd64' && architecture !== 'arm64')
    return [note(what, `${osImage}, ${architecture}: the agent is not scheduled here`, 'use x86-64 or arm64 nodes')];
  return [ok(what, osImage)];
}

function foreign({ foreign, deployed }: InspectedCluster): Finding {
  const what = 'P3 other Fluid';
  if (foreign.length === 0) return ok(what, deployed ? "none, and Rekindle's node plugin is there" : 'none');
  return missing(
    what,
    `${foreign.join(', ')}: not Rekindle's`,
    'helm uninstall fluid; or leave it in charge: rekindle deploy --beside',
  );
}

function stores({ stores }: InspectedCluster): readonly Finding[] {
  const what = 'P4 object storage';
  if (stores.length > 0) return stores.map((store) => bucket(what, store));
  const remedy = 'create a Dataset, or name one: --endpoint URL --bucket NAME --secret NAMESPACE/NAME';
  return [note(what, 'no dataset names a bucket yet', remedy)];
}

function bucket(what: string, { source, endpoint, bucket, answer }: BucketCheck): Finding {
  const where = `bucket ${bucket} at ${endpoint} (${source})`;
  if (answer === undefined)
    return note(
      what,
      `${where} was not asked`,
      'let a pod ask: without --no-pods, by an --image that the nodes can pull',
    );
  if ('reason' in answer)
    return missing(what, `${where}: ${answer.reason}`, 'enable the object storage, and let the nodes reach it');
  const { status } = answer;
  if (status >= 200 && status < 400) return ok(what, where);
  if (status === 404) return missing(what, `${where} does not exist`, 'create the bucket');
  if (status === 401 || status === 403)
    return missing(what, `${where} refuses the keys (HTTP ${status})`, 'correct the Secret, or the rights of its keys');
  return missing(what, `${where} answers HTTP ${status}`, 'look at the object storage');
}

function virtualNodes({ nodes }: InspectedCluster): Finding {
  const what = 'P5 virtual node';
  const names = nodes.filter(({ virtual }) => virtual).map(({ name }) => name);
  if (names.length > 0) return ok(what, names.join(', '));
  return note(
    what,
    'none: the serverless flow cannot be used',
    'deploy a virtual node, or use an ACK Serverless cluster; the node flow needs none',
  );
}

function kernel({ name, kernelRelease }: InspectedNode): Finding {
  return kernelFinding(`kernel of ${name}`, kernelRelease);
}

function fuse({ name, inspection }: InspectedNode): Finding {
  const what = `/dev/fuse of ${name}`;
  if (inspection.state !== 'inspected') return notInspected(what, inspection);
  if (inspection.fuse === 'ok') return ok(what, 'can be opened');
  if (inspection.fuse === 'ENOENT') return missing(what, 'is not there', 'on the node: modprobe fuse');
  return missing(what, `cannot be opened: ${inspection.fuse}`, 'on the node: modprobe fuse; ls -l /dev/fuse');
}

function propagation({ name, inspection }: InspectedNode): Finding {
  const what = `propagation of ${name}`;
  if (inspection.state !== 'inspected') return notInspected(what, inspection);
  const { mountPoint, shared } = inspection.kubelet;
  if (shared) return ok(what, `the kubelet's directory is shared (mount ${mountPoint})`);
  return missing(
    what,
    `the kubelet's directory is not shared (mount ${mountPoint}), so no mount reaches a pod that runs`,
    `on the node: mount --make-rshared ${mountPoint}, in the unit of the kubelet for the next boot`,
  );
}

function notInspected(
  what: string,
  inspection: Exclude<InspectedNode['inspection'], { readonly state: 'inspected' }>,
): Finding {
  if (inspection.state === 'not-inspected') return note(what, 'was not looked at', 'run it without --no-pods');
  return missing(
    what,
    `could not be looked at: ${inspection.reason}`,
    'name an image with --image that the node can pull',
  );
}
