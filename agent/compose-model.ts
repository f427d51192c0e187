// What the user's files mean, as Compose itself says. Cached by the files' stat signature, so that
// the first process after a new revision is `up`.
import { dirname, resolve } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { StagelyError } from '../src/kernel/errors.ts'
import type { ComposeSpec } from '../src/resources/stagelet.ts'
import { composeFault, faultOf, parseUnset, StackRefused, stderrOf } from './compose-fault.ts'
import { findComposeFiles, signatureOf, wantedFiles } from './compose-files.ts'
import type { Borders, StackFault } from './borders.ts'
import type { Environment } from '../src/compose/environment.ts'
import type { Compose, ComposeOutput } from '../src/compose/compose.ts'
import { undoubled } from '../src/compose/config-output.ts'
import { readText } from '../src/compose/files.ts'
import {
  checkFilling,
  fillingOf,
  fillsContainers,
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
  /** Variables have changed since Compose was asked: `definition`s are those of before. */
  readonly isStale: boolean
  /** What a path of the user's may be relative to, absolute: the folder and that of the first file. */
  readonly roots: readonly string[]
  readonly mounts: MountsResult
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

type Asked = Omit<ComposeModel, 'signature' | 'roots' | 'isStale'>

const parsed = (answer: PromiseSettledResult<ComposeOutput>): Described | undefined =>
  answer.status === 'fulfilled' ? parseProject(undoubled(answer.value.stdout)) : undefined

/**
 * Asks Compose more than once. With variables filled in it tells the stack as `up` would see it; of this
 * output only names, paths and numbers are looked at. As written it tells the `env_file`s, and all but
 * mounts where one of those is missing; but it refuses much that is right once it is filled in. Secrets that
 * the stagelet does not list are marks: see variable-check.
 */
const askCompose = async (
  compose: Compose,
  { spec, mask }: ModelRequest,
  { flags, filling }: { readonly flags: readonly string[]; readonly filling: Filling },
): Promise<Asked> => {
  const ask = (env: Environment, ...verb: readonly string[]): Promise<ComposeOutput> =>
    compose.run({ flags, cwd: spec.directory, env, mask, verb: ['config', ...verb] })
  const json = ['--format', 'json']
  const isMarked = filling.marks.size > 0
  const [marked, writing, without] = await Promise.allSettled([
    ask(filling.marked, ...json),
    ask(filling.without, '--no-interpolate', ...json),
    isMarked ? ask(filling.without, ...json) : Promise.reject(new Error('not asked for')),
  ])
  const written = writing.status === 'fulfilled' ? parseProject(writing.value.stdout) : undefined
  const filled = parsed(marked)
  const isWithout = without.status === 'fulfilled'
  const needsAgain = isMarked && !isWithout && filled !== undefined
  const again = needsAgain ? (await Promise.allSettled([ask(filling.again, ...json)]))[0] : without
  const refusal = marked.status === 'rejected' ? stderrOf(marked.reason) : ''
  const answers = { marked: filled, other: parsed(again), isWithout, written, refusal }
  const notListed = checkFilling(filling, answers as Answers)
  if (notListed !== undefined) throw new StackRefused(notListed)
  const uses = findUses(written ?? {})
  const variables = fillsContainers(filling, { marked: filled, written } as Answers)
  if (filled !== undefined && marked.status === 'fulfilled') {
    return {
      projectName: spec.projectName ?? filled.name ?? '',
      flags,
      services: servicesOf(Object.keys(filled.services ?? {}), filled, written),
      missingVariables: unique(parseUnset(marked.value.stderr)),
      uses,
      variables,
      mounts: { mounts: parseMounts(filled) },
    }
  }
  const reason: unknown = marked.status === 'rejected' ? marked.reason : undefined
  const { stdout, stderr } = await ask(filling.marked, '--services')
  if (written === undefined || spec.projectName === undefined) throw reason
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
    variables,
    mounts: { fault: faultOf(reason).fault },
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

export const createModelSource = (compose: Compose, borders: Borders): ModelSource => {
  let cached: Cached | undefined
  let watchedNow: readonly string[] = []

  const load = async (request: ModelRequest, specKey: string): Promise<ModelResult> => {
    const found = await findComposeFiles(request.spec, borders)
    const isRefused = 'fault' in found && found.fault.reason === 'DirectoryNotAllowed'
    const wanted = isRefused ? [] : wantedFiles(request.spec)
    watchedNow = 'fault' in found ? wanted : found.files.watched
    if ('fault' in found) return { fault: found.fault, missingVariables: [] }
    const { files, watched: named } = found.files
    // Before asking: a file that changes meanwhile must not pass as read.
    const before = await signatureOf(named)
    try {
      const names = await readNames(named)
      const filling = fillingFor(request, names)
      const flags = flagsFor(request.spec, files)
      const asked = await askCompose(compose, request, { flags, filling })
      // Whatever they are called, and there or not.
      const all = asked.services.flatMap((s) => s.envFiles)
      const others = all.filter((f) => !named.includes(f))
      const watched = (watchedNow = [...named, ...new Set(others)])
      const signature = others.length === 0 ? before : await signatureOf(watched)
      // What such a file is filled with makes variables of containers.
      const inFiles = await readNames(all)
      const { spec, globals } = request
      const listed = spec.variables ?? []
      const variables = unique([
        ...asked.variables,
        ...Object.keys(globals).filter((key) => listed.includes(key) || inFiles.has(key)),
      ])
      const roots = rootsOf(spec.directory, files)
      const model = { ...asked, variables, roots, signature, isStale: false }
      const composeVersion = compose.version
      cached = { specKey, composeVersion, filling, names, watched, model }
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
        const { marks, without } = fillingFor(request, known.names)
        // A secret more that the files name has to be looked into first.
        if (isDeepStrictEqual(known.filling.marks, marks)) {
          if (isDeepStrictEqual(known.filling.without, without)) return { model: known.model }
          // Same files, other values: what they make of the stack can wait until after `up`.
          cached = undefined
          const missing = known.model.missingVariables.filter((v) => !(v in without))
          return { model: { ...known.model, missingVariables: missing, isStale: true } }
        }
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
