import { z } from 'zod';
import type { FluidObject } from './custom-objects.ts';
import { list, oneOf, quantity, text, wantsObject } from './fields.ts';
import type { Finding, Judged } from './finding.ts';
import { findingsOf } from './finding.ts';
import type { MountPoint } from './mount-point.ts';
import { checkEndpoint, parseMountPoint } from './mount-point.ts';
import { behaviourAnnotation } from './naming.ts';

/** A key of a Secret in the dataset's namespace. */
export interface SecretKey {
  readonly secret: string;
  readonly key: string;
}

/** What is made of a Dataset. */
export interface DatasetFacts extends MountPoint {
  readonly endpoint: string;
  readonly credentials: { readonly accessKeyId: SecretKey; readonly accessKeySecret: SecretKey };
  readonly accessModes: readonly string[];
  /** Quantity that the volume claims to hold. */
  readonly capacity: string;
  /** JSON, as it stands in the annotation. */
  readonly behaviour: string | undefined;
}

/** Names of the secrets of the dataset's namespace, each with its keys. */
export type Secrets = ReadonlyMap<string, ReadonlySet<string>>;

const accessModes = ['ReadWriteOnce', 'ReadOnlyMany', 'ReadWriteMany', 'ReadWriteOncePod'] as const;
const capacityAnnotation = 'pvc.fluid.io/resources.requests.storage';
const label = /^[a-z]([-a-z0-9]*[a-z0-9])?$/;
const prefixes = ['fs.oss', 'fs.s3'] as const;

const encryptOption = z.object(
  {
    name: text,
    valueFrom: z.object({ secretKeyRef: z.object({ name: text, key: text }, wantsObject) }, wantsObject),
  },
  wantsObject,
);

const mount = z.object(
  {
    mountPoint: text,
    options: z.record(z.string(), z.string({ error: 'must be a string' }), wantsObject).optional(),
    encryptOptions: list(encryptOption).optional(),
  },
  wantsObject,
);

const datasetSpec = z.object(
  {
    mounts: list(mount).min(1, 'must have one entry').max(1, 'must have exactly one entry: one bucket is served'),
    accessModes: list(oneOf(accessModes)).optional(),
  },
  wantsObject,
);

type Mount = z.infer<typeof mount>;
type EncryptOption = z.infer<typeof encryptOption>;

function checkSecrets(options: readonly EncryptOption[], secrets: Secrets): readonly Finding[] {
  return options.flatMap(({ valueFrom: { secretKeyRef } }, index): readonly Finding[] => {
    const at = `spec.mounts[0].encryptOptions[${index}].valueFrom.secretKeyRef`;
    const keys = secrets.get(secretKeyRef.name);
    if (!keys) return [{ field: `${at}.name`, message: `secret "${secretKeyRef.name}" not found` }];
    if (keys.has(secretKeyRef.key)) return [];
    return [{ field: `${at}.key`, message: `secret "${secretKeyRef.name}" has no key "${secretKeyRef.key}"` }];
  });
}

/** The Secret's key for a credential, or what is wrong with it: missing, twice, or written in the clear. */
function credential(mounted: Mount, name: string): SecretKey | Finding {
  const found = (mounted.encryptOptions ?? []).filter((option) =>
    prefixes.some((prefix) => option.name === `${prefix}.${name}`),
  );
  const [first, second] = found;
  const clear = prefixes.find((prefix) => mounted.options?.[`${prefix}.${name}`] !== undefined);
  if (clear !== undefined) {
    const message = 'must not be written in the clear: name a Secret in encryptOptions';
    return { field: `spec.mounts[0].options.${clear}.${name}`, message };
  }
  const field = 'spec.mounts[0].encryptOptions';
  if (!first) return { field, message: `must name the Secret of fs.oss.${name}` };
  if (second) return { field, message: `fs.oss.${name} must be given once` };
  const { name: secret, key } = first.valueFrom.secretKeyRef;
  return { secret, key };
}

function endpointOf({ options }: Mount): string | Finding {
  const key = prefixes.map((prefix) => `${prefix}.endpoint`).find((name) => options?.[name] !== undefined);
  const endpoint = key === undefined ? '' : (options?.[key] ?? '').trim();
  const field = `spec.mounts[0].options.${key ?? 'fs.oss.endpoint'}`;
  if (endpoint === '') {
    return { field, message: 'oss endpoint can not be null, please check <fs.oss.endpoint> option' };
  }
  const wrong = checkEndpoint(endpoint);
  return wrong === undefined ? endpoint : { field, message: wrong };
}

function checkMetadata({ metadata }: Pick<FluidObject, 'metadata'>): readonly Finding[] {
  const { name = '', annotations = {} } = metadata;
  const behaviour = annotations[behaviourAnnotation];
  const capacity = annotations[capacityAnnotation];
  return [
    ...(label.test(name) && name.length <= 63
      ? []
      : [
          {
            field: 'metadata.name',
            message:
              'must be at most 63 lower case letters, digits and hyphens, beginning with a letter (DNS-1035): volumes, claims and pods are named after it',
          },
        ]),
    ...(behaviour === undefined || isJson(behaviour)
      ? []
      : [{ field: `metadata.annotations.${behaviourAnnotation}`, message: 'must be JSON' }]),
    ...(capacity === undefined || quantity.safeParse(capacity).success
      ? []
      : [{ field: `metadata.annotations.${capacityAnnotation}`, message: 'must be a quantity such as 100Gi' }]),
  ];
}

function isJson(value: string): boolean {
  try {
    JSON.parse(value);
    return true;
  } catch {
    return false;
  }
}

const isFinding = (value: unknown): value is Finding => typeof value === 'object' && value !== null && 'field' in value;

/** Judges a Dataset by the seed document (D1, D2, D5). Never throws, whatever the spec is. */
export function validateDataset(
  dataset: Pick<FluidObject, 'metadata' | 'spec'>,
  secrets: Secrets,
): Judged<DatasetFacts> {
  const metadata = checkMetadata(dataset);
  const parsed = datasetSpec.safeParse(dataset.spec);
  const [mounted] = parsed.success ? parsed.data.mounts : [];
  if (!parsed.success || !mounted) {
    return { ok: false, findings: [...metadata, ...(parsed.error ? findingsOf(parsed.error, 'spec') : [])] };
  }
  const place = parseMountPoint(mounted.mountPoint);
  const endpoint = endpointOf(mounted);
  const accessKeyId = credential(mounted, 'accessKeyId');
  const accessKeySecret = credential(mounted, 'accessKeySecret');
  const findings = [
    ...metadata,
    ...(typeof place === 'string' ? [{ field: 'spec.mounts[0].mountPoint', message: place }] : []),
    ...[endpoint, accessKeyId, accessKeySecret].filter(isFinding),
    ...checkSecrets(mounted.encryptOptions ?? [], secrets),
  ];
  if (
    findings.length > 0 ||
    typeof place === 'string' ||
    isFinding(endpoint) ||
    isFinding(accessKeyId) ||
    isFinding(accessKeySecret)
  ) {
    return { ok: false, findings };
  }
  const modes = parsed.data.accessModes ?? [];
  const { annotations = {} } = dataset.metadata;
  return {
    ok: true,
    value: {
      ...place,
      endpoint,
      credentials: { accessKeyId, accessKeySecret },
      accessModes: modes.length > 0 ? modes : ['ReadOnlyMany'],
      capacity: annotations[capacityAnnotation] ?? '100Pi',
      behaviour: annotations[behaviourAnnotation],
    },
  };
}
