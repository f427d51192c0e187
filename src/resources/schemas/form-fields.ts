// The fields of a kind as a form shows them, derived from the schema of its spec: by their names in REST, with their
// places in a manifest. A schema that no form can show causes an error at generation.
import * as z from 'zod'
import { refersTo } from '../schema-parts.ts'
import type { Form, FormField } from './form.ts'
import { fieldsOf, type RestField } from './rest-fields.ts'

interface Rule {
  readonly rule: string
}

/** Kubernetes has no keyword for "exactly one of": the rule says so, in one of two ways. */
const exactlyOne =
  /^\[(?:has\(self\.\w+\)(?:, )?)+\]\.filter\(given, given\)\.size\(\) == 1$|^has\(self\.\w+\) != has\(self\.\w+\)$/

const oneOfIn = (schema: z.ZodType, fields: readonly RestField[]): Pick<Form, 'oneOf'> => {
  const rules = (schema.meta()?.['x-kubernetes-validations'] ?? []) as readonly Rule[]
  const rule = rules.map((expression) => expression.rule).find((text) => exactlyOne.test(text))
  if (rule === undefined) return {}
  const keys = [...rule.matchAll(/has\(self\.(\w+)\)/g)].map(([, key = '']) =>
    key.replace(/^__(\w+)__$/, '$1'),
  )
  return {
    oneOf: keys.map((key) => {
      const field = fields.find(({ path }) => path[0] === key)
      if (field === undefined) throw new Error(`no field ${key}: ${rule}`)
      return field.name
    }),
  }
}

const referenceOf = (schema: z.ZodType): Pick<FormField, 'refersTo'> => {
  const kind = schema.meta()?.[refersTo]
  return typeof kind === 'string' ? { refersTo: kind } : {}
}

const typeOf = (
  { schema, inner }: RestField,
  place: string,
): Pick<FormField, 'type' | 'options' | 'refersTo' | 'form'> => {
  if (schema instanceof z.ZodEnum) return { type: 'choice', options: schema.options.map(String) }
  if (schema instanceof z.ZodBoolean) return { type: 'flag' }
  if (schema instanceof z.ZodNumber) return { type: 'number' }
  if (schema instanceof z.ZodRecord)
    return { type: 'map', ...referenceOf(schema.valueType as z.ZodType) }
  if (schema instanceof z.ZodArray && inner === undefined) {
    const item = schema.element as z.ZodType
    return item instanceof z.ZodEnum
      ? { type: 'choices', options: item.options.map(String) }
      : { type: 'texts', ...referenceOf(item) }
  }
  if (schema instanceof z.ZodObject && inner !== undefined)
    return { type: 'group', form: formIn(schema, inner, place) }
  if (schema instanceof z.ZodArray && inner !== undefined)
    return { type: 'groups', form: formIn(schema.element as z.ZodObject, inner, place) }
  if (schema instanceof z.ZodString) return { type: 'text', ...referenceOf(schema) }
  throw new Error(`${place}: no form can show this schema`)
}

const formIn = (schema: z.ZodObject, fields: readonly RestField[], place: string): Form => ({
  fields: fields.map((field) => {
    const { name, path, required } = field
    const given = schema.shape[path[0] ?? ''] as z.ZodType
    const usual = given instanceof z.ZodDefault ? { usual: String(given.def.defaultValue) } : {}
    return {
      name,
      path,
      ...typeOf(field, `${place}.${name}`),
      help: field.schema.description ?? '',
      ...(required && { required: true as const }),
      ...usual,
    }
  }),
  ...oneOfIn(schema, fields),
})

/** The form of a spec: all of its fields. */
export const specForm = (kind: string, spec: z.ZodObject): Form =>
  formIn(spec, fieldsOf(spec, {}), kind)
