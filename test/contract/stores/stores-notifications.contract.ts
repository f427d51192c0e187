// Notifications of a queue: what a store says has changed is looked at at once.
import { describe, expect, it } from 'vitest'
import { QueueFault, StoreFault } from '../../../controller/stores/provider.ts'
import { realClock } from '../../../src/kernel/clock.ts'
import { annotations } from '../../../src/resources/meta.ts'
import { reaches } from '../../support/eventually.ts'
import { minute, type StoreWorld } from '../../support/stores/store-world.ts'

export const testNotifications = (w: StoreWorld): void => {
  const {
    start,
    stop,
    fresh,
    create,
    storeOf,
    external,
    changeSpec,
    valueOf,
    conditionOf,
    isChecked,
    quiet,
    ask,
    clock,
  } = w
  describe('with a queue of notifications', () => {
    const push = { sqs: { queueUrl: 'https://sqs.eu-central-1.amazonaws.com/1/hints' } }
    const started = async (): Promise<void> => {
      await fresh()
      for (const name of ['a', 'b']) w.remote.put(`prod/${name}`, `first-${name}`)
      await storeOf({ push, refresh: { every: '10h' } })
      for (const name of ['a', 'b']) await create(external(name))
      for (const name of ['a', 'b']) await isChecked(name)
      await quiet()
    }

    it('looks at what a notification names, at once, and at nothing else', async () => {
      await started()
      for (const name of ['a', 'b']) w.remote.put(`prod/${name}`, `second-${name}`)
      const { look: looks } = w.remote.calls
      const fetched = w.remote.fetched.length
      w.remote.queue.send('prod/a', 'other/of-others')
      await reaches(() => valueOf('a'), 'second-a')
      await reaches(() => w.remote.queue.length, 0)
      expect(w.remote.calls.look).toBe(looks + 1)
      expect(w.remote.fetched.slice(fetched)).toEqual(['prod/a'])
      expect(await valueOf('b')).toBe('first-b')
      // The same again, a stranger, and what is of others: nothing is fetched.
      w.remote.queue.send('prod/a')
      w.remote.queue.send()
      w.remote.queue.send('other/of-others')
      await reaches(() => w.remote.queue.length, 0)
      await reaches(() => conditionOf('Listening'), 'True/Receiving')
      expect(w.remote.fetched).toHaveLength(fetched + 1)
      expect(w.standing.at(-1)).toMatchObject({ name: 'aws', foreignMessages: 1 })
    })

    it('leaves notifications in the queue until they are handled, and the queue alone while the store is away', async () => {
      await started()
      w.remote.put('prod/a', 'second-a')
      w.remote.fail(() => new StoreFault('Unavailable', 'no answer came'))
      w.remote.queue.send('prod/a')
      await reaches(() => conditionOf('Ready'), 'False/Unavailable')
      expect(w.remote.queue.length).toBe(1)
      const { asked } = w.remote.queue
      await realClock.sleep(300)
      expect(w.remote.queue.asked).toBe(asked)
      w.remote.fail(undefined)
      // Also for whoever leads next.
      await stop()
      start()
      await reaches(() => valueOf('a'), 'second-a')
      await reaches(() => w.remote.queue.length, 0)
    })

    /** Fetches end when the test says so. */
    const holdFetches = (): (() => void)[] => {
      const held: (() => void)[] = []
      w.remote.holdFetch = () => new Promise((resolve) => held.push(resolve))
      return held
    }

    it('fetches anew where a look has written an older value meanwhile', async () => {
      await started()
      const held = holdFetches()
      w.remote.put('prod/a', 'second-a')
      await ask(annotations.refresh, 'now')
      await reaches(() => held.length, 1)
      w.remote.put('prod/a', 'third-a')
      w.remote.queue.send('prod/a')
      await reaches(() => held.length, 2)
      w.remote.holdFetch = undefined
      held[0]!()
      await reaches(() => valueOf('a'), 'second-a')
      expect(w.remote.queue.length).toBe(1)
      held[1]!()
      await reaches(() => valueOf('a'), 'third-a')
      await reaches(() => w.remote.queue.length, 0)
    })

    it('does all that is asked for beside a long look, also what comes while another part is done', async () => {
      await started()
      const held = holdFetches()
      w.remote.put('prod/a', 'second-a')
      await ask(annotations.refresh, 'now')
      await reaches(() => held.length, 1)
      w.remote.put('prod/c', 'first-c')
      await create(external('c'))
      await reaches(() => held.length, 2)
      // A notification and a wish come while the new one is fetched.
      w.remote.holdFetch = undefined
      for (const name of ['a', 'b']) w.remote.put(`prod/${name}`, `third-${name}`)
      w.remote.queue.send('prod/a')
      await ask(annotations.refresh, 'now\nprod/b')
      await realClock.sleep(500)
      held[1]!()
      for (const name of ['a', 'b']) await reaches(() => valueOf(name), `third-${name}`)
      await reaches(() => w.remote.queue.length, 0)
      held[0]!()
      await quiet()
      expect(await valueOf('a')).toBe('third-a')
    })

    it('ends a long look where the store tells a notification that there are too many calls', async () => {
      await started()
      w.remote.limits = { batch: 1, perMinute: 1000, parallel: 1 }
      for (const name of ['a', 'b']) w.remote.put(`prod/${name}`, 'second')
      const held = holdFetches()
      await ask(annotations.refresh, 'now')
      await reaches(() => held.length, 1)
      const { look } = w.remote.calls
      w.remote.fail(() => new StoreFault('Throttled', 'too many calls', 120_000))
      w.remote.queue.send('prod/a')
      await reaches(() => w.remote.calls.look, look + 1)
      w.remote.fail(undefined)
      const asked = w.remote.at.length
      held[0]!()
      await reaches(() => conditionOf('Throttled'), 'True/TooManyCalls')
      expect(w.remote.at).toHaveLength(asked)
    })

    it('says when the queue cannot be read, and looks as it would without one', async () => {
      await started()
      w.remote.queue.fault = new QueueFault('QueueForbidden', 'the credential may not receive')
      w.remote.queue.send()
      await reaches(() => conditionOf('Listening'), 'False/QueueForbidden')
      expect(await conditionOf('Ready')).toBe('True/Accepted')
      const { asked } = w.remote.queue
      w.remote.put('prod/a', 'second-a')
      await ask(annotations.refresh, 'now')
      await reaches(() => valueOf('a'), 'second-a')
      expect(w.remote.queue.asked).toBe(asked)
      w.remote.queue.fault = undefined
      w.remote.queue.send()
      clock.leap(minute)
      await reaches(() => conditionOf('Listening'), 'True/Receiving')
      await changeSpec('SecretStore', 'aws', { push: undefined })
      await reaches(() => conditionOf('Listening'), '')
    })
  })
}
