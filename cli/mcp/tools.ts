// What a program may ask of a controller over MCP. Each tool reads; no answer has a value of a secret.
import * as z from 'zod'
import { isRecord } from '../../src/kernel/record.ts'
import { valueFields } from '../../src/kinds/secret/value.ts'
import { snakeCase } from '../../src/resources/schemas/rest-fields.ts'
import type { KubeApi } from '../connect/api.ts'
import { projectPath, type RestClient } from '../connect/rest.ts'
import { parseTargets } from '../output/kinds.ts'
import { readTargets } from '../objects/objects.ts'
import { tidy } from '../output/output.ts'

/** How the tools ask the controller. */
export interface Asking {
  readonly api: KubeApi
  readonly rest: Pick<RestClient, 'call' | 'namespace'>
  readonly status: () => Promise<object>
}

type Input = Readonly<Record<string, z.ZodType>>

interface Tool {
  readonly description: string
  readonly input: Input
  readonly ask: (asking: Asking, given: Readonly<Record<string, unknown>>) => Promise<unknown>
}

/** In both APIs; `from_value` is the other side of a difference. */
const valueNames = new Set([...valueFields, ...valueFields.map(snakeCase), 'from_value'])

/** Without texts of values, also without those of plain secrets. */
export const withoutValues = (answer: unknown): unknown => {
  if (Array.isArray(answer)) return answer.map(withoutValues)
  if (!isRecord(answer)) return answer
  return Object.fromEntries(
    Object.entries(answer).flatMap(([field, inner]) =>
      typeof inner === 'string' && valueNames.has(field) ? [] : [[field, withoutValues(inner)]],
    ),
  )
}

/** A tool with the types of its input. */
const tool = <Fields extends Input>(
  description: string,
  input: Fields,
  ask: (asking: Asking, given: z.infer<z.ZodObject<Fields>>) => Promise<unknown>,
): Tool => ({ description, input, ask: ask as Tool['ask'] })

const read = async (
  { rest }: Asking,
  path: string,
  query: Record<string, string | undefined> = {},
): Promise<unknown> => (await rest.call<unknown>(path, { query })).body

const nameField = z.string().min(1).max(253)
const project = nameField.describe('Name of the project.')
const limit = z.int().min(1).max(500).default(50).describe('How many at most, the newest first.')
const since = z.iso.datetime().optional().describe('Only since this time.')

export const tools: Readonly<Record<string, Tool>> = {
  status: tool(
    'What is not in sync, and every warning: stagelets, agents, secrets, projects, stores, rotations. Start here.',
    {},
    ({ status }) => status(),
  ),
  get: tool(
    'Objects with spec, status and conditions. A condition has the time since when it holds; Unknown means that nobody can see it now.',
    {
      kind: z
        .string()
        .describe('stagelets, projects, secrets, agents, stores, rotations, notifiers, events.'),
      name: nameField.optional().describe('Only this one.'),
    },
    async ({ api }, { kind, name }) => {
      const targets = parseTargets(name === undefined ? [kind] : [kind, name])
      const found = await readTargets(api, targets, { namespace: api.namespace })
      return found.map(({ object }) => tidy(object))
    },
  ),
  search: tool(
    'Finds projects, stagelets, agents and secrets by name, key and scope.',
    { words: z.string().min(1).max(200) },
    (asking, { words }) => read(asking, '/search', { q: words }),
  ),
  why: tool(
    'Which services of which stagelets see which secrets of a project, which version runs in their containers, and since when.',
    { project },
    (asking, given) => read(asking, `${projectPath(asking.rest.namespace, given.project)}/usage`),
  ),
  diff: tool(
    'What changed between two revisions of a project, by keys.',
    { project, from: z.int().min(0), to: z.int().min(0) },
    (asking, { project: name, from, to }) =>
      read(asking, `${projectPath(asking.rest.namespace, name)}/revisions/diff`, {
        from: String(from),
        to: String(to),
      }),
  ),
  history: tool(
    'The revisions of a project: who changed which keys, when and why.',
    { project, limit },
    (asking, given) =>
      read(asking, `${projectPath(asking.rest.namespace, given.project)}/revisions`, {
        limit: String(given.limit),
      }),
  ),
  blame: tool(
    'What happened, newest first: changes and who made them, how rollouts ended and which keys are to blame, containers that were changed by hand, machines that went away.',
    {
      project: project.optional(),
      stagelet: nameField.optional().describe('Only of this stagelet.'),
      since,
      limit,
    },
    (asking, given) =>
      read(asking, '/activity', {
        team: asking.rest.namespace,
        project: given.project,
        stagelet: given.stagelet,
        since: given.since,
        limit: String(given.limit),
      }),
  ),
}
