import type { Resource } from './resource.ts';
import { findResource } from './resources.ts';

/** A path of the API, taken apart. */
export interface RequestPath {
  readonly resource: Resource;
  readonly namespace: string | undefined;
  readonly name: string | undefined;
  readonly subresource: string | undefined;
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

/** `/api/v1/...` and `/apis/<group>/<version>/...`; undefined where no kind is served there. */
export function parseRequestPath(pathname: string): RequestPath | undefined {
  const [, root, ...parts] = pathname.split('/').map(decode);
  const [group, version, ...rest] = root === 'api' ? ['', ...parts] : parts;
  if ((root !== 'api' && root !== 'apis') || group === undefined || version === undefined) return undefined;
  const [first = '', second, third, ...more] = rest;
  const namespaced = first === 'namespaces' && second !== undefined && third !== undefined;
  const inner = namespaced ? findResource(group, version, third) : undefined;
  if (namespaced && (inner || group !== '')) {
    const [name, subresource, ...beyond] = more;
    if (!inner?.namespaced || beyond.length > 0) return undefined;
    return { resource: inner, namespace: second, name, subresource };
  }
  const resource = findResource(group, version, first);
  if (!resource || more.length > 0) return undefined;
  if (resource.namespaced && second !== undefined) return undefined;
  return { resource, namespace: undefined, name: second, subresource: third };
}
