// Query parameters and headers of a request, checked.
import { defined } from '../../../src/kernel/defined.ts'
import { noteOf } from '../note.ts'
import { StagelyError, type Fault } from '../../../src/kernel/errors.ts'
import type { Kind } from '../../../src/resources/define-kind.ts'
import type { ChangeSet, StoredObject, WriteOptions } from '../../../src/store/store.ts'
import type { AppContext } from '../env.ts'
import { visibleNamespaces } from './route.ts'
import {
  parseFieldSelector,
  parseLabelSelector,
  type FieldSelector,
  type LabelSelector,
} from './selectors.ts'

export type FieldValidation = 'Strict' | 'Warn' | 'Ignore'

export interface ListSelection {
  readonly namespace: string | undefined
  /** The only namespaces that the caller may see; undefined: all. */
  readonly within: readonly string[] | undefined
  readonly labels: LabelSelector | undefined
  readonly fields: FieldSelector | undefined
}

const validations = ['Strict', 'Warn', 'Ignore']

const optionsOfMethod: Readonly<Record<string, string>> = {
  POST: 'CreateOptions',
  PUT: 'UpdateOptions',
  PATCH: 'PatchOptions',
  DELETE: 'DeleteOptions',
}

/** 422 that names the parameter, as Kubernetes answers for invalid options. */
export const invalidOption = (
  c: AppContext,
  field: string,
  reason: Fault['reason'],
  message: string,
): StagelyError => {
  const kind = optionsOfMethod[c.req.method] ?? 'ListOptions'
  return new StagelyError('Invalid', `${kind}.meta.k8s.io "" is invalid: ${field}: ${message}`, {
    kind,
    group: 'meta.k8s.io',
    faults: [{ field, reason, message }],
  })
}

export const fieldValidationOf = (c: AppContext): FieldValidation => {
  const text = c.req.query('fieldValidation') ?? ''
  if (text === '') return 'Warn'
  if (!validations.includes(text))
    throw invalidOption(
      c,
      'fieldValidation',
      'FieldValueNotSupported',
      `Unsupported value: ${JSON.stringify(text)}: supported values: "", "Ignore", "Strict", "Warn"`,
    )
  return text as FieldValidation
}

const dryRunOf = (c: AppContext): boolean => {
  const values = c.req.queries('dryRun') ?? []
  if (values.some((value) => value !== 'All'))
    throw invalidOption(
      c,
      'dryRun',
      'FieldValueNotSupported',
      `Unsupported value: ${JSON.stringify(values)}: supported values: "All"`,
    )
  return values.length > 0
}

/** Header `Stagely-Change-Set: ID; last=true|false`. */
const parseChangeSet = (header: string | undefined): ChangeSet | undefined => {
  if (header === undefined) return undefined
  const match = /^([A-Za-z0-9._-]{1,128})\s*(?:;\s*last\s*=\s*(true|false)\s*)?$/.exec(
    header.trim(),
  )
  if (match === null)
    throw new StagelyError(
      'BadRequest',
      'header Stagely-Change-Set must be "ID; last=true" or "ID; last=false"; ID is up to 128 letters, digits, ".", "_" and "-"',
    )
  return { id: match[1]!, last: match[2] === 'true' }
}

export const writeOptionsOf = (c: AppContext): WriteOptions => {
  const changeSet = parseChangeSet(c.req.header('stagely-change-set'))
  return { dryRun: dryRunOf(c), ...defined({ changeSet, note: noteOf(c) }) }
}

export const listSelectionOf = (c: AppContext, kind: Kind): ListSelection => ({
  namespace: c.req.param('namespace'),
  // The right to a namespace in the path was checked already.
  within: c.req.param('namespace') === undefined ? visibleNamespaces(c, kind) : undefined,
  labels: parseLabelSelector(c.req.query('labelSelector')),
  fields: parseFieldSelector(kind, c.req.query('fieldSelector')),
})

/** Labels or fields decide, and not the place alone. */
export const isSelective = ({ labels, fields }: ListSelection): boolean =>
  labels !== undefined || fields !== undefined

export const selects = (
  { labels, fields }: ListSelection,
  stored: Pick<StoredObject, 'object'>,
): boolean =>
  (labels === undefined || labels(stored.object.metadata.labels)) &&
  (fields === undefined || fields(stored.object))

/** As in Kubernetes: `watch=True`, and `watch` without a value, are true. */
export const isTrueParam = (text: string | undefined): boolean =>
  text !== undefined && text !== '0' && text.toLowerCase() !== 'false'

const secondsOfUnit: Readonly<Record<string, number>> = {
  h: 3_600,
  m: 60,
  s: 1,
  ms: 1e-3,
  us: 1e-6,
  µs: 1e-6,
  ns: 1e-9,
}

/** Parses a Go duration (`2s`, `1m30s`, `500ms`) or a number of seconds; undefined: invalid. */
export const parseSeconds = (text: string): number | undefined => {
  if (/^\d+$/.test(text)) return Number(text)
  if (!/^(?:\d+(?:\.\d+)?(?:h|ms|us|µs|ns|m|s))+$/.test(text)) return undefined
  return [...text.matchAll(/([\d.]+)(\D+)/g)].reduce(
    (sum, [, count, unit = '']) => sum + Number(count) * secondsOfUnit[unit]!,
    0,
  )
}

/** Parameter with a number of seconds; 0 when it is absent. BadRequest when it is invalid. */
export const secondsOf = (c: AppContext, name: string): number => {
  const text = c.req.query(name) ?? ''
  const seconds = text === '' ? 0 : parseSeconds(text)
  if (seconds === undefined)
    throw new StagelyError(
      'BadRequest',
      `${name} must be whole seconds, or a duration such as 1m30s`,
    )
  return seconds
}

/** Checks the parameters with a time, which any request may have, also where they have no effect. */
export const checkTimes = (c: AppContext): void => {
  for (const name of ['timeout', 'timeoutSeconds']) secondsOf(c, name)
}
