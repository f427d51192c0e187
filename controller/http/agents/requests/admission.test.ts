import { expect, it } from 'vitest'
import { createFakeClock } from '../../../../test/support/fake-clock.ts'
import { createAgentCost, createAdmission } from './admission.ts'

const mebibyte = 1024 * 1024

it('puts off an agent that floods, and no other', async () => {
  const clock = createFakeClock()
  const cost = createAgentCost(clock)
  for (let i = 0; i < 5; i += 1) cost.charge('loud', 4 * mebibyte)
  expect(() => cost.check('loud')).toThrow('try again in 17 s')
  expect(() => cost.check('calm')).not.toThrow()
  await clock.advance(17_000)
  expect(() => cost.check('loud')).not.toThrow()
})

it('takes all of 50 large stacks at once, and as many logs as were asked for', () => {
  const cost = createAgentCost(createFakeClock())
  for (let i = 0; i < 4; i += 1) cost.charge('box', 2 * mebibyte)
  for (let i = 0; i < 1_000; i += 1) cost.charge('box', mebibyte / 4)()
  expect(() => cost.check('box')).not.toThrow()
})

it('one agent does not open the streams of all, but those of a network that breaks', () => {
  const clock = createFakeClock()
  const letIn = createAdmission(300, clock, createAgentCost(clock))
  let opened = 0
  expect(() => {
    for (; opened < 1_000; opened += 1) letIn({ agentUid: 'loud', proof: `loud ${opened}` })
  }).toThrow('sends more than the controller works on')
  expect(opened).toBeGreaterThan(30)
  expect(opened).toBeLessThan(40)
  for (let i = 0; i < 250; i += 1) letIn({ agentUid: `calm${i}`, proof: `calm ${i}` })
})

it('a recorded request opens no second stream as long as it is valid, and costs its agent nothing', async () => {
  const clock = createFakeClock()
  const letIn = createAdmission(300, clock, createAgentCost(clock))
  const open = (proof: string) => () => letIn({ agentUid: 'box', proof })
  open('a')()
  await clock.advance(599_000)
  for (let i = 0; i < 1_000; i += 1) expect(open('a')).toThrow('came before')
  expect(open('b')).not.toThrow()
  await clock.advance(1_000)
  expect(open('a')).not.toThrow()
})
