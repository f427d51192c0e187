// Whom a failure is put down to: a new value is taken back where it breaks something, and only there.
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { OpenedSecret } from '../../agent/state/stack-target.ts'
import type { ReportedStagelet } from '../../src/protocol/messages.ts'
import {
  desiredFor,
  digestFor,
  held,
  startMachine,
  type Machine,
} from '../support/docker/docker.ts'
import { createStack, idleService, onHost, testImage, type Stack } from '../support/docker/stack.ts'

/** `peer` is re-created with `db`, whose network it has; `picky` crashes without its one secret. */
const composeFile = (peerCommand = 'exec sleep 1000'): string => `services:
${idleService('db')}  peer:
    image: ${testImage}
    init: true
    command: ["sh", "-c", "${peerCommand}"]
    network_mode: service:db
    volumes: ["state:/state"]
    healthcheck: {test: ["CMD-SHELL", "test ! -e /state/broken"], start_interval: 300ms, start_period: 1s, interval: 1s, retries: 1}
  picky:
    image: ${testImage}
${onHost('picky')}    init: true
    command: ["sh", "-c", "test -n \\"$$NEEDED\\" || { echo NEEDED is missing; exit 4; }; exec sleep 1000"]
volumes: {state: {}}
`

describe('a failure', () => {
  let stack: Stack
  let machine: Machine
  let revision = 1
  const needed = held('NEEDED', 'what picky needs', 'picky')
  let current: readonly OpenedSecret[] = [held('OWN', 'first', 'db'), needed]

  beforeAll(async () => {
    stack = await createStack(composeFile())
    machine = await startMachine(stack)
    await machine.roll(current)
  })
  afterAll(async () => {
    await machine?.stop()
    await stack?.remove()
  })

  /** Wants these at a new revision, with what runs now to go back to, and waits for how it ends. */
  const change = async (entries: readonly OpenedSecret[]): Promise<ReportedStagelet> => {
    const healthyRevision = revision
    revision++
    machine.loop.setDesired(desiredFor(stack, { revision, healthyRevision }), entries, current)
    const report = await machine.until((r) => {
      // What has failed and is quarantined is on its way back.
      const goesBack = r.quarantine?.some((q) => q.revision === revision) === true
      if (goesBack) return r.phase === 'Settled'
      return r.revision === revision && ['Settled', 'Failed'].includes(r.phase)
    })
    if (report.quarantine === undefined) current = entries
    return report
  }

  it('of a service that lost its last secret gives the secret back', async () => {
    const report = await change(current.filter((e) => e !== needed))
    expect(report).toMatchObject({ rollout: { result: 'RolledBack', service: 'picky' } })
    expect(report.quarantine).toMatchObject([{ service: 'picky', digest: '', revision }])
    expect(report.rollout?.message).toMatch(/exited with code 4[^]*NEEDED is missing/)
    expect(await stack.environmentOf('picky')).toEqual({ NEEDED: 'what picky needs' })
    // Another change without it is no better; with another value it is over.
    const before = await stack.containers()
    const [own] = current as [OpenedSecret]
    const next = desiredFor(stack, { revision: revision + 1, healthyRevision: revision - 1 })
    machine.loop.setDesired(next, [own, held('MORE', 'of db', 'db')], current)
    expect(machine.loop.wanted()?.revision).toBe(revision - 1)
    expect(await stack.containers()).toEqual(before)
    revision++
    const other = await change([own, held('NEEDED', 'another', 'picky')])
    expect(other.quarantine).toBeUndefined()
    expect(await stack.environmentOf('picky')).toEqual({ NEEDED: 'another' })
  })

  it('of a service that was not well before takes nothing back from those that it depends on', async () => {
    await stack.docker('exec', `${stack.project}-peer-1`, 'touch', '/state/broken')
    await machine.until((r) => r.services.find((s) => s.name === 'peer')?.health === 'unhealthy')
    const entries = [held('OWN', 'second', 'db'), ...current.slice(1)]
    const report = await change(entries)
    expect(report).toMatchObject({ revision, phase: 'Failed', rollout: { service: 'peer' } })
    expect(report.quarantine).toBeUndefined()
    expect((await stack.environmentOf('db'))['OWN']).toBe('second')
    await stack.docker('exec', `${stack.project}-peer-1`, 'rm', '/state/broken')
    await machine.until((r) => r.revision === revision && r.phase === 'Settled')
    expect(machine.reports.at(-1)?.passed['db']).toBe(digestFor('db', entries))
  })

  it('of a service that is rolled out with an edit of its user takes nothing back either', async () => {
    await stack.write(composeFile('exit 5'))
    machine.loop.schedule()
    await machine.until((r) => r.pendingEdits.join() === 'peer')
    const report = await change([held('OWN', 'third', 'db'), ...current.slice(1)])
    expect(report).toMatchObject({ revision, phase: 'Failed', rollout: { service: 'peer' } })
    expect(report.quarantine).toBeUndefined()
    expect((await stack.environmentOf('db'))['OWN']).toBe('third')
  })
})
