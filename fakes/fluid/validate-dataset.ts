import { z } from 'zod';
import {
  type FieldError,
  list,
  nonEmptyString,
  objectErrors,
  oneOf,
  quantity,
  toFieldErrors,
  type Validation,
} from './fields.ts';
import { behaviourAnnotation, type FluidObject, standbyAnnotation, takeoverAnnotation } from './names.ts';

/** A key of a Secret in the dataset's namespace. */
export interface SecretKey {
  readonly secret: string;
  readonly key: string;
}

/** Bucket and directory, never the endpoint (claim D5). */
interface MountPoint {
  readonly bucket: string;
  /** Without slashes at its ends; empty for the whole bucket. */
  readonly prefix: string;
}

/** What the controllers need of a valid Dataset. */
export interface DatasetSettings extends MountPoint {
  readonly endpoint: string;
  readonly credentials: { readonly accessKeyId: SecretKey; readonly accessKeySecret: SecretKey };
  readonly accessModes: readonly string[];
  /** The quantity that the volume offers. */
  readonly capacity: string;
  /** The JSON of the annotation, unchanged. */
  readonly behaviour: string | undefined;
  /** Number of standbys, 0 to 3. */
  readonly standbys: number;
  /** Its daemons leave their connection to a keeper. */
  readonly takeover: boolean;
  /** Of these controllers (`MOUNT_ROOT`), not of the dataset: the directory below which daemons mount. `/runtime-mnt` by default. */
  readonly mountRoot?: string | undefined;
}

/** The Secrets of the dataset's namespace: the keys of each, by name. */
export type SecretKeys = ReadonlyMap<string, ReadonlySet<string>>;

