import { describe, expect, it } from 'vitest'
import * as z from 'zod'
import { fieldsOf, hidden, withRestFields } from './rest-fields.ts'
import { secretFields } from '../../kinds/secret/rest-fields.ts'

const spec = z.strictObject({
  agentRef: z.strictObject({ name: z.string() }).describe('Who runs it.'),
  boxRef: z.strictObject({ name: z.string() }).optional(),
  maxSize: z.int().default(3),
  place: z
    .strictObject({ path: z.string().optional(), fileMode: z.string().optional() })
    .optional(),
  turns: z
    .strictObject({ atOnce: z.int().default(1), isPaused: z.boolean().optional() })
    .optional(),
  steps: z.array(z.strictObject({ doneAt: z.string() })).optional(),
  ownText: z.string().optional(),
})
const fields = fieldsOf(spec, { place: { prefix: 'place_', fields: { path: { name: 'where' } } } })
const named = (name: string) => fields.find((field) => field.name === name)

describe('the fields of a kind', () => {
  it('are in snake case; a reference is the name that it holds', () => {
    expect(fields.map(({ name, path }) => [name, path.join('.')])).toEqual([
      ['agent', 'agentRef.name'],
      ['box', 'boxRef.name'],
      ['max_size', 'maxSize'],
      ['where', 'place.path'],
      ['place_file_mode', 'place.fileMode'],
      ['turns', 'turns'],
      ['steps', 'steps'],
      ['own_text', 'ownText'],
    ])
    expect(named('turns')?.inner?.map(({ name }) => name)).toEqual(['at_once', 'is_paused'])
    expect(named('steps')?.inner?.map(({ name }) => name)).toEqual(['done_at'])
    expect(named('agent')?.schema.description).toBe('Who runs it.')
  })

  it('say which an object has, which a new one needs, and which can be taken away', () => {
    const those = (which: 'always' | 'required' | 'removable'): string[] =>
      fields.filter((field) => field[which]).map(({ name }) => name)
    expect(those('always')).toEqual(['agent', 'max_size'])
    expect(those('required')).toEqual(['agent'])
    const optional = ['box', 'where', 'place_file_mode', 'turns', 'steps', 'own_text']
    expect(those('removable')).toEqual(optional)
    const [atOnce] = named('turns')?.inner ?? []
    expect(atOnce).toMatchObject({ always: false, required: false, removable: true })
  })

  it('of which two would have one name are refused', () => {
    const twice = z.strictObject({ boxRef: z.strictObject({ name: z.string() }), box: z.string() })
    expect(() => fieldsOf(twice, {})).toThrow('two fields are called box')
    expect(fieldsOf(twice, { box: hidden })).toHaveLength(1)
  })

  it('of a secret have not changed their names', () => {
    expect(secretFields.map(({ name }) => name).join(' ')).toBe(
      'key scope type stagelet environments audience visibility file_path file_permissions file_uid file_gid file_target file_env_var value value_base64 sealed_value value_from references format pattern expiry',
    )
  })
})

describe('what is given', () => {
  it('goes where it belongs, and null takes away; what a group is not given stays', () => {
    const before = { maxSize: 1, place: { path: '/a' }, turns: { atOnce: 2, isPaused: true } }
    const given = { where: null, turns: { at_once: 5, is_paused: null }, box: 'b', other: 1 }
    expect(withRestFields(fields, before, given)).toEqual({
      maxSize: 1,
      turns: { atOnce: 5 },
      boxRef: { name: 'b' },
    })
    expect(withRestFields(fields, {}, { steps: [{ done_at: 'now' }], turns: null })).toEqual({
      steps: [{ doneAt: 'now' }],
    })
    expect(before.place).toEqual({ path: '/a' })
  })
})
