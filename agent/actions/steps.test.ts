import { describe, expect, it } from 'vitest'
import { aContainer } from '../../test/support/agents/a-container.ts'
import { aPlan as plan, aService } from '../../test/support/agents/a-service.ts'
import { withoutServices, type ActionPlan, type PlanInput } from './plan.ts'
import { neededServices } from '../compose/dependencies.ts'

describe('a service that asks to be restarted after another', () => {
  const services = [
    aService('api', { dependsOn: ['db'], restartsAfter: ['db'] }),
    aService('db'),
    aService('web', { dependsOn: ['api'], restartsAfter: ['api'] }),
  ]
  const containers = services.map(({ name }) => aContainer(name, 'old'))
  const given = (names: readonly string[], tweak: Partial<PlanInput> = {}): ActionPlan => {
    const wanted = new Map(
      services.map(({ name }) => [name, names.includes(name) ? 'new' : 'old'] as const),
    )
    const deployed = ['api', 'db', 'web']
    return plan({ services, containers, wanted, deployed, ...tweak })
  }
  const stepTexts = ({ steps }: ActionPlan): string[] =>
    steps.map((s) => `${s.services.join()} then ${(s.restarts ?? []).join()}`)

  it('is restarted when that one gets something new, and those that follow it are not', () => {
    expect(stepTexts(given(['db']))).toEqual(['db then api'])
    expect(given(['db']).affected).toEqual(['db'])
    expect(stepTexts(given(['db', 'api']))).toEqual(['db then ', 'api then web'])
  })

  it('is left alone where that one is only started again, or it does not run itself', () => {
    const down = [aContainer('db', 'old', { state: 'exited', exitCode: 1 })]
    const others = containers.filter((c) => c.service !== 'db')
    expect(stepTexts(given([], { containers: [...others, ...down] }))).toEqual(['db then '])
    const idle = containers.map((c) =>
      c.service === 'api' ? { ...c, state: 'exited' as const } : c,
    )
    expect(stepTexts(given(['db'], { containers: idle }))).toEqual(['db then '])
  })

  it('is restarted once, after the last of several, and not while it is left out', () => {
    const both = services.map((s) =>
      s.name === 'web' ? { ...s, restartsAfter: ['api', 'db'] } : s,
    )
    const action = given(['db', 'api'], { services: both })
    expect(stepTexts(action)).toEqual(['db then ', 'api then web'])
    expect(stepTexts(withoutServices(action, ['web']))).toEqual(['db then ', 'api then '])
  })
})

it('a service leans on what it depends on, however far, and on those whose namespace it shares', () => {
  const services = [
    aService('api', { dependsOn: ['db'] }),
    aService('db', { dependsOn: ['web'] }),
    aService('other'),
    aService('peer', { sharesWith: ['api'] }),
    aService('web', { dependsOn: ['api'] }),
  ]
  expect(neededServices(services, 'peer')).toEqual(['api', 'db', 'web'])
  expect(neededServices(services, 'web')).toEqual(['api', 'db'])
  expect(neededServices(services, 'other')).toEqual([])
})
