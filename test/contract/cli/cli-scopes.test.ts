// A scope that no service has, by the built command: it is stored, since a secret may come before its stack, and never
// shown as a service. The agent is played by the test.
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { apiVersion } from '../../../src/resources/meta.ts'
import { ofKind, type Typed } from '../../../src/kinds/typed.ts'
import type { Opened } from '../../../src/store/open/open-store.ts'
import { aService, anObservation } from '../../support/builders.ts'
import {
  api,
  createAs,
  objectOf,
  stageletOf,
  system,
} from '../../support/databases/store-fixtures.ts'
import { freshDatabase } from '../../support/databases/fresh-database.ts'
import type { TestDatabase } from '../../support/databases/test-database.ts'
import { passes } from '../../support/eventually.ts'
import { commandsIn, type Commands, type Ran } from '../../support/programs/cli.ts'
import {
  connectAgent,
  openStoreOf,
  startTestController,
  type TestController,
} from '../../support/programs/controller.ts'

const ns = 'default'

describe('a scope that no service has', () => {
  let database: TestDatabase
  let server: TestController
  let opened: Opened
  let commands: Commands
  const secrets = (...args: string[]): Promise<Ran> =>
    commands.cli('secrets', ...args, '-p', 'shop')
  const set = (key: string, scope: string): Promise<Ran> =>
    commands.cliWith('a long value', 'secrets', 'set', key, '-s', scope, '-p', 'shop')

  beforeAll(async () => {
    database = await freshDatabase()
    server = await startTestController({ databaseUrl: database.url })
    opened = await openStoreOf(server, database.url)
    commands = commandsIn(() => ({
      HOME: server.dataDir,
      STAGELY_SERVER: server.url,
      STAGELY_TOKEN: server.token,
      STAGELY_CA_FILE: join(server.dataDir, 'ca.crt'),
    }))
    await createAs(opened.store, api, objectOf('Project', ns, 'shop'))
    await connectAgent(opened, { namespace: ns, name: 'box' })
    await createAs(opened.store, api, stageletOf(ns, 'shop'))
  })
  afterAll(async () => {
    await opened.close()
    await server.remove()
    await database.drop()
  })

  const stagelet = async (): Promise<Typed<'Stagelet'>> =>
    ofKind('Stagelet', (await opened.store.get({ kind: 'Stagelet', namespace: ns, name: 'shop' }))!)

  /** Resolves once the controller knows the services. */
  const report = async (): Promise<void> => {
    const { metadata } = await stagelet()
    const services = ['web', 'db'].map((name) => aService({ name }))
    const spec = anObservation({ stageletUid: metadata.uid!, seq: 1, services })
    const head = { apiVersion, kind: 'Observation', metadata: { name: 'shop', namespace: ns } }
    await opened.store.write(system, {}, (tx) => tx.putInternal({ ...head, spec }))
    await passes(async () => expect((await stagelet()).status?.services).toHaveLength(2))
  }

  const said = 'no service named "wbe" is on in shop; did you mean "web"?'

  it('is said nowhere before an agent has reported, and is stored', async () => {
    expect((await set('EARLY', 'wbe')).code).toBe(0)
    expect(await secrets('list')).toMatchObject({ code: 0, stderr: '' })
  })

  it('is said by set and apply, with the nearest name', async () => {
    await report()
    const { code, stderr } = await set('TYPO', 'wbe')
    expect(code).toBe(0)
    expect(stderr).toContain('no service has the name "wbe"; did you mean "web"?')
    await secrets('delete', 'TYPO', '-s', 'wbe', '--yes')
    const spec = '{projectRef: {name: shop}, key: TYPO, scope: wbe, value: a long value}'
    const applied = await commands.apply(
      `apiVersion: ${apiVersion}\nkind: StagelySecret\nmetadata: {name: typo}\nspec: ${spec}\n`,
    )
    expect(applied.stderr).toContain('did you mean "web"?')
    expect((await set('FINE', 'web')).stderr).not.toContain('no service')
  })

  it('is said by lists and by the status', async () => {
    await passes(async () => {
      const { stdout, stderr } = await secrets('list')
      expect(stdout).toMatch(/TYPO +wbe/)
      expect(stderr).toContain(`EARLY (wbe): ${said}\nTYPO (wbe): ${said}\n`)
      expect(stderr).not.toContain('FINE')
    })
    expect((await secrets('list', '--scope', 'web')).stderr).toBe('')
    expect((await secrets('list', '-o', 'json')).stderr).toBe('')
    expect((await secrets('list', '-o', 'wide')).stdout).toMatch(/TYPO .*NoSuchService/)
    expect((await commands.cli('status')).stdout).toContain(said)
  })

  it('is said in the table of environments', async () => {
    await commands.apply(
      `apiVersion: ${apiVersion}\nkind: Project\nmetadata: {name: shop}\nspec: {environments: [{name: production}]}\n`,
    )
    await passes(async () => {
      const { stdout, stderr } = await secrets('list')
      expect(stdout).toMatch(/KEY +SCOPE +PRODUCTION/)
      expect(stdout).toMatch(/TYPO +wbe \(no such service\)/)
      expect(stdout).toMatch(/FINE +web +inherited/)
      expect(stderr).toContain(`TYPO (wbe): ${said}\n`)
    })
  })

  it('is no service of a stack that has reported its own', async () => {
    const of = (service: string): Promise<Ran> => secrets('export', '--service', service)
    const ran = await of('nothing')
    expect([ran.code, ran.stderr]).toEqual([1, expect.stringContaining('there are: db, web.')])
    // Its service may still come.
    const early = await of('wbe')
    expect([early.code, early.stdout]).toEqual([0, expect.stringContaining('TYPO')])
  })
})
