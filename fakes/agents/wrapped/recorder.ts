import { createRecorder as createReal } from '../../../recovery/agent/recorder.ts';
import type { EventDraft } from '../../../recovery/kubernetes/event-queue.ts';

export * from '../../../recovery/agent/recorder.ts';

const variants: Readonly<Record<string, (event: EventDraft) => EventDraft>> = {
  blank: (event) => ({ ...event, message: 'x' }),
  misplaced: ({ object: { uid: _, ...object }, ...event }) => ({
    ...event,
    object: { ...object, name: `not-${object.name}` },
  }),
};
const change = variants[new URL(import.meta.url).search.slice(1)] ?? ((event) => event);

/** Spoils the events of refusals: the query of this module's URL is `?blank` or `?misplaced`. */
export const createRecorder: typeof createReal = ({ events, ...parts }) =>
  createReal({ ...parts, events: { push: (event) => events.push(event.type === 'Warning' ? change(event) : event) } });
