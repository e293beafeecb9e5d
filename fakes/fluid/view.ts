import type { V1DaemonSet, V1PersistentVolume, V1PersistentVolumeClaim, V1Pod } from '@kubernetes/client-node';
import type { FluidObject } from './custom-objects.ts';
import type { DatasetKey } from './naming.ts';
import type { Secrets } from './validate-dataset.ts';

/** Everything that the plan for one dataset looks at. */
export interface View {
  readonly key: DatasetKey;
  readonly dataset: FluidObject | undefined;
  readonly runtime: FluidObject | undefined;
  readonly secrets: Secrets;
  /** The volume of the dataset's name, whoever made it. */
  readonly volume: V1PersistentVolume | undefined;
  readonly claim: V1PersistentVolumeClaim | undefined;
  /** The DaemonSet of the dataset's FUSE daemons, whoever made it. */
  readonly daemonSet: V1DaemonSet | undefined;
  /** All pods of the namespace. */
  readonly pods: readonly V1Pod[];
}
