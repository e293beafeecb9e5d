import type { Volume } from '../engine/model.ts';
import type { JsonObject } from '../kubernetes/json.ts';
import type { Claim } from '../kubernetes/mapping.ts';

/** What the cluster says, as far as a pod is judged by it. */
export interface Facts {
  /** Bound claims, by `namespace/name`. */
  readonly claims: ReadonlyMap<string, Claim>;
  /** PersistentVolumes of the driver, by name. */
  readonly volumes: ReadonlyMap<string, Volume>;
  /** FUSE daemons, by `namespace/name` of their dataset. */
  readonly daemons: ReadonlyMap<string, DaemonTemplate>;
  /** Claims that are there, bound or not, by `namespace/name`. */
  readonly known: ReadonlySet<string>;
}

/** The FUSE container of a dataset as its DaemonSet has it, and the volumes of that DaemonSet's pods. */
export interface DaemonTemplate {
  readonly container: JsonObject;
  readonly volumes: readonly JsonObject[];
}

/** A claim of a dataset. */
export interface DatasetClaim {
  readonly claim: string;
  readonly volume: Volume;
}

/** The dataset's volume behind a claim; undefined for claims of anything else. */
export function datasetBehind(
  { claims, volumes }: Pick<Facts, 'claims' | 'volumes'>,
  namespace: string,
  claim: string,
): DatasetClaim | undefined {
  const volume = volumes.get(claims.get(`${namespace}/${claim}`)?.volume ?? '');
  // A claim may name any volume; only the volume's own word makes it bound to the claim.
  const isBound = volume?.dataset?.name === claim && volume.dataset.namespace === namespace;
  return volume !== undefined && isBound ? { claim, volume } : undefined;
}
