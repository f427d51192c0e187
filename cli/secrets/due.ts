// secrets due: values that end, grow too old, or are known outside, nearest first.
import { openClient } from '../connect/client.ts'
import { append } from '../../src/kernel/append.ts'
import type { Secret } from '../../src/generated/rest-types.ts'
import { InvalidArgumentError, Option } from 'commander'
import { duration } from '../../src/resources/duration.ts'
import { newCommand, type Command, type CommonFlags } from '../options.ts'
import { fields, printRecords, type RecordView } from '../output/records.ts'
import { projectPath } from '../connect/rest.ts'
import { chosenProject } from '../objects/secret-identity.ts'

interface DueFlags extends CommonFlags {
  readonly project?: string
  readonly allNamespaces?: boolean
  readonly within: string
}

const dueAt = ({ due }: Secret): string => due?.at ?? ''

const shown = 3

const whoRuns = ({ services, service_count: count }: Secret): string => {
  const more = count > shown ? ` and ${count - shown} more` : ''
  return count === 0 ? 'nobody' : `${services.slice(0, shown).join(', ')}${more}`
}

const view: RecordView<Secret> = {
  columns: [
    { header: 'DUE', cell: dueAt },
    { header: 'WHY', cell: ({ due }) => due?.why ?? '' },
    { header: 'NAMESPACE', cell: ({ team }) => team, wide: true },
    ...fields<Secret>('project', 'key', 'scope'),
    { header: 'SEEN BY', cell: whoRuns },
    { header: 'NAME', cell: ({ name }) => name, wide: true },
  ],
  nameOf: ({ name }) => `stagelysecret/${name}`,
  empty: 'Nothing is due in that time.',
}

const parseWithin = (text: string): string => {
  const { success, error } = duration.safeParse(text)
  if (success) return text
  throw new InvalidArgumentError(`${error.issues[0]?.message ?? ''}.`)
}

export const dueCommand = (): Command =>
  newCommand(
    'due -o',
    'List values that expire, are too old, were found in a repository, or are known to people who should not know them: nearest first, with the services that see them.',
    [
      'stagely secrets due --project shop',
      'stagely secrets due -A --within 30d',
      'stagely secrets due --within 7d -o json',
    ],
  )
    .option('-p, --project <name>', 'project; all of the namespace when absent')
    .option('-A, --all-namespaces', 'the projects of all your teams')
    .addOption(
      new Option('--within <time>', 'from now on, such as 12h or 30d')
        .argParser(parseWithin)
        .default('30d', '30d'),
    )
    .action(due)

const due = async (flags: DueFlags): Promise<void> => {
  const { within, allNamespaces = false } = flags
  const { api, rest } = await openClient(flags)
  // A mistyped project is an error, not an empty list.
  const only = flags.project === undefined ? undefined : await chosenProject(api, flags.project)
  const projects = (await rest.list<{ team: string; name: string }>('/projects', 'projects'))
    .filter(({ team }) => allNamespaces || team === rest.namespace)
    .filter(({ name }) => only === undefined || name === only)
  const found: Secret[] = []
  for (const { team, name } of projects) {
    const query = { due_within: within, view: 'full' }
    append(found, await rest.list<Secret>(`${projectPath(team, name)}/secrets`, 'secrets', query))
  }
  found.sort((a, b) => (dueAt(a) < dueAt(b) ? -1 : dueAt(a) > dueAt(b) ? 1 : 0))
  await printRecords(found, view, flags.output)
}
