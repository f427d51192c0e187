// The Compose commands that a person may run through an agent: the allowed verbs, the arguments that
// are added, and the flags that are refused because they need a terminal or reach beyond the stack.
// Pure.
import { append } from '../kernel/append.ts'
import { StagelyError } from '../kernel/errors.ts'

interface Verb {
  /** The verb changes containers of the stack. So it runs alone, and the controller is told. */
  readonly alters: boolean
  /** Input of Compose: all secrets, the names of all secrets, or nothing. */
  readonly override: 'secrets' | 'names' | 'none'
  /** Arguments that are put right after the verb. */
  readonly adds?: readonly string[]
  /** Refused flags, each with the reason. */
  readonly refused?: Readonly<Record<string, string>>
  /**
   * Flags that take the next word as their value. Needed for verbs whose first other word is followed
   * by a command.
   */
  readonly flagsWithValue?: readonly string[]
}

const looks: Verb = { alters: false, override: 'none' }
const changes: Verb = { alters: true, override: 'none' }

const attached = 'up is always detached here; "logs -f" follows'
const attachedFlags = [
  '--abort-on-container-exit',
  '--abort-on-container-failure',
  '--attach',
  '--attach-dependencies',
  '--exit-code-from',
  '--menu',
  '--watch',
  '-w',
]

const ofCommand = ['-e', '--env', '--index', '-u', '--user', '-w', '--workdir']
const ofContainer = [
  '--cap-add',
  '--cap-drop',
  '--entrypoint',
  '--env-from-file',
  '-l',
  '--label',
  '--name',
  '-p',
  '--publish',
  '--pull',
  '-v',
  '--volume',
]

/** All other verbs need a terminal, write files, or are about more than one stack. */
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
  // `--no-deps`: no other container is changed.
  run: {
    alters: false,
    override: 'secrets',
    adds: ['--no-deps', '-T'],
    refused: { '--remove-orphans': 'run touches no other container; "up --remove-orphans" does' },
    flagsWithValue: [...ofCommand, ...ofContainer],
  },
  exec: { ...looks, adds: ['-T'], flagsWithValue: ofCommand },
  ps: looks,
  logs: looks,
  top: looks,
  port: looks,
  images: looks,
  pull: looks,
  build: looks,
  // `--no-interpolate`: the output holds no values that would have to be hidden.
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

export interface ManualCommand {
  readonly alters: boolean
  readonly override: Verb['override']
  /** The words as the person typed them. */
  readonly words: readonly string[]
  /** Arguments for Compose: the verb, the added arguments, and the person's own. */
  readonly args: readonly string[]
  /** Starts a container that is attached to the person's terminal and ends with it. */
  readonly isWatchedRun: boolean
  /** Differences from plain Compose, for the person. */
  readonly notes: readonly string[]
}

const ownFiles =
  'files, folder, project and profiles are those of the stagelet (its spec.compose); --stagelet chooses another one'
const projectFlags = ['--file', '--project-name', '--project-directory', '--env-file', '--profile']
const shortProjectFlags = ['-f', '-p']
/** Flags before the verb that take the next word as their value. */
const globalFlagsWithValue = [
  ...projectFlags,
  ...shortProjectFlags,
  '--ansi',
  '--progress',
  '--parallel',
]

const nameOf = (flag: string): string =>
  flag.startsWith('--') ? (flag.split('=')[0] ?? flag) : flag.slice(0, 2)

/** Checks the words before the verb: only `--dry-run` is allowed. */
const readFront = (words: readonly string[]): { faults: string[]; nameIndex: number } => {
  const faults: string[] = []
  let index = 0
  for (let word = words[index]; word?.startsWith('-') === true; word = words[++index]) {
    const name = nameOf(word)
    if (word === '--dry-run') continue
    const isOfProject = projectFlags.includes(name) || shortProjectFlags.includes(name)
    faults.push(`${name} is refused: ${isOfProject ? ownFiles : 'how Compose runs is the agent’s'}`)
    if (globalFlagsWithValue.includes(word)) index++
  }
  return { faults, nameIndex: index }
}

interface Flag {
  readonly name: string
  readonly value?: string | undefined
}

/**
 * Splits `-qo` into `-q` and `-o`. After a letter that takes a value, the rest of the word is that
 * value.
 */
