// Keeps the model of a stack by the stat signature of its files, so that the first process after a new revision is `up`.
import { dirname, resolve } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { findWrittenByContainers, usedPathsOf } from './written-by-containers.ts'
import {
  askCompose,
  flagsFor,
  type ComposeModel,
  type ModelRequest,
} from '../compose/compose-model.ts'
import { composeFault, modelFaultOf, StackRefused } from '../compose/compose-fault.ts'
import {
  faultOfOddFiles,
  findComposeFiles,
  signatureOf,
  wantedFiles,
  type FilesResult,
} from '../compose/compose-files.ts'
import { checkNotOwn, type AllowedFolders, type StackFault } from '../compose/allowed-folders.ts'
import { faultOfImages, writeImages } from '../compose/chosen-images.ts'
import { faultOfCopiedMounts, makeCopy } from './folder-copy.ts'
import { isGuarded, type Environment } from '../../src/compose/environment.ts'
import type { WritableMount } from '../docker/mounts.ts'
import type { Compose } from '../../src/compose/compose.ts'
import { readIfReadable } from '../../src/compose/files.ts'
import type { ComposeSpec } from '../../src/kinds/stagelet/compose.ts'
import {
  checkSteering,
  probeEnvironmentsOf,
  type ProbeEnvironments,
} from '../compose/variable-check.ts'
import { unique } from '../compose/service-model.ts'

type ModelResult =
  | { readonly model: ComposeModel }
  | { readonly fault: StackFault; readonly missingVariables: readonly string[] }

export interface ModelSource {
  /** The model for this spec. Asks Compose only when a file or Compose itself has changed. */
  read(request: ModelRequest): Promise<ModelResult>
  /** Absolute paths of the files of the last read, and of those that it missed. */
  watched(): readonly string[]
  /** Asks Compose again at the next read. */
  forget(): void
}

const rootsOf = (directory: string, files: readonly string[]): string[] => [
  ...new Set([directory, dirname(resolve(directory, files[0] ?? '.'))]),
]

/** Words in texts that may be names of variables. */
const namesIn = (texts: readonly string[]): ReadonlySet<string> =>
  new Set(texts.flatMap((text) => text.match(/[A-Za-z_][A-Za-z0-9_]*/g) ?? []))

const readTexts = (paths: readonly string[]): Promise<string[]> =>
  Promise.all(paths.map(readIfReadable))

/** What makes a stack differ from what is written: variables (a YAML escape may be one), and other files. */
const notPlain = /[$\\]|env_file|include|extends/

/** Asks for what containers may write now. */
type AskMounts = () => Promise<readonly WritableMount[]>

