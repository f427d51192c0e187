// The model of a stack: what its files mean, as Compose tells it.
import { StagelyError } from '../../src/kernel/errors.ts'
import type { ComposeSpec } from '../../src/kinds/stagelet/compose.ts'
import type { Environment } from '../../src/compose/environment.ts'
import type { Compose, ComposeOutput } from '../../src/compose/compose.ts'
import type { KeptNetwork } from '../../src/compose/override.ts'
import { undoubled } from '../../src/compose/config-output.ts'
import { modelFaultOf, isRefusal, parseUnset, StackRefused } from './compose-fault.ts'
import type { StackFault } from './allowed-folders.ts'
import {
  parseMounts,
  volumesNamedAfter,
  volumesOfFixedName,
  type RawStack,
  type ServiceMounts,
} from './compose-mounts.ts'
import { toService, unique, type RawService, type ServiceModel } from './service-model.ts'
import {
  checkFilling,
  fillsContainers,
  markedIn,
  type Answers,
  type ProbeEnvironments,
} from './variable-check.ts'
import { findUses, type VariableUses } from './variable-uses.ts'

/** The mounts of the services, or why Compose does not tell them. */
type MountsResult =
  { readonly mounts: ReadonlyMap<string, ServiceMounts> } | { readonly fault: StackFault }

export interface ComposeModel {
  readonly projectName: string
  /** Flags that name files, profiles and env files; without project and override. */
  readonly flags: readonly string[]
  /** Enabled services, sorted by name. */
  readonly services: readonly ServiceModel[]
  /** Variables of the files that are not set. */
  readonly missingVariables: readonly string[]
  readonly uses: VariableUses
  /** Global secrets that Compose gets for these variables. */
  readonly variables: readonly string[]
  readonly signature: string
  /** Signature of the files from which Compose makes containers. */
  readonly inputs: string
  /** Absolute folders that a relative path may start from: that of the stack, and that of its first file. */
  readonly roots: readonly string[]
  readonly mounts: MountsResult
  /** Networks that Compose makes for the stack; empty where Compose does not tell them. */
  readonly networks: readonly KeptNetwork[]
  /** Names of volumes that the project's name makes; empty where Compose does not tell them. */
  readonly volumes: readonly string[]
  /** Names of volumes that the files give, also of external ones. */
  readonly fixedVolumes: readonly string[]
}

export interface ModelRequest {
  readonly spec: ComposeSpec
  /** uid of the stagelet. */
  readonly uid: string
  /** The stack is being taken down: nothing is made for it. */
  readonly isEnding: boolean
  /** Environment of Compose, without secrets. */
  readonly base: Environment
  /** Global secrets that may set variables of the files. */
  readonly globals: Environment
  readonly mask: (text: string) => string
}

interface RawProject {
  readonly name?: string
  readonly services?: Readonly<Record<string, RawService>>
  readonly networks?: Readonly<Record<string, RawNetwork | null>>
}
interface RawNetwork {
  readonly name?: string
  readonly external?: unknown
}

export const flagsFor = (spec: ComposeSpec, files: readonly string[]): string[] => [
  '--ansi',
  'never',
  ...(spec.projectName === undefined ? [] : ['-p', spec.projectName]),
  ...(spec.envFiles ?? []).flatMap((f) => ['--env-file', f]),
  ...(spec.profiles ?? []).flatMap((p) => ['--profile', p]),
  ...files.flatMap((f) => ['-f', f]),
]

type Described = RawProject & RawStack

/** Parses JSON without a message that would quote the user's files. */
const parseProject = (stdout: string): Described => {
  try {
    return JSON.parse(stdout) as Described
  } catch {
    throw new StagelyError('InternalError', 'Compose described the stack in no JSON that is whole')
  }
}

/** What Compose says of the files. */
type ComposeAnswer = Omit<ComposeModel, 'signature' | 'inputs' | 'roots'>

type Ask = (env: Environment, ...verb: readonly string[]) => Promise<ComposeOutput>
const asJson = ['--format', 'json']

/** How a stack is asked for. */
interface Asking {
  readonly flags: readonly string[]
  readonly probes: ProbeEnvironments
  /** Its files name no variable, no secret and no other file: where Compose accepts it, as it is written tells no more. */
  readonly isPlain: boolean
}

