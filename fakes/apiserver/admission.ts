import type { ApiObject } from './api-object.ts';
import type { Resource } from './resource.ts';
import { forbidden } from './status.ts';

/** A refusal at admission; the client gets it as 403 with this sentence. */
export interface Denial {
  readonly denied: string;
}

/** Sees every object before it is created, defaults applied; gives it back, changed or not, or refuses it. */
export type Admit = (object: ApiObject) => ApiObject | Denial | Promise<ApiObject | Denial>;

const isDenial = (answer: ApiObject | Denial): answer is Denial => typeof answer.denied === 'string';

/** Asks one hook after the other; the first refusal wins. */
export async function admitted(hooks: readonly Admit[], resource: Resource, object: ApiObject): Promise<ApiObject> {
  let admitting = object;
  for (const admit of hooks) {
    const answer = await admit(admitting);
    if (isDenial(answer)) throw forbidden(resource, object.metadata.name, answer.denied);
    admitting = answer;
  }
  return admitting;
}
