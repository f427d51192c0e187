// Request bodies: JSON, YAML as kubectl reads it (1.1), and the few kinds that kubectl sends as
// protobuf. At most 3 MiB, unless a route sets a lower limit. Long bodies are parsed one after the
// other.
import { Lexer } from 'yaml'
import { realClock } from '../../../src/kernel/clock.ts'
import { StagelyError } from '../../../src/kernel/errors.ts'
import { isRecord, isTooDeep, mostLevels, someValue } from '../../../src/kernel/record.ts'
import { createYieldingQueue } from '../../../src/kernel/async/serial-queue.ts'
import { cutDocuments } from '../../../src/manifests/documents.ts'
import { parseYaml } from '../../../src/manifests/yaml.ts'
import type { Principal } from '../../../src/access/principal.ts'
import type { Kind } from '../../../src/resources/define-kind.ts'
import type { AppContext } from '../env.ts'
import { readBody } from '../read-body.ts'
import { clientNetwork } from '../request-identity.ts'
import { requestBytes, spend } from '../work-budget.ts'
import { bounded, duplicateKeys, mostNamed } from './duplicate-keys.ts'
import { patchTypesOf, type PatchType } from './patches/patch-types.ts'
import { decodeProtobuf } from './protobuf.ts'

export const maxBodyBytes = 3 * 1024 * 1024
/** Bodies that come at once from one address, without a login. */
const atOnceOfAddress = 128

/** The sender for the budget is the person or machine, or the address without a login. See read-body.ts. */
export const readBytes = async (c: AppContext, most = maxBodyBytes): Promise<Buffer> => {
  const user = c.get('user') as Principal | undefined
  if (user === undefined)
    return readBody(c, {
      owner: clientNetwork(c.get('address')),
      isStranger: true,
      most,
      atOnce: atOnceOfAddress,
    })
  const bytes = await readBody(c, { owner: user.id, most })
  if (bytes.length > requestBytes) spend(c.get('work'), user.id, bytes.length)
  return bytes
}

/** The content of a body, and the paths of duplicate fields, of which the last one counts. */
export interface Body<T = unknown> {
  readonly content: T
  readonly duplicates: readonly string[]
}

/** Content type without parameters; '' means JSON. */
export const mediaType = (c: AppContext): string =>
  (c.req.header('content-type') ?? '').split(';')[0]!.trim().toLowerCase()

/** The message never repeats the body, which may hold a secret. */
export const parseKubeJson = (bytes: Buffer, mostValues = maxValues): unknown => {
  let value: unknown
  try {
    value = JSON.parse(bytes.toString('utf8'))
  } catch {
    throw new StagelyError('BadRequest', 'the request body is not valid JSON')
  }
  checkExtent(value, mostValues)
  return value
}

/** Each value may have a fault of its own. The largest JSON patch has fewer values. */
export const maxValues = 100_000

const checkExtent = (value: unknown, mostValues: number): void => {
  let count = 0
  const isTooMuch = someValue(value, (inner, depth) => {
    if (isTooDeep(inner, depth))
      throw new StagelyError(
        'BadRequest',
        `the request body is nested deeper than ${mostLevels} levels`,
      )
    return ++count > mostValues
  })
  if (isTooMuch) throw tooMany('values', mostValues)
}

const tooMany = (what: string, most: number): StagelyError =>
  new StagelyError('RequestEntityTooLarge', `the request body holds more than ${most} ${what}`)

/** The parser takes some µs for each token. */
const maxYamlSigns = 20_000
/** An alias may stand for the whole document, merged key by key. */
const maxAliased = 200_000

/** Counts lines and the lexer's tokens, up to the limit. */
const checkYamlSigns = (text: string, most: number): void => {
  const refused = tooMany('lines and signs of YAML, of which JSON may hold more', most)
  let lines = 0
  for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1))
    if (++lines > most) throw refused
  let signs = 0
  let aliases = 0
  for (const sign of new Lexer().lex(text)) {
    if (sign.startsWith('*')) aliases++
    if (++signs > most) throw refused
  }
  if (signs * aliases > maxAliased) throw tooMany('aliases for its length', aliases)
}

const parseYamlBody = (bytes: Buffer, maxSigns = maxYamlSigns): Body => {
  const text = bytes.toString('utf8')
  checkYamlSigns(text, maxSigns)
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

/** Others have their turn between the two, each of which is long for a long body. */
const parseJsonBody = async (bytes: Buffer): Promise<Body> => {
  const content = await workOver(bytes, () => parseKubeJson(bytes))
  return {
    content,
    duplicates: await workOver(bytes, () => duplicateKeys(bytes.toString('utf8'))),
  }
}

const unsupported = (type: string, supported: readonly string[]): StagelyError =>
  new StagelyError(
    'UnsupportedMediaType',
    `the body of the request was in an unknown format (${type}) - accepted media types include: ${supported.join(', ')}`,
  )

const inTurn = createYieldingQueue(realClock)
/** This many bytes of JSON take a millisecond or two. */
const shortBytes = 64 * 1024

/** Runs work on a body; for a long body after the other long ones. */
export const workOver = async <T>(bytes: Buffer, work: () => T): Promise<T> =>
  bytes.length <= shortBytes ? work() : inTurn(work)

/** Lower limits, for routes whose bodies are small. */
export interface BodyBounds {
  readonly bytes: number
  readonly yamlSigns: number
}

/** The object in the body of a POST or PUT. */
export const readObject = async (
  c: AppContext,
  bounds?: BodyBounds,
): Promise<Body<Record<string, unknown>>> => {
  const bytes = await readBytes(c, bounds?.bytes)
  const { content, duplicates } = await parseAs(mediaType(c), bytes, bounds?.yamlSigns)
  if (!isRecord(content)) throw new StagelyError('BadRequest', 'the request body must be an object')
  return { content, duplicates }
}

export const parseAs = async (type: string, bytes: Buffer, maxSigns?: number): Promise<Body> => {
  switch (type) {
    case '':
    case 'application/json':
      return parseJsonBody(bytes)
    case 'application/yaml':
      return inTurn(() => parseYamlBody(bytes, maxSigns))
    case 'application/vnd.kubernetes.protobuf':
      return workOver(bytes, () => ({ content: decodeProtobuf(bytes), duplicates: [] }))
    default:
      throw unsupported(type, [
        'application/json',
        'application/yaml',
        'application/vnd.kubernetes.protobuf',
      ])
  }
}

export interface Patch extends Body {
  readonly type: PatchType
}

/** Reads a patch. For a kind without strategic merge patches, the error names the alternatives. */
export const readPatch = async (c: AppContext, kind: Kind): Promise<Patch> => {
  const media = mediaType(c)
  const types = patchTypesOf(kind)
  const type = types.get(media)
  const bytes = await readBytes(c)
  if (type === undefined)
    throw unsupported(media === '' ? 'no content type' : media, [...types.keys()])
  const body = type === 'apply' ? parseEither(bytes) : parseJsonBody(bytes)
  return { type, ...(await body) }
}

/** Clients send JSON with YAML's content type; people with curl send YAML. */
const parseEither = async (bytes: Buffer): Promise<Body> => {
  const isJson = await workOver(bytes, () => {
    try {
      JSON.parse(bytes.toString('utf8'))
      return true
    } catch {
      return false
    }
  })
  return parseAs(isJson ? 'application/json' : 'application/yaml', bytes)
}
