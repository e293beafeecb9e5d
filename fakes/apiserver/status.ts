import type { JsonObject } from './api-object.ts';

/** One field that is wrong, as in `Status.details.causes`. */
export interface Cause extends JsonObject {
  readonly field: string;
  readonly reason: 'FieldValueRequired' | 'FieldValueInvalid' | 'FieldValueForbidden' | 'FieldValueTooLong';
  readonly message: string;
}

export interface Status extends JsonObject {
  readonly kind: 'Status';
  readonly apiVersion: 'v1';
  readonly status: 'Failure' | 'Success';
  readonly code: number;
}

/** Names a kind in messages: `datasets.data.fluid.io`. */
export interface Named {
  readonly group: string;
  readonly plural: string;
  readonly kind: string;
}

/** A request that is answered with a `Status`; the HTTP door is the only place that catches it. */
export class StatusError extends Error {
  readonly code = 'STATUS';
  readonly status: Status;
  constructor(code: number, reason: string, message: string, details: JsonObject = {}) {
    super(message);
    this.status = {
      kind: 'Status',
      apiVersion: 'v1',
      metadata: {},
      status: 'Failure',
      message,
      reason,
      details,
      code,
    };
  }
}

export function success(details: JsonObject, code = 200): Status {
  return { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', details, code };
}

const qualified = ({ group, plural }: Named): string => (group === '' ? plural : `${plural}.${group}`);
const about = (resource: Named, name: string): JsonObject => ({
  name,
  kind: resource.plural,
  ...(resource.group === '' ? {} : { group: resource.group }),
});

export const badRequest = (message: string): StatusError => new StatusError(400, 'BadRequest', message);

export const unauthorized = (): StatusError => new StatusError(401, 'Unauthorized', 'Unauthorized');

export const noSuchPath = (): StatusError =>
  new StatusError(404, 'NotFound', 'the server could not find the requested resource');

export const methodNotAllowed = (): StatusError =>
  new StatusError(405, 'MethodNotAllowed', 'the server does not allow this method on the requested resource');

export const notFound = (resource: Named, name: string): StatusError =>
  new StatusError(404, 'NotFound', `${qualified(resource)} "${name}" not found`, about(resource, name));

export const alreadyExists = (resource: Named, name: string): StatusError =>
  new StatusError(409, 'AlreadyExists', `${qualified(resource)} "${name}" already exists`, about(resource, name));

export const conflict = (resource: Named, name: string, why: string): StatusError =>
  new StatusError(
    409,
    'Conflict',
    `Operation cannot be fulfilled on ${qualified(resource)} "${name}": ${why}`,
    about(resource, name),
  );

export const staleVersion = (resource: Named, name: string): StatusError =>
  conflict(
    resource,
    name,
    'the object has been modified; please apply your changes to the latest version and try again',
  );

export const forbidden = (resource: Named, name: string, why: string): StatusError =>
  new StatusError(403, 'Forbidden', `${qualified(resource)} "${name}" is forbidden: ${why}`, about(resource, name));

/** 422 with one cause for each field; the message names them all. */
export function invalid(resource: Named, name: string, causes: readonly Cause[]): StatusError {
  const sentences = causes.map(({ field, message }) => `${field}: ${message}`);
  const all = sentences.length === 1 ? sentences.join('') : `[${sentences.join(', ')}]`;
  const kind = resource.group === '' ? resource.kind : `${resource.kind}.${resource.group}`;
  return new StatusError(422, 'Invalid', `${kind} "${name}" is invalid: ${all}`, {
    ...about(resource, name),
    kind: resource.kind,
    causes,
  });
}

export const expired = (asked: string, oldest: string): StatusError =>
  new StatusError(410, 'Expired', `too old resource version: ${asked} (${oldest})`);

export const unsupportedMediaType = (given: string, accepted: readonly string[]): StatusError =>
  new StatusError(
    415,
    'UnsupportedMediaType',
    `the body of the request was in an unknown format (${given}) - accepted media types include: ${accepted.join(', ')}`,
  );

export const tooLarge = (limitBytes: number): StatusError =>
  new StatusError(413, 'RequestEntityTooLarge', `Request entity too large: limit is ${limitBytes}`);

export const required = (field: string, why = ''): Cause => ({
  field,
  reason: 'FieldValueRequired',
  message: why === '' ? 'Required value' : `Required value: ${why}`,
});

export const invalidValue = (field: string, value: string, why: string): Cause => ({
  field,
  reason: 'FieldValueInvalid',
  message: `Invalid value: ${JSON.stringify(value.length > 128 ? `${value.slice(0, 128)}...` : value)}: ${why}`,
});

export const forbiddenField = (field: string, why: string): Cause => ({
  field,
  reason: 'FieldValueForbidden',
  message: `Forbidden: ${why}`,
});
