// Refuses stacks whose files containers may write, and mounts that lead through a link that a container may have made:
// with either, code in a container chooses what the next containers mount, and so is root on the machine.
import { dirname } from 'node:path'
import { isInside, type StackFault } from '../compose/allowed-folders.ts'
import type { ComposeModel } from '../compose/compose-model.ts'
import type { WritableMount } from '../docker/mounts.ts'
import { unique } from '../compose/service-model.ts'
import { wayOf, type Way } from './way.ts'

const writableByContainer = 'WritableByContainer'

interface UsedPath {
  readonly service: string
  readonly source: string
  /** The service may write it. */
  readonly writes: boolean
}

export interface StackParts {
  /** Folder of the stack. */
  readonly directory: string
  /** Files and folders from which Compose takes what the stack is. */
  readonly steering: readonly string[]
  /** Files and folders of the machine that its services mount or read, where they are known. */
  readonly used: readonly UsedPath[]
  /** Name containers of other stacks too: for who stands on the machine. */
  readonly namesAll?: boolean
  /** Folders for which the stagelet says that containers may write them. */
  readonly allowed: readonly string[]
}

interface Writer {
  /** With links followed. */
  readonly source: string
  readonly who: string
}

interface Weakness {
  readonly message: string
  readonly path: string
}

/** Containers of other stacks are not named: whoever may read the status may not know them. */
const whoOf = (mount: WritableMount, { directory, namesAll = false }: StackParts): string =>
  namesAll || mount.directory === directory
    ? `container ${mount.container}`
    : 'a container of another stack'

const writersOf = async (
  parts: StackParts,
  mounts: readonly WritableMount[],
): Promise<Writer[]> => {
  const own = parts.used.flatMap(({ service, source, writes }) =>
    writes ? { source, who: `service ${service}` } : [],
  )
  const others = mounts.map((m) => ({ source: m.source, who: whoOf(m, parts) }))
  const all = [...new Map([...others, ...own].map((w) => [w.source, w])).values()]
  return await Promise.all(all.map(async (w) => ({ ...w, source: (await wayOf(w.source)).real })))
}

interface Look {
  readonly writers: readonly Writer[]
  /** Folders that containers may write, as the stagelet says. */
  readonly listed: readonly string[]
}

/** Who may change what lies at one of these places, though nobody has said so. */
const writerOf = (
  places: readonly string[],
  { writers, listed }: Look,
  isWeak: (place: string, writer: Writer) => boolean,
): Writer | undefined => {
  const open = places.filter((place) => !listed.some((folder) => isInside(place, folder)))
  return writers.find((writer) => open.some((place) => isWeak(place, writer)))
}

const ofSteering = (path: string, { links, real }: Way, context: Look): Weakness | undefined => {
  const writer = writerOf([...links, real], context, (place, { source }) => isInside(place, source))
  if (writer === undefined) return undefined
  const { source, who } = writer
  const message =
    source === path
      ? `${who} may write ${path}`
      : `${path} lies in ${source}, which ${who} may write`
  return { message, path }
}

/** A link to what the container may write anyway gives it nothing more. */
const ofMount = (
  { service, source }: { readonly service: string; readonly source: string },
  { links, real }: Way,
  context: Look,
): Weakness | undefined => {
  const writer = writerOf(
    links,
    context,
    (link, w) => link !== w.source && isInside(link, w.source) && !isInside(real, w.source),
  )
  if (writer === undefined) return undefined
  const message = `service ${service} uses ${source}, which leads to ${real} by a link in ${writer.source}, and ${writer.who} may write that`
  return { message, path: source }
}

const mostSaid = 5

const faultOf = (found: readonly Weakness[], directory: string): StackFault => {
  const folders = unique(
    found.map(({ path }) => (isInside(path, directory) ? directory : dirname(path))),
  )
  const said = [...new Set(found.map(({ message }) => message))]
  const more = said.length > mostSaid ? `; and ${said.length - mostSaid} more` : ''
  return {
    reason: writableByContainer,
    message: `${said.slice(0, mostSaid).join('; ')}${more}. Code in that container could have this stack mount the whole machine: mount the folder read-only, or one below it without Compose files, or keep the Compose files elsewhere. Where that code may be root on this machine, say so in the stagelet: spec.compose.writableFolders: [${folders.join(', ')}]`,
  }
}

/** The fault with all that is wrong; undefined where nothing is. */
export const findWrittenByContainers = async (
  parts: StackParts,
  mounts: readonly WritableMount[],
): Promise<StackFault | undefined> => {
  const { directory, steering, used, allowed } = parts
  const reals = await Promise.all(allowed.map(async (folder) => (await wayOf(folder)).real))
  const context: Look = { writers: await writersOf(parts, mounts), listed: [...allowed, ...reals] }
  const weakFolder = ofSteering(directory, await wayOf(directory), context)
  const found = [weakFolder]
  const others = steering.filter((path) => weakFolder === undefined || !isInside(path, directory))
  for (const path of unique(others)) found.push(ofSteering(path, await wayOf(path), context))
  for (const mount of used) found.push(ofMount(mount, await wayOf(mount.source), context))
  const weak = found.filter((weakness) => weakness !== undefined)
  return weak.length === 0 ? undefined : faultOf(weak, directory)
}

/** What the services use of the machine, as the model tells it. */
export const usedPathsOf = (
  model: Pick<ComposeModel, 'services' | 'mounts'> | undefined,
): UsedPath[] => {
  if (model === undefined) return []
  const mounts = 'mounts' in model.mounts ? [...model.mounts.mounts] : []
  return [
    ...mounts.flatMap(([service, { binds }]) =>
      binds.map(({ source, readOnly }) => ({ service, source, writes: !readOnly })),
    ),
    ...model.services.flatMap(({ name: service, envFiles }) =>
      envFiles.map((source) => ({ service, source, writes: false })),
    ),
  ]
}
