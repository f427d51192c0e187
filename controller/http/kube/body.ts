// Request bodies: JSON, YAML as kubectl reads it (1.1), and the few kinds that kubectl sends as
// protobuf. At most 3 MiB.
import type { IncomingMessage } from 'node:http'
import { z } from 'zod'
import { StagelyError } from '../../../src/kernel/errors.ts'
import { isRecord } from '../../../src/kernel/record.ts'
import { cutDocuments } from '../../../src/manifests/documents.ts'
import { parseYaml } from '../../../src/manifests/yaml.ts'
import { faultOfIssue } from '../../../src/resources/faults.ts'
import type { AppContext } from '../env.ts'
import { bounded, duplicateKeys, mostNamed } from './duplicate-keys.ts'
import { decodeProtobuf } from './protobuf.ts'
import { invalid } from './status.ts'

const maxBodyBytes = 3 * 1024 * 1024
/** What is still read, and thrown away, of a body that is too long, so that the client hears why. */
const patienceBytes = 32 * 1024 * 1024

/** RequestEntityTooLarge beyond the limit. */
export const readBytes = async (incoming: IncomingMessage): Promise<Buffer> => {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of incoming as AsyncIterable<Buffer>) {
    size += chunk.length
    if (size <= maxBodyBytes) chunks.push(chunk)
    else if (size > patienceBytes) break
  }
  if (size > maxBodyBytes)
    throw new StagelyError(
      'RequestEntityTooLarge',
      `Request entity too large: limit is ${maxBodyBytes}`,
    )
  return Buffer.concat(chunks)
}

/** What a body holds, and the paths of fields that one object of it has twice: the last counts. */
export interface Body<T = unknown> {
  readonly content: T
  readonly duplicates: readonly string[]
}

/** Content type without parameters; '' stands for JSON. */
export const mediaType = (c: AppContext): string =>
  (c.req.header('content-type') ?? '').split(';')[0]!.trim().toLowerCase()

/** The message never repeats the body, which may hold a secret. */
export const parseJson = (bytes: Buffer, mostValues = maxValues): unknown => {
  let value: unknown
  try {
    value = JSON.parse(bytes.toString('utf8'))
  } catch {
    throw new StagelyError('BadRequest', 'the request body is not valid JSON')
  }
  checkExtent(value, mostValues)
  return value
}

/** What walks an object does so by recursion; no object of ours is nearly that deep. */
const maxDepth = 200
/** Each may be at fault and be told of. A JSON patch of all the operations that it may have is below that. */
export const maxValues = 100_000

/** Whether there are more values than that, the containers counted too; looks at no more of them. */
export const hasMoreValues = (value: unknown, most: number): boolean => {
  let count = 0
  const walk = (inner: unknown): boolean =>
    ++count > most ||
    (typeof inner === 'object' && inner !== null && Object.values(inner).some(walk))
  return walk(value)
}

const isDeeper = (value: unknown, levels: number): boolean =>
  typeof value === 'object' &&
  value !== null &&
  (levels === 0 || Object.values(value).some((inner) => isDeeper(inner, levels - 1)))

const checkExtent = (value: unknown, mostValues: number): void => {
  if (isDeeper(value, maxDepth))
    throw new StagelyError(
      'BadRequest',
      `the request body is nested deeper than ${maxDepth} levels`,
    )
  if (hasMoreValues(value, mostValues)) throw tooMany('values', mostValues)
}

const tooMany = (what: string, most: number): StagelyError =>
  new StagelyError('RequestEntityTooLarge', `the request body holds more than ${most} ${what}`)

/** The parser's time goes by them: it takes some 10 µs for each. */
const yamlSigns = /[\n,:[\]{}\\&*]/g
const maxYamlSigns = 100_000

const parseYamlBody = (bytes: Buffer): Body => {
  const text = bytes.toString('utf8')
  if ((text.match(yamlSigns)?.length ?? 0) > maxYamlSigns)
    throw tooMany('lines and signs of YAML, of which JSON may hold more', maxYamlSigns)
  const [document, ...others] = cutDocuments(text)
  if (document === undefined || others.length > 0)
    throw new StagelyError('BadRequest', 'the request body must hold one object')
  const { content, faults, duplicates } = parseYaml(document.text)
  if (faults.length > 0) {
    const before = document.firstLine - 1
    const shown = faults.slice(0, 20).map((f) => `line ${f.line + before}: ${f.message}`)
    throw new StagelyError('BadRequest', `the request body is not valid YAML: ${shown.join('; ')}`)
  }
  checkExtent(content, maxValues)
  const fields = duplicates.slice(0, mostNamed).map(({ field }) => bounded(field()))
  return { content, duplicates: [...new Set(fields)] }
}

