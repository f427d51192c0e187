import { describe, expect, it } from 'vitest'
import * as z from 'zod'
import { holding } from '../../../src/resources/holdings.ts'
import { fieldsOf, hidden } from '../../../src/resources/schemas/rest-fields.ts'
import { stageletStatus } from '../../../src/kinds/stagelet/schema.ts'
import { timeSchema } from './representations.ts'
import { answer, answerOf, answerShape, computed, createShape, updateShape } from './shapes.ts'

const spec = z.strictObject({
  maxSize: z.int().default(3).describe('How big.'),
  secretText: holding('value', z.string()).optional(),
  turns: z.strictObject({ atOnce: z.int().default(1) }).optional(),
})
const fields = fieldsOf(spec, {})

describe('an answer', () => {
  it('has the fields of the same name in camel case, times as text, and no others', () => {
    const schema = z.strictObject({
      user_id: z.string(),
      last_login_at: timeSchema.optional(),
      teams: z.array(z.strictObject({ own_role: z.string() })),
    })
    const record = {
      userId: 'u',
      lastLoginAt: 0,
      teams: [{ ownRole: 'owner', more: 1 }],
      hash: 'x',
    }
    expect(answer(schema, record)).toEqual({
      user_id: 'u',
      last_login_at: '1970-01-01T00:00:00Z',
      teams: [{ own_role: 'owner' }],
    })
    expect(answer(schema, { userId: 'u', teams: [] })).toEqual({ user_id: 'u', teams: [] })
  })

  it('is made from an object by the schema of its kind, and shows nothing that is write-only', () => {
    const name = computed(z.string(), (of: { metadata: { name: string } }) => of.metadata.name)
    const schema = z.strictObject({ name, ...answerShape(fields, ['spec']) })
    const object = { metadata: { name: 'n' }, spec: { maxSize: 4, secretText: 's', turns: {} } }
    expect(answerOf(schema)(object)).toEqual({ name: 'n', max_size: 4, turns: {} })
    expect(z.toJSONSchema(schema)).toMatchObject({
      required: ['name', 'max_size'],
      properties: { max_size: { description: 'How big.' } },
    })
  })

  it('has what is worked out within a group, and what stands for the absent', () => {
    const status = z.strictObject({
      items: z.array(z.strictObject({ ownSize: z.int() })).optional(),
    })
    const isBig = computed(z.boolean(), ({ ownSize }: { ownSize: number }) => ownSize > 9)
    const shape = answerShape(fieldsOf(status, { items: { absent: [] } }), ['status'], {
      items: { is_big: isBig },
    })
    const show = answerOf(z.strictObject(shape))
    expect(show({ status: { items: [{ ownSize: 10 }] } })).toEqual({
      items: [{ own_size: 10, is_big: true }],
    })
    expect(show({})).toEqual({ items: [] })
  })

  it('has a field of a kind that was added to its status', () => {
    const grown = stageletStatus.extend({ coolDown: z.int().optional().describe('How long.') })
    const shape = answerShape(fieldsOf(grown, { services: hidden }), ['status'])
    expect(answerOf(z.strictObject(shape))({ status: { coolDown: 5 } })).toEqual({ cool_down: 5 })
  })
})

describe('a request', () => {
  it('of a new object needs what has no default', () => {
    const schema = z.strictObject(createShape(fields))
    expect(schema.parse({ secret_text: 's' })).toEqual({ secret_text: 's' })
    expect(schema.safeParse({ max_size: null }).success).toBe(false)
  })

  it('of a change takes null for what can be taken away', () => {
    const schema = z.strictObject(updateShape(fields))
    for (const body of [{}, { turns: null }, { turns: { at_once: null } }])
      expect(schema.parse(body)).toEqual(body)
    for (const body of [{ max_size: null }, { secret_text: null }, { turns: { atOnce: 1 } }])
      expect(schema.safeParse(body).success).toBe(false)
  })
})
