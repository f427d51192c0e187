// The services of compose files before variables are interpolated. Compose 2.26 describes them only
// when all variables stand for free text. For other files the YAML is read here, to find the variables
// and env files. Only Compose interprets the files.
import { readFile } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { parseAllDocuments } from 'yaml'
import { isRecord } from '../../src/kernel/record.ts'
import { cannot } from '../errors.ts'
import { declaredEnvFiles, writtenOf, type ServiceDeclaration } from './service-uses.ts'

export type RawServices = Readonly<Record<string, ServiceDeclaration>>

interface Files {
  readonly paths: readonly string[]
  /** Absolute base of the relative paths in these files. */
  readonly root: string
}

/** Interpolates variables in texts, as Compose does. */
type Fill = (texts: readonly string[]) => Promise<readonly string[]>

/** More than real files have; ends a circular include, which Compose would have refused before. */
const maxDepth = 20

/**
 * The services of `files` and of the files that they include and extend. If two files set one field,
 * the result has both texts: it may contain more than Compose would use.
 */
export const readAsWritten = async (files: Files, fill: Fill, depth = 0): Promise<RawServices> => {
  if (depth > maxDepth) return {}
  let services: RawServices = {}
  for (const path of files.paths) {
    const at = resolve(files.root, path)
    for (const document of await readDocuments(at)) {
      for (const included of await includesOf(document.include, files.root, fill))
        services = merged(services, await readAsWritten(included, fill, depth + 1))
      services = merged(services, await ownServices({ document, root: files.root, fill, depth }))
    }
  }
  return services
}

type Yaml = Readonly<Record<string, unknown>>

const readDocuments = async (path: string): Promise<Yaml[]> => {
  const text = await readFile(path, 'utf8').catch(cannot(`read ${path}`))
  const options = { merge: true, prettyErrors: false, logLevel: 'silent' } as const
  return parseAllDocuments(text, options).flatMap((document) => {
    const content: unknown = document.toJS({ maxAliasCount: 1000 })
    return isRecord(content) ? [content] : []
  })
}

const textsOf = (value: unknown): string[] =>
  (Array.isArray(value) ? value : [value]).filter((item) => typeof item === 'string')

const includesOf = (include: unknown, root: string, fill: Fill): Promise<Files[]> =>
  Promise.all(
    (Array.isArray(include) ? include : []).map(async (entry: unknown) => {
      const { path, project_directory: folder } = isRecord(entry) ? entry : { path: entry }
      const paths = await fill(textsOf(path))
      const [start] = await fill(textsOf(folder))
      const absolute = paths.map((each) => resolve(root, each))
      return { paths: absolute, root: resolve(root, start ?? dirname(absolute[0] ?? '.')) }
    }),
  )

interface FilesOfProject {
  readonly document: Yaml
  readonly root: string
  readonly fill: Fill
  readonly depth: number
}

const ownServices = async (place: FilesOfProject): Promise<RawServices> => {
  const services: Record<string, ServiceDeclaration> = {}
  const { services: all } = place.document
  for (const name of Object.keys(isRecord(all) ? all : {}))
    services[name] = await serviceIn(place, name)
  return services
}

/** One service, merged with the service that it extends. */
const serviceIn = async (place: FilesOfProject, name: string): Promise<ServiceDeclaration> => {
  const { document, root, fill, depth } = place
  const raw = isRecord(document.services) ? document.services[name] : undefined
  if (!isRecord(raw) || depth > maxDepth) return {}
  const { extends: base, ...own } = raw
  const entries = declaredEnvFiles(own)
  const paths = await fill(entries.map((entry) => entry.path))
  const files = entries.map((entry, i) => ({ ...entry, path: resolve(root, paths[i] ?? '') }))
  const service = { ...own, ...(files.length > 0 && { env_file: files }) }
  const from = isRecord(base) ? base : { service: base }
  if (typeof from.service !== 'string') return service
  const [file] = await fill(textsOf(from.file))
  return mergedService(await extended({ ...place, depth: depth + 1 }, from.service, file), service)
}

const extended = async (
  place: FilesOfProject,
  name: string,
  file?: string,
): Promise<ServiceDeclaration> => {
  if (file === undefined) return await serviceIn(place, name)
  const at = resolve(place.root, file)
  let service: ServiceDeclaration = {}
  for (const document of await readDocuments(at)) {
    const found = await serviceIn({ ...place, document, root: dirname(at) }, name)
    service = mergedService(service, found)
  }
  return service
}

const merged = (before: RawServices, after: RawServices): RawServices => ({
  ...before,
  ...Object.fromEntries(
    Object.entries(after).map(([name, service]) => [
      name,
      mergedService(before[name] ?? {}, service),
    ]),
  ),
})

const mergedService = (
  before: ServiceDeclaration,
  after: ServiceDeclaration,
): ServiceDeclaration => {
  const both = Object.keys(before).filter((field) => field in after)
  const joined = Object.fromEntries(both.map((field) => [field, [before[field], after[field]]]))
  return {
    ...before,
    ...after,
    ...joined,
    environment: Object.fromEntries([...writtenOf(before), ...writtenOf(after)]),
    env_file: [...declaredEnvFiles(before), ...declaredEnvFiles(after)],
    network_mode: after.network_mode ?? before.network_mode,
    ipc: after.ipc ?? before.ipc,
    pid: after.pid ?? before.pid,
  }
}
