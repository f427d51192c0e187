import { describe, expect, it } from 'vitest'
import { createDeliveries } from './deliveries.ts'
import type { Seen } from '../../secrets/set-entry.ts'
import type { OpenedEntry } from '../core/sets.ts'

const entryFor = (stagelet: string): Seen<OpenedEntry>[] => [
  { name: stagelet, value: Buffer.from(stagelet) } as unknown as Seen<OpenedEntry>,
]

describe('Deliveries', () => {
  it('opens a set once for all who ask at the same time, and gives each what is its own', async () => {
    const calls: string[] = []
    const deliveries = createDeliveries((project, revision, to) => {
      calls.push(`${project} ${revision}: ${to.length}`)
      return Promise.resolve(to.map(({ stagelet }) => entryFor(stagelet)))
    })
    const names = Array.from({ length: 50 }, (_, i) => `s${i}`)
    const opened = await Promise.all(
      names.map((stagelet) => deliveries('p', 1, { stagelet, agent: 'a' })),
    )
    expect(opened.map(([entry]) => entry?.name)).toEqual(names)
    await deliveries('p', 2, { stagelet: 's', agent: 'a' })
    expect(calls).toEqual(['p 1: 50', 'p 2: 1'])
  })

  it('fails only the one whose values do not open', async () => {
    const deliveries = createDeliveries((_project, _revision, to) =>
      to.some(({ stagelet }) => stagelet === 'bad')
        ? Promise.reject(new Error('does not open'))
        : Promise.resolve(to.map(({ stagelet }) => entryFor(stagelet))),
    )
    const ask = (stagelet: string): Promise<Seen<OpenedEntry>[]> =>
      deliveries('p', 1, { stagelet, agent: 'a' })
    const [good, bad] = await Promise.allSettled([ask('good'), ask('bad')])
    expect(good.status).toBe('fulfilled')
    expect(bad).toMatchObject({ status: 'rejected' })
  })
})
