// Checks objects against the models of Kubernetes' own client, as the API server would with strict field
// validation: what is required, the types of values, and fields that nobody knows.
import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const gen = fileURLToPath(
  new URL('../../../node_modules/@kubernetes/client-node/dist/gen/', import.meta.url),
)

interface Field {
  readonly baseName: string
  readonly type: string
  readonly format: string
}
interface Model {
  readonly fields: readonly Field[]
  readonly required: ReadonlySet<string>
}

const capital = (word: string): string => word.charAt(0).toUpperCase() + word.slice(1)

/** Name of the model; undefined where the group and version have no such kind. */
export const modelOf = (apiVersion: string, kind: string): string | undefined => {
  const [version = '', group = 'core'] = apiVersion.split('/').reverse()
  const words = group.replace(/\.k8s\.io$/, '').split('.')
  const api = `${gen}apis/${words.map(capital).join('')}${capital(version)}Api.d.ts`
  const name = capital(version) + kind
  const isKnown =
    existsSync(api) && readFileSync(api, 'utf8').includes(`from '../models/${name}.js'`)
  return isKnown ? name : undefined
}

const loaded = new Map<string, Promise<Model>>()
const load = (name: string): Promise<Model> => {
  const model = loaded.get(name) ?? read(name)
  loaded.set(name, model)
  return model
}

/** The class says names and types of fields, its declaration which of them are required. */
const read = async (name: string): Promise<Model> => {
  const path = `${gen}models/${name}`
  const module = (await import(`${path}.js`)) as Record<string, { attributeTypeMap: Field[] }>
  const declared = readFileSync(`${path}.d.ts`, 'utf8').matchAll(/^ {4}'_?(\w+)': /gm)
  return {
    fields: module[name]!.attributeTypeMap,
    required: new Set([...declared].map(([, field = '']) => field)),
  }
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** Paths of the value, with what is wrong there. */
export const modelFaults = async (
  value: unknown,
  type: string,
  format = '',
  path = '',
): Promise<string[]> => {
  const within = async (
    pairs: readonly (readonly [string, unknown])[],
    inner: string,
  ): Promise<string[]> => {
    const faults = pairs.map(([name, item]) => modelFaults(item, inner, format, `${path}.${name}`))
    return (await Promise.all(faults)).flat()
  }
  const wrong = [`${path} is not ${type} ${format}`.trim()]
  const [, item] = /^Array<(.*)>$/.exec(type) ?? []
  if (item !== undefined)
    return Array.isArray(value) ? within(Object.entries(value as unknown[]), item) : wrong
  const [, entry] = /^\{ \[key: string\]: (.*); \}$/.exec(type) ?? []
  if (entry !== undefined) return isObject(value) ? within(Object.entries(value), entry) : wrong
  switch (type) {
    case 'any':
      return []
    case 'Date':
      return Number.isNaN(Date.parse(String(value))) ? wrong : []
    case 'IntOrString':
      return typeof value === 'string' || Number.isInteger(value) ? [] : wrong
    case 'number':
      return typeof value === type && (format === 'double' || Number.isInteger(value)) ? [] : wrong
    case 'string':
    case 'boolean':
      return typeof value === type ? [] : wrong
  }
  if (!isObject(value)) return wrong
  const { fields, required } = await load(type)
  const faults = Object.entries(value).map(async ([name, inner]) => {
    const field = fields.find(({ baseName }) => baseName === name)
    if (field === undefined) return [`${path}.${name} is not known`]
    return modelFaults(inner, field.type, field.format, `${path}.${name}`)
  })
  const missing = [...required].filter((name) => value[name] === undefined)
  return [...missing.map((n) => `${path}.${n} is missing`), ...(await Promise.all(faults)).flat()]
}
