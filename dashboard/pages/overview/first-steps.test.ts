import { expect, it } from 'vitest'
import type { Agent, Condition, Stagelet } from '../../../src/generated/rest-types.ts'
import { firstSteps, isFirstRun } from './first-steps.ts'

const condition = (type: string): Condition => ({
  type,
  status: 'True',
  reason: 'Is',
  message: '',
  since: '',
})
const agent: Agent = {
  id: 'agt_1',
  name: 'web-1',
  team: 'default',
  paused: false,
  drained: false,
  created_at: '',
  conditions: [],
}
const stack: Stagelet = {
  id: 'stg_1',
  name: 'shop',
  team: 'default',
  project: 'shop',
  agent: 'web-1',
  compose: { directory: '/srv' },
  deletion_policy: 'Retain',
  paused: false,
  directory: '/srv',
  quarantine: [],
  services: [],
  source: 'api',
  created_at: '',
  conditions: [],
}
const project = { team: 'default', name: 'shop', secrets: 0 }
const nothing = { projects: [], agents: [], stacks: [] }

it('begins with nothing, and goes on with what is there', () => {
  expect(firstSteps(nothing)).toMatchObject({ hasSecret: false, isInSync: false })
  const named = { ...nothing, projects: [project], agents: [agent] }
  expect(firstSteps(named)).toMatchObject({ project, agent: undefined })
  const joined = { ...agent, conditions: [condition('Ready')] }
  expect(firstSteps({ ...named, agents: [joined] })).toMatchObject({ agent: joined })
})

it('ends when the first stack was healthy with its secrets, and does not come back by a drift', () => {
  const world = { projects: [{ ...project, secrets: 1 }], agents: [agent], stacks: [stack] }
  expect(isFirstRun(world)).toBe(true)
  const early = { ...stack, conditions: [condition('SecretsInSync')] }
  expect(isFirstRun({ ...world, stacks: [early] })).toBe(true)
  expect(isFirstRun({ ...world, stacks: [{ ...stack, healthy_revision: 1 }] })).toBe(false)
})

it('does not come back to who has several projects or stacks', () => {
  expect(isFirstRun({ ...nothing, projects: [project, project] })).toBe(false)
  expect(isFirstRun({ ...nothing, stacks: [stack, stack] })).toBe(false)
})
