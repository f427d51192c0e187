// A store in a process of its own: writes as fast as it can, and tells its parent how each write ended.
// See writer.ts.
import { setTimeout as sleep } from 'node:timers/promises'
import { realClock } from '../../../src/kernel/clock.ts'
import { messageOf } from '../../../src/kernel/errors.ts'
import { silentLogger } from '../../../src/kernel/log.ts'
import { createKeyRing } from '../../../src/secrets/key-ring.ts'
import { createLocalKeyProvider } from '../../../src/secrets/providers/local.ts'
import { loadState } from '../../../src/store/log/load.ts'
import { openStore } from '../../../src/store/open/open-store.ts'

const options = JSON.parse(process.argv[2])
const { databaseUrl, dataDir, namespace } = options
const key = createLocalKeyProvider(Buffer.from(options.masterKey, 'base64'))
const { store, sql } = await openStore({
  databaseUrl,
  dataDir,
  clock: realClock,
  log: silentLogger,
  keyRing: createKeyRing(key, [], realClock),
})
const actor = { name: 'writer', source: 'api', authority: 'whole' }
const chosen = (below) => Math.floor(Math.random() * below)

/** Moves a counter; where the name of the write ends with `s`, a secret gets a new value together with it. */
const write = (id) => {
  const name = `counter-${chosen(options.counters)}`
  const secret = `s-${chosen(options.secrets)}`
  return store.write(actor, {}, async (tx) => {
    const counter = await tx.get({ kind: 'Project', namespace, name })
    const { n } = JSON.parse(counter.spec.description)
    const description = JSON.stringify({ n: n + 1, id })
    await tx.update({ ...counter, spec: { ...counter.spec, description } })
    if (!id.endsWith('s')) return
    const before = await tx.get({ kind: 'StagelySecret', namespace, name: secret })
    await tx.update({ ...before, spec: { ...before.spec, value: id } })
  })
}

let isStopped = false
const writeOn = async (writer) => {
  for (let i = 0; !isStopped; i++) {
    const id = `${options.name}-${writer}-${i}${i % 4 === 0 ? 's' : ''}`
    const begun = performance.now()
    const error = await write(id).then(
      () => undefined,
      (failed) => `${failed.reason ?? 'unexpected'}: ${messageOf(failed)}`,
    )
    process.send({ id, ms: performance.now() - begun, error })
    // What is away now is away in the next moment, too.
    if (error !== undefined) await sleep(50)
  }
}

const byId = (rows, of) => Object.fromEntries([...rows].map((row) => [row.id, of(row)]))

const contentOf = ({ rv, objects, projects, heads }) => ({
  rv,
  objects: byId(objects.rows(), ({ text }) => text),
  projects: byId(projects.rows(), ({ lines: _, ...row }) => row),
  heads: byId(heads.rows(), ({ entry }) => entry),
})

const compare = async () => {
  await store.currentVersion()
  process.send({ state: contentOf(store.state), tables: contentOf(await loadState(sql)) })
}

const writing = Promise.all(Array.from({ length: options.writers }, (_, i) => writeOn(i)))
process.on('message', (order) => {
  if (order === 'stop') isStopped = true
  void writing.then(order === 'stop' ? () => process.send({ stopped: true }) : compare)
})
process.on('disconnect', () => process.exit())
process.send({ open: true })
