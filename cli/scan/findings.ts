// Scans texts for the values of projects, and asks the controller about words that may be weak ones.
import { append } from '../../src/kernel/append.ts'
import { realClock } from '../../src/kernel/clock.ts'
import { StagelyError } from '../../src/kernel/errors.ts'
import type { FingerprintMatch, Fingerprints, Project } from '../../src/generated/rest-types.ts'
import {
  createScanner,
  scanName,
  scanText,
  type ScanPlace,
  type Scanner,
} from '../../src/scan/scanner.ts'
import { post, projectPath, type RestClient } from '../connect/rest.ts'
import { CliError } from '../errors.ts'
import { note, startProgress } from '../print.ts'
import type { ScanSource } from './sources.ts'

/** In place of a path that holds a value itself. */
export const hiddenName = '(a name that holds a value)'

export interface Finding extends ScanPlace {
  readonly project: string
  readonly key: string
  readonly scope: string
  readonly stagelet?: string | undefined
  readonly secret_id: string
  readonly version: number
  readonly state: FingerprintMatch['state']
  readonly since: string
  readonly services: readonly string[]
}

export const projectsOf = async (
  rest: RestClient,
  given: string | undefined,
): Promise<string[]> => {
  if (given !== undefined) return [given]
  const projects = await rest.list<Project>('/projects', 'projects', { team: rest.namespace })
  const names = projects.filter(({ team }) => team === rest.namespace).map(({ name }) => name)
  if (names.length === 0) throw new CliError(`namespace ${rest.namespace} has no project`)
  return names
}

const inOneCall = 10_000
const mostWaits = 30

/** What is beyond the controller's limit of a minute is asked in the next one. */
const matchesOf = async (
  rest: RestClient,
  path: string,
  macs: readonly string[],
): Promise<FingerprintMatch[]> => {
  for (let wait = 0; ; wait++) {
    try {
      const answer = await post<{ matches: FingerprintMatch[] }>(rest, `${path}/matches`, { macs })
      return answer.matches
    } catch (error) {
      const seconds = error instanceof StagelyError ? error.details.retryAfterSeconds : undefined
      if (seconds === undefined || seconds > 120 || wait >= mostWaits) throw error
      note(`many words may be values: asked again in ${seconds} s`)
      await realClock.sleep(seconds * 1000)
    }
  }
}

interface ProjectScan {
  readonly project: string
  readonly path: string
  readonly fingerprints: Fingerprints
  readonly scanner: Scanner
}

const openScan = async (rest: RestClient, project: string): Promise<ProjectScan> => {
  const path = `${projectPath(rest.namespace, project)}/fingerprints`
  const { body } = await rest.call<Fingerprints>(path)
  return { project, path, fingerprints: body, scanner: createScanner(body) }
}

const findingsOf = async (
  rest: RestClient,
  { project, path, fingerprints, scanner }: ProjectScan,
): Promise<Finding[]> => {
  const found: { place: ScanPlace; value: FingerprintMatch }[] = []
  const strong = new Map<string, FingerprintMatch[]>()
  for (const value of fingerprints.strong)
    strong.set(value.mac, [...(strong.get(value.mac) ?? []), value])
  for (const { mac, ...place } of scanner.hits)
    for (const value of strong.get(mac) ?? []) found.push({ place, value })
  const words = scanner.macsOfWords()
  const macs = [...words.keys()]
  const progress = startProgress()
  for (let from = 0; from < macs.length; from += inOneCall) {
    progress(`${from} of ${macs.length} words were asked about`)
    for (const value of await matchesOf(rest, path, macs.slice(from, from + inOneCall)))
      for (const place of scanner.placesOfWord(words.get(value.mac) ?? 0))
        found.push({ place, value })
  }
  progress(undefined)
  return found.map(({ place, value }) => ({
    ...place,
    project,
    key: value.key,
    scope: value.scope,
    stagelet: value.stagelet,
    secret_id: value.secret_id,
    version: value.version,
    state: value.state,
    since: value.since,
    services: value.services,
  }))
}

const hideName = (finding: Finding): Finding => ({
  ...finding,
  path: hiddenName,
  line: Math.max(1, finding.line),
})

/** Sorted by place. `onUnread` is told what is not scanned, and why. */
export const scanFor = async (
  rest: RestClient,
  projects: readonly string[],
  source: ScanSource,
  onUnread: (path: string) => void,
): Promise<Finding[]> => {
  const scans = await Promise.all(projects.map((project) => openScan(rest, project)))
  const scanners = scans.map(({ scanner }) => scanner)
  const progress = startProgress()
  let texts = 0
  for await (const text of source) {
    if ('unread' in text) onUnread(text.unread)
    else {
      scanText(scanners, text)
      scanName(scanners, text)
    }
    progress(
      `${++texts} files are scanned${'commit' in text ? `, the last in commit ${text.commit.slice(0, 12)}` : ''}`,
    )
  }
  progress(undefined)
  const found: Finding[] = []
  for (const scan of scans) append(found, await findingsOf(rest, scan))
  const hidden = new Set(found.filter(({ line }) => line === 0).map(({ path }) => path))
  const order = ({ commit = '', path, line, key }: Finding): string =>
    JSON.stringify([path, line.toString().padStart(9, '0'), key, commit])
  return found
    .map((finding) => (hidden.has(finding.path) ? hideName(finding) : finding))
    .sort((a, b) => (order(a) < order(b) ? -1 : 1))
}
