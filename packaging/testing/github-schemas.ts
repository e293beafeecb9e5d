import { z } from 'zod';

/*
 * The part of GitHub's syntax that we use. Anything else is an error. Sources: "Metadata syntax for GitHub
 * Actions" and "Workflow syntax for GitHub Actions" in GitHub's documentation.
 */

const id = z.string().regex(/^[_a-zA-Z][a-zA-Z0-9_-]*$/);
const text = z.string().min(1);
const environment = z.record(z.string(), z.union([z.string(), z.number(), z.boolean()]));
const condition = z.union([z.string(), z.boolean()]);

/** A `run` step. In a composite action it must name the shell. */
const runStep = z.strictObject({
  name: text.optional(),
  id: id.optional(),
  if: condition.optional(),
  run: text,
  shell: z.enum(['bash', 'sh']).optional(),
  'working-directory': text.optional(),
  env: environment.optional(),
  'continue-on-error': z.boolean().optional(),
  'timeout-minutes': z.number().positive().optional(),
});

/** `owner/repo[/path]@ref`, or a folder of the workspace. */
const action = z.string().regex(/^(\.{1,2}\/|[\w.-]+\/[\w.-]+(\/[\w./-]+)?@[\w./-]+$)/);

const usesStep = z.strictObject({
  name: text.optional(),
  id: id.optional(),
  if: condition.optional(),
  uses: action,
  with: environment.optional(),
  env: environment.optional(),
  'continue-on-error': z.boolean().optional(),
  'timeout-minutes': z.number().positive().optional(),
});

/** `action.yml` of a composite action. */
export const compositeAction = z.strictObject({
  name: text,
  description: text.max(125),
  branding: z
    .strictObject({
      icon: text,
      color: z.enum(['white', 'black', 'yellow', 'blue', 'green', 'orange', 'red', 'purple', 'gray-dark']),
    })
    .optional(),
  inputs: z
    .record(id, z.strictObject({ description: text, required: z.boolean().optional(), default: z.string().optional() }))
    .optional(),
  outputs: z.record(id, z.strictObject({ description: text, value: text })).optional(),
  runs: z.strictObject({
    using: z.literal('composite'),
    steps: z.array(z.union([runStep.required({ shell: true }), usesStep])).min(1),
  }),
});

/** A file below `.github/workflows`. */
export const workflow = z.strictObject({
  name: text.optional(),
  on: z.record(
    z.enum(['push', 'pull_request', 'schedule', 'workflow_dispatch']),
    z.union([z.null(), z.record(z.string(), z.unknown()), z.array(z.strictObject({ cron: text }))]).optional(),
  ),
  permissions: z.record(z.string(), z.enum(['read', 'write', 'none'])).optional(),
  jobs: z.record(
    id,
    z.strictObject({
      name: text.optional(),
      needs: id.optional(),
      strategy: z.strictObject({ matrix: z.record(id, z.array(z.unknown()).min(1)) }).optional(),
      'runs-on': text,
      'timeout-minutes': z.number().positive().optional(),
      permissions: z.record(z.string(), z.enum(['read', 'write', 'none'])).optional(),
      steps: z.array(z.union([runStep, usesStep])).min(1),
    }),
  ),
});
