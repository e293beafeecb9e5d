import { setImmediate as nextTurn } from 'node:timers/promises';
import {
  Server,
  type ServerUnaryCall,
  type ServiceDefinition,
  type sendUnaryData,
  status,
  type UntypedServiceImplementation,
} from '@grpc/grpc-js';
import type { Nanoseconds } from '../engine/model.ts';
import type { ClockPort } from '../engine/ports.ts';
import { loadCsiServices } from './definitions.ts';
import type { ControllerService, IdentityService } from './identity.ts';
import type { CsiCall, NodeService } from './node.ts';
import { type GrpcServer, listenOn, parseEndpoint } from './socket.ts';
import type { CsiResult } from './status.ts';

export interface CsiServerOptions {
  /** `unix:///path`. The directory is created, and a socket that a former instance has left is replaced. */
  readonly endpoint: string;
  readonly identity: IdentityService;
  readonly node: NodeService;
  readonly controller: ControllerService;
  readonly clock: ClockPort;
  /** Called with an exception of a handler, which is a defect. The caller gets INTERNAL. */
  readonly onDefect: (call: string, error: unknown) => void;
}

/** Serves CSI on a unix socket. Rejects with one sentence if the endpoint cannot be used. */
export async function serveCsi(options: CsiServerOptions): Promise<GrpcServer> {
  const path = parseEndpoint(options.endpoint);
  if (!path.ok) throw new Error(path.message);
  const server = new Server({ 'grpc.max_receive_message_length': 1 << 20 });
  const { Identity, Node, Controller } = loadCsiServices();
  // That takes 10 ms of CPU, and so does what follows.
  await nextTurn();
  server.addService(Identity, implementService(Identity, options.identity, options));
  server.addService(Node, implementService(Node, options.node, options));
  server.addService(Controller, implementService(Controller, options.controller, options));
  return listenOn(server, path.value);
}

type Handler = (request: unknown, call: CsiCall) => Promise<CsiResult<unknown>>;

/** Maps the handlers to the methods of a service. grpc-js answers all other methods with UNIMPLEMENTED. */
function implementService(
  definition: ServiceDefinition,
  handlers: object,
  { clock, onDefect }: Pick<CsiServerOptions, 'clock' | 'onDefect'>,
): UntypedServiceImplementation {
  const methods: UntypedServiceImplementation = {};
  for (const [name, { path }] of Object.entries(definition)) {
    const handler = (handlers as Record<string, Handler | undefined>)[name.charAt(0).toLowerCase() + name.slice(1)];
    if (handler === undefined) continue;
    methods[name] = (call: ServerUnaryCall<unknown, unknown>, callback: sendUnaryData<unknown>) => {
      handler(call.request, callContext(call, clock)).then(
        (result) => {
          if (result.ok) callback(null, result.value);
          else callback({ code: status[result.code], details: result.message });
        },
        (error: unknown) => {
          onDefect(path, error);
          callback({
            code: status.INTERNAL,
            details: `${path}: ${error instanceof Error ? error.message : error}`,
          });
        },
      );
    };
  }
  return methods;
}

function callContext(call: ServerUnaryCall<unknown, unknown>, clock: ClockPort): CsiCall {
  const hungUp = new AbortController();
  call.on('cancelled', () => hungUp.abort());
  const deadline = call.getDeadline();
  const remainingMs = (deadline instanceof Date ? deadline.getTime() : deadline) - Date.now();
  if (!Number.isFinite(remainingMs)) return { signal: hungUp.signal };
  return {
    deadline: (clock.now() + BigInt(Math.max(0, Math.round(remainingMs * 1e6)))) as Nanoseconds,
    signal: hungUp.signal,
  };
}
