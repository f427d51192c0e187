import { describe, expect, it } from 'vitest'
import { compareVersions, upgradePlan, type RunningPart } from './plan.ts'

const part = (kind: RunningPart['part'], name: string, version?: string): RunningPart => ({
  part: kind,
  name,
  ...(version !== undefined && { version }),
})

describe('the order of an upgrade', () => {
  it.each([
    ['0.1.0', '0.2.0'],
    ['0.9.0', '0.10.0'],
    ['0.2.0-rc.1', '0.2.0'],
    ['0.2.0-rc.2', '0.2.0-rc.10'],
    ['0.1.9', '0.2.0-rc.1'],
  ])('%s is older than %s', (older, newer) => {
    expect(compareVersions(older, newer)).toBeLessThan(0)
    expect(compareVersions(newer, older)).toBeGreaterThan(0)
    expect(compareVersions(older, older)).toBe(0)
  })

  it('is controllers, agents, commands; each only where it is older than the newest', () => {
    const command = part('command', 'here', '0.1.0')
    const old = part('agent', 'default/web-1', '0.1.0')
    const controller = part('controller', 'https://a', '0.1.0')
    const parts = [command, old, part('agent', 'default/web-2', '0.2.0'), controller]
    const plan = upgradePlan(parts)
    expect(plan.newest).toBe('0.2.0')
    expect(plan.behind).toEqual([controller, old, command])
  })

  it('leaves out what is unknown, and says so', () => {
    const away = part('agent', 'default/web-1')
    const plan = upgradePlan([part('controller', 'https://a'), away])
    expect(plan).toMatchObject({ behind: [], unknown: [{ part: 'controller' }, away] })
    expect(plan).not.toHaveProperty('newest')
  })

  it('is empty where all run the same', () => {
    const parts = [part('controller', 'https://a', '0.1.0'), part('command', 'here', '0.1.0')]
    expect(upgradePlan(parts)).toMatchObject({ behind: [], unknown: [], newest: '0.1.0' })
  })
})