const parseJsonBody = (bytes: Buffer): Body => {
  const content = parseJson(bytes)
  return { content, duplicates: duplicateKeys(bytes.toString('utf8')) }
}

const unsupported = (type: string, supported: readonly string[]): StagelyError =>
  new StagelyError(
    'UnsupportedMediaType',
    `the body of the request was in an unknown format (${type}) - accepted media types include: ${supported.join(', ')}`,
  )

/** The object in the body of a POST or PUT. */
export const readObject = async (c: AppContext): Promise<Body<Record<string, unknown>>> => {
  const type = mediaType(c)
  const bytes = await readBytes(c.env.incoming)
  const { content, duplicates } = parseAs(type, bytes)
  if (!isRecord(content)) throw new StagelyError('BadRequest', 'the request body must be an object')
  return { content, duplicates }
}

const parseAs = (type: string, bytes: Buffer): Body => {
  switch (type) {
    case '':
    case 'application/json':
      return parseJsonBody(bytes)
    case 'application/yaml':
      return parseYamlBody(bytes)
    case 'application/vnd.kubernetes.protobuf':
      return { content: decodeProtobuf(bytes), duplicates: [] }
    default:
      throw unsupported(type, [
        'application/json',
        'application/yaml',
        'application/vnd.kubernetes.protobuf',
      ])
  }
}

export interface Patch extends Body {
  readonly type: 'merge' | 'json' | 'apply'
}

const patchTypes: Readonly<Record<string, Patch['type']>> = {
  'application/json-patch+json': 'json',
  'application/merge-patch+json': 'merge',
  'application/apply-patch+yaml': 'apply',
}

/** Strategic merge is refused with what to use instead. */
export const readPatch = async (c: AppContext): Promise<Patch> => {
  const media = mediaType(c)
  const type = patchTypes[media]
  const bytes = await readBytes(c.env.incoming)
  if (type === undefined)
    throw unsupported(media === '' ? 'no content type' : media, Object.keys(patchTypes))
  return { type, ...(type === 'apply' ? parseEither(bytes) : parseJsonBody(bytes)) }
}

/** Clients send JSON under the name of YAML; people with curl send YAML. */
const parseEither = (bytes: Buffer): Body => {
  try {
    JSON.parse(bytes.toString('utf8'))
  } catch {
    return parseYamlBody(bytes)
  }
  return parseJsonBody(bytes)
}

/** What of metav1 DeleteOptions has a meaning here; how dependents go is always the same. */
const deleteOptions = z.object({
  preconditions: z
    .object({ uid: z.string().nullish(), resourceVersion: z.string().nullish() })
    .nullish(),
  propagationPolicy: z.enum(['Orphan', 'Background', 'Foreground']).nullish(),
  dryRun: z.array(z.literal('All')).nullish(),
})

export interface DeleteOptions {
  readonly preconditions?: { uid?: string; resourceVersion?: string }
  readonly dryRun: boolean
}

/** DELETE bodies are optional; client-node sends an empty one. The policy may be in the query. */
export const readDeleteOptions = async (c: AppContext): Promise<DeleteOptions> => {
  const bytes = await readBytes(c.env.incoming)
  const body = bytes.length === 0 ? {} : parseAs(mediaType(c), bytes).content
  if (!isRecord(body))
    throw new StagelyError('BadRequest', 'the body of a DELETE must be DeleteOptions')
  const policy = c.req.query('propagationPolicy')
  const given = { ...(policy === undefined ? {} : { propagationPolicy: policy }), ...body }
  const { data, error } = deleteOptions.safeParse(given)
  if (error !== undefined)
    throw invalid(
      { kind: 'DeleteOptions', group: 'meta.k8s.io' },
      '',
      error.issues.map((issue) => faultOfIssue(issue, '', given, () => false)),
    )
  const { uid, resourceVersion } = data.preconditions ?? {}
  const preconditions = {
    ...(typeof uid === 'string' ? { uid } : {}),
    ...(typeof resourceVersion === 'string' ? { resourceVersion } : {}),
  }
  const dryRun = (data.dryRun ?? []).length > 0
  return { dryRun, ...(Object.keys(preconditions).length === 0 ? {} : { preconditions }) }
}
