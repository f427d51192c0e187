import { describe, expect, it } from 'vitest'
import type { KubeObject } from '../../src/resources/meta.ts'
import { reachOfGlobal } from './import-reach.ts'

const stagelet = (
  services: Readonly<Record<string, readonly string[] | undefined>>,
): KubeObject => ({
  apiVersion: 'stagely.dev/v1alpha1',
  kind: 'Stagelet',
  metadata: { name: 'prod' },
  spec: {},
  status: {
    services: Object.entries(services).map(([name, composeKeys]) => ({ name, composeKeys })),
  },
})

const how = '--scope SERVICE gives all of them to one service.'

describe('what is said of global keys of an import', () => {
  it('is how many services get each, and which have no such variable', () => {
    const stagelets = [stagelet({ web: ['A', 'B'], db: ['B'], cache: undefined })]
    expect(reachOfGlobal(['A', 'B'], stagelets)).toEqual([
      `2 new keys are global: each goes to all 3 services (cache, db, web). ${how}`,
      'New for services whose Compose file does not set them: cache (A, B); db (A).',
    ])
  })

  it('is no such list where every service has them, or where no agent tells variables', () => {
    const one = '1 new key is global: it goes to'
    const alone = '--scope SERVICE gives it to one service.'
    expect(reachOfGlobal(['A'], [stagelet({ web: ['A'], db: ['A'] })])).toEqual([
      `${one} all 2 services (db, web). ${alone}`,
    ])
    expect(reachOfGlobal(['A'], [stagelet({ web: undefined, db: undefined })])).toEqual([
      `${one} all 2 services (db, web). ${alone}`,
    ])
    expect(reachOfGlobal(['A'], [])).toEqual([
      `1 new key is global: every service gets it. ${alone}`,
    ])
  })

  it('is nothing of none, and of one service that there is only what it lacks', () => {
    expect(reachOfGlobal([], [stagelet({ web: [] })])).toEqual([])
    expect(reachOfGlobal(['A'], [stagelet({ web: ['B'] })])).toEqual([
      'New for services whose Compose file does not set them: web (A).',
    ])
  })

  it('is short where much is new', () => {
    const keys = Array.from({ length: 30 }, (_, i) => `K_${i}`)
    const services = Object.fromEntries(Array.from({ length: 30 }, (_, i) => [`s${i}`, ['X']]))
    const [first = '', second = ''] = reachOfGlobal(keys, [stagelet(services)])
    expect(first).toContain('all 30 services (s0, s1, s10, s11, s12 and 25 more)')
    expect(second).toContain('s0 (K_0, K_1, K_2, K_3, K_4 and 25 more)')
    expect(second).toMatch(/; and 25 more services\.$/)
  })
})