const readFlag = (word: string, flagsWithValue: readonly string[]): Flag[] => {
  const [name = '', value] = word.split(/=(.*)/s)
  if (name.startsWith('--')) return [{ name, value }]
  const letters = Array.from(name.slice(1), (letter) => ({ name: `-${letter}` }))
  const end = letters.findIndex((letter) => flagsWithValue.includes(letter.name))
  if (end < 0)
    return letters.map((letter, i) => (i + 1 < letters.length ? letter : { ...letter, value }))
  const rest = word.slice(end + 2)
  return [
    ...letters.slice(0, end),
    { name: letters[end]!.name, value: rest === '' ? undefined : rest },
  ]
}

/**
 * The flags of the verb. After the name of a service, `exec` and `run` are followed by a command with
 * flags of its own.
 */
const flagsOf = (verb: Verb | undefined, rest: readonly string[]): Flag[] => {
  const { flagsWithValue } = verb ?? {}
  const flags: Flag[] = []
  for (let index = 0; index < rest.length; index++) {
    const word = rest[index] ?? ''
    const isFlag = word.startsWith('-')
    if (word === '--' || (!isFlag && flagsWithValue !== undefined)) break
    if (!isFlag) continue
    append(flags, readFlag(word, flagsWithValue ?? []))
    const last = flags.at(-1)
    if (last?.value === undefined && flagsWithValue?.includes(last?.name ?? '') === true) index++
  }
  return flags
}

/** Flags that the agent sets or depends on: the person may not override them. */
const reservedFlags = [
  ...['--dry-run', '--help', '-h'],
  ...['--detach', '-d', '--no-deps', '--no-TTY', '-T', '--force', '-f', '--no-interpolate'],
]
const isUndone = ({ name, value }: Flag): boolean =>
  value !== undefined && value !== 'true' && reservedFlags.includes(name)

/** Faults of the verb and its flags. */
const faultsOf = (name: string | undefined, flags: readonly Flag[]): string[] => {
  if (name === undefined) return [`give a verb: ${handVerbs.join(', ')}`]
  const verb = verbOf(name)
  const noVerb = `"${name}" is not to be had through the agent; there are ${handVerbs.join(', ')}`
  const refused = flags.flatMap((flag) => {
    const why =
      verb?.refused?.[flag.name] ??
      (projectFlags.includes(flag.name) ? ownFiles : undefined) ??
      (isUndone(flag) ? 'give it without a value, or leave it out' : undefined)
    return why === undefined ? [] : [`${flag.name} is refused: ${why}`]
  })
  return [...(verb === undefined ? [noVerb] : []), ...refused]
}

const verbOf = (name: string): Verb | undefined =>
  Object.hasOwn(verbs, name) ? verbs[name] : undefined

/** Parses the words after `docker compose`. BadRequest with all faults. */
export const parseHandCommand = (words: readonly string[]): ManualCommand => {
  const { faults, nameIndex } = readFront(words)
  const [front, name, rest] = [
    words.slice(0, nameIndex),
    words[nameIndex],
    words.slice(nameIndex + 1),
  ]
  const verb = verbOf(name ?? '')
  const flags = flagsOf(verb, rest)
  append(faults, faultsOf(name, flags))
  if (words.some((word) => word.includes('\0'))) faults.push('an argument must not hold NUL')
  if (faults.length > 0 || verb === undefined || name === undefined)
    throw new StagelyError('BadRequest', faults.join('\n'))
  // Only the first word counts: a later one may be the value of a flag.
  const changesNothing = front.length > 0 || ['--dry-run', '--help', '-h'].includes(rest[0] ?? '')
  const detaching = ['-d', '--detach', '--wait', '--no-start']
  const isDetached = flags.some((flag) => detaching.includes(flag.name))
  return {
    alters: verb.alters && !changesNothing,
    override: verb.override,
    words,
    args: [...front, name, ...(verb.adds ?? []), ...rest],
    isWatchedRun: name === 'run' && !isDetached && !changesNothing,
    notes: name === 'up' && !isDetached && !changesNothing ? [attached] : [],
  }
}

/** The arguments of a `run`, with this label for its container. */
export const withLabel = (args: readonly string[], label: string): string[] => {
  const behind = args.indexOf('run') + 1
  return [...args.slice(0, behind), '--label', label, ...args.slice(behind)]
}