interface Cached {
  readonly steering: readonly string[]
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

/** Changes with the files, and with what the stagelet chooses of them. */
const stackSignature = async (
  { profiles = [], variables = [], values, images }: ComposeSpec,
  watched: readonly string[],
): Promise<string> => {
  const files = await signatureOf(watched)
  const isPlain = profiles.length === 0 && variables.length === 0
  const chosen =
    values === undefined && images === undefined ? '' : JSON.stringify([values, images])
  return `${isPlain ? files : `${files}\n${JSON.stringify({ profiles, variables })}`}${chosen}`
}

/** A fault where the stagelet sets what steers Compose itself. */
const checkGuarded = ({ values = {} }: ComposeSpec): StackFault | undefined => {
  const guarded = Object.keys(values).filter(isGuarded)
  const message = `spec.compose.values sets ${guarded.join(', ')}, which steers Compose, Docker or the shell: take it out`
  return guarded.length === 0 ? undefined : { reason: 'ComposeInvalid', message }
}

/** A fault where containers may change what the stack is. `model`: where it is known. */
const checkWriters = (
  { directory, writableFolders: allowed = [] }: ComposeSpec,
  steering: readonly string[],
  mounts: readonly WritableMount[],
  model?: ComposeModel,
): Promise<StackFault | undefined> =>
  findWrittenByContainers({ directory, steering, used: usedPathsOf(model), allowed }, mounts)

/** A fault where a service would mount or read what is the agent's own, such as its keys. */
const faultOfOwnFolders = async (
  model: ComposeModel,
  folders: AllowedFolders,
): Promise<StackFault | undefined> => {
  for (const source of new Set(usedPathsOf(model).map((used) => used.source))) {
    const fault = await checkNotOwn(source, folders)
    if (fault !== undefined) return fault
  }
  return undefined
}

/** The model, or a fault where containers may change what it says. */
const judged = async (
  { spec, isEnding }: ModelRequest,
  { model, steering }: Cached,
  mounts: readonly WritableMount[],
  folders: AllowedFolders,
): Promise<ModelResult> => {
  const copied = isEnding
    ? undefined
    : ((await faultOfOwnFolders(model, folders)) ?? (await faultOfCopiedMounts(spec, model)))
  const fault = copied ?? (await checkWriters(spec, steering, mounts, model))
  return fault === undefined ? { model } : { fault, missingVariables: [] }
}

/** The files; a folder that is to be a copy is made before. `lastEnvFiles`: of the last model, under any name. */
const readyFiles = async (
  { spec, uid, isEnding }: ModelRequest,
  folders: AllowedFolders,
  askMounts: AskMounts,
  lastEnvFiles: readonly string[],
): Promise<FilesResult> => {
  const { directory, copyOf } = spec
  const fault = checkGuarded(spec) ?? (await faultOfOddFiles(lastEnvFiles))
  if (fault !== undefined) return { fault }
  const copy = copyOf !== undefined && !isEnding ? { uid, directory, copyOf } : undefined
  const unmade = copy && (await makeCopy(copy, folders, askMounts))
  return unmade === undefined ? await findComposeFiles(spec, folders) : { fault: unmade }
}

/** Where the images are written that a stagelet chooses, by its uid. */
type ImagesFile = (uid: string) => string

/** The flags, with the file of the images that the stagelet chooses. StackRefused where a service is none. */
const withImages = async (
  { compose, imagesFile }: { readonly compose: Compose; readonly imagesFile: ImagesFile },
  { spec: { images, directory: cwd }, uid, isEnding, mask }: ModelRequest,
  { flags, env }: { readonly flags: readonly string[]; readonly env: Environment },
): Promise<readonly string[]> => {
  if (images === undefined || isEnding) return flags
  const verb = ['config', '--services']
  const asked = await compose.run({ flags: [...flags, '--profile', '*'], cwd, env, mask, verb })
  const fault = faultOfImages(images, asked.stdout.split('\n').filter(Boolean).sort())
  if (fault !== undefined) throw new StackRefused(fault)
  await writeImages(imagesFile(uid), images)
  return [...flags, '-f', imagesFile(uid)]
}

export const createModelSource = (
  compose: Compose,
  folders: AllowedFolders,
  askMounts: AskMounts,
  imagesFile: ImagesFile,
): ModelSource => {
  let cached: Cached | undefined
  let watchedNow: readonly string[] = []
  let lastEnvFiles: readonly string[] = []

  /** `more`: names of variables in files that no text here mentions. */
  const load = async (
    request: ModelRequest,
    specKey: string,
    more: ReadonlySet<string> = new Set(),
  ): Promise<ModelResult> => {
    const found = await readyFiles(request, folders, askMounts, lastEnvFiles)
    const isRefused = 'fault' in found && found.fault.reason === 'DirectoryNotAllowed'
    const wanted = isRefused ? [] : wantedFiles(request.spec)
    watchedNow = 'fault' in found ? wanted : found.files.watched
    if ('fault' in found) return { fault: found.fault, missingVariables: [] }
    const { files, envFiles, watched: named, steering } = found.files
    const mounts = await askMounts()
    // Before Compose is asked: its messages may quote what such a file names.
    const written = await checkWriters(request.spec, steering, mounts)
    if (written !== undefined) return { fault: written, missingVariables: [] }
    // Taken before Compose is asked: a change during the read must be noticed.
    const before = await stackSignature(request.spec, named)
    const steeringBefore = await signatureOf(steering)
    try {
      const texts = await readTexts(named)
      const names = new Set([...namesIn(texts), ...more])
      const probes = probeEnvironmentsFor(request, names)
      const steered = checkSteering(probes, await readTexts(envFiles))
      if (steered !== undefined) return { fault: steered, missingVariables: [] }
      const given = { flags: flagsFor(request.spec, files), env: probes.marked }
      const flags = await withImages({ compose, imagesFile }, request, given)
      const isPlain = probes.marks.size === 0 && !texts.some((text) => notPlain.test(text))
      const asked = await askCompose(compose, request, { flags, probes, isPlain })
      // Env files under any name, also missing ones.
      const all = (lastEnvFiles = asked.services.flatMap((s) => s.envFiles))
      const others = all.filter((f) => !named.includes(f))
      const watched = (watchedNow = [...named, ...new Set(others)])
      const signature = others.length === 0 ? before : await stackSignature(request.spec, watched)
      // Variables in such a file become variables of containers, and may set others.
      const inFiles = namesIn(await readTexts(all))
      const keys = new Set([...names, ...inFiles])
      if (probeEnvironmentsFor(request, keys).marks.size > probes.marks.size)
        return await load(request, specKey, inFiles)
      const listed = (request.spec.variables ?? []).filter((key) => key in request.globals)
      const isTold = 'mounts' in asked.mounts
      const used = isTold ? [...probes.marks.keys()].filter((key) => inFiles.has(key)) : []
      const variables = unique([...asked.variables, ...used, ...listed])
      const roots = rootsOf(request.spec.directory, files)
      const inputs = `${steeringBefore}\n${await signatureOf(all)}`
      const model = { ...asked, variables, roots, signature, inputs }
      const entry = { specKey, composeVersion: compose.version, probes, names: keys, watched }
      cached = { ...entry, model, steering }
      return await judged(request, cached, mounts, folders)
    } catch (error) {
      return modelFaultOf(error)
    }
  }

  return {
    read: async (request) => {
      const fault = await composeFault(compose)
      if (fault !== undefined) return { fault, missingVariables: [] }
      const specKey = JSON.stringify(request.spec)
      const entry = cached
      if (
        entry?.specKey === specKey &&
        entry.composeVersion === compose.version &&
        entry.model.signature === (await stackSignature(request.spec, entry.watched))
      ) {
        // Another value of a listed secret may select other parts of the files, and other variables in them.
        if (isDeepStrictEqual(entry.probes, probeEnvironmentsFor(request, entry.names)))
          return await judged(request, entry, await askMounts(), folders)
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
