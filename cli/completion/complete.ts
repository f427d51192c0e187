// Which names complete a command line. The words of commands and flags are in the shell's script; here are those that a
// server knows. Nothing is kept: each time, the server is asked, and waited for at most a second and a half.
import type { KubeObject } from '../../src/resources/meta.ts'
import { kindNames } from '../../src/resources/kind-names.ts'
import type { ConnectFlags } from '../connect/connect.ts'
import { out } from '../print.ts'
import type { CompletedCommand } from './completed-command.ts'

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

/** What the word that is being written may be. */
export interface Completed {
  /** A kind, `key`, `target`, `context`, `environment` or `kind`; or the words themselves. */
  readonly names: string | readonly string[]
  /** Arguments before it. */
  readonly given: readonly string[]
  readonly flags: Readonly<Record<string, string>>
}

/** The command that words name, what is given to it, and the flag whose value comes next. */
interface ReadWords {
  readonly here: CompletedCommand
  readonly given: readonly string[]
  readonly flags: Readonly<Record<string, string>>
  readonly waits: string | undefined
}

const read = (
  table: readonly CompletedCommand[],
  words: readonly string[],
): ReadWords | undefined => {
  let here = table.find(({ path }) => path === '')
  const given: string[] = []
  const flags: Record<string, string> = {}
  let waits: string | undefined
  for (const word of words) {
    const next = `${here?.path ?? ''} ${word}`.trim()
    const child = given.length === 0 ? table.find(({ path }) => path === next) : undefined
    if (waits !== undefined) {
      flags[waits] = word
      waits = undefined
    } else if (word.startsWith('-')) {
      const [flag = '', value] = word.split('=')
      if (value !== undefined) flags[flag] = value
      else if (here?.valued?.split(' ').includes(flag) === true) waits = flag
    } else if (child !== undefined) here = child
    else given.push(word)
  }
  return here && { here, given, flags, waits }
}

/** `words`: those before the one that is being written. */
export const completedBy = (
  table: readonly CompletedCommand[],
  words: readonly string[],
): Completed | undefined => {
  const found = read(table, words)
  if (found === undefined) return undefined
  const { here, given, flags, waits } = found
  const { names: kinds = [], more, choices } = here
  const ofArgument = kinds[given.length] ?? (more === true ? kinds.at(-1) : undefined)
  const names = waits === undefined ? ofArgument : (choices?.[waits] ?? ofFlags[waits])
  return names === undefined || names === '' ? undefined : { names, given, flags }
}

const unique = (names: readonly string[]): string[] => [...new Set(names)].sort()

const textOf = (value: unknown): string => (typeof value === 'string' ? value : '')

const projectOf = ({ spec }: KubeObject): string | undefined =>
  (spec?.['projectRef'] as { readonly name?: string } | undefined)?.name

type List = (kind: string) => Promise<readonly KubeObject[]>

const served = kindNames.filter(({ internal }) => internal !== true)

const kindCalled = (word: string): string | undefined =>
  served.find(({ plural, singular, shortNames, kind }) =>
    [plural, singular, kind, kind.toLowerCase(), ...shortNames].includes(word),
  )?.kind ?? (/^secrets?$/.test(word) ? 'StagelySecret' : undefined)

/** The names of one kind, as `list` has them. */
export const namesFrom = async (
  { names, given, flags }: Completed,
  list: List,
): Promise<readonly string[]> => {
  if (typeof names !== 'string') return names
  const project = flags['--project'] ?? flags['-p']
  const ofProject = (objects: readonly KubeObject[]): readonly KubeObject[] =>
    objects.filter((object) => project === undefined || projectOf(object) === project)
  const called = async (kind: string): Promise<string[]> =>
    (await list(kind)).map(({ metadata }) => metadata.name)
  switch (names) {
    case 'kind': {
      const [word] = given
      if (word === undefined) return served.map(({ plural }) => plural)
      const kind = kindCalled(word)
      return kind === undefined ? [] : called(kind)
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

/** Prints the names, one a line. Nothing where the server says nothing: a completion has no place for an error. */
export const complete = async (words: readonly string[]): Promise<void> => {
  const { completionTable } = await import('./table.ts')
  const wanted = completedBy(completionTable, words)
  if (wanted === undefined) return
  const names = await namesOf(wanted).catch(() => [])
  if (names.length > 0) out(names.join('\n'))
}

const namesOf = async (wanted: Completed): Promise<readonly string[]> => {
  if (wanted.names === 'context') {
    const { readLogins } = await import('../logins.ts')
    return Object.keys((await readLogins()).contexts)
  }
  const { openApi, pathOf } = await import('../connect/api.ts')
  const { flags } = wanted
  const namespace = flags['--namespace'] ?? flags['-n']
  const given: ConnectFlags = {
    ...(namespace !== undefined && { namespace }),
    ...(flags['--context'] !== undefined && { context: flags['--context'] }),
    ...(flags['--kubeconfig'] !== undefined && { kubeconfig: flags['--kubeconfig'] }),
  }
  const signal = AbortSignal.timeout(patienceMs)
  const list: List = async (kind) => {
    const api = await openApi(given)
    const names = served.find((each) => each.kind === kind)!
    const path = pathOf(names, api.namespace)
    const answer = await api.call(path, { query: { limit: most }, signal })
    return (answer as { readonly items: readonly KubeObject[] }).items
  }
  return namesFrom(wanted, list)
}
