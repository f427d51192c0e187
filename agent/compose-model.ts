// The model of a stack: what its files mean, as Compose tells it. Cached by the stat signature of the files, so that the
// first process after a new revision is `up`.
import { dirname, resolve } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { StagelyError } from '../src/kernel/errors.ts'
import type { ComposeSpec } from '../src/resources/stagelet.ts'
import { composeFault, faultOf, isRefusal, parseUnset, StackRefused } from './compose-fault.ts'
import { findComposeFiles, signatureOf, wantedFiles } from './compose-files.ts'
import type { AllowedFolders, StackFault } from './allowed-folders.ts'
import type { Environment } from '../src/compose/environment.ts'
import type { Compose, ComposeOutput } from '../src/compose/compose.ts'
import type { KeptNetwork } from '../src/compose/override.ts'
import { undoubled } from '../src/compose/config-output.ts'
import { readText } from '../src/compose/files.ts'
import {
  checkFilling,
  checkSteering,
  probeEnvironmentsOf,
  fillsContainers,
  markedIn,
  type Answers,
  type ProbeEnvironments,
} from './variable-check.ts'
import { findUses, type VariableUses } from './variable-uses.ts'
import { parseMounts, type RawStack, type ServiceMounts } from './compose-mounts.ts'
import { toService, unique, type RawService, type ServiceModel } from './service-model.ts'

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
  /** Absolute folders that a relative path may start from: that of the stack, and that of its first file. */
  readonly roots: readonly string[]
  readonly mounts: MountsResult
  /** Networks that Compose makes for the stack; empty where Compose does not tell them. */
  readonly networks: readonly KeptNetwork[]
}

type ModelResult =
  | { readonly model: ComposeModel }
  | { readonly fault: StackFault; readonly missingVariables: readonly string[] }

export interface ModelRequest {
  readonly spec: ComposeSpec
  /** Environment of Compose, without secrets. */
  readonly base: Environment
  /** Global secrets that may set variables of the files. */
  readonly globals: Environment
  readonly mask: (text: string) => string
}

