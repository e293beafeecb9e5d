import type { ServiceDefinition } from '@grpc/grpc-js';
import protobuf, { type INamespace } from 'protobufjs/light.js';
import csi from './csi.json' with { type: 'json' };

export type ServiceName = 'Identity' | 'Node' | 'Controller';

/** The CSI services of the published definition. */
export function loadCsiServices(): Readonly<Record<ServiceName, ServiceDefinition>> {
  return loadServices(csi, 'csi.v1', ['Identity', 'Node', 'Controller']);
}

/**
 * Loads services for grpc-js from a definition that `compile-protos.ts` has written. Field names are in camel case, 64-bit
 * integers are numbers, enum values are names, and missing fields have their defaults.
 *
 * `@grpc/proto-loader` would also create descriptors for reflection, which takes 25 ms of the agent's start (docs/adr/0022).
 * @throws if the package has no such service
 */
export function loadServices<Name extends string>(
  definition: object,
  packageName: string,
  names: readonly Name[],
): Readonly<Record<Name, ServiceDefinition>> {
  const root = protobuf.Root.fromJSON(definition as INamespace);
  const entries = names.map((name) => [name, toServiceDefinition(root.lookupService(`${packageName}.${name}`))]);
  return Object.fromEntries(entries);
}

function toServiceDefinition(service: protobuf.Service): ServiceDefinition {
  const path = service.fullName.slice(1);
  const methods = service.methodsArray.map((method) => {
    method.resolve();
    const { resolvedRequestType: request, resolvedResponseType: response } = method;
    if (!request || !response) throw new Error(`${path}.${method.name} has no messages`);
    const definition = {
      path: `/${path}/${method.name}`,
      requestStream: method.requestStream === true,
      responseStream: method.responseStream === true,
      requestSerialize: serializer(request),
      requestDeserialize: deserializer(request),
      responseSerialize: serializer(response),
      responseDeserialize: deserializer(response),
    };
    return [method.name, definition];
  });
  return Object.fromEntries(methods);
}

function serializer(type: protobuf.Type) {
  return (message: object) => Buffer.from(type.encode(type.fromObject(message)).finish());
}

function deserializer(type: protobuf.Type) {
  return (bytes: Buffer) =>
    type.toObject(type.decode(bytes), { longs: Number, enums: String, defaults: true, oneofs: true });
}
