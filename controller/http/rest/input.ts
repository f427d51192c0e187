// Decodes query and body of a request, with all faults at once.
import { isUtf8 } from 'node:buffer'
import * as z from 'zod'
import { maxFaults, StagelyError, type Fault } from '../../../src/kernel/errors.ts'
import { restNameOf, type RestField } from '../../../src/resources/schemas/rest-fields.ts'
import { faultOfIssue } from '../../../src/resources/validation/faults.ts'
import { unstorable } from '../../../src/kinds/decode.ts'
import type { AppContext } from '../env.ts'
import { mediaType, parseKubeJson, readBytes, workOver } from '../kube/body.ts'
import type { RestRoute } from './route.ts'

export interface Input {
  readonly query: unknown
  readonly body: unknown
  /** The body's bytes; empty for a route without a body. */
  readonly bytes: Buffer
}

const jsonTypes = ['application/json', 'application/merge-patch+json']

/** Fields whose content no message may repeat, at any depth. */
const isSecret = (field: string): boolean =>
  /(^|[.\]]|sealed_)value(_base64)?($|[.[])|^(token|code)$/.test(field)

/** 422 with the faults. The sentence is for people, the faults are for programs. */
export const invalidInput = (faults: readonly Fault[]): StagelyError => {
  const shownFaults = faults.slice(0, maxFaults)
  const lines = shownFaults.map((f) => (f.field === '' ? f.message : `${f.field}: ${f.message}`))
  const count = faults.length === 1 ? '' : `${faults.length} faults: `
  return new StagelyError('Invalid', `${count}${lines.join('; ')}`.slice(0, 4_000), {
    faults: shownFaults,
  })
}

/** Runs `work`, and translates faults of the store to the names that REST has for the fields of the kind. */
export const inNamesOf = async <T>(
  fields: readonly RestField[],
  work: () => Promise<T>,
): Promise<T> => {
  try {
    return await work()
  } catch (error) {
    if (!(error instanceof StagelyError) || error.reason !== 'Invalid') throw error
    const { faults = [] } = error.details
    if (faults.length === 0) throw error
    throw invalidInput(
      faults.map(({ field, reason, message }) => {
        const name = restNameOf(fields, field.replace(/^spec\./, ''))
        return { field: name, reason, message: message.replaceAll(field, name) }
      }),
    )
  }
}

const faultsOf = (error: z.ZodError, given: unknown): Fault[] =>
  error.issues.flatMap((issue) => {
    if (issue.code !== 'unrecognized_keys') return [faultOfIssue(issue, '', given, isSecret)]
    const path = faultOfIssue({ ...issue, keys: [] }, '', given, isSecret).field
    return issue.keys.map((key): Fault => ({
      field: path === '' ? key : `${path}.${key}`,
      reason: 'FieldValueForbidden',
      message: 'Forbidden: no such field',
    }))
  })

/** A repeated parameter becomes an array, which no schema accepts. */
const queryOf = (c: AppContext): Record<string, unknown> =>
  Object.fromEntries(
    Object.entries(c.req.queries()).map(([key, values]) => [
      key,
      values.length === 1 ? values[0] : values,
    ]),
  )

const readJson = async (c: AppContext): Promise<{ bytes: Buffer; value: unknown }> => {
  const bytes = await readBytes(c)
  if (bytes.length === 0) return { bytes, value: undefined }
  const type = mediaType(c)
  if (!jsonTypes.includes(type)) {
    const given = type === '' ? 'no content type' : type
    throw new StagelyError('UnsupportedMediaType', `send application/json, not ${given}`)
  }
  // Otherwise invalid bytes would be replaced and stored.
  if (!isUtf8(bytes)) throw new StagelyError('BadRequest', 'the request body is not UTF-8')
  return { bytes, value: await workOver(bytes, () => parseKubeJson(bytes)) }
}

const noQuery = z.strictObject({})
const anyBody = z.unknown()

interface Given {
  readonly query: Record<string, unknown>
  /** Of the body. */
  readonly value: unknown
}

/** Invalid with all faults. */
export const decodeInput = (route: RestRoute, given: Given): Omit<Input, 'bytes'> => {
  const query = (route.query ?? noQuery).safeParse(given.query)
  const body = (route.body ?? anyBody).safeParse(given.value)
  const faults = [
    ...(query.success ? [] : faultsOf(query.error, given.query)),
    ...(body.success ? [] : faultsOf(body.error, given.value)),
    ...unstorable(given.query, '', () => false),
    ...unstorable(given.value, '', isSecret),
  ]
  if (faults.length > 0) throw invalidInput(faults)
  return { query: query.data, body: body.data }
}

/** Decodes the route's input. UnsupportedMediaType, BadRequest, or Invalid with all faults. */
export const readInput = async (c: AppContext, route: RestRoute): Promise<Input> => {
  const { bytes, value } = await bodyOf(c, route)
  return { ...decodeInput(route, { query: queryOf(c), value }), bytes }
}

const bodyOf = async (
  c: AppContext,
  route: RestRoute,
): Promise<{ bytes: Buffer; value: unknown }> =>
  route.body === undefined ? { bytes: Buffer.alloc(0), value: undefined } : readJson(c)
