// Every place that must not hold a value, searched for what all values of the test begin with.
import { execFile } from 'node:child_process'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { realClock } from '../../../src/kernel/clock.ts'
import { findPostgresBin } from '../databases/postgres-bin.ts'
import { filesIn } from './look.ts'
import { canary } from './model.ts'
import type { Place } from './place.ts'

const run = promisify(execFile)

/** As it is, and in hex and in the three alignments of base64, without the ends that depend on what is around. */
const forms = [
  canary,
  Buffer.from(canary).toString('hex'),
  ...[0, 1, 2].map((shift) =>
    Buffer.concat([Buffer.alloc(shift), Buffer.from(canary)])
      .toString('base64')
      .slice(shift === 0 ? 0 : shift + 1, -4),
  ),
]

const hasCanary = (text: string): boolean => forms.some((form) => text.includes(form))

export interface CommandLines {
  /** Processes seen so far. */
  readonly count: number
  readonly leaks: readonly string[]
  stop(): Promise<void>
}

/** Looks at the command line of each new process of the machine, every few milliseconds. */
export const watchCommandLines = (everyMs = 30): CommandLines => {
  // A process that calls exec has another command line under its old number: each is read twice.
  const timesRead = new Map<string, number>()
  const leaks: string[] = []
  let [on, count] = [true, 0]
  const look = async (): Promise<void> => {
    const pids = new Set((await readdir('/proc')).filter((name) => /^\d+$/.test(name)))
    for (const pid of timesRead.keys()) if (!pids.has(pid)) timesRead.delete(pid)
    for (const pid of pids) {
      const times = timesRead.get(pid) ?? 0
      if (times === 2) continue
      timesRead.set(pid, times + 1)
      const line = await readFile(`/proc/${pid}/cmdline`, 'latin1').catch(() => '')
      if (times === 0) count++
      if (hasCanary(line)) leaks.push(`command line of process ${pid}`)
    }
  }
  const looking = (async () => {
    while (on) {
      await look()
      await realClock.sleep(everyMs)
    }
  })()
  return {
    get count() {
      return count
    },
    leaks,
    stop: async () => {
      on = false
      await looking
    },
  }
}

/** Names of the places that hold a value. */
export const leaksIn = async (place: Place, withDump: boolean): Promise<string[]> => {
  const { world, engine, database, dataMount, stack, temporary } = place
  const leaks: string[] = []
  const look = (what: string, text: string): void => {
    if (hasCanary(text)) leaks.push(what)
  }
  look('output of controller and agent', world.allOutput())
  look('log of the engine', await engine.log())
  for (const dir of [world.controllerDir, dataMount, stack.directory, temporary])
    for (const file of await filesIn(dir))
      look(file, await readFile(file, 'latin1').catch(() => ''))
  for (const { child } of [world.controller, world.agent]) {
    const of = (what: string): Promise<string> =>
      readFile(`/proc/${child.pid}/${what}`, 'latin1').catch(() => '')
    look(`environment of ${child.pid}`, await of('environ'))
  }
  for (const kind of ['stagelysecrets', 'stagelets', 'agents'])
    look(kind, JSON.stringify(await world.read(kind)))
  if (withDump) {
    look('events', await world.must('get', 'events', '-o', 'yaml'))
    const { stdout } = await run(join(findPostgresBin(), 'pg_dump'), ['--inserts', database.url], {
      maxBuffer: 1 << 30,
    })
    look('dump of the database', stdout)
  }
  return leaks
}
