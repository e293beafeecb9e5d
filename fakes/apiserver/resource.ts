import type { ApiObject, Draft, JsonObject } from './api-object.ts';
import type { NameRule } from './names.ts';
import type { Fields } from './selectors.ts';
import type { Cause } from './status.ts';

/** One column of `kubectl get`. */
export interface Column {
  readonly name: string;
  /** Shown with `-o wide` only. */
  readonly wide?: true;
  readonly read: (object: ApiObject) => string;
}

/** A kind that is served; the whole of what the server knows about it. */
export interface Resource {
  /** Empty for core. */
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  readonly plural: string;
  readonly shortNames: readonly string[];
  readonly categories?: readonly string[];
  readonly namespaced: boolean;
  /** Defined by a CustomResourceDefinition on a real cluster: no strategic merge, an update needs a resourceVersion. */
  readonly custom: boolean;
  /** `separate`: written through /status only. `with-object`: the same, and taken over on create. `none`: no such subresource. */
  readonly status: 'separate' | 'with-object' | 'none';
  /** `metadata.generation` counts changes of the spec. */
  readonly generation: boolean;
  /** A delete answers with the object, not with a `Status`. */
  readonly returnsDeleted: boolean;
  readonly names: NameRule;
  readonly fields: Fields;
  readonly columns: readonly Column[];
  /** Defaults, and the status that a new object begins with. */
  readonly prepare?: (object: Draft) => Draft;
  /** Required fields and types of those that others rely on. */
  readonly check?: (object: JsonObject) => readonly Cause[];
  /** What an update may not change. */
  readonly checkUpdate?: (before: ApiObject, after: ApiObject) => readonly Cause[];
  /** Seconds between a delete and the removal where somebody on a node has to agree; absent: none. */
  readonly grace?: (object: ApiObject) => number;
}

export const groupVersion = ({ group, version }: Resource): string => (group === '' ? version : `${group}/${version}`);
