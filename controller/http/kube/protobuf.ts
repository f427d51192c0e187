// The few requests that kubectl sends as protobuf only. Decodes them; answers are JSON, which kubectl
// accepts.
import { StagelyError } from '../../../src/kernel/errors.ts'

type Message = ReadonlyMap<number, Buffer[]>

const magic = Buffer.from('k8s\0', 'latin1')
const garbled = (): StagelyError =>
  new StagelyError('BadRequest', 'the request body is not valid protobuf')

/** Reads length-delimited fields. Numbers are skipped: no needed field is a number. */
const readMessage = (bytes: Buffer): Message => {
  const fields = new Map<number, Buffer[]>()
  let at = 0
  const varint = (): number => {
    let value = 0
    for (let shift = 0; ; shift += 7) {
      const byte = bytes[at++]
      if (byte === undefined || shift > 49) throw garbled()
      value += (byte & 0x7f) * 2 ** shift
      if (byte < 0x80) return value
    }
  }
  while (at < bytes.length) {
    const tag = varint()
    const wireType = tag & 7
    if (wireType === 0) varint()
    else if (wireType === 2) {
      const length = varint()
      if (at + length > bytes.length) throw garbled()
      const field = Math.floor(tag / 8)
      const parts = fields.get(field) ?? []
      parts.push(bytes.subarray(at, at + length))
      fields.set(field, parts)
      at += length
    } else if (wireType === 1) at += 8
    else if (wireType === 5) at += 4
    else throw garbled()
  }
  return fields
}

const text = (message: Message, field: number): string =>
  message.get(field)?.[0]?.toString('utf8') ?? ''
const child = (message: Message, field: number): Message =>
  readMessage(message.get(field)?.[0] ?? Buffer.alloc(0))
const map = (message: Message, field: number): Record<string, string> =>
  Object.fromEntries(
    (message.get(field) ?? []).map((entry) => {
      const pair = readMessage(entry)
      return [text(pair, 1), text(pair, 2)]
    }),
  )

/** Leaves out absent and empty fields, as JSON clients do. */
const filled = (fields: Record<string, unknown>): Record<string, unknown> =>
  Object.fromEntries(
    Object.entries(fields).filter(([, v]) => v !== '' && Object.keys(v as object).length > 0),
  )

const objectMeta = (meta: Message): Record<string, unknown> =>
  filled({
    name: text(meta, 1),
    generateName: text(meta, 2),
    labels: map(meta, 11),
    annotations: map(meta, 12),
  })

const accessReviewSpec = (spec: Message): Record<string, unknown> => {
  const resource = child(spec, 1)
  const path = child(spec, 2)
  const names = ['namespace', 'verb', 'group', 'version', 'resource', 'subresource', 'name']
  return filled({
    resourceAttributes: filled(
      Object.fromEntries(names.map((name, i) => [name, text(resource, i + 1)])),
    ),
    nonResourceAttributes: filled({ path: text(path, 1), verb: text(path, 2) }),
  })
}

const bodyOf: Record<string, (raw: Message) => Record<string, unknown>> = {
  Namespace: (raw) => ({ metadata: objectMeta(child(raw, 1)) }),
  SelfSubjectAccessReview: (raw) => ({ spec: accessReviewSpec(child(raw, 2)) }),
  SelfSubjectRulesReview: (raw) => ({ spec: filled({ namespace: text(child(raw, 2), 1) }) }),
  SelfSubjectReview: () => ({}),
  DeleteOptions: (raw) =>
    filled({
      preconditions: filled({
        uid: text(child(raw, 2), 1),
        resourceVersion: text(child(raw, 2), 2),
      }),
      propagationPolicy: text(raw, 4),
      dryRun: (raw.get(5) ?? []).map((value) => value.toString('utf8')),
    }),
}

/** `k8s\0`, then runtime.Unknown{1: TypeMeta, 2: raw}. UnsupportedMediaType for another kind. */
export const decodeProtobuf = (bytes: Buffer): Record<string, unknown> => {
  if (!bytes.subarray(0, 4).equals(magic)) throw garbled()
  const unknown = readMessage(bytes.subarray(4))
  const typeMeta = child(unknown, 1)
  const kind = text(typeMeta, 2)
  const decode = bodyOf[kind]
  if (decode === undefined)
    throw new StagelyError(
      'UnsupportedMediaType',
      `protobuf is not supported for ${kind === '' ? 'this' : kind}: send application/json`,
    )
  return { apiVersion: text(typeMeta, 1), kind, ...decode(child(unknown, 2)) }
}
