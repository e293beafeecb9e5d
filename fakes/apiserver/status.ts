import type { JsonObject } from './api-object.ts';

/** A wrong field, as in `Status.details.causes`. */
export interface FieldCause extends JsonObject {
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

/** The parts of a `Resource` that messages need. */
interface ResourceName {
  readonly group: string;
  readonly plural: string;
  readonly kind: string;
}

/** Makes the server answer with a `Status`; only the HTTP layer catches it. */
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

const qualified = ({ group, plural }: ResourceName): string => (group === '' ? plural : `${plural}.${group}`);
const objectDetails = (resource: ResourceName, name: string): JsonObject => ({
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

export const notFound = (resource: ResourceName, name: string): StatusError =>
  new StatusError(404, 'NotFound', `${qualified(resource)} "${name}" not found`, objectDetails(resource, name));

export const alreadyExists = (resource: ResourceName, name: string): StatusError =>
  new StatusError(
    409,
    'AlreadyExists',
    `${qualified(resource)} "${name}" already exists`,
    objectDetails(resource, name),
  );

export const conflict = (resource: ResourceName, name: string, reason: string): StatusError =>
  new StatusError(
    409,
    'Conflict',
    `Operation cannot be fulfilled on ${qualified(resource)} "${name}": ${reason}`,
    objectDetails(resource, name),
  );

export const staleVersion = (resource: ResourceName, name: string): StatusError =>
  conflict(
    resource,
    name,
    'the object has been modified; please apply your changes to the latest version and try again',
  );

export const forbidden = (resource: ResourceName, name: string, reason: string): StatusError =>
  new StatusError(
    403,
    'Forbidden',
    `${qualified(resource)} "${name}" is forbidden: ${reason}`,
    objectDetails(resource, name),
  );

/** A 422 with one cause for each field; the message names them all. */
export function invalid(resource: ResourceName, name: string, causes: readonly FieldCause[]): StatusError {
  const sentences = causes.map(({ field, message }) => `${field}: ${message}`);
  const all = sentences.length === 1 ? sentences.join('') : `[${sentences.join(', ')}]`;
  const kind = resource.group === '' ? resource.kind : `${resource.kind}.${resource.group}`;
  return new StatusError(422, 'Invalid', `${kind} "${name}" is invalid: ${all}`, {
    ...objectDetails(resource, name),
    kind: resource.kind,
    causes,
  });
}

export const expired = (requested: string, oldest: string): StatusError =>
  new StatusError(410, 'Expired', `too old resource version: ${requested} (${oldest})`);

export const unsupportedMediaType = (given: string, accepted: readonly string[]): StatusError =>
  new StatusError(
    415,
    'UnsupportedMediaType',
    `the body of the request was in an unknown format (${given}) - accepted media types include: ${accepted.join(', ')}`,
  );

export const notAcceptable = (form: string, isList: boolean): StatusError =>
  new StatusError(
    406,
    'NotAcceptable',
    `you requested ${form}, but the requested object is ${isList ? '' : 'not '}a list`,
  );

export const tooLarge = (limitBytes: number): StatusError =>
  new StatusError(413, 'RequestEntityTooLarge', `Request entity too large: limit is ${limitBytes}`);

export const required = (field: string, reason = ''): FieldCause => ({
  field,
  reason: 'FieldValueRequired',
  message: reason === '' ? 'Required value' : `Required value: ${reason}`,
});

export const invalidValue = (field: string, value: string, reason: string): FieldCause => ({
  field,
  reason: 'FieldValueInvalid',
  message: `Invalid value: ${JSON.stringify(value.length > 128 ? `${value.slice(0, 128)}...` : value)}: ${reason}`,
});

export const forbiddenField = (field: string, reason: string): FieldCause => ({
  field,
  reason: 'FieldValueForbidden',
  message: `Forbidden: ${reason}`,
});
