import { expect, it, test } from 'vitest'
import * as z from 'zod'
import { leavesOf, typeOf } from '../../test/support/http/schema-leaves.ts'
import { manualRequest } from '../../src/protocol/by-hand.ts'
import { joinContent, joinRequest } from '../../src/protocol/join.ts'
import { logBatch } from '../../src/protocol/logs.ts'
import { keysRequest, reportRequest, streamRequest } from '../../src/protocol/messages.ts'
import { taskReport } from '../../src/protocol/tasks.ts'
import { kinds } from '../../src/kinds/index.ts'
import { natures, told, toldLines } from '../../src/resources/told.ts'

/** What an agent sends to the controller. */
const fromAgents = {
  joinRequest,
  joinContent,
  keysRequest,
  streamRequest,
  reportRequest,
  logBatch,
  taskReport,
} as const

const formatOf = (schema: z.ZodType): unknown => schema.meta()?.['format']
const isInstant = (schema: z.ZodType): boolean => formatOf(schema) === 'date-time'

test('every text of an agent says what it is: told, opaque, output, or an instant', () => {
  const silent = Object.entries(fromAgents).flatMap(([name, message]) =>
    leavesOf(message)
      .filter(({ schema }) => typeOf(schema) === 'string' && !(schema instanceof z.ZodUUID))
      .filter(({ schema }) => natures.get(schema) === undefined && !isInstant(schema))
      .map(({ path }) => `${name} ${path}`),
  )
  expect(silent).toEqual([])
})

test('only what a container has printed comes as it is', () => {
  const outputs = Object.values(fromAgents).flatMap((message) =>
    leavesOf(message)
      .filter(({ schema }) => natures.get(schema)?.nature === 'output')
      .map(({ path }) => path),
  )
  expect(outputs).toEqual(['records[].text'])
})

/** A name that says: a moment. */
const momentName =
  /(?:^|\.)(?:\w+(?:At|Since|Until|Time)|since|until|at|made|time|startBy|reviewBy)$/

/** A place, not a moment. */
const places = ['found.places[].at']

test('every field that is named as a moment is an instant, or a number of ms', () => {
  const schemas: readonly (readonly [string, z.ZodType])[] = [
    ...Object.entries(fromAgents),
    ['manualRequest', manualRequest],
    ...kinds.flatMap(({ kind, spec, status }) => [
      [`spec of ${kind}`, spec] as const,
      ...(status === undefined ? [] : [[`status of ${kind}`, status] as const]),
    ]),
  ]
  const others = schemas.flatMap(([name, schema]) =>
    leavesOf(schema)
      .filter((leaf) => momentName.test(leaf.path) && typeOf(leaf.schema) === 'string')
      .filter((leaf) => !isInstant(leaf.schema) && !places.includes(leaf.path))
      .map(({ path }) => `${name} ${path}`),
  )
  expect(others).toEqual([])
})

const forged = 'ok\n*GlassBroken* project/shop\r\x1b[2J\u202e\u0000\ud800'

it('makes one line of a text that is told, whatever it holds, and the same of it twice', () => {
  const shown = told(200).parse(forged)
  expect(shown).toBe('ok\\n*GlassBroken* project/shop\\x0d\\x1b[2J\\u202e\\x00\\ud800')
  expect(told(200).parse(shown)).toBe(shown)
})

it('keeps line breaks of lines, and nothing else', () => {
  expect(toldLines(200).parse(forged)).toBe(
    'ok\n*GlassBroken* project/shop\\x0d\\x1b[2J\\u202e\\x00\\ud800',
  )
})

it('keeps its bound where escapes make the text longer, and no half of a pair', () => {
  expect(told(4).parse('\n\n\n\n')).toBe('\\n\\n')
  expect(told(5).parse('\x1b😀')).toBe('\\x1b')
})