/** The stack as Compose tells it: with marks, as it is written, and without the secrets (with other marks, where it needs them). */
const answersOf = async (ask: Ask, { probes, isPlain }: Asking) => {
  const isMarked = probes.marks.size > 0
  const marking = ask(probes.marked, ...asJson)
  const write = (): Promise<ComposeOutput> => ask(probes.without, '--no-interpolate', ...asJson)
  const [marked, writing, without] = await Promise.allSettled([
    marking,
    isPlain ? marking.then(() => undefined, write) : write(),
    isMarked ? ask(probes.without, ...asJson) : Promise.reject(new Error('not asked for')),
  ])
  const failure = marked.status === 'rejected' ? (marked.reason as Error) : undefined
  // Where Compose did not finish it has refused nothing.
  if (isMarked && failure !== undefined && !isRefusal(failure)) throw failure
  const isWithout = without.status === 'fulfilled'
  const needsAgain = isMarked && !isWithout && failure === undefined
  const again = needsAgain ? (await Promise.allSettled([ask(probes.again, ...asJson)]))[0] : without
  return {
    marked: parsed(marked),
    other: parsed(again),
    isWithout,
    written:
      writing.status === 'fulfilled' ? parseProject(writing.value?.stdout ?? '{}') : undefined,
    failure,
    stderr: marked.status === 'fulfilled' ? marked.value.stderr : '',
  }
}

type StackAnswers = Awaited<ReturnType<typeof answersOf>>

const parsed = (answer: PromiseSettledResult<ComposeOutput>): Described | undefined =>
  answer.status === 'fulfilled' ? parseProject(undoubled(answer.value.stdout)) : undefined

/** True where it is told, and its services are the same with each choice of profiles. */
const hasNoProfiles = (stack: Described | undefined): boolean =>
  stack !== undefined &&
  Object.values(stack.services ?? {}).every(({ profiles = [] }) => profiles.length === 0)

/**
 * Asks Compose more than once, unless the files are plain. With all variables set, Compose tells the stack as `up` would
 * see it; only names, paths and numbers of this output are used. With variables left as written, Compose tells the
 * `env_file`s, and all but the mounts where an env file is missing; but it refuses much that is right once variables are
 * set. Secrets that the stagelet does not list are replaced by marks: see variable-check. Services of all profiles are
 * searched for variables that these secrets would set: a person may run a service whose profile is off. Where no service
 * has a profile, the stack is the same with those that the stagelet names.
 */
export const askCompose = async (
  compose: Compose,
  { spec, mask }: ModelRequest,
  asking: Asking,
): Promise<ComposeAnswer> => {
  const { flags, probes } = asking
  // Checked before values are masked: a secret may have the text of a mark.
  const quoted = new Set<string>()
  const maskQuoted = (text: string): string => {
    for (const key of markedIn(text, probes)) quoted.add(key)
    return mask(text)
  }
  const askWith =
    (profiles: readonly string[]): Ask =>
    (env, ...verb) =>
      compose.run({
        flags: [...flags, ...profiles],
        cwd: spec.directory,
        env,
        mask: maskQuoted,
        verb: ['config', ...verb],
      })
  const ask = askWith([])
  const checked = async (asked: Promise<StackAnswers>): Promise<StackAnswers> => {
    const answers = await asked
    const notListed = checkFilling(probes, { ...answers, quoted: [...quoted] } as Answers)
    if (notListed !== undefined) throw new StackRefused(notListed)
    return answers
  }
  const isMarked = probes.marks.size > 0
  const all = isMarked ? await checked(answersOf(askWith(['--profile', '*']), asking)) : undefined
  const isOwn = all !== undefined && hasNoProfiles(all.marked) && hasNoProfiles(all.other)
  const own = isOwn ? all : await checked(answersOf(ask, asking))
  const { marked: filled, written, failure } = own
  const uses = findUses(written ?? {})
  if (filled !== undefined) {
    const projectName = spec.projectName ?? filled.name ?? ''
    return {
      projectName,
      flags,
      services: servicesOf(Object.keys(filled.services ?? {}), filled, written),
      missingVariables: unique(parseUnset(own.stderr)),
      uses,
      variables: fillsContainers(probes, { marked: filled, written } as Answers),
      mounts: { mounts: parseMounts(filled) },
      networks: networksOf(filled),
      volumes: volumesNamedAfter(projectName, filled),
      fixedVolumes: volumesOfFixedName(projectName, filled),
    }
  }
  const { stdout, stderr } = await ask(probes.marked, '--services')
  if (written === undefined || spec.projectName === undefined)
    throw failure ?? new Error('Compose gave no model')
  return {
    projectName: spec.projectName,
    flags,
    services: servicesOf(
      stdout.split('\n').filter((n) => n !== ''),
      written,
      written,
    ),
    missingVariables: unique(parseUnset(stderr)),
    uses,
    // No output shows what these secrets would set.
    variables: [],
    mounts: { fault: modelFaultOf(failure).fault },
    networks: [],
    volumes: [],
    fixedVolumes: [],
  }
}

const networksOf = ({ networks = {} }: Described): KeptNetwork[] =>
  Object.entries(networks).flatMap(([key, raw]) =>
    raw?.name === undefined || Boolean(raw.external) ? [] : [{ key, name: raw.name }],
  )

const servicesOf = (
  names: readonly string[],
  { services = {} }: Described,
  written: Described | undefined,
): ServiceModel[] =>
  unique(names).map((name) =>
    toService(name, services[name] ?? {}, written?.services?.[name] ?? {}),
  )