export interface ModelSource {
  /** The model for this spec. Asks Compose only when a file or Compose itself has changed. */
  read(request: ModelRequest): Promise<ModelResult>
  /** Absolute paths of the files of the last read, and of those that it missed. */
  watched(): readonly string[]
  /** Asks Compose again at the next read. */
  forget(): void
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

const flagsFor = (spec: ComposeSpec, files: readonly string[]): string[] => [
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

type Asked = Omit<ComposeModel, 'signature' | 'roots'>

type Ask = (env: Environment, ...verb: readonly string[]) => Promise<ComposeOutput>
const asJson = ['--format', 'json']

/** The stack as Compose tells it: with marks, as it is written, and without the secrets (with other marks, where it needs them). */
const answersOf = async (ask: Ask, probes: ProbeEnvironments) => {
  const isMarked = probes.marks.size > 0
  const [marked, writing, without] = await Promise.allSettled([
    ask(probes.marked, ...asJson),
    ask(probes.without, '--no-interpolate', ...asJson),
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
    written: writing.status === 'fulfilled' ? parseProject(writing.value.stdout) : undefined,
    failure,
    stderr: marked.status === 'fulfilled' ? marked.value.stderr : '',
  }
}

const parsed = (answer: PromiseSettledResult<ComposeOutput>): Described | undefined =>
  answer.status === 'fulfilled' ? parseProject(undoubled(answer.value.stdout)) : undefined

/**
 * Asks Compose more than once. With all variables set, Compose tells the stack as `up` would see it; only names, paths
 * and numbers of this output are used. With variables left as written, Compose tells the `env_file`s, and all but the
 * mounts where an env file is missing; but it refuses much that is right once variables are set. Secrets that the
 * stagelet does not list are replaced by marks: see variable-check. Services of all profiles are searched for variables
 * that these secrets would set: a person may run a service whose profile is off.
 */
const askCompose = async (
  compose: Compose,
  { spec, mask }: ModelRequest,
  { flags, probes }: { readonly flags: readonly string[]; readonly probes: ProbeEnvironments },
): Promise<Asked> => {
  // Checked before values are masked: a secret may have the text of a mark.
  const quoted = new Set<string>()
  const look = (text: string): string => {
    for (const key of markedIn(text, probes)) quoted.add(key)
    return mask(text)
  }
  const asking =
    (profiles: readonly string[]): Ask =>
    (env, ...verb) =>
      compose.run({
        flags: [...flags, ...profiles],
        cwd: spec.directory,
        env,
        mask: look,
        verb: ['config', ...verb],
      })
  const ask = asking([])
  const [own, all] = await Promise.all([
    answersOf(ask, probes),
    probes.marks.size > 0 ? answersOf(asking(['--profile', '*']), probes) : undefined,
  ])
  for (const answers of all === undefined ? [own] : [own, all]) {
    const notListed = checkFilling(probes, { ...answers, quoted: [...quoted] } as Answers)
    if (notListed !== undefined) throw new StackRefused(notListed)
  }
  const { marked: filled, written, failure } = own
  const uses = findUses(written ?? {})
  if (filled !== undefined) {
    return {
      projectName: spec.projectName ?? filled.name ?? '',
      flags,
      services: servicesOf(Object.keys(filled.services ?? {}), filled, written),
      missingVariables: unique(parseUnset(own.stderr)),
      uses,
      variables: fillsContainers(probes, { marked: filled, written } as Answers),
      mounts: { mounts: parseMounts(filled) },
      networks: networksOf(filled),
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
    mounts: { fault: faultOf(failure).fault },
    networks: [],
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

const rootsOf = (directory: string, files: readonly string[]): string[] => [
  ...new Set([directory, dirname(resolve(directory, files[0] ?? '.'))]),
]

/** Words in texts that may be names of variables. */
const namesIn = (texts: readonly string[]): ReadonlySet<string> =>
  new Set(texts.flatMap((text) => text.match(/[A-Za-z_][A-Za-z0-9_]*/g) ?? []))

const readNames = async (paths: readonly string[]): Promise<ReadonlySet<string>> =>
  namesIn(await Promise.all(paths.map(readText)))

interface Cached {
  readonly specKey: string
  readonly composeVersion: string
  /** The environment of the request. */
  readonly probes: ProbeEnvironments
  readonly names: ReadonlySet<string>
  readonly watched: readonly string[]
  readonly model: ComposeModel
}

const probeEnvironmentsFor = (
  { spec, base, globals }: ModelRequest,
  names: ReadonlySet<string>,
): ProbeEnvironments =>
  probeEnvironmentsOf({ base, globals, listed: spec.variables ?? [] }, (key) => names.has(key))

export const createModelSource = (compose: Compose, folders: AllowedFolders): ModelSource => {
  let cached: Cached | undefined
  let watchedNow: readonly string[] = []

  /** `more`: names of variables in files that no text here mentions. */
  const load = async (
    request: ModelRequest,
    specKey: string,
    more: ReadonlySet<string> = new Set(),
  ): Promise<ModelResult> => {
    const found = await findComposeFiles(request.spec, folders)
    const isRefused = 'fault' in found && found.fault.reason === 'DirectoryNotAllowed'
    const wanted = isRefused ? [] : wantedFiles(request.spec)
    watchedNow = 'fault' in found ? wanted : found.files.watched
    if ('fault' in found) return { fault: found.fault, missingVariables: [] }
    const { files, envFiles, watched: named } = found.files
    // Taken before Compose is asked: a change during the read must be noticed.
    const before = await signatureOf(named)
    try {
      const names = new Set([...(await readNames(named)), ...more])
      const probes = probeEnvironmentsFor(request, names)
      const steering = checkSteering(probes, await Promise.all(envFiles.map(readText)))
      if (steering !== undefined) return { fault: steering, missingVariables: [] }
      const flags = flagsFor(request.spec, files)
      const asked = await askCompose(compose, request, { flags, probes })
      // Env files under any name, also missing ones.
      const all = asked.services.flatMap((s) => s.envFiles)
      const others = all.filter((f) => !named.includes(f))
      const watched = (watchedNow = [...named, ...new Set(others)])
      const signature = others.length === 0 ? before : await signatureOf(watched)
      // Variables in such a file become variables of containers, and may set others.
      const inFiles = await readNames(all)
      const known = new Set([...names, ...inFiles])
      if (probeEnvironmentsFor(request, known).marks.size > probes.marks.size)
        return await load(request, specKey, inFiles)
      const listed = (request.spec.variables ?? []).filter((key) => key in request.globals)
      const isTold = 'mounts' in asked.mounts
      const used = isTold ? [...probes.marks.keys()].filter((key) => inFiles.has(key)) : []
      const variables = unique([...asked.variables, ...used, ...listed])
      const roots = rootsOf(request.spec.directory, files)
      const model = { ...asked, variables, roots, signature }
      const composeVersion = compose.version
      cached = { specKey, composeVersion, probes, names: known, watched, model }
      return { model }
    } catch (error) {
      return faultOf(error)
    }
  }

  return {
    read: async (request) => {
      const fault = await composeFault(compose)
      if (fault !== undefined) return { fault, missingVariables: [] }
      const specKey = JSON.stringify(request.spec)
      const known = cached
      if (
        known?.specKey === specKey &&
        known.composeVersion === compose.version &&
        known.model.signature === (await signatureOf(known.watched))
      ) {
        // Another value of a listed secret may select other parts of the files, and other variables in them.
        if (isDeepStrictEqual(known.probes, probeEnvironmentsFor(request, known.names)))
          return { model: known.model }
      }
      cached = undefined
      return await load(request, specKey)
    },
    watched: () => watchedNow,
    forget: () => {
      cached = undefined
    },
  }
}
