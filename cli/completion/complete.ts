// What completes a command line: words of commands, flags, and names that a server knows. Nothing is kept: each time, the
// server is asked, and waited for at most a second and a half.
import type { KubeObject } from '../../src/resources/meta.ts'
import { kindNames } from '../../src/kinds/names.ts'
import { defined } from '../../src/kernel/defined.ts'
import { out } from '../print.ts'
import type { CompletedCommand } from '../completed-command.ts'
import { findKinds } from '../output/kinds.ts'

const ofFlags: Readonly<Record<string, string>> = {
  '--project': 'Project',
  '-p': 'Project',
  '--stagelet': 'Stagelet',
  '--agent': 'Agent',
  '--store': 'SecretStore',
  '--environment': 'environment',
  '--context': 'context',
  '--namespace': 'Namespace',
  '-n': 'Namespace',
}

type Flags = Readonly<Record<string, string>>

/** The command that words name, what is given to it, and the flag whose value comes next. */
interface ReadWords {
  readonly here: CompletedCommand
  readonly given: readonly string[]
  readonly flags: Flags
  readonly waits: string | undefined
}

const read = (table: readonly CompletedCommand[], words: readonly string[]): ReadWords => {
  let here = table[0]!
  const given: string[] = []
  const flags: Record<string, string> = {}
  let waits: string | undefined
  for (const word of words) {
    const next = `${here.path} ${word}`.trim()
    const child = given.length === 0 ? table.find(({ path }) => path === next) : undefined
    if (waits !== undefined) {
      flags[waits] = word
      waits = undefined
    } else if (word.startsWith('-')) {
      const [flag = '', value] = word.split('=')
      if (value !== undefined) flags[flag] = value
      else if (here.valued?.split(' ').includes(flag) === true) waits = flag
    } else if (child !== undefined) here = child
    else given.push(word)
  }
  return { here, given, flags, waits }
}

type List = (kind: string, flags: Flags) => Promise<readonly KubeObject[]>

/** What the last of the words may become. `table` begins with the top level. */
export const offersFor = async (
  table: readonly CompletedCommand[],
  line: readonly string[],
  list: List,
): Promise<readonly string[]> => {
  // bash has the = of a flag as a word of its own; elsewhere it is within the word.
  const words = line.slice(0, -1).filter((word) => word !== '=')
  const last = line.at(-1) ?? ''
  const [, before = '', flag, value] = /^((--[^=]+)=)(.*)$/.exec(last) ?? []
  const current = value ?? (last === '=' ? '' : last)
  const { here, given, flags, waits } = read(table, flag === undefined ? words : [...words, flag])
  if (flag !== undefined && waits === undefined) return []
  const { words: own, names: kinds = [], more, choices } = here
  if (waits === undefined && current.startsWith('-'))
    return own.split(' ').filter((word) => word.startsWith(current))
  const ofArgument = kinds[given.length] ?? (more === true ? kinds.at(-1) : undefined)
  const names = waits === undefined ? ofArgument : (choices?.[waits] ?? ofFlags[waits])
  const commands =
    waits === undefined && given.length === 0
      ? own.split(' ').filter((word) => word[0] !== '-')
      : []
  return [...commands, ...(await namesOf(names ?? '', given, (kind) => list(kind, flags), flags))]
    .filter((word) => word.startsWith(current))
    .map((word) => before + word)
}

const unique = (names: readonly string[]): string[] => [...new Set(names)].sort()

const textOf = (value: unknown): string => (typeof value === 'string' ? value : '')

const projectOf = ({ spec }: KubeObject): string | undefined =>
  (spec?.['projectRef'] as { readonly name?: string } | undefined)?.name

const served = kindNames.filter(({ internal }) => internal !== true)

/** The names of a kind; or of `key`, `target`, `context`, `environment`, `kind`; or the words themselves. */
const namesOf = async (
  names: string | readonly string[],
  [word]: readonly string[],
  list: (kind: string) => Promise<readonly KubeObject[]>,
  flags: Flags,
): Promise<readonly string[]> => {
  if (typeof names !== 'string') return names
  const project = flags['--project'] ?? flags['-p']
  const ofProject = (objects: readonly KubeObject[]): readonly KubeObject[] =>
    objects.filter((object) => project === undefined || projectOf(object) === project)
  const called = async (kind: string): Promise<string[]> =>
    (await list(kind)).map(({ metadata }) => metadata.name)
  switch (names) {
    case '':
      return []
    case 'kind': {
      if (word === undefined) return served.map(({ plural }) => plural)
      return called(findKinds(word)[0]?.kind ?? '')
    }
    case 'target':
      return [
        ...(await called('Project')),
        ...(await called('Stagelet')).map((name) => `stagelet/${name}`),
      ]
    case 'key':
      return unique(ofProject(await list('StagelySecret')).map(({ spec }) => textOf(spec?.['key'])))
    case 'environment': {
      const projects = await list('Project')
      return unique(
        projects
          .filter(({ metadata }) => project === undefined || metadata.name === project)
          .flatMap(({ spec }) => (spec?.['environments'] ?? []) as { readonly name: string }[])
          .map(({ name }) => name),
      )
    }
    case 'Stagelet':
      return ofProject(await list('Stagelet')).map(({ metadata }) => metadata.name)
    default:
      return called(names)
  }
}

const patienceMs = 1_500
const most = '1000'

const listed: List = async (kind, flags) => {
  if (kind === 'context') {
    const { readLogins } = await import('../logins.ts')
    const { contexts } = await readLogins()
    return Object.keys(contexts).map((name) => ({ metadata: { name } }) as KubeObject)
  }
  const { openClient } = await import('../connect/client.ts')
  const { pathOf } = await import('../connect/api.ts')
  const { api } = await openClient(
    defined({
      namespace: flags['--namespace'] ?? flags['-n'],
      context: flags['--context'],
      kubeconfig: flags['--kubeconfig'],
    }),
  )
  const path = pathOf(
    served.find((each) => each.kind === kind)!,
    api.namespace,
  )
  const signal = AbortSignal.timeout(patienceMs)
  const answer = await api.call(path, { query: { limit: most }, signal })
  return (answer as { readonly items: readonly KubeObject[] }).items
}

/** Prints what fits, one a line. Where the server says nothing: a completion has no place for an error. */
export const complete = async (line: readonly string[]): Promise<void> => {
  const { completionTable } = await import('../generated/completion-table.ts')
  const list: List = (kind, flags) => listed(kind, flags).catch(() => [])
  const offers = await offersFor(completionTable, line, list).catch(() => [])
  if (offers.length > 0) out(offers.join('\n'))
}
