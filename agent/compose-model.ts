// What the user's files mean, as Compose itself says. Cached by the files' stat signature, so that
// the first process after a new revision is `up`.
import { dirname, resolve } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { messageOf, StagelyError } from '../src/kernel/errors.ts'
import type { ComposeSpec } from '../src/resources/stagelet.ts'
import { findComposeFiles, signatureOf, wantedFiles } from './compose-files.ts'
import type { StackFault } from './compose-files.ts'
import type { Environment } from '../src/compose/environment.ts'
import { ComposeError } from '../src/compose/compose.ts'
import type { Compose, ComposeOutput } from '../src/compose/compose.ts'
import { undoubled } from '../src/compose/config-output.ts'
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
  readonly signature: string
  /** Variables have changed since Compose was asked: `definition`s are those of before. */
  readonly isStale: boolean
  /** What a path of the user's may be relative to, absolute: the folder and that of the first file. */
  readonly roots: readonly string[]
  readonly mounts: MountsResult
}

type ModelResult =
  | { readonly model: ComposeModel }
  | { readonly fault: StackFault; readonly missingVariables: readonly string[] }

interface ModelRequest {
  readonly spec: ComposeSpec
  readonly env: Environment
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
}

const parseUnset = (stderr: string): string[] => [
  ...[...stderr.matchAll(/The \\?"(.+?)\\?" variable is not set/g)].map((m) => m[1]!),
  ...[...stderr.matchAll(/required variable (\S+) is missing a value/g)].map((m) => m[1]!),
]

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

/**
 * Asks Compose twice. With variables filled in it tells the stack as `up` would see it; of this output
 * only names, paths and numbers are looked at. As written it tells the `env_file`s, and all but mounts
 * where one of those is missing; but it refuses much that is right once it is filled in.
 */
const askCompose = async (
  compose: Compose,
  { spec, env, mask }: ModelRequest,
  flags: readonly string[],
): Promise<Omit<ComposeModel, 'signature' | 'roots' | 'isStale'>> => {
  const ask = (...verb: readonly string[]): Promise<ComposeOutput> =>
    compose.run({ flags, cwd: spec.directory, env, mask, verb: ['config', ...verb] })
  const [filling, writing] = await Promise.allSettled([
    ask('--format', 'json'),
    ask('--no-interpolate', '--format', 'json'),
  ])
  const written = writing.status === 'fulfilled' ? parseProject(writing.value.stdout) : undefined
  const uses = findUses(written ?? {})
  if (filling.status === 'fulfilled') {
    const { stdout, stderr } = filling.value
    const filled = parseProject(undoubled(stdout))
    return {
      projectName: spec.projectName ?? filled.name ?? '',
      flags,
      services: servicesOf(Object.keys(filled.services ?? {}), filled, written),
      missingVariables: unique(parseUnset(stderr)),
      uses,
      mounts: { mounts: parseMounts(filled) },
    }
  }
  const { stdout, stderr } = await ask('--services')
  if (written === undefined || spec.projectName === undefined) throw filling.reason
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
    mounts: { fault: faultOf(filling.reason).fault },
  }
}

const servicesOf = (
  names: readonly string[],
  { services = {} }: Described,
  written: Described | undefined,
): ServiceModel[] =>
  unique(names).map((name) =>
    toService(name, services[name] ?? {}, written?.services?.[name] ?? {}),
  )

const faultOf = (error: unknown): { fault: StackFault; missingVariables: readonly string[] } => {
  if (!(error instanceof ComposeError) || error.exitCode === undefined)
    return {
      fault: { reason: 'ComposeUnavailable', message: messageOf(error) },
      missingVariables: [],
    }
  const message = `Compose does not accept the stack's files: ${error.stderr}`
  return {
    fault: { reason: 'ComposeInvalid', message },
    missingVariables: unique(parseUnset(error.stderr)),
  }
}

/** Undefined where Compose can be used; it may have been upgraded, or be gone, since the last look. */
export const composeFault = (compose: Compose): Promise<StackFault | undefined> =>
  compose.lookAgain().then(
    () => undefined,
    (error: unknown) => faultOf(error).fault,
  )

const rootsOf = (directory: string, files: readonly string[]): string[] => [
  ...new Set([directory, dirname(resolve(directory, files[0] ?? '.'))]),
]

interface Cached {
  readonly specKey: string
  readonly composeVersion: string
  readonly env: Environment
  readonly watched: readonly string[]
  readonly model: ComposeModel
}

export const createModelSource = (compose: Compose, allowDirs: readonly string[]): ModelSource => {
  let cached: Cached | undefined
  let watchedNow: readonly string[] = []

  const load = async (request: ModelRequest, specKey: string): Promise<ModelResult> => {
    const found = await findComposeFiles(request.spec, allowDirs)
    watchedNow = 'fault' in found ? wantedFiles(request.spec) : found.files.watched
    if ('fault' in found) return { fault: found.fault, missingVariables: [] }
    const { files, watched: named } = found.files
    // Before asking: a file that changes meanwhile must not pass as read.
    const before = await signatureOf(named)
    try {
      const asked = await askCompose(compose, request, flagsFor(request.spec, files))
      // Whatever they are called, and there or not.
      const others = asked.services.flatMap((s) => s.envFiles).filter((f) => !named.includes(f))
      const watched = (watchedNow = [...named, ...new Set(others)])
      const signature = others.length === 0 ? before : await signatureOf(watched)
      const roots = rootsOf(request.spec.directory, files)
      const model = { ...asked, roots, signature, isStale: false }
      cached = { specKey, composeVersion: compose.version, env: request.env, watched, model }
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
        // Same files, other variables: what they make of the stack can wait until after `up`.
        if (isDeepStrictEqual(known.env, request.env)) return { model: known.model }
        cached = undefined
        const missing = known.model.missingVariables.filter((v) => !(v in request.env))
        return { model: { ...known.model, missingVariables: missing, isStale: true } }
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
