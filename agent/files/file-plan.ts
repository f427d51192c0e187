// Plans which file secret is mounted where: pure. A file secret replaces what the user's files mount from its path.
// Nothing is written into the user's folder.
import { isInside } from '../compose/allowed-folders.ts'
import { isAbsolute, posix } from 'node:path'
import type { Mount } from '../../src/compose/override.ts'
import { cleanPath, type Bind, type ServiceMounts } from '../compose/compose-mounts.ts'
import { isListedTarget, whyGuarded } from './file-targets.ts'
import type { OpenedSecret } from '../state/stack-target.ts'

interface ServiceInput {
  readonly name: string
  readonly mounts: ServiceMounts
  /** Absolute paths of its `env_file`s. */
  readonly envFiles: readonly string[]
  /** Secrets that the service sees. */
  readonly entries: readonly OpenedSecret[]
}

export interface FilePlanInput {
  /** Folders that a relative path may start from: that of the stack, and that of its first file. */
  readonly roots: readonly string[]
  readonly services: readonly ServiceInput[]
  /** Env files of the whole stack, which Compose reads `${VAR}` from. Absolute. */
  readonly envFiles: readonly string[]
  readonly pathOf: (digest: string) => string
  /** Paths in containers that the stagelet allows although programs are run from there. */
  readonly fileTargets: readonly string[]
}

export interface ServicePlan {
  readonly mounts: readonly Mount[]
  /** Variables that point at a file. */
  readonly variables: readonly { readonly key: string; readonly value: Buffer }[]
}

/** A user's file that must exist: Docker would make an empty one as the mount point. */
interface MountPoint {
  readonly path: string
  readonly message: string
}

export interface FilePlan {
  readonly services: ReadonlyMap<string, ServicePlan>
  /** Secrets that are mounted somewhere, by digest. */
  readonly files: ReadonlyMap<string, OpenedSecret>
  readonly mountPoints: readonly MountPoint[]
  /** Keys of the file secrets that no service mounts. */
  readonly unmounted: readonly string[]
  readonly faults: readonly string[]
}

const pathsOf = ({ file }: OpenedSecret, roots: readonly string[]): Set<string> => {
  const path = file?.path
  if (path === undefined) return new Set()
  const all = isAbsolute(path) ? [path] : roots.map((root) => posix.join(root, path))
  return new Set(all.map(cleanPath))
}

/** The user's own paths that file secrets fill: whoever mounts one by itself, with the key. */
export const filledPaths = ({
  services,
  roots,
}: Pick<FilePlanInput, 'services' | 'roots'>): Map<string, string> =>
  new Map(
    services.flatMap(({ entries, mounts }) =>
      entries
        .filter(({ type }) => type === 'file')
        .flatMap((entry) => {
          const paths = pathsOf(entry, roots)
          const mounted = mounts.binds.filter(({ source }) => paths.has(source))
          return mounted.map(({ source }) => [source, entry.key] as const)
        }),
    ),
  )

/** Path in the container at which this bind shows `path`; undefined where it does not. */
const seenThrough = (bind: Bind, path: string): string | undefined =>
  isInside(path, bind.source)
    ? cleanPath(posix.join(bind.target, posix.relative(bind.source, path)))
    : undefined

/** Paths in the container that the secret goes to, each with whether it is read-only. */
const targetsOf = (
  entry: OpenedSecret,
  mounts: ServiceMounts,
  paths: ReadonlySet<string>,
): Map<string, boolean> => {
  const targets = new Map<string, boolean>()
  const asked = entry.file?.target
  if (asked !== undefined) {
    const target = cleanPath(asked)
    targets.set(target, mounts.binds.find((b) => b.target === target)?.readOnly ?? true)
  }
  for (const bind of mounts.binds) {
    for (const path of paths) {
      const target = seenThrough(bind, path)
      if (target !== undefined && !targets.has(target)) targets.set(target, bind.readOnly)
    }
  }
  return targets
}

