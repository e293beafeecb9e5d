import { listAt, objectAt, stringAt } from './api-object.ts';
import { requiredList, requiredString } from './required-fields.ts';
import type { Resource } from './resource.ts';
import { invalidValue, required } from './status.ts';

const registration = {
  group: 'admissionregistration.k8s.io',
  version: 'v1',
  shortNames: [],
  categories: ['api-extensions'],
  namespaced: false,
  custom: false,
  status: 'none',
  generation: true,
  returnsDeleted: false,
  names: 'subdomain',
  fields: {},
  columns: [{ name: 'Webhooks', read: (object) => String(listAt(object, 'webhooks').length) }],
  check: (object) =>
    listAt(object, 'webhooks').length === 0
      ? []
      : requiredList(object, ['webhooks'], (webhook, field) => {
          const { url, service } = objectAt(webhook, 'clientConfig');
          const effects = stringAt(webhook, 'sideEffects');
          const at = `${field}.clientConfig`;
          return [
            ...requiredString(webhook, field, 'name'),
            ...((url === undefined) === (service === undefined)
              ? [required(at, 'exactly one of url or service is required')]
              : []),
            ...(typeof url === 'string' && !url.startsWith('https://')
              ? [invalidValue(`${at}.url`, url, "'https' is the only allowed URL scheme")]
              : []),
            ...(listAt(webhook, 'admissionReviewVersions').includes('v1')
              ? []
              : [required(`${field}.admissionReviewVersions`, 'must include at least one of v1')]),
            ...(['None', 'NoneOnDryRun'].includes(effects)
              ? []
              : [invalidValue(`${field}.sideEffects`, effects, 'must be None or NoneOnDryRun')]),
          ];
        }),
} as const satisfies Partial<Resource>;

/** The kinds by which admission webhooks are registered. */
export const webhookKinds: readonly Resource[] = [
  { ...registration, kind: 'MutatingWebhookConfiguration', plural: 'mutatingwebhookconfigurations' },
  { ...registration, kind: 'ValidatingWebhookConfiguration', plural: 'validatingwebhookconfigurations' },
];
