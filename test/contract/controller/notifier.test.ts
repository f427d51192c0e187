// Notifiers: what is told, to whom, and what becomes of it while receivers fail. On one store, with a real receiver.
import { createHmac } from 'node:crypto'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { createEgress } from '../../../controller/egress/gate.ts'
import { parseRules } from '../../../controller/egress/rules.ts'
import { SMTPServer } from 'smtp-server'
import { createMailer } from '../../../controller/notify/mail.ts'
import { startNotifyPerformer } from '../../../controller/notify/performer.ts'
import { createTestLimit } from '../../../controller/notify/test-limit.ts'
import { notifierTester } from '../../../controller/notify/try-notifier.ts'
import { realClock } from '../../../src/kernel/clock.ts'
import { silentLogger } from '../../../src/kernel/log.ts'
import { findCondition, type Condition } from '../../../src/resources/conditions.ts'
import type { KubeObject } from '../../../src/resources/meta.ts'
import type { Notice } from '../../../src/store/core/notice.ts'
import type { Batch, Outbox } from '../../../src/store/outbox.ts'
import { createLeapingClock } from '../../support/leaping-clock.ts'
import { reaches } from '../../support/eventually.ts'
import { openTestStore, type TestStore } from '../../support/databases/open-test-store.ts'
import {
  api,
  createAs,
  createShop,
  objectOf,
  secretOf,
  stageletOf,
  system,
  updateAs,
} from '../../support/databases/store-fixtures.ts'

const day = 86_400_000
const key = 'a-signing-key-of-32-bytes-or-more'

interface Received {
  readonly path: string
  readonly id: string
  readonly headers: IncomingMessage['headers']
  readonly text: string
}

