import { lstatSync, mkdirSync, unlinkSync } from 'node:fs';
import { dirname } from 'node:path';
import {
  Server,
  ServerCredentials,
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
import { loadServices } from './proto.ts';
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

export interface CsiServer extends AsyncDisposable {
  /** The socket's path. Removed at disposal. */
  readonly path: string;
}

/** How long calls that are under way may go on at disposal. */
const graceMs = 300;

/** Serves CSI on a unix socket. Rejects with a sentence where the endpoint cannot be used. */
export async function serveCsi(options: CsiServerOptions): Promise<CsiServer> {
  const path = socketPath(options.endpoint);
  if (!path.ok) throw new Error(path.message);
  makeRoom(path.value);
  const server = new Server({ 'grpc.max_receive_message_length': 1 << 20 });
  const services = loadServices();
  server.addService(services.Identity.service, implementation(services.Identity.service, options.identity, options));
  server.addService(services.Node.service, implementation(services.Node.service, options.node, options));
  server.addService(
    services.Controller.service,
    implementation(services.Controller.service, options.controller, options),
  );
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  server.bindAsync(`unix://${path.value}`, ServerCredentials.createInsecure(), (error) => {
    if (error === null) resolve();
    else reject(new Error(`cannot listen on ${options.endpoint}`, { cause: error }));
  });
  await promise;
  return { path: path.value, [Symbol.asyncDispose]: () => shutDown(server) };
}

function makeRoom(path: string): void {
  mkdirSync(dirname(path), { recursive: true, mode: 0o750 });
  const stat = lstatSync(path, { throwIfNoEntry: false });
  if (stat === undefined) return;
  if (!stat.isSocket()) throw new Error(`${path} exists and is not a socket: choose another --endpoint or remove it`);
  unlinkSync(path);
}

async function shutDown(server: Server): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(() => server.forceShutdown(), graceMs);
  server.tryShutdown(() => resolve());
  await promise;
  clearTimeout(timer);
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
