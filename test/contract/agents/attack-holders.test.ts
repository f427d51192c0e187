// A machine in foreign hands is asked to look for values. It gets plainly only what was in a set that it was sent, as its
// stagelet saw that set then: not what the stagelet would see of it today.
import { afterAll, beforeAll, expect, it } from 'vitest'
import {
  shop,
  startLearningWorld,
  type LearningWorld,
} from '../../support/agents/learning-world.ts'
import { passes } from '../../support/eventually.ts'

let world: LearningWorld
beforeAll(async () => {
  world = await startLearningWorld()
})
afterAll(() => world?.stop())

/** Writes, and waits until machine A was sent a set with this value. */
const sent = async (value: string, write: () => Promise<unknown>): Promise<void> => {
  const text = Buffer.from(value).toString('base64')
  await write()
  await passes(async () => (await world.a.told('bundle')).includes(text))
}

it('a look teaches nothing of sets that its stagelet saw in another environment', async () => {
  const [former, now] = ['a former value of production', 'the value of production now']
  world.canaries.add('former', former)
  const secret = { projectRef: { name: 'shop' }, key: 'FORMER', environments: ['production'] }
  const inPreview = (value: string) => () =>
    world.admin('PATCH', `${shop}/secrets/in-preview`, { value })
  await world.admin('PATCH', '/stagelets/default%2Fweb-a', { environment: 'preview' })
  await sent('the first of preview', inPreview('the first of preview'))
  await world.apply('StagelySecret', 'former', { ...secret, value: former })
  await sent('the second of preview', inPreview('the second of preview'))
  await world.admin('PATCH', `${shop}/secrets/former`, { value: now })
  await sent('the third of preview', inPreview('the third of preview'))
  await sent(now, () =>
    world.admin('PATCH', '/stagelets/default%2Fweb-a', { environment: 'production' }),
  )
  expect(world.canaries.in(await world.a.told('bundle'))).not.toContain('former')
  await world.admin('POST', `${shop}/secrets/former/where`, {})
  const orders = await world.a.told('lookFor')
  expect(orders).toContain(Buffer.from(now).toString('base64'))
  expect(world.canaries.in(orders)).not.toContain('former')
})
