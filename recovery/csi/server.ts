import {
  Server,
  type ServerUnaryCall,
  type ServiceDefinition,
  type sendUnaryData,
  type UntypedServiceImplementation,
} from '@grpc/grpc-js';
import type { Nanoseconds } from '../engine/model.ts';
import type { ClockPort } from '../engine/ports.ts';
import type { ControllerService } from './controller.ts';
import { socketPath } from './endpoint.ts';
import type { IdentityService } from './identity.ts';
import type { CsiCall, NodeService } from './node.ts';
import { csiServices } from './services.ts';
import { type GrpcServer, listenOn } from './socket.ts';
import { type Answer, statusCodes } from './status.ts';

export interface CsiServerOptions {
  /** `unix:///path`; its directory is made, a socket left by a former instance is removed. */
  readonly endpoint: string;
  readonly identity: IdentityService;
  readonly node: NodeService;
  readonly controller: ControllerService;
  readonly clock: ClockPort;
  /** Takes what a handler threw: a defect, answered with INTERNAL. */
  readonly onDefect: (call: string, error: unknown) => void;
}

/** Serves CSI on a unix socket. Rejects with a sentence where the endpoint cannot be used. */
export async function serveCsi(options: CsiServerOptions): Promise<GrpcServer> {
  const path = socketPath(options.endpoint);
  if (!path.ok) throw new Error(path.message);
  const server = new Server({ 'grpc.max_receive_message_length': 1 << 20 });
  const { Identity, Node, Controller } = csiServices();
  server.addService(Identity, implementation(Identity, options.identity, options));
  server.addService(Node, implementation(Node, options.node, options));
  server.addService(Controller, implementation(Controller, options.controller, options));
  return listenOn(server, path.value);
}

type Handler = (request: unknown, call: CsiCall) => Promise<Answer<unknown>>;

/** The methods of a service that are served; grpc-js answers the others with UNIMPLEMENTED. */
function implementation(
  definition: ServiceDefinition,
  handlers: object,
  { clock, onDefect }: Pick<CsiServerOptions, 'clock' | 'onDefect'>,
): UntypedServiceImplementation {
  const served: UntypedServiceImplementation = {};
  for (const [name, { path }] of Object.entries(definition)) {
    const handler = (handlers as Record<string, Handler | undefined>)[name.charAt(0).toLowerCase() + name.slice(1)];
    if (handler === undefined) continue;
    served[name] = (call: ServerUnaryCall<unknown, unknown>, callback: sendUnaryData<unknown>) => {
      handler(call.request, csiCall(call, clock)).then(
        (answer) => {
          if (answer.ok) callback(null, answer.value);
          else callback({ code: statusCodes[answer.code], details: answer.message });
        },
        (error: unknown) => {
          onDefect(path, error);
          callback({
            code: statusCodes.INTERNAL,
            details: `${path}: ${error instanceof Error ? error.message : error}`,
          });
        },
      );
    };
  }
  return served;
}

function csiCall(call: ServerUnaryCall<unknown, unknown>, clock: ClockPort): CsiCall {
  const hungUp = new AbortController();
  call.on('cancelled', () => hungUp.abort());
  const deadline = call.getDeadline();
  const left = (deadline instanceof Date ? deadline.getTime() : deadline) - Date.now();
  if (!Number.isFinite(left)) return { signal: hungUp.signal };
  return {
    deadline: (clock.now() + BigInt(Math.max(0, Math.round(left * 1e6)))) as Nanoseconds,
    signal: hungUp.signal,
  };
}
