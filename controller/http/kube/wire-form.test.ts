import { describe, expect, it } from 'vitest'
import { annotations, type KubeObject } from '../../../src/resources/meta.ts'
import { requireKind } from '../../../src/kinds/index.ts'
import { listBytes, wireText } from './wire-form.ts'

const secret = (spec: object, applied?: string): KubeObject => ({
  apiVersion: 'stagely.dev/v1alpha1',
  kind: 'StagelySecret',
  metadata: {
    name: 'key',
    ...(applied === undefined ? {} : { annotations: { [annotations.lastApplied]: applied } }),
  },
  spec: { projectRef: { name: 'shop' }, key: 'KEY', ...spec },
})

const textOf = (object: KubeObject): string => {
  const text = JSON.stringify(object)
  return wireText(requireKind(object.kind), { text, object })
}

describe('the text of a stored object', () => {
  it('is answered as it is', () => {
    const object = secret({ scope: 'global' })
    expect(textOf(object)).toBe(JSON.stringify(object))
  })

  it.each(['value', 'valueBase64', 'sealedValue'])('never carries spec.%s', (field) => {
    expect(textOf(secret({ [field]: 'canary' }))).toBe(JSON.stringify(secret({})))
  })

  it.each([JSON.stringify(secret({ value: 'canary' })), '{"spec": {"value" : "canary"}}'])(
    'never carries a value in what was applied last: %s',
    (applied) => {
      expect(textOf(secret({}, applied))).not.toContain('canary')
    },
  )

  it('has the fields of an Event at the top, where clients look for them', () => {
    const event = {
      apiVersion: 'v1',
      kind: 'Event',
      metadata: { name: 'e' },
      spec: { reason: 'Connected' },
    }
    expect(JSON.parse(textOf(event))).toEqual({
      apiVersion: 'v1',
      kind: 'Event',
      metadata: { name: 'e' },
      reason: 'Connected',
    })
  })

  it('stands in lists between the others', () => {
    const head = { kind: 'AgentList', apiVersion: 'v1', metadata: { resourceVersion: '1' } }
    const listed = (texts: readonly string[]): unknown =>
      JSON.parse(Buffer.from(listBytes(head, 'items', texts)).toString())
    expect(listed(['{"a":1}', '{"b":"€"}'])).toEqual({ ...head, items: [{ a: 1 }, { b: '€' }] })
    expect(listed([])).toEqual({ ...head, items: [] })
  })
})
