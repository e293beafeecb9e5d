import { driverName, type Nanoseconds } from '../engine/model.ts';
import type { ClockPort } from '../engine/ports.ts';
import type { EventDraft, EventSender, Occurrences } from './event-queue.ts';
import { objectAt, textAt } from './json.ts';
import { partial } from './list-watch.ts';
import { ApiError, type ApiRequest, type Transport } from './transport.ts';

export interface EventSenderOptions {
  readonly transport: Transport;
  readonly nodeName: string;
  /** Returns the given number of random hexadecimal digits, to make names unique. */
  readonly randomHex: (digits: number) => string;
  readonly now: () => Date;
  readonly signal: AbortSignal;
  readonly clock: Pick<ClockPort, 'after'>;
}

/** Timeout of each request: other events wait behind it. */
const timeout = 10_000_000_000n as Nanoseconds;

/** The component in Fluid's own recovery events. */
const component = 'FuseRecover';
/** How long a dataset's uid is remembered; if it is created anew meanwhile, its events are found only by name. */
const uidMs = 10 * 60_000;
const rememberedUids = 256;
const longestMessage = 1024;
const longestName = 253;

/** Writes events through the core API (Kubernetes `v1` Event). */
export function createEventSender(options: EventSenderOptions): EventSender {
  const { transport, nodeName, randomHex, now, signal, clock } = options;
  const uids = new Map<string, { readonly uid: string; readonly at: number }>();

  async function send(request: Omit<ApiRequest, 'signal'>): Promise<unknown> {
    const late = new AbortController();
    using _ = clock.after(timeout, () => late.abort(new Error('the API server does not respond')));
    return await transport.json({ ...request, signal: AbortSignal.any([signal, late.signal]) });
  }

  /** `kubectl describe` finds events by the object's uid, which is not known for datasets. */
  async function uidOf({ apiVersion, kind, namespace, name, uid }: EventDraft['object']): Promise<string | undefined> {
    if (uid !== undefined || kind !== 'Dataset') return uid;
    const path = `/apis/${apiVersion}/namespaces/${namespace}/datasets/${name}`;
    const at = now().getTime();
    const known = uids.get(path);
    if (known !== undefined && at - known.at < uidMs) return known.uid;
    const request = { method: 'GET', path, ...partial('PartialObjectMetadata') } as const;
    const dataset = await send(request).catch(() => undefined);
    const found = textAt(objectAt(dataset, 'metadata'), 'uid');
    uids.delete(path);
    for (const [oldest] of uids) {
      if (uids.size < rememberedUids) break;
      uids.delete(oldest);
    }
    if (found !== undefined) uids.set(path, { uid: found, at });
    return found;
  }

  return {
    async create(draft, seen) {
      const { namespace, name: objectName } = draft.object;
      const name = `${objectName.slice(0, longestName - 17)}.${randomHex(16)}`;
      const uid = await uidOf(draft.object);
      const value = {
        apiVersion: 'v1',
        kind: 'Event',
        metadata: { name, namespace },
        involvedObject: { ...draft.object, ...(uid === undefined ? {} : { uid }) },
        type: draft.type,
        reason: draft.reason,
        message: draft.message.slice(0, longestMessage),
        source: { component, host: nodeName },
        reportingComponent: driverName,
        reportingInstance: nodeName,
        ...times(seen),
      };
      const body = { contentType: 'application/json', value };
      await send({ method: 'POST', path: `/api/v1/namespaces/${namespace}/events`, body });
      return name;
    },
    async count({ object }, name, seen) {
      const { count, lastTimestamp } = times(seen);
      const body = { contentType: 'application/merge-patch+json', value: { count, lastTimestamp } };
      const path = `/api/v1/namespaces/${object.namespace}/events/${name}`;
      try {
        await send({ method: 'PATCH', path, body });
        return 'counted';
      } catch (error) {
        if (error instanceof ApiError && error.status === 404) return 'gone';
        throw error;
      }
    },
  };
}

function times({ count, first, last }: Occurrences) {
  return { count, firstTimestamp: toSeconds(first), lastTimestamp: toSeconds(last) };
}

/** Formats a time like Kubernetes: RFC 3339 in whole seconds. */
function toSeconds(date: Date): string {
  return date.toISOString().replace(/\.\d+Z$/, 'Z');
}
