import type { ComposeModel } from '../compose/compose-model.ts'
import { describe, expect, it } from 'vitest'
import { aDesired, anEntry } from '../../test/support/builders.ts'
import { serviceDigest } from '../../src/secrets/digest.ts'
import type { DeliveredKeys } from '../state/delivered-keys.ts'
import { awaitsLostKeys, noteDelivered } from './lost-keys.ts'
import type { ObservedContainer } from '../observed/container.ts'
import { createStackTarget, type OpenedSecret } from '../state/stack-target.ts'

const entry = (key: string): OpenedSecret => ({ ...anEntry({ key }), value: Buffer.from(key) })
const [url, token, extra] = ['URL', 'TOKEN', 'EXTRA'].map(entry) as [
  OpenedSecret,
  OpenedSecret,
  OpenedSecret,
]
const model = {
  projectName: 'shop',
  services: [{ name: 'web' }],
  mounts: { mounts: new Map() },
  roots: [],
} as unknown as ComposeModel
/** Container of "web" that was given these. */
const running = (...entries: OpenedSecret[]): ObservedContainer =>
  ({ service: 'web', digest: serviceDigest(entries) ?? '' }) as ObservedContainer

const createMachine = () => {
  let kept: DeliveredKeys | undefined
  const file = {
    delivered: () => kept,
    setDelivered: (_: string, value: DeliveredKeys) => {
      kept = JSON.parse(JSON.stringify(value)) as DeliveredKeys
      return Promise.resolve()
    },
  }
  const state = (
    uid: string,
    entries: OpenedSecret[],
    { containers = [running(token, url)], redeploy = '' } = {},
  ) => {
    const desired = aDesired({ uid, redeploy })
    return {
      target: createStackTarget({ desired, entries, base: {} }, undefined, false),
      containers,
    }
  }
  const waits = (...given: Parameters<typeof state>): Promise<string | undefined> =>
    awaitsLostKeys(file, 'shop', state(...given))
  const note = (...given: Parameters<typeof state>): Promise<void> =>
    noteDelivered(file, model, state(...given))
  return { waits, note, kept: () => kept }
}

describe('keys that the containers of a former stagelet were given', () => {
  it('are waited for by the next one, by name, until all are there', async () => {
    const { waits, note } = createMachine()
    await note('old', [token, url])
    expect(await waits('new', [])).toMatch(/were given TOKEN, URL before this stagelet was made/)
    expect(await waits('new', [url])).toMatch(/were given TOKEN before.*"stagely deploy shop"/)
    expect(await waits('new', [url, token])).toBeUndefined()
    expect(await waits('new', [url, token, extra])).toBeUndefined()
  })

  it('are given up by a deploy that is asked for while they are waited for', async () => {
    const { waits } = await (async () => {
      const machine = createMachine()
      await machine.note('old', [token, url])
      return machine
    })()
    // What the annotation said before is no answer.
    expect(await waits('new', [url], { redeploy: 'of old' })).toMatch(/TOKEN/)
    expect(await waits('new', [url], { redeploy: 'of old' })).toMatch(/TOKEN/)
    expect(await waits('new', [url], { redeploy: 'now' })).toBeUndefined()
    expect(await waits('newest', [url], { redeploy: 'now' })).toMatch(/TOKEN/)
  })

  it('hold up nobody who deletes them while in control, nor where their containers are gone', async () => {
    const { waits, note } = createMachine()
    await note('one', [token, url])
    expect(await waits('one', [url])).toBeUndefined()
    expect(await waits('another', [url], { containers: [] })).toBeUndefined()
    expect(await waits('another', [url], { containers: [running(url)] })).toBeUndefined()
  })

  it('are remembered of what runs and of what is about to, and of nothing older, without values', async () => {
    const { note, kept } = createMachine()
    await note('one', [token, url])
    await note('one', [token, url, extra])
    expect(Object.values(kept()!.keys['web']!).map((keys) => keys.length)).toEqual([2, 3])
    await note('one', [token, url, extra], { containers: [running(extra, token, url)] })
    expect(Object.values(kept()!.keys['web']!)).toEqual([['EXTRA', 'TOKEN', 'URL']])
    expect(Object.keys(kept()!).sort()).toEqual(['files', 'keys', 'uid'])
  })
})
