import { mkdirSync, rmSync } from 'node:fs';
import { dirname } from 'node:path';
import {
  Server,
  ServerCredentials,
  type ServerUnaryCall,
  type ServiceDefinition,
  type sendUnaryData,
} from '@grpc/grpc-js';
import protobuf, { type INamespace } from 'protobufjs/light.js';
import csi from '../../recovery/csi/csi.json' with { type: 'json' };
import registration from '../../recovery/csi/registration.json' with { type: 'json' };

// Nothing but the published definitions is shared with the agent, which would otherwise be judged by its own code (docs/adr/0055).

/** A refusal with a status of gRPC (`google.rpc.Code`). */
export class CsiRefusal extends Error {
  readonly code: number;
  constructor(code: number, message: string) {
    super(message);
    this.code = code;
  }
}

/** The statuses that these drivers use. */
export const invalidArgument = 3;
export const internal = 13;
const unknown = 2;

/** Attributes, parameters or secrets of a volume. */
export type VolumeTexts = Readonly<Record<string, string>>;

/** Answers one call. The request has its fields in camel case. */
type Method = (request: Readonly<Record<string, unknown>>) => object | Promise<object>;

export type Methods = Readonly<Record<string, Method>>;

export interface CsiDriver {
  readonly name: string;
  readonly nodeId: string;
  readonly node: Methods;
  readonly controller?: Methods;
}

/** Serves Identity, Node and, if it has one, Controller on a unix socket. */
export async function serveDriver(driver: CsiDriver, socket: string): Promise<void> {
  const { name, nodeId, node, controller } = driver;
  const server = new Server();
  add(server, csi, 'csi.v1.Identity', {
    GetPluginInfo: () => ({ name, vendorVersion: '1.0.0' }),
    GetPluginCapabilities: () => ({
      capabilities: controller ? [{ service: { type: 'CONTROLLER_SERVICE' } }] : [],
    }),
    Probe: () => ({ ready: { value: true } }),
  });
  add(server, csi, 'csi.v1.Node', {
    NodeGetInfo: () => ({ nodeId }),
    NodeGetCapabilities: () => ({ capabilities: [] }),
    ...node,
  });
  if (controller) add(server, csi, 'csi.v1.Controller', controller);
  await listen(server, socket);
}

/** Registers a driver with a kubelet, as the sidecar node-driver-registrar does. `endpoint`: the socket as the kubelet sees it. */
export async function registerDriver(name: string, endpoint: string, registry: string): Promise<void> {
  const server = new Server();
  add(server, registration, 'pluginregistration.Registration', {
    GetInfo: () => ({ type: 'CSIPlugin', name, endpoint, supportedVersions: ['1.0.0'] }),
    NotifyRegistrationStatus: () => ({}),
  });
  await listen(server, `${registry}/${name}-reg.sock`);
}

function add(server: Server, definition: object, service: string, methods: Methods): void {
  const implementation = Object.entries(methods).map(([name, method]) => [name, answer(method)]);
  server.addService(loadService(definition, service), Object.fromEntries(implementation));
}

function answer(method: Method) {
  return ({ request }: ServerUnaryCall<Readonly<Record<string, unknown>>, object>, done: sendUnaryData<object>) => {
    Promise.resolve(request)
      .then(method)
      .then(
        (response) => done(null, response),
        (error: Error) => done({ code: error instanceof CsiRefusal ? error.code : unknown, details: error.message }),
      );
  };
}

function loadService(definition: object, name: string): ServiceDefinition {
  const service = protobuf.Root.fromJSON(definition as INamespace).lookupService(name);
  const methods = service.methodsArray.map((method) => {
    method.resolve();
    const { resolvedRequestType: request, resolvedResponseType: response } = method;
    const encode = (type: protobuf.Type | null) => (message: object) =>
      Buffer.from(type?.encode(type.fromObject(message)).finish() ?? []);
    const decode = (type: protobuf.Type | null) => (bytes: Buffer) =>
      type?.toObject(type.decode(bytes), { longs: Number, enums: String, defaults: true }) ?? {};
    const codecs = {
      requestSerialize: encode(request),
      requestDeserialize: decode(request),
      responseSerialize: encode(response),
      responseDeserialize: decode(response),
    };
    const path = `/${name}/${method.name}`;
    return [method.name, { path, requestStream: false, responseStream: false, ...codecs }];
  });
  return Object.fromEntries(methods);
}

async function listen(server: Server, socket: string): Promise<void> {
  mkdirSync(dirname(socket), { recursive: true });
  rmSync(socket, { force: true });
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  server.bindAsync(`unix://${socket}`, ServerCredentials.createInsecure(), (error) =>
    error ? reject(error) : resolve(),
  );
  await promise;
}
