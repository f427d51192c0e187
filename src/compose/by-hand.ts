// What a person may ask of Compose through an agent: which verbs, what is added to them, and what
// cannot be had without a terminal or would reach beyond the stack. Pure.
import { StagelyError } from '../kernel/errors.ts'

interface Verb {
  /** Changes containers of the stack: nobody else may at the same time, and it is told of. */
  readonly alters: boolean
  /** What Compose gets on its input: all secrets, their names alone, or nothing. */
  readonly override: 'secrets' | 'names' | 'none'
  /** Put right behind the verb. */
  readonly adds?: readonly string[]
  /** Flags that are refused, and why. */
  readonly refused?: Readonly<Record<string, string>>
}

const looks: Verb = { alters: false, override: 'none' }
const changes: Verb = { alters: true, override: 'none' }

const attached = 'up is always detached here; "logs -f" follows'
const attachedFlags = [
  '--abort-on-container-exit',
  '--abort-on-container-failure',
  '--attach',
  '--attach-dependencies',
  '--detach=false',
  '--exit-code-from',
  '--menu',
  '--watch',
  '-w',
]

/** The others read a terminal, write files, or are about more than one stack. */
const verbs: Readonly<Record<string, Verb>> = {
  up: {
    alters: true,
    override: 'secrets',
    adds: ['-d'],
    refused: Object.fromEntries(attachedFlags.map((flag) => [flag, attached])),
  },
  start: changes,
  restart: changes,
  stop: changes,
  kill: changes,
  pause: changes,
  unpause: changes,
  down: changes,
  rm: { ...changes, adds: ['-f'] },
  // Alone, so that no other container is touched.
  run: { alters: false, override: 'secrets', adds: ['--no-deps', '-T'] },
  exec: { ...looks, adds: ['-T'] },
  ps: looks,
  logs: looks,
  top: looks,
  port: looks,
  images: looks,
  pull: looks,
  build: looks,
  // Nothing is filled in: what is not in it need not be hidden.
  config: {
    alters: false,
    override: 'names',
    adds: ['--no-interpolate'],
    refused: {
      '-o': 'a file would be the agent’s; redirect the output',
      '--output': 'a file would be the agent’s; redirect the output',
      '--environment': 'it prints the values of variables',
    },
  },
}

export const handVerbs: readonly string[] = Object.keys(verbs)

export interface HandCommand {
  readonly alters: boolean
  readonly override: Verb['override']
  /** As the person gave it. */
  readonly words: readonly string[]
  /** For Compose: the verb, what is added, and the person's own arguments. */
  readonly args: readonly string[]
  /** What a person who knows Compose would not expect. */
  readonly notes: readonly string[]
}

const ownFiles =
  'files, folder, project and profiles are those of the stagelet (its spec.compose); --stagelet chooses another one'
const elsewhere = ['--file', '--project-name', '--project-directory', '--env-file', '--profile']
const shortElsewhere = ['-f', '-p']
/** Those in front of the verb that take a word. */
const takesWord = [...elsewhere, ...shortElsewhere, '--ansi', '--progress', '--parallel']

const nameOf = (flag: string): string =>
  flag.startsWith('--') ? (flag.split('=')[0] ?? flag) : flag.slice(0, 2)

/** What stands before the verb: only `--dry-run` may. */
const readFront = (words: readonly string[]): { faults: string[]; at: number } => {
  const faults: string[] = []
  let at = 0
  for (let word = words[at]; word?.startsWith('-') === true; word = words[++at]) {
    const name = nameOf(word)
    if (word === '--dry-run') continue
    const isElsewhere = elsewhere.includes(name) || shortElsewhere.includes(name)
    faults.push(`${name} is refused: ${isElsewhere ? ownFiles : 'how Compose runs is the agent’s'}`)
    if (takesWord.includes(word)) at++
  }
  return { faults, at }
}

/** Flags of the verb itself; behind the name of a service, `exec` and `run` have the command's own. */
const flagsOf = (verb: string, rest: readonly string[]): string[] => {
  const end = rest.findIndex(
    (word) => word === '--' || (['exec', 'run'].includes(verb) && !word.startsWith('-')),
  )
  return rest.slice(0, end < 0 ? rest.length : end).filter((word) => word.startsWith('-'))
}

/** What is wrong with the verb and its own flags. */
const faultsOf = (name: string | undefined, flags: readonly string[]): string[] => {
  if (name === undefined) return [`give a verb: ${handVerbs.join(', ')}`]
  const verb = verbOf(name)
  const noVerb = `"${name}" is not to be had through the agent; there are ${handVerbs.join(', ')}`
  const refused = flags.flatMap((flag) => {
    const isElsewhere = elsewhere.includes(nameOf(flag))
    const why = verb?.refused?.[flag] ?? verb?.refused?.[nameOf(flag)]
    if (why === undefined && !isElsewhere) return []
    return [`${nameOf(flag)} is refused: ${why ?? ownFiles}`]
  })
  return [...(verb === undefined ? [noVerb] : []), ...refused]
}

const verbOf = (name: string): Verb | undefined =>
  Object.hasOwn(verbs, name) ? verbs[name] : undefined

/** BadRequest with everything that is wrong. `words` is what would follow `docker compose`. */
export const parseHandCommand = (words: readonly string[]): HandCommand => {
  const { faults, at } = readFront(words)
  const [front, name, rest] = [words.slice(0, at), words[at], words.slice(at + 1)]
  const verb = verbOf(name ?? '')
  const flags = flagsOf(name ?? '', rest)
  faults.push(...faultsOf(name, flags))
  if (words.some((word) => word.includes('\0'))) faults.push('an argument must not hold NUL')
  if (faults.length > 0 || verb === undefined || name === undefined)
    throw new StagelyError('BadRequest', faults.join('\n'))
  const has = (...some: string[]): boolean => [...front, ...flags].some((f) => some.includes(f))
  const onlyTells = has('--dry-run', '--help', '-h')
  const isDetached = has('-d', '--detach', '--wait', '--no-start')
  return {
    alters: verb.alters && !onlyTells,
    override: verb.override,
    words,
    args: [...front, name, ...(verb.adds ?? []), ...rest],
    notes: name === 'up' && !isDetached && !onlyTells ? [attached] : [],
  }
}
