import { setImmediate as nextTurn } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { describe, expect, test } from 'vitest'
import type { KubeObject } from '../../resources/meta.ts'
import { changeEvent } from './change-event.ts'

setFlagsFromString('--expose-gc')
const collectGarbage = runInNewContext('gc') as () => void

const project = (name: string): KubeObject => ({
  apiVersion: 'stagely.dev/v1alpha1',
  kind: 'Project',
  metadata: { name },
  spec: {},
})
const change = (object?: KubeObject) => ({
  id: 'Project//new',
  resourceVersion: 7,
  type: 'MODIFIED' as const,
  text: JSON.stringify(project('new')),
  previous: JSON.stringify(project('old')),
  ...(object === undefined ? {} : { object }),
})

describe('a change', () => {
  test('shows what is and what was', () => {
    const event = changeEvent(change())
    expect(event).toMatchObject({ resourceVersion: 7, type: 'MODIFIED' })
    expect(event.object).toEqual(project('new'))
    expect(event.previous).toEqual(project('old'))
    expect(changeEvent({ ...change(), previous: undefined }).previous).toBeUndefined()
  })

  test('parses nothing twice for those who hold it', () => {
    const parsed = project('new')
    const event = changeEvent(change(parsed))
    expect(event.object).toBe(parsed)
    const { previous } = event
    expect(event.previous).toBe(previous)
  })

  test('holds texts only, once nobody uses what was parsed', async () => {
    let parsed: KubeObject | undefined = project('new')
    const reference = new WeakRef(parsed)
    const event = changeEvent(change(parsed))
    parsed = undefined
    await nextTurn()
    collectGarbage()
    expect(reference.deref()).toBeUndefined()
    expect(event.object).toEqual(project('new'))
  })
})
