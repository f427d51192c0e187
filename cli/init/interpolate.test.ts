import { expect, it } from 'vitest'
import { partsOf, wholeVariable } from './interpolate.ts'

const variables = new Map([
  ['PW', 'hunter2'],
  ['EMPTY', ''],
])
const shown = (written: string): string =>
  partsOf(written, variables)
    .map(({ text, variable }) => (variable === undefined ? text : `[${variable} ${text}]`))
    .join('')

it.each([
  ['postgres://app:${PW}@db', 'postgres://app:[PW hunter2]@db'],
  ['${U:-app}:$PW', '[U app]:[PW hunter2]'],
  ['${EMPTY:-none} ${EMPTY-none}', '[EMPTY none] [EMPTY ]'],
  ['${U:-${PW}} ${U:-a${PW}b}', '[PW hunter2] a[PW hunter2]b'],
  ['${U:-${V:-deep}}', '[V deep]'],
  ['${PW:?needed} ${PW?needed}', '[PW hunter2] [PW hunter2]'],
  ['${PW:+is-set}${U:+not}${U+not}', 'is-set'],
  ['a$$b $${PW} 100%', 'a$b ${PW} 100%'],
  ['${U:-a}}', '[U a]}'],
])('%s is %s', (written, parts) => {
  expect(shown(written)).toBe(parts)
})

it('tells a text that is the value of one variable', () => {
  expect(wholeVariable(partsOf('${U:-x}', variables))).toBe('U')
  expect(wholeVariable(partsOf('${PW}!', variables))).toBeUndefined()
  expect(wholeVariable(partsOf('plain', variables))).toBeUndefined()
})
