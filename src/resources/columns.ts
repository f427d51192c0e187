// Columns of tables: of `kubectl get`, and of lists of the command line. Pure.

/** A printer column as in a CRD: `jsonPath` is the simple dotted form that CRDs allow. */
export interface PrinterColumn {
  readonly name: string
  readonly type: 'string' | 'integer' | 'boolean' | 'date'
  readonly jsonPath: string
  readonly description: string
  /** Columns with a priority above 0 are shown only with `-o wide`. */
  readonly priority?: number
}

type Make = (name: string, jsonPath: string, description: string) => PrinterColumn

const columnOf =
  (type: PrinterColumn['type']): Make =>
  (name, jsonPath, description) => ({ name, type, jsonPath, description })

export const text = columnOf('string')
export const integer = columnOf('integer')
export const bool = columnOf('boolean')
/** A time; tables show how long ago it was. */
export const date = columnOf('date')

/** Columns of most kinds. */
export const age = date('Age', '.metadata.creationTimestamp', 'Time since creation.')
export const ofProject = text('Project', '.spec.projectRef.name', 'Project.')

export const wide = (column: PrinterColumn): PrinterColumn => ({ ...column, priority: 1 })

export const condition = (
  type: string,
  field: 'status' | 'reason' | 'lastTransitionTime',
): string => `.status.conditions[?(@.type=="${type}")].${field}`

const pathStep = /^\.([A-Za-z0-9_-]+)|^\[\?\(@\.([A-Za-z0-9]+)==["']([^"']*)["']\)\]|^\[(\d+)\]/

type Wire = Record<string, unknown>
type PathStep = (value: unknown) => unknown

const stepsOf = (path: string): PathStep[] => {
  const steps: PathStep[] = []
  let rest = path
  while (rest !== '') {
    const match = pathStep.exec(rest)
    if (match === null) throw new Error(`unsupported column path: ${path}`)
    const [whole, field, filterField, filterValue, index] = match
    if (field !== undefined) steps.push((value) => (value as Wire)[field])
    else if (index !== undefined) steps.push((value) => (value as unknown[])[Number(index)])
    else steps.push((value) => (value as Wire[]).find((item) => item[filterField!] === filterValue))
    rest = rest.slice(whole.length)
  }
  return steps
}

/** A cache: there are few columns, each evaluated for thousands of objects. */
const parsed = new Map<string, PathStep[]>()

/**
 * The simple JSON paths of CRD columns: fields, one index, one equality filter. null when there is no
 * value.
 */
export const columnValue = (root: unknown, path: string): unknown => {
  let steps = parsed.get(path)
  if (steps === undefined) parsed.set(path, (steps = stepsOf(path)))
  let value: unknown = root
  for (const next of steps) {
    if (value === undefined || value === null) return null
    value = next(value)
  }
  return value ?? null
}
