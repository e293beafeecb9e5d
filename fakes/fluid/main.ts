/**
 * Fluid's controllers as the process of a pod: `node main.ts --image=rekindle/harness:TAG --holds=/var/lib/rekindle/RUN/holds
 * --certificate=DIR --fuse=JSON`, where JSON is a `FuseProgram`. They use the pod's service account. Serves /healthz on port 8081,
 * which answers 200 once the controllers watch, and admission to virtual nodes on port 8443, with `tls.key` and `tls.crt` of DIR.
 * Ends on SIGTERM.
 */
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { KubeConfig } from '@kubernetes/client-node';
import { requiredFlags } from '../required-flags.ts';
import { harnessImages } from './controller-objects.ts';
import { startFluid } from './reconciler.ts';
import { admitToVirtualNode } from './virtual-node.ts';

const port = 8081;
const admissionPort = 8443;
const log = (line: string): void => void process.stderr.write(`${line}\n`);

async function main(): Promise<never> {
  const flags = requiredFlags(process.argv.slice(2), ['image', 'holds', 'certificate', 'fuse']);
  if (typeof flags === 'string') {
    log(flags);
    process.exit(2);
  }
  const { certificate } = flags;
  const images = harnessImages({ ...flags, fuse: JSON.parse(flags.fuse) });
  const ended = new Promise<void>((resolve) => process.once('SIGTERM', resolve).once('SIGINT', resolve));
  let watching = false;
  createServer((_request, response) => response.writeHead(watching ? 200 : 503).end()).listen(port);
  const tls = { key: readFileSync(join(certificate, 'tls.key')), cert: readFileSync(join(certificate, 'tls.crt')) };
  createSecureServer(tls, async (request, response) => {
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify(admitToVirtualNode(await text(request))));
  }).listen(admissionPort);
  const kubeConfig = new KubeConfig();
  kubeConfig.loadFromCluster();
  await startFluid({ kubeConfig, log, images });
  watching = true;
  log('the controllers watch');
  await ended;
  process.exit(0);
}

void main().catch((error: unknown) => {
  log(error instanceof Error ? error.message : String(error));
  process.exit(1);
});
