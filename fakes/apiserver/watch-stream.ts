import type { ServerResponse } from 'node:http';
import type { ApiObject, JsonObject } from './api-object.ts';
import type { Resource } from './resource.ts';
import { groupVersion } from './resource.ts';
import type { Selector } from './selectors.ts';
import { badRequest, expired } from './status.ts';
import type { Storage, StoredChange } from './storage.ts';

export interface WatchRequest {
  readonly resource: Resource;
  readonly namespace: string | undefined;
  readonly matches: Selector;
  /** Empty or `0`: start with the existing objects. */
  readonly resourceVersion: string;
  readonly bookmarks: boolean;
  /** Sends the existing objects first, then a bookmark (`sendInitialEvents`). */
  readonly initialEvents: boolean;
  readonly timeoutSeconds: number;
  /** Converts an object to the form that the client accepts. */
  readonly render: (object: ApiObject) => JsonObject;
}

const bookmarkEveryMs = 10_000;

/** The event type for one watcher: an object that starts or stops matching appears or disappears. */
function eventType({ type, object, previous }: StoredChange, matches: Selector): string | undefined {
  const matchesNow = type !== 'DELETED' && matches(object);
  const matchedBefore = previous !== undefined && matches(previous);
  if (matchesNow) return matchedBefore ? 'MODIFIED' : 'ADDED';
  return matchedBefore ? 'DELETED' : undefined;
}

/**
 * Streams changes as JSON lines, each sent within the write that caused it, until the client disconnects or `timeoutSeconds` have
 * passed.
 */
export function streamWatch(store: Storage, request: WatchRequest, response: ServerResponse): void {
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
  const deliver = (change: StoredChange): void => {
    const type = eventType(change, scoped);
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
  const active = subscriptions.move();
  response.once('close', () => active.dispose());
}
