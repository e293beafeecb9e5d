/**
 * Creates a bucket and reports whether it exists: `node bucket-main.ts --endpoint=http://127.0.0.1:9000 --bucket=NAME --credentials=DIR`.
 * Runs next to MinIO in its pod as the readiness probe: GET /readyz on port 9001 answers 200 while the bucket exists. Ends on SIGTERM.
 */
import { createServer } from 'node:http';
import { requiredFlags } from '../required-flags.ts';
import { readCredentials } from './credentials.ts';
import { S3Client } from './s3-client.ts';

const port = 9001;
const log = (line: string): void => void process.stderr.write(`${line}\n`);

function exitWithUsage(message: string): never {
  log(message);
  process.exit(2);
}

const flags = requiredFlags(process.argv.slice(2), ['endpoint', 'bucket', 'credentials']);
if (typeof flags === 'string') exitWithUsage(flags);
const { endpoint, bucket } = flags;
const credentials = readCredentials(flags.credentials);
if (typeof credentials === 'string') exitWithUsage(credentials);
const client = new S3Client({ address: { endpoint, bucket }, credentials, timeoutMs: 5_000 });

/** Returns S3's error code if the bucket does not exist and cannot be created. */
async function ensureBucket(): Promise<string | undefined> {
  const found = await client.headBucket();
  if (found.ok) return undefined;
  const created = await client.createBucket();
  return created.ok ? undefined : created.failure.code;
}

createServer(async (_request, response) => {
  const failure = await ensureBucket();
  response.writeHead(failure === undefined ? 200 : 503).end(`${failure ?? bucket}\n`);
}).listen(port, () => log(`bucket ${bucket} at ${endpoint}`));
for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => process.exit(0));
