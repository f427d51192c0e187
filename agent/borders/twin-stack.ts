// Finds a stack of the same folder under another project name that may write the same files of the machine: two databases
// on one folder of data destroy it. Volumes have the project's name, and are apart.
import { isInside, realPath } from '../compose/allowed-folders.ts'
import type { WritableMount } from '../docker/mounts.ts'

/** What many containers share without harm. */
const ofSystem = /^\/(dev|proc|sys|run|var\/run|etc|tmp)(\/|$)|\.sock$/

export interface OwnStack {
  readonly project: string
  /** Folders of the stack, as its files tell. */
  readonly roots: readonly string[]
  /** Files and folders of the machine that its services may write. */
  readonly writes: readonly string[]
  /** Volumes whose names the stack's files give. */
  readonly fixedVolumes: readonly string[]
  /** Names of volumes and networks that the stagelet adopts, and paths that it may share. */
  readonly adopt: readonly string[]
}

interface Twin {
  readonly project: string
  readonly container: string
  /** What both may write. */
  readonly path: string
}

/** `mounts`: what containers may write, stopped ones too. */
export const findTwin = async (
  { project, roots, writes, fixedVolumes, adopt }: OwnStack,
  mounts: readonly WritableMount[],
): Promise<Twin | undefined> => {
  const realOf = async (paths: readonly string[]): Promise<Set<string>> =>
    new Set(await Promise.all(paths.map(realPath)))
  const [own, shared] = await Promise.all([realOf(roots), realOf(adopt)])
  const data = [...(await realOf(writes))].filter(
    (path) => !ofSystem.test(path) && !shared.has(path),
  )
  const volumes = fixedVolumes.filter((name) => !adopt.includes(name))
  if (data.length + volumes.length === 0) return undefined
  for (const { project: other, directory, container, source, volume = '' } of mounts) {
    if (other === '' || other === project || directory === '') continue
    if (!own.has(await realPath(directory))) continue
    if (volumes.includes(volume)) return { project: other, container, path: volume }
    const theirs = await realPath(source)
    const path = data.find((folder) => isInside(folder, theirs) || isInside(theirs, folder))
    if (path !== undefined) return { project: other, container, path }
  }
  return undefined
}
