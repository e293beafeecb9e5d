import type { ApiObject, Draft, JsonObject } from './api-object.ts';
import type { SelectableFields } from './selectors.ts';
import type { FieldCause } from './status.ts';
import type { NameRule } from './validation.ts';

/** A column of `kubectl get`. */
export interface Column {
  readonly name: string;
  /** Shown with `-o wide` only. */
  readonly wide?: true;
  readonly read: (object: ApiObject) => string;
}

/** Everything that the server knows about a kind that it serves. */
export interface Resource {
  /** Empty for core. */
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  readonly plural: string;
  readonly shortNames: readonly string[];
  readonly categories?: readonly string[];
  readonly namespaced: boolean;
  /** Defined by a CustomResourceDefinition on a real cluster: no strategic merge, and updates need a resourceVersion. */
  readonly custom: boolean;
  /** `separate`: written through /status only. `with-object`: the same, except on create. `none`: no such subresource. */
  readonly status: 'separate' | 'with-object' | 'none';
  /** Whether `metadata.generation` counts changes of the spec. */
  readonly generation: boolean;
  /** Whether a delete answers with the object instead of a `Status`. */
  readonly returnsDeleted: boolean;
  readonly names: NameRule;
  readonly fields: SelectableFields;
  readonly columns: readonly Column[];
  /** Sets defaults and the initial status. */
  readonly prepare?: (object: Draft) => Draft;
  /** Checks required fields, and the types of fields that other code relies on. */
  readonly check?: (object: JsonObject) => readonly FieldCause[];
  /** Checks that an update leaves immutable fields unchanged. */
  readonly checkUpdate?: (before: ApiObject, after: ApiObject) => readonly FieldCause[];
  /** Seconds that a kubelet has between a delete and the removal; 0 by default. */
  readonly grace?: (object: ApiObject) => number;
}

export const groupVersion = ({ group, version }: Resource): string => (group === '' ? version : `${group}/${version}`);
