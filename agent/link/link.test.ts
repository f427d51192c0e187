import type { ServerResponse } from 'node:http'
import { afterEach, expect, test } from 'vitest'
import { createSealer } from '../../src/protocol/hpke.ts'
import { publicKeyFromRaw } from '../../src/protocol/keys.ts'
import { protocolVersion, streamInfo } from '../../src/protocol/messages.ts'
import { isHeartbeatBy, heartbeatKeyOf } from '../../src/protocol/heartbeat.ts'
import {
  controllerKeys,
  identity,
  ordered,
  sealed,
  startFakeController as start,
  stopFakeControllers,
} from '../../test/support/programs/fake-controller.ts'

afterEach(stopFakeControllers)

test('a silent controller is dropped after three keep-alives, and tried again within the spread', async () => {
  const fake = await start()
  fake.hello()
  await fake.settle(() => fake.wants.includes('connected'))
  fake.clock.jump(4_000)
  await fake.clock.advance(44_000)
  expect(fake.wants).toEqual(['connected'])
  fake.clock.jump(-8_000)
  await fake.clock.advance(1_000)
  await fake.settle(() => fake.wants.includes('lost'))
  // Half of spreadMs, by the random source.
  await fake.clock.advance(1_900)
  expect(fake.requests).toHaveLength(1)
  await fake.clock.advance(200)
  await fake.settle(() => fake.requests.length === 2)
})

