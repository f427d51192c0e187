// Previews: the template of a project, and what its texts mean. Pure. See ADR 0085.
import * as z from 'zod'
import type { Fault } from '../../kernel/errors.ts'
import { isRecord } from '../../kernel/record.ts'
import { lifetime } from '../../resources/duration.ts'
import { limits, mapOf, path } from '../../resources/limits.ts'
import { hostPath, pathIn } from '../../resources/paths.ts'
import { environmentName } from '../shared/environment.ts'
import { imagesSpec, valuesSpec } from '../stagelet/compose.ts'
import { nameOfKind, refSchema } from '../../resources/schema-parts.ts'

const selector = z.strictObject({
  matchLabels: mapOf(z.string().max(63), { most: 20 }).describe('Labels that the agent must have.'),
})

export const previewSpec = z.strictObject({
  environment: environmentName.describe(
    'Environment of the project that previews are in. It is not a protected one.',
  ),
  agentRef: refSchema('Agent').optional().describe('The agent that runs previews.'),
  agentSelector: selector
    .optional()
    .describe(
      'In place of agentRef: the connected agent with these labels that has the fewest stagelets.',
    ),
  from: pathIn('noPath', nameOfKind('Stagelet'))
    .optional()
    .describe(
      'Stagelet of the project whose Compose files previews run, with its files, profiles and env files. Its agent runs them, where no other is named.',
    ),
  fromProtected: z
    .boolean()
    .optional()
    .describe(
      'True: previews may run the files of a protected environment, with the .env that lies there. Only who may change that environment says so.',
    ),
  directory: hostPath('folder')
    .optional()
    .describe(
      'Folder of a preview, such as /srv/previews/{name}. With `from`, the agent makes it as a copy of that folder, and removes it with the preview.',
    ),
  mounts: z
    .array(pathIn('other', path.min(1)))
    .max(256)
    .optional()
    .describe(
      'What the services of a copied folder may use although it is not in that folder: paths such as /srv/data/{name}, and names of volumes.',
    ),
  ttl: lifetime.default('72h').describe('How long a preview lives after its last deploy.'),
  variables: valuesSpec
    .optional()
    .describe(
      'Values of ${VAR} in the Compose file. {name} and {project} are filled in, {port 20000-20999} is a port that no other stagelet of the machine has.',
    ),
  generate: z
    .array(
      z
        .string()
        .max(255)
        .regex(/^[A-Za-z_][A-Za-z0-9_.-]*$/, 'must be the key of a secret'),
    )
    .max(64)
    .optional()
    .describe('Keys of secrets that each preview has a random value of its own for.'),
  images: imagesSpec
    .optional()
    .describe(
      'By service, the repository that its image may be chosen from, such as ghcr.io/acme/web; a "*" at the end stands for any rest. When absent, whoever makes previews chooses any image for any service.',
    ),
  address: z
    .string()
    .max(limits.path)
    .regex(/^https?:\/\//, 'must begin with http:// or https://')
    .optional()
    .describe(
      'Where people find a preview, such as https://{name}.example.com. {name}, {project}, {agent} and the variables are filled in. When absent, the published ports of the agent.',
    ),
  max: z.int().min(1).max(10_000).optional().describe('How many previews there may be at once.'),
})

export type PreviewSpec = z.output<typeof previewSpec>

const placeholder = /\{([^{}]*)\}/g
const portRange = /^port (\d{1,5})-(\d{1,5})$/

/** The range of a placeholder for a port; undefined where it is none, or not between 1 and 65535. */
export const portRangeOf = (word: string): { from: number; to: number } | undefined => {
  const [, from = 0, to = 0] = (portRange.exec(word) ?? []).map(Number)
  return from >= 1 && to <= 65_535 && from <= to ? { from, to } : undefined
}

/** The text with its placeholders filled in. */
export const filled = (text: string, valueOf: (word: string) => string | undefined): string =>
  text.replace(placeholder, (whole, word: string) => valueOf(word) ?? whole)

/** Ports that a text asks for. */
export const portWordsOf = (text: string): string[] =>
  [...text.matchAll(placeholder)].map(([, word = '']) => word).filter((word) => portRangeOf(word))

const faultsOfText = (
  field: string,
  text: unknown,
  { words, ports = false }: { readonly words: readonly string[]; readonly ports?: boolean },
): Fault[] => {
  const found = [...String(text).matchAll(placeholder)].map(([, word = '']) => word)
  const isKnown = (word: string): boolean =>
    words.includes(word) || (ports && portRangeOf(word) !== undefined)
  const all = [...words, ...(ports ? ['port 20000-20999'] : [])]
  return found
    .filter((word) => !isKnown(word))
    .map((word) => ({
      field,
      reason: 'FieldValueInvalid',
      message: `Invalid value: {${word}} stands for nothing: there are ${all.map((w) => `{${w}}`).join(', ')}`,
    }))
}

const listed = (list: unknown): unknown[] => (Array.isArray(list) ? list : [])

const entriesOf = (map: unknown): [string, unknown][] => (isRecord(map) ? Object.entries(map) : [])

/** Faults of a template that the schema cannot express. `environments`: those of its project. */
export const checkPreview = (
  preview: unknown,
  environments: readonly { readonly name?: unknown; readonly protected?: unknown }[],
): Fault[] => {
  if (!isRecord(preview)) return []
  const { from, directory, agentRef, agentSelector, environment } = preview
  const at = (name: string): string => `spec.preview.${name}`
  const fault = (field: string, message: string): Fault => ({
    field: at(field),
    reason: 'FieldValueInvalid',
    message: `Invalid value: ${message}`,
  })
  const own = environments.find(({ name }) => name === environment)
  const names = environments.map(({ name }) => String(name)).join(', ')
  const variables = entriesOf(preview['variables'])
  const words = ['name', 'project']
  return [
    ...(own === undefined
      ? [
          fault(
            'environment',
            `spec.environments does not list it${names === '' ? '' : ` (${names})`}`,
          ),
        ]
      : []),
    ...(own?.protected === true
      ? [
          fault(
            'environment',
            'it is protected, and previews end by themselves: choose another one',
          ),
        ]
      : []),
    ...(from === undefined && directory === undefined
      ? [fault('from', 'give from, directory, or both: previews need Compose files')]
      : []),
    ...(from === undefined && agentRef === undefined && agentSelector === undefined
      ? [fault('agentRef', 'give agentRef, agentSelector or from: previews need a machine')]
      : []),
    ...(agentRef !== undefined && agentSelector !== undefined
      ? [fault('agentSelector', 'give agentRef or agentSelector, not both')]
      : []),
    ...(from !== undefined && typeof directory === 'string' && !directory.includes('{name}')
      ? [fault('directory', 'it needs {name}, since each preview gets a copy of its own')]
      : []),
    ...faultsOfText(at('directory'), directory ?? '', { words }),
    ...listed(preview['mounts']).flatMap((text, index) =>
      faultsOfText(at(`mounts[${index}]`), text, { words }),
    ),
    ...variables.flatMap(([key, text]) =>
      faultsOfText(at(`variables[${key}]`), text, { words, ports: true }),
    ),
    ...faultsOfText(at('address'), preview['address'] ?? '', {
      words: [...words, 'agent', ...variables.map(([key]) => key)],
    }),
  ]
}

const nameForm = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/
/** A Compose project, and with it a label of the engine. */
const longest = 63

/** The name of the Stagelet, and of its Compose project. */
export const previewStageletName = (project: string, name: string): string =>
  `${project.replaceAll('.', '-')}-${name}`

/** Why a preview cannot have the name. */
export const faultOfPreviewName = (project: string, name: string): string | undefined => {
  if (!nameForm.test(name))
    return 'must be lower case letters, digits and "-", beginning and ending with a letter or a digit, such as pr-42'
  const whole = previewStageletName(project, name)
  return whole.length > longest
    ? `is too long: as a Compose project it is ${JSON.stringify(whole)}, which has ${whole.length} characters of ${longest}`
    : undefined
}

/** `ghcr.io/acme/web` of `ghcr.io/acme/web:1.2@sha256:…`. */
const repositoryOf = (image: string): string => image.replace(/@.*$/, '').replace(/:[^/:]*$/, '')

/** Whether the image is of the repository that the template names. */
export const isOfRepository = (image: string, allowed: string): boolean =>
  allowed.endsWith('*')
    ? repositoryOf(image).startsWith(allowed.slice(0, -1))
    : repositoryOf(image) === allowed
