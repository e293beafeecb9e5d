/** What the document promises, claim by claim: id and one sentence. */
export const claims = {
  P1: 'Kubernetes 1.18 or later is needed',
  P2: 'Nodes that run ContainerOS are not supported',
  P3: 'Open-source Fluid is uninstalled before ack-fluid is installed',
  P4: 'Object storage is enabled and a bucket exists',
  P5: 'The serverless flow works where no node plugin runs: a virtual node or an ACK Serverless Pro cluster',
  L1: 'Recovery takes time and is not transparent: the application tolerates failures and tries again',
  L2: 'Only read-only datasets are recovered, and a read-only one is never writable, not for an instant',
  L3: 'A claim that is mounted with subPath is not supported',
  L4: 'Recovery happens only after the daemon has been restarted',
  L5: 'Frequent crashes make Kubernetes restart the daemon with growing delays, which lengthens recovery',
  E1: 'The gate is off by default, and nothing is recovered while it is off',
  E2: 'The documented command turns the gate on',
  E3: 'The documented command shows that the gate is on',
  D1: 'The credentials of the object store come from a Secret only',
  D2: 'A Dataset and a JindoRuntime of one name make the Dataset Bound, with its volume and its claim',
  D3: '`replicas` is the number of workers',
  D4: 'The cache is of one kind out of HDD, SSD and MEM, with one path, a quota and two marks',
  D5: 'The mount point names bucket and directory; the endpoint is an option',
  A1: 'A labelled pod that mounts the claim runs, and is recovered',
  A2: 'A pod without the label is not recovered, and no event claims that it was',
  C1: 'A loop that lists the files every second keeps running through everything',
  C2: '`kill 1` in the FUSE pod on the pod’s node makes the daemon crash',
  C3: 'The loop sees "Transport endpoint is not connected" for a while, then the files again, and the pod is not restarted',
  V1: 'A serverless pod runs with the sidecar fluid-fuse-0 beside its own container',
  V2: 'The annotation turns recovery on for a serverless pod, and changes nothing on an ordinary one',
  V3: '`kill 1` in the sidecar is recovered without a restart of the application’s container',
} as const;

export type ClaimId = keyof typeof claims;

export const isClaimId = (id: string): id is ClaimId => Object.hasOwn(claims, id);

/** The claim ids among a scenario's tags, in their order, once each: `['@C2', '@sandbox', '@C3']` → `['C2', 'C3']`. */
export function claimsOf(tags: readonly string[]): ClaimId[] {
  const ids = tags.map((tag) => tag.replace(/^@/, '')).filter(isClaimId);
  return [...new Set(ids)];
}