test('an agent gives a sign of life every 8 s, by the key of its stream, while that is up', async () => {
  const fake = await start()
  const sealer = fake.hello()
  await fake.settle(() => fake.wants.includes('connected'))
  for (const count of [1, 2]) {
    expect(fake.signs).toHaveLength(count - 1)
    await fake.clock.advance(8_000)
    await fake.settle(() => fake.signs.length === count)
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  expect(fake.signs.map(({ counter }) => counter)).toEqual([1, 2])
  expect(fake.signs.every((sign) => isHeartbeatBy(heartbeatKeyOf(sealer), sign))).toBe(true)
  fake.streams[0]!.destroy()
  await fake.settle(() => fake.wants.includes('lost'))
  await fake.clock.advance(30_000)
  expect(fake.signs).toHaveLength(2)
})

test('another Compose on the machine is told within a minute, on a stream of its own', async () => {
  const fake = await start((res) => {
    // Keep-alives, so that silence ends nothing.
    const beat = setInterval(() => res.write('\n'), 20)
    res.on('close', () => {
      clearInterval(beat)
    })
  })
  fake.hello()
  await fake.settle(() => fake.wants.includes('connected'))
  expect(fake.requests[0]?.composeVersion).toBe('2.26.1')
  const minute = async (): Promise<void> => {
    for (let i = 0; i < 6; i++) {
      await fake.clock.advance(10_000)
      await new Promise((resolve) => setTimeout(resolve, 60))
    }
  }
  await minute()
  expect(fake.requests).toHaveLength(1)
  fake.upgrade()
  await minute()
  await fake.clock.advance(1)
  await fake.settle(() => fake.requests.length === 2)
  expect(fake.requests[1]?.composeVersion).toBe('2.40.0')
  expect(fake.logged).toEqual([])
})

test('keep-alives keep it; a controller that never says hello is left after 10 s', async () => {
  const fake = await start()
  fake.hello()
  await fake.settle(() => fake.wants.includes('connected'))
  for (let i = 0; i < 10; i++) {
    await fake.clock.advance(15_000)
    fake.streams[0]!.write('\n')
    await new Promise((resolve) => setTimeout(resolve, 30))
  }
  expect(fake.wants).toEqual(['connected'])
  const mute = await start()
  await mute.clock.advance(10_100)
  await mute.settle(() => mute.logged.some((l) => l.includes('nothing heard')))
})

test.each([
  ['another agent’s bundle', { agentUid: 'agent-2' }, /does not open/],
  ['a bundle moved to another stagelet', { said: { stageletUid: 's2' } }, /does not open/],
  ['a bundle dressed up as newer', { said: { revision: 9 } }, /does not open/],
  ['a bundle out of order', { said: { seq: 1 } }, /message 1 came where 0 was due/],
])('%s ends the stream, and nothing of it is taken', async (_name, tweak, message) => {
  const fake = await start()
  const sealer = fake.hello()
  fake.say(sealed(sealer, tweak))
  await fake.settle(() => fake.logged.length > 0)
  expect(fake.logged.join()).toMatch(message)
  expect(fake.wants.filter((w) => w !== 'connected' && w !== 'lost')).toEqual([])
})

test('the same bundle twice is a replay', async () => {
  const fake = await start()
  const message = sealed(fake.hello())
  fake.say(message)
  fake.say(message)
  await fake.settle(() => fake.logged.join().includes('message 0 came where 1 was due'))
})

test('a stream recorded from another connection does not open', async () => {
  const fake = await start()
  const { agentUid, controllerId } = identity
  const recorded = createSealer({
    recipient: publicKeyFromRaw('X25519', identity.x25519.publicKey),
    info: streamInfo({ agentUid, controllerId, boot: 'boot-1', proof: 'of another request' }),
    sender: controllerKeys,
  })
  fake.hello({ enc: recorded.enc.toString('base64url') })
  fake.say(sealed(recorded))
  await fake.settle(() => fake.logged.join().includes('does not open'))
})

test('a controller one version apart is followed, older or newer; another says what to update', async () => {
  const [major = 0, minor = 0] = protocolVersion.split('.').map(Number)
  for (const near of [minor - 1, minor + 1].filter((m) => m >= 0)) {
    const fake = await start()
    fake.hello({ protocol: `${major}.${near}` })
    await fake.settle(() => fake.wants.includes('connected'))
    expect(fake.logged).toEqual([])
  }
  const old = await start()
  old.hello({ protocol: `${major - 1}.9` })
  await old.settle(() => old.logged.join().includes('update the controller'))
  const far = await start()
  far.hello({ protocol: `${major}.${minor + 2}` })
  await far.settle(() => far.logged.join().includes('update the agent'))
  expect([...old.wants, ...far.wants]).toEqual([])
})

test('nothing is taken before hello, or from another controller', async () => {
  const fake = await start()
  fake.say({ type: 'order', seq: 0, ciphertext: '' })
  await fake.settle(() => fake.logged.join().includes('does not begin with hello'))
  const other = await start()
  other.hello({ controllerId: 'controller-2' })
  await other.settle(() => other.logged.join().includes('not the controller that the agent joined'))
  expect(other.wants).toEqual([])
})

test('an order that the controller did not seal ends the stream, and is not followed', async () => {
  const plain = await start()
  plain.hello()
  plain.say({ type: 'removed', uid: 's1' })
  plain.say({ type: 'order', seq: 0, ciphertext: Buffer.alloc(40).toString('base64') })
  await plain.settle(() => plain.logged.join().includes('does not open'))
  expect(plain.wants.filter((want) => want.startsWith('forget'))).toEqual([])
  const replayed = await start()
  const sealer = replayed.hello()
  const order = ordered(sealer, { type: 'removed', uid: 's1' })
  replayed.say(order)
  replayed.say(order)
  await replayed.settle(() => replayed.logged.join().includes('message 0 came where 1 was due'))
})

test('messages of a newer controller are passed over', async () => {
  const fake = await start()
  const sealer = fake.hello({ more: 'fields' })
  fake.say({ type: 'weather', is: 'fine' })
  fake.say(sealed(sealer))
  const item = {
    uid: 's1',
    namespace: 'team',
    name: 'shop',
    generation: 1,
    projectUid: 'p',
    epoch: 1,
    revision: 1,
    compose: { directory: '/srv', onChange: 'Hold', invention: true },
    paused: false,
    redeploy: '',
  }
  fake.say(ordered(sealer, { type: 'invention' }))
  fake.say(ordered(sealer, { type: 'desired', items: [item] }))
  await fake.settle(() => fake.wants.length === 2)
  expect(fake.wants).toEqual(['connected', 's1 r1 '])
})

test('the slot of a stopping controller and Retry-After are kept; a refusal for good is retried slowly', async () => {
  const fake = await start()
  fake.hello()
  fake.say({ type: 'reconnect', afterMs: 7_000 })
  fake.streams[0]!.end()
  await fake.settle(() => fake.wants.includes('lost'))
  await fake.clock.advance(6_900)
  expect(fake.requests).toHaveLength(1)
  await fake.clock.advance(200)
  await fake.settle(() => fake.requests.length === 2)

  const refuse = (status: number, headers: object, body: object) => (res: ServerResponse) => {
    res.writeHead(status, { ...headers }).end(JSON.stringify(body))
  }
  const busy = await start(refuse(503, { 'Retry-After': '3' }, { reason: 'Overload', message: '' }))
  await busy.settle(() => busy.logged.length === 1)
  await busy.clock.advance(3_400)
  expect(busy.requests).toHaveLength(1)
  await busy.clock.advance(200)
  await busy.settle(() => busy.requests.length === 2)

  // Not for ever: whoever stood between the two for a moment may have said it.
  const made = await start(refuse(503, { 'Retry-After': '99999999' }, { reason: 'x', message: '' }))
  await made.settle(() => made.logged.length === 1)
  await made.clock.advance(302_000)
  await made.settle(() => made.requests.length === 2)

  const revoked = await start(refuse(401, {}, { reason: 'UnknownAgent', message: 'join anew' }))
  await revoked.settle(() => revoked.logged.join().includes('join anew'))
  await revoked.clock.advance(80_000)
  expect(revoked.requests).toHaveLength(1)
  await revoked.clock.advance(20_000)
  await revoked.settle(() => revoked.requests.length === 2)
})

test.each(['ClockSkew', 'Expired'])(
  'a clock that was wrong (%s) costs no more than the ordinary back-off once it is right',
  async (reason) => {
    const fake = await start((res) => {
      res.writeHead(401).end(JSON.stringify({ reason, message: 'set the clock' }))
    })
    await fake.settle(() => fake.logged.join().includes('set the clock'))
    await fake.clock.advance(250)
    await fake.settle(() => fake.requests.length === 2)
  },
)