const accessModes = ['ReadWriteOnce', 'ReadOnlyMany', 'ReadWriteMany', 'ReadWriteOncePod'] as const;
const capacityAnnotation = 'pvc.fluid.io/resources.requests.storage';
const dnsLabel = /^[a-z]([-a-z0-9]*[a-z0-9])?$/;
const optionPrefixes = ['fs.oss', 'fs.s3'] as const;
const bucketName = /^[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$/;
const controlCharacter = /\p{Cc}/u;

const encryptOption = z.object(
  {
    name: nonEmptyString,
    valueFrom: z.object(
      { secretKeyRef: z.object({ name: nonEmptyString, key: nonEmptyString }, objectErrors) },
      objectErrors,
    ),
  },
  objectErrors,
);

const mount = z.object(
  {
    mountPoint: nonEmptyString,
    options: z.record(z.string(), z.string({ error: 'must be a string' }), objectErrors).optional(),
    encryptOptions: list(encryptOption).optional(),
  },
  objectErrors,
);

const datasetSpec = z.object(
  {
    mounts: list(mount).min(1, 'must have one entry').max(1, 'must have exactly one entry: one bucket is served'),
    accessModes: list(oneOf(accessModes)).optional(),
  },
  objectErrors,
);

type DatasetMount = z.infer<typeof mount>;
type EncryptOption = z.infer<typeof encryptOption>;

/** Validates a Dataset by the document (D1, D2, D5). Never throws, whatever the spec is. */
export function validateDataset(
  dataset: Pick<FluidObject, 'metadata' | 'spec'>,
  secretKeys: SecretKeys,
): Validation<DatasetSettings> {
  const metadataErrors = checkMetadata(dataset);
  const parsed = datasetSpec.safeParse(dataset.spec);
  const [mounted] = parsed.success ? parsed.data.mounts : [];
  if (!parsed.success || !mounted) {
    return { ok: false, errors: [...metadataErrors, ...(parsed.error ? toFieldErrors(parsed.error, 'spec') : [])] };
  }
  const mountPoint = parseMountPoint(mounted.mountPoint);
  const endpoint = parseEndpoint(mounted);
  const accessKeyId = findCredential(mounted, 'accessKeyId');
  const accessKeySecret = findCredential(mounted, 'accessKeySecret');
  const errors = [
    ...metadataErrors,
    ...[mountPoint, endpoint, accessKeyId, accessKeySecret].filter(isFieldError),
    ...checkSecrets(mounted.encryptOptions ?? [], secretKeys),
  ];
  if (
    errors.length > 0 ||
    isFieldError(mountPoint) ||
    isFieldError(endpoint) ||
    isFieldError(accessKeyId) ||
    isFieldError(accessKeySecret)
  ) {
    return { ok: false, errors };
  }
  const modes = parsed.data.accessModes ?? [];
  const { annotations = {} } = dataset.metadata;
  return {
    ok: true,
    value: {
      ...mountPoint,
      endpoint,
      credentials: { accessKeyId, accessKeySecret },
      accessModes: modes.length > 0 ? modes : ['ReadOnlyMany'],
      capacity: annotations[capacityAnnotation] ?? '100Pi',
      behaviour: annotations[behaviourAnnotation],
      takeover: annotations[takeoverAnnotation] === 'true',
      standbys: Number(annotations[standbyAnnotation] ?? 0),
    },
  };
}

const isFieldError = (value: unknown): value is FieldError =>
  typeof value === 'object' && value !== null && 'field' in value;

function checkMetadata({ metadata }: Pick<FluidObject, 'metadata'>): readonly FieldError[] {
  const { name = '', annotations = {} } = metadata;
  const behaviour = annotations[behaviourAnnotation];
  const capacity = annotations[capacityAnnotation];
  const standbys = annotations[standbyAnnotation];
  const errors: FieldError[] = [];
  if (!dnsLabel.test(name) || name.length > 63) {
    const message =
      'must be at most 63 lower case letters, digits and hyphens, beginning with a letter (DNS-1035): volumes, claims and pods are named after it';
    errors.push({ field: 'metadata.name', message });
  }
  if (behaviour !== undefined && !isJson(behaviour)) {
    errors.push({ field: `metadata.annotations.${behaviourAnnotation}`, message: 'must be JSON' });
  }
  if (standbys !== undefined && !/^[1-3]$/.test(standbys)) {
    const message = `must be "1", "2" or "3", the number of standbys, not ${JSON.stringify(standbys)}; without the annotation there is none`;
    errors.push({ field: `metadata.annotations.${standbyAnnotation}`, message });
  }
  if (capacity !== undefined && !quantity.safeParse(capacity).success) {
    errors.push({ field: `metadata.annotations.${capacityAnnotation}`, message: 'must be a quantity such as 100Gi' });
  }
  return errors;
}

function isJson(value: string): boolean {
  try {
    JSON.parse(value);
    return true;
  } catch {
    return false;
  }
}

/** Parses `oss://bucket/directory` or `s3://bucket/directory`. */
function parseMountPoint(text: string): MountPoint | FieldError {
  const field = 'spec.mounts[0].mountPoint';
  const [, bucket = '', directory = ''] = /^(?:oss|s3):\/\/([^/]*)(?:\/(.*))?$/s.exec(text) ?? [];
  if (!/^(oss|s3):\/\//.test(text)) return { field, message: 'must be oss://<bucket>/<directory>' };
  if (/[.:@]/.test(bucket)) {
    const message = 'must hold bucket and directory only: the endpoint belongs in the option fs.oss.endpoint';
    return { field, message };
  }
  if (!bucketName.test(bucket)) {
    const message = 'must begin with the name of a bucket: 3 to 63 lower case letters, digits and hyphens';
    return { field, message };
  }
  const parts = directory.split('/').filter((part) => part !== '');
  if (controlCharacter.test(directory) || parts.includes('.') || parts.includes('..')) {
    return { field, message: 'must hold a plain directory, without control characters, . and ..' };
  }
  return { bucket, prefix: parts.join('/') };
}

/** The endpoint is a host with or without scheme and port. */
function parseEndpoint({ options }: DatasetMount): string | FieldError {
  const key = optionPrefixes.map((prefix) => `${prefix}.endpoint`).find((name) => options?.[name] !== undefined);
  const endpoint = key === undefined ? '' : (options?.[key] ?? '').trim();
  const field = `spec.mounts[0].options.${key ?? 'fs.oss.endpoint'}`;
  if (endpoint === '') {
    return { field, message: 'oss endpoint can not be null, please check <fs.oss.endpoint> option' };
  }
  const url = endpoint.includes('://') ? endpoint : `http://${endpoint}`;
  if (URL.canParse(url) && /^https?:\/\/[^/?#@\s]+\/?$/.test(url) && !controlCharacter.test(endpoint)) return endpoint;
  const message = 'must be the endpoint of the object store, such as oss-cn-hangzhou.aliyuncs.com or http://host:9000';
  return { field, message };
}

/** The Secret's key for a credential, or an error if it is missing, given twice, or written in the clear. */
function findCredential(mounted: DatasetMount, name: string): SecretKey | FieldError {
  const [first, second] = (mounted.encryptOptions ?? []).filter((option) =>
    optionPrefixes.some((prefix) => option.name === `${prefix}.${name}`),
  );
  const clear = optionPrefixes.find((prefix) => mounted.options?.[`${prefix}.${name}`] !== undefined);
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

function checkSecrets(options: readonly EncryptOption[], secretKeys: SecretKeys): readonly FieldError[] {
  return options.flatMap(({ valueFrom: { secretKeyRef } }, index): readonly FieldError[] => {
    const field = `spec.mounts[0].encryptOptions[${index}].valueFrom.secretKeyRef`;
    const keys = secretKeys.get(secretKeyRef.name);
    if (!keys) return [{ field: `${field}.name`, message: `secret "${secretKeyRef.name}" not found` }];
    if (keys.has(secretKeyRef.key)) return [];
    return [{ field: `${field}.key`, message: `secret "${secretKeyRef.name}" has no key "${secretKeyRef.key}"` }];
  });
}
