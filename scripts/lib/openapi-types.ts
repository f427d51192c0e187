// TypeScript of the OpenAPI document, in the form that openapi-fetch reads. The document is our own and
// uses few words of JSON Schema; a word that is not known here fails the generation.

interface Schema {
  readonly $ref?: string
  readonly type?: string | readonly string[]
  readonly const?: unknown
  readonly enum?: readonly unknown[]
  readonly anyOf?: readonly Schema[]
  readonly oneOf?: readonly Schema[]
  readonly items?: Schema
  readonly properties?: Readonly<Record<string, Schema>>
  readonly required?: readonly string[]
  readonly additionalProperties?: boolean | Schema
  readonly description?: string
}

interface Parameter {
  readonly name: string
  readonly in: 'path' | 'query' | 'header'
  readonly required?: boolean
  readonly schema: Schema
}

type Content = Readonly<Record<string, { readonly schema: Schema }>>

interface Operation {
  readonly operationId: string
  readonly summary: string
  readonly parameters: readonly Parameter[]
  readonly requestBody?: { readonly content: Content }
  readonly responses: Readonly<Record<string, { readonly content?: Content }>>
}

export interface OpenApi {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>
  readonly components: { readonly schemas: Readonly<Record<string, Schema>> }
}

/** A name of a shape, and the operation whose answer has it: whole, or as the items of its list. */
export type Names = Readonly<Record<string, readonly [operation: string, list?: string]>>

const quoted = (name: string): string => (/^[A-Za-z_$][\w$]*$/.test(name) ? name : `'${name}'`)

const printer = (known: ReadonlyMap<string, string>) => {
  const print = (schema: Schema): string => {
    const text = plain(schema)
    return known.get(text) ?? text
  }
  const union = (parts: readonly Schema[]): string => parts.map(print).join(' | ')
  const plain = (schema: Schema): string => {
    const { $ref, anyOf, oneOf, type } = schema
    if ($ref !== undefined) return $ref.replace('#/components/schemas/', '')
    if ('const' in schema) return JSON.stringify(schema.const)
    if (schema.enum !== undefined)
      return schema.enum.map((value) => JSON.stringify(value)).join(' | ')
    const parts = anyOf ?? oneOf
    if (parts !== undefined) return union(parts)
    if (typeof type === 'object')
      return type.map((each) => plain({ ...schema, type: each })).join(' | ')
    switch (type) {
      case 'string':
      case 'boolean':
      case 'null':
        return type
      case 'number':
      case 'integer':
        return 'number'
      case 'array':
        // openapi-fetch maps arrays, and not those that are read only.
        return `(${print(schema.items ?? {})})[]`
      case 'object':
        return objectOf(schema)
      case undefined:
        return 'unknown'
      default:
        throw new Error(`openapi-types knows no ${JSON.stringify(schema).slice(0, 200)}`)
    }
  }
  const objectOf = ({ properties, required = [], additionalProperties }: Schema): string => {
    const fields = Object.entries(properties ?? {}).map(
      ([name, field]) =>
        `readonly ${quoted(name)}${required.includes(name) ? '' : '?'}: ${print(field)}`,
    )
    if (fields.length > 0) return `{ ${fields.join('; ')} }`
    const rest = typeof additionalProperties === 'object' ? print(additionalProperties) : 'unknown'
    return `Readonly<Record<string, ${rest}>>`
  }
  return { print, plain }
}

const jsonOf = (content: Content | undefined): readonly [string, Schema][] =>
  Object.entries(content ?? {}).map(([type, { schema }]) => [type, schema])

const group = (
  parameters: readonly Parameter[],
  where: Parameter['in'],
  print: (s: Schema) => string,
) => {
  const own = parameters.filter((parameter) => parameter.in === where)
  if (own.length === 0) return `${where}?: never`
  const all = own.map(
    ({ name, required, schema }) =>
      `${quoted(name)}${required === true ? '' : '?'}: ${print(schema)}`,
  )
  const optional = own.some(({ required }) => required === true) ? '' : '?'
  return `${where}${optional}: { ${all.join('; ')} }`
}

const operationText = (operation: Operation, print: (schema: Schema) => string): string => {
  const { parameters, requestBody, responses } = operation
  const places = (['query', 'header', 'path'] as const).map((where) =>
    group(parameters, where, print),
  )
  const body = jsonOf(requestBody?.content).map(([type, schema]) => `'${type}': ${print(schema)}`)
  const answers = Object.entries(responses).map(([status, { content }]) => {
    const shapes = jsonOf(content).map(([type, schema]) => `'${type}': ${print(schema)}`)
    const text = shapes.length === 0 ? 'content?: never' : `content: { ${shapes.join('; ')} }`
    return `${status}: { headers: Record<string, unknown>; ${text} }`
  })
  const sent =
    body.length === 0 ? 'requestBody?: never' : `requestBody: { content: { ${body.join('; ')} } }`
  return `{ parameters: { ${places.join('; ')}; cookie?: never }; ${sent}; responses: { ${answers.join('; ')} } }`
}

/** The schema that a name stands for. */
const namedSchema = (document: OpenApi, [id, list]: readonly [string, string?]): Schema => {
  const operation = Object.values(document.paths)
    .flatMap((path) => Object.values(path))
    .find(({ operationId }) => operationId === id)
  const whole = Object.entries(operation?.responses ?? {})
    .filter(([status]) => status !== 'default')
    .flatMap(([, { content }]) => jsonOf(content))[0]?.[1]
  const schema = list === undefined ? whole : whole?.properties?.[list]?.items
  if (schema === undefined)
    throw new Error(`no answer of ${id}${list === undefined ? '' : `.${list}`}`)
  return schema
}

export const renderTypes = (document: OpenApi, names: Names): string => {
  const known = new Map<string, string>()
  const { print, plain } = printer(known)
  const declared: string[] = []
  for (const [name, schema] of Object.entries(document.components.schemas))
    declared.push(`export type ${name} = ${plain(schema)}\n`)
  for (const [name, from] of Object.entries(names)) {
    const text = plain(namedSchema(document, from))
    known.set(text, name)
    declared.push(`export type ${name} = ${text}\n`)
  }
  const paths = Object.entries(document.paths).map(([path, operations]) => {
    const methods = Object.entries(operations).map(
      ([method, operation]) =>
        `/** ${operation.summary.replaceAll('*/', '')} */ ${method}: ${operationText(operation, print)}`,
    )
    return `  '${path}': { ${methods.join('; ')} }`
  })
  return [
    '// Generated from the table of REST routes by "npm run generate". Do not edit.\n',
    ...declared,
    `export interface paths {\n${paths.join('\n')}\n}\n`,
  ].join('\n')
}
