import type { ServerResponse } from 'node:http';
import type { ApiObject, JsonObject } from './api-object.ts';
import type { Resource } from './resource.ts';
import { groupVersion } from './resource.ts';
import type { Selector } from './selectors.ts';
import { badRequest, expired } from './status.ts';
import type { Change, Store } from './store.ts';

export interface WatchRequest {
  readonly resource: Resource;
  readonly namespace: string | undefined;
  readonly matches: Selector;
  /** Empty or `0`: begin with what is there. */
  readonly resourceVersion: string;
  readonly bookmarks: boolean;
  /** With a bookmark at the end of what was there (`sendInitialEvents`). */
  readonly initialEvents: boolean;
  readonly timeoutSeconds: number;
  /** The object as the client wants it: itself, or a Table. */
  readonly render: (object: ApiObject) => JsonObject;
}

const bookmarkEveryMs = 10_000;

/** A change as this watcher sees it: an object that begins or ceases to match appears or disappears. */
function seen({ type, object, previous }: Change, matches: Selector): string | undefined {
  const now = type !== 'DELETED' && matches(object);
  const before = previous !== undefined && matches(previous);
  if (now) return before ? 'MODIFIED' : 'ADDED';
  return before ? 'DELETED' : undefined;
}

/** Streams changes, one JSON line each, written within the write that made them. Ends with the client or after its time. */
export function streamWatch(store: Store, request: WatchRequest, response: ServerResponse): void {
  const { resource, namespace, matches, resourceVersion } = request;
  const scoped: Selector = (object) =>
    (namespace === undefined || object.metadata.namespace === namespace) && matches(object);
  const send = (type: string, object: JsonObject): void => {
    response.write(`${JSON.stringify({ type, object })}\n`);
  };
  const bookmark = (annotations?: JsonObject): void =>
    send('BOOKMARK', {
      kind: resource.kind,
      apiVersion: groupVersion(resource),
      metadata: { resourceVersion: String(store.version), ...(annotations ? { annotations } : {}) },
    });
  if (!/^\d*$/.test(resourceVersion)) throw badRequest(`invalid resource version: ${resourceVersion}`);
  const fromNow = resourceVersion === '' || resourceVersion === '0';
  const missed = fromNow ? [] : store.changesAfter(resource, Number(resourceVersion));
  response.writeHead(200, { 'content-type': 'application/json' });
  response.flushHeaders();
  if (!missed) {
    send('ERROR', expired(resourceVersion, String(store.oldest(resource))).status);
    response.end();
    return;
  }
  const deliver = (change: Change): void => {
    const type = seen(change, scoped);
    if (type !== undefined) send(type, request.render(change.object));
  };
  if (fromNow || request.initialEvents) {
    for (const object of store.list(resource).filter(scoped)) send('ADDED', request.render(object));
  } else missed.forEach(deliver);
  if (request.initialEvents) bookmark({ 'k8s.io/initial-events-end': 'true' });
  using subscriptions = new DisposableStack();
  subscriptions.use(store.watch(resource, deliver));
  if (request.bookmarks) {
    const timer = setInterval(() => bookmark(), bookmarkEveryMs);
    subscriptions.defer(() => clearInterval(timer));
  }
  const end = setTimeout(() => response.end(), request.timeoutSeconds * 1000);
  subscriptions.defer(() => clearTimeout(end));
  const kept = subscriptions.move();
  response.once('close', () => kept.dispose());
}
