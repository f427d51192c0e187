import { expect, it } from 'vitest'
import { planImport } from './import-plan.ts'

const target = { scope: 'web', stagelet: '' }

it('says of each line what it does', () => {
  const known = [
    { key: 'A', scope: 'web' },
    { key: 'B', scope: 'global' },
    { key: 'C', scope: 'web', stagelet: 'prod' },
  ]
  const { lines, faults } = planImport("A=1\n# note\nB='$x '\nC=3\nB=4\n", target, known)
  expect(lines).toEqual([
    { key: 'A', where: 'line 1', value: '1', does: 'another value' },
    { key: 'B', where: 'line 3', value: '$x ', does: 'given again below' },
    { key: 'C', where: 'line 4', value: '3', does: 'new' },
    { key: 'B', where: 'line 5', value: '4', does: 'new' },
  ])
  expect(faults).toEqual([])
})

it('names all faults with their lines, and no value', () => {
  const { faults } = planImport('OK=1\nno equals sign\n1BAD=hidden\nQ="open\n', target, [])
  expect(faults.map(({ where }) => where)).toEqual(['line 2', 'line 4', 'line 3'])
  expect(JSON.stringify(faults)).not.toContain('hidden')
})

it('takes as many keys as one request holds', () => {
  const text = Array.from({ length: 501 }, (_, i) => `K${i}=1`).join('\n')
  expect(planImport(text, target, []).faults).toEqual([
    { where: 'the file', message: expect.stringContaining('stagely secrets import') as string },
  ])
})
