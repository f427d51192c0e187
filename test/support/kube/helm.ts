// The real helm, as scripts/lib/setup.sh finds or fetches it.
import { execFile } from 'node:child_process'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseDocument } from 'yaml'

export const chartDir = fileURLToPath(new URL('../../../charts/stagely', import.meta.url))

export const binary =
  process.env['HELM'] ??
  join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'stagely/helm-2.2.2')

export interface HelmResult {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

export const helm = (...args: string[]): Promise<HelmResult> => helmWith({}, ...args)

/** With more in its environment, such as a HELM_DRIVER. */
export const helmWith = (
  more: Readonly<Record<string, string>>,
  ...args: string[]
): Promise<HelmResult> =>
  new Promise((resolve, reject) => {
    const env = { ...process.env, ...more }
    const options = { env, timeout: 60_000, maxBuffer: 16 << 20 }
    execFile(binary, args, options, (error, stdout, stderr) => {
      if (error !== null && typeof error.code !== 'number') reject(new Error(error.message))
      else resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr })
    })
  })

export interface Rendered {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: {
    readonly name: string
    readonly namespace?: string
    readonly labels?: object
  }
  readonly [field: string]: unknown
}

/** Renders the chart with `--set` values; throws what helm says when it refuses. */
export const renderChart = async (...set: string[]): Promise<Rendered[]> => {
  const flags = set.flatMap((value) => ['--set-json', value])
  const { code, stdout, stderr } = await helm('template', 'stagely', chartDir, ...flags)
  if (code !== 0) throw new Error(stderr)
  return parseRendered(stdout)
}

const known = new Map<string, Promise<Rendered[]>>()

/** The same, from the last time where the values are the same. */
export const renderOnce = async (...set: string[]): Promise<Rendered[]> => {
  const key = set.join('\n')
  const rendered = known.get(key) ?? renderChart(...set)
  known.set(key, rendered)
  return structuredClone(await rendered)
}

/** Documents by their text: most are the same whatever the values, and the CRDs are long. */
const parsed = new Map<string, Rendered | null>()

/** Throws where a document is no good YAML, such as a key that is there twice. */
const parseOne = (text: string): Rendered | null => {
  const before = parsed.get(text)
  if (before !== undefined) return before
  const document = parseDocument(text)
  if (document.errors.length > 0) throw new AggregateError(document.errors, 'bad YAML')
  const object = document.toJS() as Rendered | null
  parsed.set(text, object)
  return object
}

/** The objects that helm has printed. */
export const parseRendered = (text: string): Rendered[] =>
  structuredClone(text.split(/^---$/m).map(parseOne)).filter((object) => object !== null)

/** What is at a dotted path; undefined where nothing is. */
export const at = (value: unknown, path: string): unknown =>
  path
    .split('.')
    .reduce<unknown>((v, key) => (v as Record<string, unknown> | undefined)?.[key], value)
