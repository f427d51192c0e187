// Where values must not be after all the other parts have typed, stored, shown, copied and broken them. What pages
// keep is looked at when each test ends, see dashboard.ts.
import { expect, it } from 'vitest'
import { hasCanary, type Dashboard } from './dashboard.ts'

export const sinkTests = (given: () => Dashboard): void => {
  it('leaves no value in the logs of programs, in events, metrics, the audit log or what is told of stagelets', async () => {
    const { world, rest, stack } = given()
    const inside = await stack.environmentOf('web')
    expect(hasCanary(inside['SENTRY_DSN'] ?? '')).toBe(true)
    const told = {
      programs: world.allOutput(),
      metrics: (await world.page('/metrics')).text,
      audit: await rest('GET', '/audit/export'),
      events: await rest('GET', '/namespaces/default/events'),
      stagelets: await rest('GET', '/stagelets'),
      secrets: await rest('GET', '/projects/default%2Fshop/secrets?view=full'),
      revisions: await rest('GET', '/projects/default%2Fshop/revisions'),
      rollout: await rest('GET', '/projects/default%2Fshop/rollout'),
      rollouts: await rest('GET', '/rollouts'),
      activity: await rest('GET', '/activity'),
    }
    for (const [name, text] of Object.entries(told))
      expect([name, text.length > 20, hasCanary(text)]).toEqual([name, true, false])
  })
}
