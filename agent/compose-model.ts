// What the user's files mean, as Compose itself says. Cached by the files' stat signature, so that
// the first process after a new revision is `up`.
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
  fillingOf,
  fillsContainers,
  markedIn,
  type Answers,
  type Filling,
} from './variable-check.ts'
import { findUses, type VariableUses } from './variable-uses.ts'
import { parseMounts, type RawStack, type ServiceMounts } from './compose-mounts.ts'
import { toService, unique, type RawService, type ServiceModel } from './service-model.ts'

/** What the services mount, or why Compose does not say. */
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
  /** Global secrets that Compose is given to fill them. */
  readonly variables: readonly string[]
  readonly signature: string
  /** What a path of the user's may be relative to, absolute: the folder and that of the first file. */
  readonly roots: readonly string[]
  readonly mounts: MountsResult
  /** Those that Compose makes for the stack; none where it does not say. */
  readonly networks: readonly KeptNetwork[]
}

type ModelResult =
  | { readonly model: ComposeModel }
  | { readonly fault: StackFault; readonly missingVariables: readonly string[] }

export interface ModelRequest {
  readonly spec: ComposeSpec
  /** Environment of Compose, without secrets. */
  readonly base: Environment
  /** Global secrets that may fill variables of the files. */
  readonly globals: Environment
  readonly mask: (text: string) => string
}

export interface ModelSource {
  /** The model for this spec; asks Compose only when a file, or Compose itself, has changed since. */
  read(request: ModelRequest): Promise<ModelResult>
  /** Absolute paths of the files that the last read was made from, or that it lacked. */
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

/** The parser's own message would quote the user's files. */
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

/** With the marks, as it is written, and without the secrets or, where it needs these, with other marks. */
const answersOf = async (ask: Ask, filling: Filling) => {
  const isMarked = filling.marks.size > 0
  const [marked, writing, without] = await Promise.allSettled([
    ask(filling.marked, ...asJson),
    ask(filling.without, '--no-interpolate', ...asJson),
    isMarked ? ask(filling.without, ...asJson) : Promise.reject(new Error('not asked for')),
  ])
  const failure = marked.status === 'rejected' ? (marked.reason as Error) : undefined
  // What Compose has not read it has not refused.
  if (isMarked && failure !== undefined && !isRefusal(failure)) throw failure
  const isWithout = without.status === 'fulfilled'
  const needsAgain = isMarked && !isWithout && failure === undefined
  const again = needsAgain
    ? (await Promise.allSettled([ask(filling.again, ...asJson)]))[0]
    : without
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
 * Asks Compose more than once. With variables filled in it tells the stack as `up` would see it; of this
 * output only names, paths and numbers are looked at. As written it tells the `env_file`s, and all but
 * mounts where one of those is missing; but it refuses much that is right once it is filled in. Secrets that
 * the stagelet does not list are marks: see variable-check. What they would fill is looked for in services
 * of all profiles: a person may run one of those that are off.
 */
const askCompose = async (
  compose: Compose,
  { spec, mask }: ModelRequest,
  { flags, filling }: { readonly flags: readonly string[]; readonly filling: Filling },
): Promise<Asked> => {
  // Before they are masked: somebody may have given a secret the text of a mark.
  const quoted = new Set<string>()
  const look = (text: string): string => {
    for (const key of markedIn(text, filling)) quoted.add(key)
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
    answersOf(ask, filling),
    filling.marks.size > 0 ? answersOf(asking(['--profile', '*']), filling) : undefined,
  ])
  for (const answers of all === undefined ? [own] : [own, all]) {
    const notListed = checkFilling(filling, { ...answers, quoted: [...quoted] } as Answers)
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
      variables: fillsContainers(filling, { marked: filled, written } as Answers),
      mounts: { mounts: parseMounts(filled) },
      networks: networksOf(filled),
    }
  }
  const { stdout, stderr } = await ask(filling.marked, '--services')
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
    // Nothing shows what these would fill.
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

/** Names in texts that may be those of variables. */
const namesIn = (texts: readonly string[]): ReadonlySet<string> =>
  new Set(texts.flatMap((text) => text.match(/[A-Za-z_][A-Za-z0-9_]*/g) ?? []))

const readNames = async (paths: readonly string[]): Promise<ReadonlySet<string>> =>
  namesIn(await Promise.all(paths.map(readText)))

interface Cached {
  readonly specKey: string
  readonly composeVersion: string
  /** What was asked with. */
  readonly filling: Filling
  readonly names: ReadonlySet<string>
  readonly watched: readonly string[]
  readonly model: ComposeModel
}

const fillingFor = ({ spec, base, globals }: ModelRequest, names: ReadonlySet<string>): Filling =>
  fillingOf({ base, globals, listed: spec.variables ?? [] }, (key) => names.has(key))

export const createModelSource = (compose: Compose, folders: AllowedFolders): ModelSource => {
  let cached: Cached | undefined
  let watchedNow: readonly string[] = []

  /** `more`: names that are known to be in files that no text here names. */
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
    // Before asking: a file that changes meanwhile must not pass as read.
    const before = await signatureOf(named)
    try {
      const names = new Set([...(await readNames(named)), ...more])
      const filling = fillingFor(request, names)
      const steering = checkSteering(filling, await Promise.all(envFiles.map(readText)))
      if (steering !== undefined) return { fault: steering, missingVariables: [] }
      const flags = flagsFor(request.spec, files)
      const asked = await askCompose(compose, request, { flags, filling })
      // Whatever they are called, and there or not.
      const all = asked.services.flatMap((s) => s.envFiles)
      const others = all.filter((f) => !named.includes(f))
      const watched = (watchedNow = [...named, ...new Set(others)])
      const signature = others.length === 0 ? before : await signatureOf(watched)
      // What such a file is filled with makes variables of containers, and whatever else it fills.
      const inFiles = await readNames(all)
      const known = new Set([...names, ...inFiles])
      if (fillingFor(request, known).marks.size > filling.marks.size)
        return await load(request, specKey, inFiles)
      const listed = (request.spec.variables ?? []).filter((key) => key in request.globals)
      const isTold = 'mounts' in asked.mounts
      const used = isTold ? [...filling.marks.keys()].filter((key) => inFiles.has(key)) : []
      const variables = unique([...asked.variables, ...used, ...listed])
      const roots = rootsOf(request.spec.directory, files)
      const model = { ...asked, variables, roots, signature }
      const composeVersion = compose.version
      cached = { specKey, composeVersion, filling, names: known, watched, model }
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
        // Another value of a listed secret may choose other parts of the files, also what others fill.
        if (isDeepStrictEqual(known.filling, fillingFor(request, known.names)))
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