describe('Notifiers', () => {
  const clock = createLeapingClock()
  let t: TestStore
  let server: Server
  let base = ''
  let performer: ReturnType<typeof startNotifyPerformer> | undefined
  /** By the first part of the path: each test has a team of its own. */
  const received = new Map<string, Received[]>()
  /** How the receiver answers the next requests; else with 204. */
  const answers = new Map<string, ((response: ServerResponse) => void)[]>()
  const receivedBy = (ns: string): Received[] => received.get(ns) ?? []

  const mails: { id: string; to: string[]; text: string }[] = []
  /** How the mail server answers the next mails; else it takes them. */
  const mailAnswers: (Error | null)[] = []
  const smtp = new SMTPServer({
    authOptional: true,
    disabledCommands: ['STARTTLS'],
    logger: false,
    onRcptTo: ({ address }, _session, done) =>
      done(address.startsWith('gone@') ? new Error('no such user') : null),
    onData: (stream, session, done) => {
      const parts: Buffer[] = []
      stream.on('data', (part: Buffer) => parts.push(part))
      stream.on('end', () => {
        const text = Buffer.concat(parts).toString()
        const to = session.envelope.rcptTo.map(({ address }) => address)
        mails.push({ id: /^Message-ID: (.*)$/im.exec(text)?.[1]?.trim() ?? '', to, text })
        done(mailAnswers.shift())
      })
    },
  })
  const mailerWith = (tls: 'starttls' | 'none') =>
    createMailer({
      host: '127.0.0.1',
      port: (smtp.server.address() as AddressInfo).port,
      tls,
      user: undefined,
      password: undefined,
      from: 'Stagely <stagely@example.com>',
      domains: undefined,
    })
  const letters = { tls: 'none' as 'starttls' | 'none' | undefined }

  const allow = parseRules('STAGELY_EGRESS_ALLOW', 'hooks.test, 127.0.0.1', [])
  const lookup = (): Promise<string[]> => Promise.resolve(['127.0.0.1'])
  /** A receiver may hang for as long as a busy machine needs for what happens meanwhile. */
  const mostMs = 120_000
  const egress = createEgress({ allow, deny: [], own: () => [], lookup, mostMs })

  const start = (term?: number, outbox: Outbox = t.outbox): void => {
    const { store } = t
    const mail = letters.tls && mailerWith(letters.tls)
    performer = startNotifyPerformer({
      store,
      outbox,
      egress,
      mail,
      clock,
      log: silentLogger,
      term,
    })
  }
  const stop = async (): Promise<void> => {
    await performer?.stop()
    performer = undefined
  }

  beforeAll(async () => {
    t = await openTestStore(inject('postgresUrl'), { clock, mailDomains: ['example.com'] })
    server = createServer((request, response) => {
      const parts: Buffer[] = []
      request.on('data', (part: Buffer) => parts.push(part))
      request.on('end', () => {
        const { headers, url: path = '' } = request
        const id = String(headers['webhook-id'] ?? '')
        const [, ns = ''] = path.split('/')
        const one = { path, id, headers, text: Buffer.concat(parts).toString() }
        received.set(ns, [...receivedBy(ns), one])
        const answer = answers.get(ns)?.shift()
        if (answer === undefined) response.writeHead(204).end()
        else answer(response)
      })
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    await new Promise<void>((resolve) => smtp.listen(0, '127.0.0.1', resolve))
    base = `http://hooks.test:${(server.address() as AddressInfo).port}`
    start()
  })
  afterAll(async () => {
    await stop()
    server.closeAllConnections()
    await new Promise<void>((resolve) => {
      smtp.close(resolve)
    })
    server.close()
    await t.destroy()
  })

  const notifier = (ns: string, spec: object = {}, name = 'ops'): Promise<KubeObject> =>
    createAs(
      t.store,
      api,
      objectOf('Notifier', ns, name, {
        reasons: ['Expired', 'AgentLost', 'Drifted'],
        webhook: { url: `${base}/${ns}` },
        ...spec,
      }),
    )
  const record = (regarding: KubeObject, reason: string, message = 'it happened'): Promise<void> =>
    t.store.write(system, {}, (tx) =>
      tx.recordEvent({ regarding, type: 'Warning', reason, message }),
    )
  const secret = (ns: string, name: string, spec: object = {}): Promise<KubeObject> =>
    createAs(t.store, api, secretOf(ns, name, { value: 'abcdefgh', ...spec }))
  const noticesIn = ({ text }: Received): Notice[] =>
    (JSON.parse(text) as { data: { notices: Notice[] } }).data.notices
  const delivering = async (ns: string, name = 'ops'): Promise<string> => {
    const found = await t.store.get({ kind: 'Notifier', namespace: ns, name })
    const conditions = found?.status?.['conditions'] as Condition[] | undefined
    const condition = findCondition(conditions, 'Delivering')
    return `${condition?.status}/${condition?.reason}`
  }
  const becomes = (ns: string, wanted: string): Promise<void> =>
    reaches(() => delivering(ns), wanted)
  const messageOf = async (ns: string): Promise<string> => {
    const found = await t.store.get({ kind: 'Notifier', namespace: ns, name: 'ops' })
    const conditions = found?.status?.['conditions'] as Condition[] | undefined
    return findCondition(conditions, 'Delivering')?.message ?? ''
  }
  /** Until what was written has settled, and is due. */
  const settle = (): void => {
    clock.leap(6_000)
  }

  it('post what happened as JSON with names only, signed as Standard Webhooks say', async () => {
    const { ns } = await createShop(t.store)
    await secret(ns, 'hook', { audience: 'Controller', value: key })
    await notifier(ns, {
      webhook: { url: `${base}/${ns}/signed`, signingKeyRef: { name: 'hook' } },
    })
    const token = await secret(ns, 'token')
    await record(token, 'Expired', 'TOKEN: the value ended')
    settle()
    await becomes(ns, 'True/Delivered')
    const [one] = receivedBy(ns)
    expect(receivedBy(ns)).toHaveLength(1)
    expect(noticesIn(one!)).toMatchObject([
      {
        reason: 'Expired',
        kind: 'StagelySecret',
        team: ns,
        project: 'shop',
        name: 'token',
        message: 'TOKEN: the value ended',
      },
    ])
    const at = String(one!.headers['webhook-timestamp'])
    const signed = createHmac('sha256', key).update(`${one!.id}.${at}.${one!.text}`)
    expect(one!.headers['webhook-signature']).toBe(`v1,${signed.digest('base64')}`)
    expect(Math.abs(Number(at) * 1000 - clock.now())).toBeLessThan(60_000)
    expect(one!.text + JSON.stringify(one!.headers)).not.toContain(key)
    const reads = await t.sql.query<{ detail: string }>(
      `SELECT detail::text AS detail FROM audit WHERE action = 'reveal' AND namespace = $1`,
      [ns],
    )
    expect(reads.map(({ detail }) => (JSON.parse(detail) as { way: string }).way)).toEqual([
      'notify',
    ])
  })

  it('are tried by a message of their own form, sent once, which no outbox and no condition knows', async () => {
    const { ns } = await createShop(t.store)
    const url = `${base}/${ns}/s3cret-path`
    await secret(ns, 'hook', { audience: 'Controller', value: key })
    await secret(ns, 'slack', { audience: 'Controller', value: url })
    const test = notifierTester({
      store: t.store,
      egress,
      mail: undefined,
      now: () => clock.now(),
      checkLimit: createTestLimit(clock),
    })
    const webhook = { url: `${base}/${ns}`, signingKeyRef: { name: 'hook' } }
    const signed = await notifier(ns, { webhook })
    const { signal } = new AbortController()
    const answer = (status: number): string => `the receiver answers with status ${status}`
    expect(await test(signed, 'alice', signal)).toEqual({ ok: true, answer: answer(204) })
    const [one] = receivedBy(ns)
    const about = { reason: 'Test', kind: 'Notifier', team: ns, name: 'ops' }
    const message = 'alice tests this notifier: nothing has happened'
    expect(noticesIn(one!)).toMatchObject([{ ...about, message }])
    expect(one!.headers['webhook-signature']).toMatch(/^v1,/)
    const slack = await notifier(
      ns,
      { webhook: undefined, slack: { urlRef: { name: 'slack' } } },
      'b',
    )
    answers.set(ns, [
      (response) => response.writeHead(410).end(url),
      (response) => response.destroy(),
    ])
    expect(await test(slack, 'alice', signal)).toEqual({ ok: false, answer: answer(410) })
    const cut = await test(slack, 'alice', signal)
    expect(cut.ok).toBe(false)
    expect(cut.answer).not.toContain('s3cret')
    expect(receivedBy(ns)).toHaveLength(3)
    for (let i = 3; i < 10; i += 1) await test(slack, 'alice', signal)
    await expect(test(signed, 'alice', signal)).rejects.toThrow('has sent 10 test messages')
    expect(receivedBy(ns)).toHaveLength(10)
    const rows = await t.sql.query(`SELECT 1 FROM outbox WHERE notice ->> 'team' = $1`, [ns])
    expect(rows).toEqual([])
    expect(await delivering(ns)).toBe('undefined/undefined')
  })

  it('tell nothing of a write that fails or is tried, nothing that is not asked for, and the same once a day', async () => {
    const { ns } = await createShop(t.store)
    await notifier(ns, { projects: ['shop'] })
    const token = await secret(ns, 'token')
    const foreign = await secret(ns, 'foreign', { projectRef: { name: 'other' } })
    const event = { regarding: token, type: 'Warning', reason: 'Expired', message: 'm' } as const
    await expect(
      t.store.write(system, {}, async (tx) => {
        await tx.recordEvent(event)
        throw new Error('no')
      }),
    ).rejects.toThrow()
    await t.store.write(system, { dryRun: true }, (tx) => tx.recordEvent(event))
    await record(token, 'ExpiryNear')
    await record(foreign, 'Expired')
    const agent = await createAs(t.store, api, objectOf('Agent', ns, 'box'))
    await record(agent, 'Disconnected')
    const count = async (): Promise<number> => {
      const [row] = await t.sql.query<{ n: number }>(
        `SELECT count(*)::int AS n FROM outbox WHERE notice ->> 'team' = $1`,
        [ns],
      )
      return row!.n
    }
    expect(await count()).toBe(0)
    await createAs(t.store, api, stageletOf(ns, 'prod'))
    await record(agent, 'Disconnected')
    await record(agent, 'Disconnected')
    expect(await count()).toBe(1)
    clock.leap(day + 6_000)
    await record(agent, 'Disconnected')
    expect(await count()).toBe(2)
  })

  it('tell thousands of things that come at once in one message', async () => {
    const { ns } = await createShop(t.store)
    await notifier(ns)
    const token = await secret(ns, 'token')
    await stop()
    for (let first = 0; first < 3_000; first += 1_000)
      await t.store.write(system, {}, (tx) =>
        tx.recordEvents(
          Array.from({ length: 1_000 }, (_, i) => ({
            ...({ regarding: token, type: 'Warning', reason: 'Expired' } as const),
            message: `thing ${first + i}`,
          })),
        ),
      )
    settle()
    start()
    await becomes(ns, 'True/Delivered')
    expect(receivedBy(ns)).toHaveLength(1)
    expect(JSON.parse(receivedBy(ns)[0]!.text)).toMatchObject({ data: { count: 3_000 } })
    expect(noticesIn(receivedBy(ns)[0]!)).toHaveLength(50)
  }, 60_000)

  it('try again under the same id after an error, a redirect and a restart in the middle', async () => {
    const { ns } = await createShop(t.store)
    await notifier(ns)
    const token = await secret(ns, 'token')
    let hangs = 0
    answers.set(ns, [
      (response) => response.writeHead(500).end(),
      (response) => response.writeHead(302, { location: `${base}/elsewhere` }).end(),
      () => (hangs += 1),
    ])
    await record(token, 'Expired')
    settle()
    await becomes(ns, 'False/Retrying')
    expect(await messageOf(ns)).toContain('status 500')
    clock.leap(3_600_000)
    await reaches(() => receivedBy(ns).length, 2)
    await reaches(async () => (await messageOf(ns)).includes('status 302'), true)
    clock.leap(3_600_000)
    await reaches(() => hangs, 1)
    await stop()
    start()
    await becomes(ns, 'True/Delivered')
    expect(receivedBy(ns).map(({ path }) => path)).toEqual(Array(4).fill(`/${ns}`))
    expect(new Set(receivedBy(ns).map(({ id }) => id)).size).toBe(1)
    expect(receivedBy(ns)[0]!.id).not.toBe('')
    expect(receivedBy('elsewhere')).toEqual([])
  })

  it('are sent once while a receiver hangs and the outcome of another cannot be written, and new ones are not held up', async () => {
    const { ns: slow } = await createShop(t.store)
    const { ns: quick } = await createShop(t.store)
    await notifier(slow)
    await notifier(quick)
    const [one, other] = [await secret(slow, 'token'), await secret(quick, 'token')]
    let answer: ServerResponse | undefined
    answers.set(slow, [(response) => (answer = response)])
    let faults = 2
    const outbox: Pick<Outbox, 'due' | 'nextAt' | 'end' | 'tryAgain' | 'forget'> = {
      due: (...args) => t.outbox.due(...args),
      nextAt: (...args) => t.outbox.nextAt(...args),
      tryAgain: (...args) => t.outbox.tryAgain(...args),
      forget: (...args) => t.outbox.forget(...args),
      end: (...args) =>
        faults-- > 0 ? Promise.reject(new Error('the database is away')) : t.outbox.end(...args),
    }
    await stop()
    start(undefined, outbox as Outbox)
    await record(one, 'Expired')
    await record(other, 'Expired')
    settle()
    await reaches(() => answer !== undefined, true)
    for (let i = 0; i < 20 && faults > 0; i += 1) {
      clock.leap(60_000)
      await realClock.sleep(50)
    }
    await becomes(quick, 'True/Delivered')
    await record(other, 'Expired', 'another')
    settle()
    await reaches(() => receivedBy(quick).length, 2)
    expect(receivedBy(slow)).toHaveLength(1)
    answer!.writeHead(204).end()
    await becomes(slow, 'True/Delivered')
    expect([receivedBy(slow).length, receivedBy(quick).length]).toEqual([1, 2])
    await stop()
    start()
  })

  it('give a message up after a day, and tell the next one', async () => {
    const { ns } = await createShop(t.store)
    await notifier(ns)
    const token = await secret(ns, 'token')
    answers.set(ns, [
      (response) => response.writeHead(503).end(),
      (response) => response.writeHead(503).end(),
    ])
    await record(token, 'Expired')
    settle()
    await becomes(ns, 'False/Retrying')
    clock.leap(day)
    await becomes(ns, 'False/GaveUp')
    await record(token, 'Expired', 'another')
    settle()
    await becomes(ns, 'True/Delivered')
  })

  it('speak to any chat at the URL that a secret holds', async () => {
    const { ns } = await createShop(t.store)
    const url = `${base}/${ns}/hook`
    await secret(ns, 'url', { audience: 'Controller', value: url })
    const urlRef = { name: 'url' }
    const specs = { discord: {}, teams: {}, ntfy: {}, telegram: { chatId: '@ops' } }
    for (const [name, more] of Object.entries(specs))
      await notifier(ns, { webhook: undefined, [name]: { urlRef, ...more } }, name)
    await record(await secret(ns, 'token'), 'Expired', 'is no longer good')
    settle()
    await reaches(() => receivedBy(ns).length, 4)
    const texts = receivedBy(ns).map(({ text }) => text)
    expect(texts.filter((text) => !text.includes('is no longer good'))).toEqual([])
    expect(texts.filter((text) => text.includes('"chat_id":"@ops"'))).toHaveLength(1)
  })

  it('speak to Slack by an address that nobody is shown', async () => {
    const { ns } = await createShop(t.store)
    const url = `${base}/${ns}/B0/s3cret-path`
    await secret(ns, 'slack', { value: url })
    await notifier(ns, { webhook: undefined, slack: { urlRef: { name: 'slack' } } })
    const token = await secret(ns, 'token')
    await record(token, 'Expired', 'a <b> & c')
    settle()
    await becomes(ns, 'False/Retrying')
    expect(await messageOf(ns)).toMatch(/secret "slack" is one of services/)
    await t.store.write(api, {}, (tx) =>
      tx.update(secretOf(ns, 'slack', { audience: 'Controller', value: url })),
    )
    answers.set(ns, [(response) => response.writeHead(404).end()])
    clock.leap(3_600_000)
    await reaches(async () => (await messageOf(ns)).includes('status 404'), true)
    expect(JSON.stringify(await t.store.list('Notifier'))).not.toContain('s3cret-path')
    clock.leap(3_600_000)
    await becomes(ns, 'True/Delivered')
    const { path, text } = receivedBy(ns).at(-1)!
    expect(path).toContain('s3cret-path')
    expect(JSON.parse(text)).toEqual({
      text: `*Expired* stagelysecret/token (${ns}/shop): a &lt;b&gt; &amp; c`,
    })
  })

  it('send e-mail under one id until it is taken, by TLS unless the operator does without', async () => {
    const { ns } = await createShop(t.store)
    const to = ['ops@example.com', 'b@example.com']
    await notifier(ns, { webhook: undefined, email: { to: [...to, 'gone@example.com'] } })
    const token = await secret(ns, 'token')
    await stop()
    letters.tls = undefined
    start()
    await record(token, 'Expired', 'TOKEN: the value ended\nBcc: x@example.com')
    settle()
    await becomes(ns, 'False/Retrying')
    expect(await messageOf(ns)).toContain('STAGELY_SMTP_URL')
    await stop()
    letters.tls = 'starttls'
    start()
    clock.leap(3_600_000)
    await reaches(async () => (await messageOf(ns)).includes('the mail server: '), true)
    expect(mails).toEqual([])
    await stop()
    letters.tls = 'none'
    mailAnswers.push(new Error('come back later'))
    start()
    clock.leap(3_600_000)
    await reaches(() => mails.length, 1)
    await reaches(async () => (await messageOf(ns)).includes('come back later'), true)
    clock.leap(3_600_000)
    await becomes(ns, 'True/Delivered')
    expect(await messageOf(ns)).toMatch(/takes the message, but not for gone@example\.com$/)
    expect(mails.map((one) => one.to)).toEqual([to, to])
    expect(new Set(mails.map(({ id }) => id)).size).toBe(1)
    const { text } = mails.at(-1)!
    expect(text).toMatch(/^Subject: \[Stagely\] Expired: stagelysecret\/token/m)
    expect(text).toContain('TOKEN: the value ended')
    expect(text.split('\r\n\r\n')[0]).not.toMatch(/^Bcc/m)
  })

  it('tell of faults of a folder of manifests, which are told of a namespace, and of values that a scan has found', async () => {
    const { ns } = await createShop(t.store)
    await notifier(ns, { reasons: ['ManifestFault', 'LeakFound'] })
    const namespace = await t.store.get({ kind: 'Namespace', namespace: '', name: ns })
    await record(namespace!, 'ManifestFault', 'shop.yaml:3: spec.key: Required value')
    await record(await secret(ns, 'token'), 'LeakFound', 'TOKEN: version 1 was found')
    settle()
    await becomes(ns, 'True/Delivered')
    expect(noticesIn(receivedBy(ns)[0]!)).toMatchObject([
      { reason: 'ManifestFault', kind: 'Namespace', team: ns, name: ns },
      { reason: 'LeakFound', kind: 'StagelySecret', team: ns, name: 'token' },
    ])
  })

  it('call no address that the operator has not allowed', async () => {
    const { ns } = await createShop(t.store)
    await notifier(ns, { webhook: { url: 'https://169.254.169.254/latest' } })
    await record(await secret(ns, 'token'), 'Expired')
    settle()
    await becomes(ns, 'False/Retrying')
    expect(await messageOf(ns)).toMatch(/link-local .*STAGELY_EGRESS_ALLOW/)
  })

  it('drop what is left when they are deleted, and leave it alone where another leads by now', async () => {
    const { ns } = await createShop(t.store)
    const made = await notifier(ns)
    await record(await secret(ns, 'token'), 'Expired')
    const open = async (): Promise<number> => {
      const [row] = await t.sql.query<{ n: number }>(
        'SELECT count(*)::int AS n FROM outbox WHERE notifier = $1 AND ended_at IS NULL',
        [made.metadata.uid],
      )
      return row!.n
    }
    const dueTo = async (term: number | undefined): Promise<Batch[]> =>
      (await t.outbox.due(clock.now(), term)).filter(
        ({ notifier: uid }) => uid === made.metadata.uid,
      )
    await stop()
    settle()
    expect(await dueTo(99)).toEqual([])
    expect(await open()).toBe(1)
    const [batch] = await dueTo(undefined)
    await t.outbox.end(batch!.id, clock.now(), 99)
    expect(await open()).toBe(1)
    await t.store.write(api, {}, (tx) =>
      tx.remove({ kind: 'Notifier', namespace: ns, name: 'ops' }),
    )
    start()
    await reaches(open, 0)
    expect(receivedBy(ns)).toEqual([])
  })

  it('are refused with all faults: no channel or two, nothing to tell, a password in the URL', async () => {
    const { ns } = await createShop(t.store)
    const faultsOf = async (spec: object): Promise<string[]> => {
      const error = await notifier(ns, spec).catch((cause: unknown) => cause)
      return (error as { details: { faults: { field: string }[] } }).details.faults.map(
        ({ field }) => field,
      )
    }
    expect(await faultsOf({ webhook: undefined })).toEqual(['spec'])
    expect(await faultsOf({ slack: { urlRef: { name: 'x' } } })).toEqual(['spec.slack'])
    expect(await faultsOf({ reasons: [], webhook: { url: 'https://me:pw@host/' } })).toEqual([
      'spec.reasons',
      'spec.webhook.url',
    ])
    expect(await faultsOf({ reasons: ['Anything'] })).toEqual(['spec.reasons[0]'])
  })

  it('name addresses of the domains that the operator allows alone', async () => {
    const { ns } = await createShop(t.store)
    const to = ['ops@example.com', 'me@elsewhere.org', 'you@sub.example.com']
    const refused = {
      reason: 'Invalid',
      details: {
        faults: [
          {
            field: 'spec.email.to[1]',
            message: expect.stringMatching(/example\.com alone .*ask/) as string,
          },
          {
            field: 'spec.email.to[2]',
            message: expect.stringContaining('STAGELY_SMTP_DOMAINS') as string,
          },
        ],
      },
    }
    await expect(notifier(ns, { webhook: undefined, email: { to } })).rejects.toMatchObject(refused)
    const email = { to: to.slice(0, 1) }
    const made = await notifier(ns, { webhook: undefined, email })
    await expect(
      updateAs(t.store, api, { ...made, spec: { ...made.spec, email: { to } } }),
    ).rejects.toMatchObject(refused)
  })
})
