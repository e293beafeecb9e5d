import type { Draft, Json, JsonObject } from './api-object.ts';
import { isJsonObject, objectAt, stringAt } from './api-object.ts';
import { checkMetadata, checkName } from './names.ts';
import type { Resource } from './resource.ts';
import { groupVersion } from './resource.ts';
import { badRequest, invalid } from './status.ts';

/** The body as an object of this kind: apiVersion, kind and namespace agree with the path, or it is a 400. */
export function decodeDraft(resource: Resource, namespace: string | undefined, body: Json): Draft {
  if (!isJsonObject(body)) throw badRequest('the body of the request is not an object');
  const apiVersion = groupVersion(resource);
  const given = `${stringAt(body, 'apiVersion')}, Kind=${stringAt(body, 'kind')}`;
  const expected = `${apiVersion}, Kind=${resource.kind}`;
  const agrees =
    [undefined, '', apiVersion].includes(body.apiVersion as string) &&
    [undefined, '', resource.kind].includes(body.kind as string);
  if (!agrees) throw badRequest(`the object provided is unrecognized: ${given} does not match ${expected}`);
  const { metadata } = body;
  if (metadata !== undefined && metadata !== null && !isJsonObject(metadata))
    throw badRequest('metadata is not an object');
  const said = stringAt(metadata, 'namespace');
  if (said !== '' && said !== (namespace ?? '')) {
    throw badRequest(
      `the namespace of the provided object does not match the namespace sent on the request (${said} is not ${namespace ?? 'allowed here'})`,
    );
  }
  return { ...body, apiVersion, kind: resource.kind, metadata: objectAt(body, 'metadata') };
}

/** 422 where the name, the metadata or a field that the kind needs is wrong. */
export function checkDraft(resource: Resource, object: JsonObject): void {
  const name = stringAt(object, 'metadata', 'name');
  const causes = [
    ...checkName('metadata.name', name, resource.names),
    ...checkMetadata(objectAt(object, 'metadata')),
    ...(resource.check?.(object) ?? []),
  ];
  if (causes.length > 0) throw invalid(resource, name, causes);
}
