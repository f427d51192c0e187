// override_50x200_ms: from a set of secrets to the override of 50 services that see 200 each.
import { randomBytes } from 'node:crypto'
import { renderOverride } from '../../src/compose/override.ts'
import { serviceDigest } from '../../src/secrets/digest.ts'
import { visibleTo, type SetEntry } from '../../src/secrets/visible.ts'
import { median, timeMs, type Row } from './measure.ts'

interface Valued extends SetEntry {
  readonly value: Buffer
}

const entry = (i: number, scope: string): Valued => ({
  secretId: `id-${scope}-${i}`,
  name: `s-${scope}-${i}`,
  version: 1,
  key: `KEY_${i}`,
  scope,
  type: 'env',
  bytes: 48,
  valueDigest: randomBytes(32).toString('hex'),
  value: Buffer.from(randomBytes(36).toString('base64')),
})

/** 100 globals and 100 of its own for each service. */
export const benchOverride = (): Row[] => {
  const services = Array.from({ length: 50 }, (_, i) => `service-${i}`)
  const globals = Array.from({ length: 100 }, (_, i) => entry(i, 'global'))
  const own = services.flatMap((s) => Array.from({ length: 100 }, (_, i) => entry(100 + i, s)))
  const set = [...globals, ...own]
  const once = (): Buffer =>
    renderOverride(
      services.map((service) => {
        const visible = visibleTo(service, 'shop', set)
        return { service, digest: serviceDigest(visible)!, entries: visible }
      }),
    )
  // What the agent does for a new revision is all of `once`; the row of the table is the rendering.
  const prepared = services.map((service) => {
    const visible = visibleTo(service, 'shop', set)
    return { service, digest: serviceDigest(visible)!, entries: visible }
  })
  const render = (): Buffer => renderOverride(prepared)
  const times = (fn: () => Buffer): number => {
    for (let i = 0; i < 10; i++) fn()
    return median(Array.from({ length: 31 }, () => timeMs(fn)))
  }
  return [
    { name: 'override_50x200_ms', value: times(render), unit: 'ms', bytes: render().length },
    { name: 'override_50x200_with_digests_ms', value: times(once), unit: 'ms' },
  ]
}
