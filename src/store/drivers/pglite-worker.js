// The embedded database, in a thread of its own: nothing that it computes, and no write to the disk, holds up a request.
// JavaScript, since a thread runs this very file also where the sources were never built. Answers pglite.ts, one message
// after the other.
import { parentPort, workerData } from 'node:worker_threads'
import { PGlite, types } from '@electric-sql/pglite'

/**
 * As shipped, PGlite runs with -F and never syncs. Without -F alone nothing changes either; the
 * WAL is on disk at COMMIT only when it is opened O_DSYNC. Its cache of 128 MB is zeroed at each start, which
 * takes a fifth of that; what is read often is in our own memory.
 */
const startParams = [
  ...PGlite.defaultStartParams.filter((param) => param !== '-F'),
  '-c',
  'wal_sync_method=open_datasync',
  '-c',
  'shared_buffers=16MB',
]

const asText = (text) => text
const parsers = { [types.INT8]: Number, [types.JSON]: asText, [types.JSONB]: asText }
// Parameters of json columns are already JSON text.
const serializers = { [types.JSON]: String, [types.JSONB]: String }

let db
const stops = new Map()

const work = {
  open: async () => {
    db = await PGlite.create({ dataDir: workerData.folder, startParams, parsers, serializers })
  },
  query: async (text, params) => (await db.query(text, params)).rows,
  /** Answers the command of the last statement. */
  exec: async (text) => (await db.exec(text)).at(-1)?.command,
  listen: async (id, channel) => {
    const tell = (payload) => parentPort.postMessage({ listener: id, payload })
    stops.set(id, await db.listen(channel, tell))
  },
  unlisten: async (id) => {
    await stops.get(id)()
    stops.delete(id)
  },
  close: () => db.close(),
}

/** The parts of an error that others look at. The statement's parameters, which an error of PGlite has too, stay here. */
const toldOf = ({ name, message, code, errno, severity }) => ({
  message: String(message),
  parts: { name, code, errno, severity },
})

/** Postgres cannot go on: PGlite would compute for ever at the next statement. */
const isFatal = (error) =>
  ['PANIC', 'FATAL'].includes(error.severity) || error instanceof WebAssembly.RuntimeError

const answer = async ({ id, kind, args }) => {
  try {
    parentPort.postMessage({ id, result: await work[kind](...args) })
  } catch (error) {
    if (kind !== 'open' && isFatal(error)) throw error
    parentPort.postMessage({ id, error: toldOf(error) })
  }
}

let last = Promise.resolve()
parentPort.on('message', (message) => {
  last = last.then(() => answer(message))
})
