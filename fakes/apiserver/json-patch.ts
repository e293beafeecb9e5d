import type { Json } from './api-object.ts';
import { isJsonObject, sameJson } from './api-object.ts';
import { badRequest, StatusError } from './status.ts';

const unescaped = (token: string): string => token.replaceAll('~1', '/').replaceAll('~0', '~');

const failed = (why: string): StatusError => new StatusError(422, 'Invalid', `the server rejected our request: ${why}`);

function tokens(pointer: Json | undefined): readonly string[] {
  if (typeof pointer !== 'string' || (pointer !== '' && !pointer.startsWith('/'))) {
    throw badRequest(`json patch: ${JSON.stringify(pointer)} is not a JSON pointer`);
  }
  return pointer.split('/').slice(1).map(unescaped);
}

function index(list: readonly Json[], token: string, last: number): number {
  const at = token === '-' ? list.length : /^(0|[1-9]\d*)$/.test(token) ? Number(token) : Number.NaN;
  if (!(at <= last)) throw failed(`index ${token} is out of bounds`);
  return at;
}

function read(value: Json, path: readonly string[]): Json {
  let at: Json | undefined = value;
  for (const token of path) {
    if (Array.isArray(at)) at = at[index(at, token, at.length - 1)] as Json;
    else at = isJsonObject(at) && Object.hasOwn(at, token) ? at[token] : undefined;
    if (at === undefined) throw failed(`path /${path.join('/')} does not exist`);
  }
  return at;
}

type Edit = { readonly op: 'add' | 'replace'; readonly value: Json } | { readonly op: 'remove' };

function write(value: Json, path: readonly string[], edit: Edit): Json {
  const [token, ...rest] = path;
  if (token === undefined) return edit.op === 'remove' ? null : edit.value;
  if (Array.isArray(value)) {
    const list: Json[] = [...value];
    if (rest.length > 0) {
      const at = index(list, token, list.length - 1);
      list[at] = write(list[at] as Json, rest, edit);
    } else if (edit.op === 'add') list.splice(index(list, token, list.length), 0, edit.value);
    else list.splice(index(list, token, list.length - 1), 1, ...(edit.op === 'replace' ? [edit.value] : []));
    return list;
  }
  if (!isJsonObject(value)) throw failed(`path ends at ${token}`);
  const present = Object.hasOwn(value, token) ? value[token] : undefined;
  if (present === undefined && (rest.length > 0 || edit.op !== 'add')) throw failed(`${token} does not exist`);
  const entries = Object.entries(value).filter(([key]) => key !== token);
  if (rest.length > 0) return Object.fromEntries([...entries, [token, write(present ?? null, rest, edit)]]);
  return Object.fromEntries(edit.op === 'remove' ? entries : [...entries, [token, edit.value]]);
}

/** JSON patch (RFC 6902); an operation that cannot be done is a 422, one that makes no sense a 400. */
export function jsonPatch(target: Json, patch: Json): Json {
  if (!Array.isArray(patch)) throw badRequest('json patch: a list of operations is expected');
  return patch.reduce<Json>((value, operation: Json) => {
    if (!isJsonObject(operation)) throw badRequest('json patch: an operation is an object');
    const path = tokens(operation.path);
    const given = operation.value ?? null;
    switch (operation.op) {
      case 'add':
        return write(value, path, { op: 'add', value: given });
      case 'replace':
        return write(value, path, { op: 'replace', value: given });
      case 'remove':
        return write(value, path, { op: 'remove' });
      case 'move': {
        const from = tokens(operation.from);
        return write(write(value, from, { op: 'remove' }), path, { op: 'add', value: read(value, from) });
      }
      case 'copy':
        return write(value, path, { op: 'add', value: read(value, tokens(operation.from)) });
      case 'test':
        if (!sameJson(read(value, path), given)) throw failed(`test of ${String(operation.path)} failed`);
        return value;
      default:
        throw badRequest(`json patch: unknown operation ${JSON.stringify(operation.op)}`);
    }
  }, target);
}
