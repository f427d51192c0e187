// scan --report: tells the controller where values were found. No value, no snippet, and no author.
import { basename, resolve } from 'node:path'
import { note } from '../print.ts'
import { post, projectPath, type RestClient } from '../connect/rest.ts'
import { hiddenName, type Finding } from './findings.ts'
import { originOf, topFolder } from './git.ts'
import { version } from '../../src/kernel/version.ts'

/** `git.example.com/acme/shop` of an address, without what may be a credential. */
export const repositoryOf = (address: string): string => {
  const url = /^[a-z][a-z0-9+.-]*:\/\/(?:[^/]*@)?(?<place>[^?#]*)/i.exec(address)
  const short = /^(?:[^/@]*@)?(?<host>[^/:]+):(?<path>.*)$/.exec(address)
  const { place } = url?.groups ?? {}
  const { host, path } = short?.groups ?? {}
  const name = place ?? (host === undefined ? address : `${host}/${path ?? ''}`)
  return name
    .replace(/\/+$/, '')
    .replace(/\.git$/, '')
    .replace(/(?<=.)\/{2,}/g, '/')
}

/** By the remote `origin`, or the name of the folder. */
export const repositoryName = async (folder: string): Promise<string> => {
  const top = await topFolder(folder)
  const origin = top === undefined ? undefined : await originOf(top)
  return origin === undefined ? basename(resolve(top ?? folder)) : repositoryOf(origin)
}

interface Reported {
  readonly reported: number
  readonly known: number
  readonly ended: number
  readonly not_kept: number
}

const inOneReport = 1_000
const longestPath = 1_024
const longestRepository = 256

/** Says what became of the report. Findings in names that hold a value are left out: their path would tell it. */
export const reportFindings = async (
  rest: RestClient,
  repository: string,
  findings: readonly Finding[],
): Promise<void> => {
  const sum = { reported: 0, known: 0, ended: 0, not_kept: 0 }
  const named = findings.filter(({ path }) => path !== hiddenName && path.length <= longestPath)
  for (const project of new Set(named.map((finding) => finding.project))) {
    const own = named.filter((finding) => finding.project === project)
    for (let from = 0; from < own.length; from += inOneReport) {
      const place = `${projectPath(rest.namespace, project)}/findings`
      const body = await post<Reported>(rest, place, {
        repository: repository.slice(0, longestRepository),
        findings: own
          .slice(from, from + inOneReport)
          .map(({ secret_id, version, commit, path, line }) => ({
            secret_id,
            version,
            commit,
            path,
            line,
          })),
      })
      for (const name of Object.keys(sum) as (keyof Reported)[]) sum[name] += body[name]
    }
  }
  const left = findings.length - named.length
  if (left > 0) note(`not reported: ${left} in files with too long a name, or a value in the name`)
  if (sum.not_kept > 0) note(`not kept: ${sum.not_kept}, there are too many: fix what is reported`)
  note(`reported ${sum.reported} to the controller, ${sum.known} were known: stagely scan findings`)
}

const levels = {
  current: 'error',
  superseded: 'warning',
  deleted: 'note',
  revoked: 'note',
} as const

export const toSarif = (findings: readonly Finding[]): unknown => ({
  $schema: 'https://json.schemastore.org/sarif-2.1.0.json',
  version: '2.1.0',
  runs: [
    {
      tool: {
        driver: {
          name: 'stagely scan',
          version,
          rules: Object.entries(levels).map(([state, level]) => ({
            id: `${state}-secret`,
            shortDescription: { text: `The ${state} value of a secret` },
            defaultConfiguration: { level },
          })),
        },
      },
      results: findings.map(({ path, line, commit, project, key, scope, ...finding }) => ({
        ruleId: `${finding.state}-secret`,
        level: levels[finding.state],
        message: {
          text: `${key} (${project}, ${scope}), version ${finding.version}: ${finding.state} since ${finding.since}`,
        },
        locations: [
          {
            physicalLocation: {
              artifactLocation: { uri: path.split('/').map(encodeURIComponent).join('/') },
              region: { startLine: line },
            },
          },
        ],
        partialFingerprints: { 'secret/version': `${finding.secret_id}/${finding.version}` },
        ...(commit !== undefined && { properties: { commit } }),
      })),
    },
  ],
})