/** The user's file that Docker needs as a mount point, where the target lies in a folder that the user mounts. */
const mountPointOf = (target: string, { binds, others }: ServiceMounts): string | undefined => {
  const over = [...binds, ...others.map((other) => ({ target: other, source: undefined }))]
    .filter((m) => isInside(target, m.target))
    .sort((a, b) => b.target.length - a.target.length)[0]
  if (over?.source === undefined || over.target === target) return undefined
  return posix.join(over.source, posix.relative(over.target, target))
}

class Planner {
  readonly services = new Map<string, ServicePlan>()
  readonly files = new Map<string, OpenedSecret>()
  readonly mountPoints: MountPoint[] = []
  readonly faults: string[] = []
  readonly #input: FilePlanInput

  constructor(input: FilePlanInput) {
    this.#input = input
  }

  add(service: ServiceInput): void {
    const own = new Map<string, Mount & { readonly key: string }>()
    const variables: { key: string; value: Buffer }[] = []
    for (const entry of service.entries) {
      if (entry.type !== 'file') continue
      const paths = pathsOf(entry, this.#input.roots)
      this.#checkEnvFiles(service, entry, paths)
      const targets = targetsOf(entry, service.mounts, paths)
      for (const [target, readOnly] of targets) {
        this.#checkTarget(service, entry, target)
        const rival = own.get(target)
        if (rival !== undefined)
          this.faults.push(`${service.name}: ${rival.key} and ${entry.key} both go to ${target}`)
        own.set(target, {
          key: entry.key,
          source: this.#input.pathOf(entry.valueDigest),
          target,
          readOnly,
        })
        this.#needMountPoint(service, entry, target)
      }
      const [first] = targets.keys()
      if (first === undefined) continue
      this.files.set(entry.valueDigest, entry)
      const name = entry.file?.envVar
      if (name === undefined) continue
      if (
        [...service.entries.filter((e) => e.type === 'env'), ...variables].some(
          (e) => e.key === name,
        )
      )
        this.faults.push(
          `${service.name}: the variable ${name} of ${entry.key} is a secret of its own`,
        )
      variables.push({ key: name, value: Buffer.from(first) })
    }
    const mounts = [...own.values()].map(({ key: _key, ...mount }) => mount)
    mounts.sort((a, b) => (a.target < b.target ? -1 : 1))
    if (mounts.length > 0) this.services.set(service.name, { mounts, variables })
  }

  #checkEnvFiles(service: ServiceInput, { key }: OpenedSecret, paths: ReadonlySet<string>): void {
    const remedy = 'which no mount can replace: make it secrets of type env'
    for (const file of service.envFiles.map(cleanPath))
      if (paths.has(file))
        this.faults.push(`${service.name}: ${key} has the path of its env_file ${file}, ${remedy}`)
    for (const file of this.#input.envFiles.map(cleanPath))
      if (paths.has(file))
        this.faults.push(`${key} has the path of the env file ${file} of the stack, ${remedy}`)
  }

  #checkTarget(service: ServiceInput, { key, file }: OpenedSecret, target: string): void {
    const why = whyGuarded(target, file?.mode)
    if (why === undefined || isListedTarget(target, this.#input.fileTargets)) return
    this.faults.push(
      `${service.name}: ${key} goes to ${target}, ${why}: where that is meant, list it in the stagelet: spec.compose.fileTargets: [${target}]`,
    )
  }

  #needMountPoint(service: ServiceInput, { key }: OpenedSecret, target: string): void {
    const path = mountPointOf(target, service.mounts)
    if (path === undefined) return
    const message = `${service.name}: ${key} goes to ${target}, in a folder of yours that has no file ${path}; Docker would leave an empty one there: create it (what it holds does not matter), or mount the file by itself`
    this.mountPoints.push({ path, message })
  }
}

/** The plan with all its faults. Nothing may be deployed where there is one. */
export const planFiles = (input: FilePlanInput): FilePlan => {
  const planner = new Planner(input)
  for (const service of input.services) planner.add(service)
  const { services, files, mountPoints } = planner
  const all = input.services.flatMap((s) => s.entries).filter((e) => e.type === 'file')
  const unmounted = all.filter((e) => !files.has(e.valueDigest)).map((e) => e.key)
  return {
    services,
    files,
    mountPoints,
    unmounted: [...new Set(unmounted)].sort(),
    faults: [...new Set(planner.faults)],
  }
}
