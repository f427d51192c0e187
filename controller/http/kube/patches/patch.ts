// JSON patch (RFC 6902). Inputs are never changed.
import { isDeepStrictEqual } from 'node:util'
import { StagelyError } from '../../../../src/kernel/errors.ts'

export type JsonDocument =
  null | boolean | number | string | JsonDocument[] | { [key: string]: JsonDocument }

const isObject = (value: unknown): value is { [key: string]: JsonDocument } =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

interface Operation {
  readonly op: string
  readonly path: string
  readonly from?: string
  readonly value?: JsonDocument
}

/** Copies of copies grow exponentially: 30 operations could fill the memory. */
const maxCopiedBytes = 3 * 1024 * 1024
const maxOperations = 10_000

const refuse = (message: string): StagelyError =>
  new StagelyError(
    'Invalid',
    `the server rejected our request due to an error in our request: ${message}`,
  )

/**
 * Applies the operations in order, all or nothing. BadRequest when `patch` is not a JSON patch; Invalid
 * when a path or test fails; RequestEntityTooLarge when it has too many operations or copies too much.
 */
export const jsonPatch = (target: JsonDocument, patch: JsonDocument): JsonDocument => {
  if (!Array.isArray(patch))
    throw new StagelyError('BadRequest', 'a JSON patch is a list of operations')
  if (patch.length > maxOperations)
    throw tooLarge(`a JSON patch may not have more than ${maxOperations} operations`)
  const root: Root = { document: structuredClone(target), copiedBytes: 0 }
  for (const operation of patch) applyOperation(root, decodeOperation(operation))
  return root.document
}

const tooLarge = (message: string): StagelyError =>
  new StagelyError('RequestEntityTooLarge', message)

/** The document, and the number of bytes copied within it so far. */
interface Root {
  document: JsonDocument
  copiedBytes: number
}

const copied = (root: Root, value: JsonDocument): JsonDocument => {
  const text = JSON.stringify(value)
  root.copiedBytes += text.length
  if (root.copiedBytes > maxCopiedBytes)
    throw tooLarge(`a JSON patch may not copy more than ${maxCopiedBytes} bytes`)
  return JSON.parse(text) as JsonDocument
}

const decodeOperation = (input: JsonDocument): Operation => {
  if (!isObject(input) || typeof input['op'] !== 'string' || typeof input['path'] !== 'string')
    throw new StagelyError('BadRequest', 'each operation of a JSON patch has "op" and "path"')
  return input as unknown as Operation
}

const applyOperation = (root: Root, { op, path, from, value }: Operation): void => {
  switch (op) {
    case 'add':
    case 'replace':
      if (value === undefined)
        throw new StagelyError('BadRequest', `JSON patch ${op} ${path} has no value`)
      put(root, path, structuredClone(value), op === 'add')
      return
    case 'remove':
      take(root, path)
      return
    case 'move':
      put(root, path, take(root, from ?? ''), true)
      return
    case 'copy':
      put(root, path, copied(root, read(root, from ?? '')), true)
      return
    case 'test':
      test(root, path, value ?? null)
      return
    default:
      throw new StagelyError('BadRequest', `unknown JSON patch operation ${JSON.stringify(op)}`)
  }
}

const segmentsOf = (path: string): string[] => {
  if (path === '') return []
  if (!path.startsWith('/')) throw refuse(`path ${JSON.stringify(path)} does not begin with /`)
  return path
    .slice(1)
    .split('/')
    .map((s) => s.replaceAll('~1', '/').replaceAll('~0', '~'))
}

/** Parent container and last segment; the document itself is the child of a wrapper. */
const locate = (
  root: { document: JsonDocument },
  path: string,
): { parent: JsonDocument; last: string } => {
  const segments = ['document', ...segmentsOf(path)]
  let parent: JsonDocument = root
  for (const segment of segments.slice(0, -1)) {
    const child: JsonDocument | undefined = childOf(parent, segment)
    if (child === undefined) throw refuse(`path ${path} does not exist`)
    parent = child
  }
  return { parent, last: segments.at(-1)! }
}

const childOf = (parent: JsonDocument, segment: string): JsonDocument | undefined => {
  if (Array.isArray(parent))
    return /^(0|[1-9]\d*)$/.test(segment) ? parent[Number(segment)] : undefined
  return isObject(parent) && Object.hasOwn(parent, segment) ? parent[segment] : undefined
}

const read = (root: { document: JsonDocument }, path: string): JsonDocument => {
  const { parent, last } = locate(root, path)
  const value = childOf(parent, last)
  if (value === undefined) throw refuse(`path ${path} does not exist`)
  return value
}

/** An absent value equals null, as in Kubernetes: so a patch can test that a field does not exist. */
const test = (root: { document: JsonDocument }, path: string, value: JsonDocument): void => {
  const { parent, last } = locate(root, path)
  if (!isDeepStrictEqual(childOf(parent, last) ?? null, value))
    throw refuse(`testing path ${path} failed`)
}

const put = (
  root: { document: JsonDocument },
  path: string,
  value: JsonDocument,
  insert: boolean,
): void => {
  const { parent, last } = locate(root, path)
  if (Array.isArray(parent)) {
    const index = last === '-' && insert ? parent.length : Number(last)
    const limit = insert ? parent.length : parent.length - 1
    if (!Number.isInteger(index) || index < 0 || index > limit)
      throw refuse(`path ${path} does not exist`)
    parent.splice(index, insert ? 0 : 1, value)
    return
  }
  if (!isObject(parent) || (!insert && !Object.hasOwn(parent, last)))
    throw refuse(`path ${path} does not exist`)
  // defineProperty, so that a key such as __proto__ is an ordinary key.
  Object.defineProperty(parent, last, {
    value,
    enumerable: true,
    configurable: true,
    writable: true,
  })
}

const take = (root: { document: JsonDocument }, path: string): JsonDocument => {
  const value = read(root, path)
  const { parent, last } = locate(root, path)
  if (Array.isArray(parent)) parent.splice(Number(last), 1)
  else Reflect.deleteProperty(parent as object, last)
  return value
}
