// Notices a database that does not answer any more: the network is cut, or the server hangs. A slow statement is no sign of
// that: the database counts as silent only where no statement is answered, and new connections are not answered either.
import { background, logFault } from '../../kernel/async/background.ts'
import { defined } from '../../kernel/defined.ts'
import type { Clock } from '../../kernel/clock.ts'
import { messageOf, StagelyError } from '../../kernel/errors.ts'
import type { Logger } from '../../kernel/log.ts'

interface LivenessDeps {
  readonly clock: Clock
  readonly log: Logger
  /** Asks on a new connection; rejects where no answer comes within `probeMs`. */
  readonly probe: () => Promise<void>
  /** Closes all connections, so that waiting statements fail. Repeated while the silence lasts. */
  readonly giveUp: () => void
}

/** How long one probe may take (ms). */
export const probeMs = 1_500
const probes = 2
const quietMs = 750
const watchMs = 250
/** Between two probes of a silent database. */
const pauseMs = 300

const silent = (why: string): StagelyError =>
  new StagelyError('ServiceUnavailable', `the database cannot be reached: ${why}`, {
    retryAfterSeconds: 1,
  })

interface Waiting {
  readonly since: number
  readonly reject?: (error: StagelyError) => void
}

/** From the first statement without an answer it takes about 4 s until all waiting ones fail. */
export class Liveness {
  readonly #deps: LivenessDeps
  readonly #closing = new AbortController()
  /** The oldest first. */
  readonly #waiting = new Set<Waiting>()
  #lastAnswer = -Infinity
  #isWatching = false
  /** The error, while the database is silent. */
  #silence: string | undefined

  constructor(deps: LivenessDeps) {
    this.#deps = deps
  }

  /** The database has answered, perhaps with an error. */
  answered(): void {
    this.#lastAnswer = this.#deps.clock.now()
  }

  /** `work` asks the database. Fails at once while it is silent; fails with its connection otherwise. */
  async during<T>(work: () => Promise<T>): Promise<T> {
    const leave = this.#enter()
    try {
      return await work()
    } finally {
      leave()
    }
  }

  /** Like during(), for work without a connection: it fails as soon as the database is silent. */
  first<T>(work: () => Promise<T>, onLate: (late: T) => void): Promise<T> {
    return new Promise((resolve, reject) => {
      let given = false
      const leave = this.#enter((error) => {
        given = true
        reject(error)
      })
      work()
        .then((done) => {
          if (given) onLate(done)
          else resolve(done)
        }, reject)
        .finally(leave)
    })
  }

  close(): void {
    this.#closing.abort()
  }

  #enter(reject?: Waiting['reject']): () => void {
    if (this.#silence !== undefined) throw silent(this.#silence)
    const waiting = { since: this.#deps.clock.now(), ...defined({ reject }) }
    this.#waiting.add(waiting)
    if (!this.#isWatching)
      background(() => this.#watch(), logFault(this.#deps.log, 'the database could not be watched'))
    return () => this.#waiting.delete(waiting)
  }

  /** Runs while any work waits. */
  async #watch(): Promise<void> {
    this.#isWatching = true
    try {
      while (this.#waiting.size > 0 && (await this.#pause(watchMs))) {
        if (!this.#isQuiet()) continue
        const why = await this.#silenceNow()
        if (why !== undefined) await this.#waitForAnswer(why)
      }
    } finally {
      this.#isWatching = false
    }
  }

  #isQuiet(): boolean {
    const [oldest] = this.#waiting
    if (oldest === undefined) return false
    return this.#deps.clock.now() - Math.max(oldest.since, this.#lastAnswer) >= quietMs
  }

  /** The error of the probe; undefined where the database answers. */
  async #silenceNow(): Promise<string | undefined> {
    let why = 'it does not answer'
    for (let i = 0; i < probes; i++) {
      const before = this.#lastAnswer
      const failed = await this.#deps.probe().then(() => undefined, messageOf)
      if (failed === undefined || this.#lastAnswer !== before) {
        if (failed === undefined) this.answered()
        return undefined
      }
      why = failed
      if (!(await this.#pause(pauseMs))) return undefined
    }
    return why
  }

  async #waitForAnswer(why: string): Promise<void> {
    const { log, probe, giveUp } = this.#deps
    log.warn({ err: why }, 'the database is silent: what asks it is refused until it answers')
    this.#silence = why
    for (const { reject } of [...this.#waiting]) reject?.(silent(why))
    for (;;) {
      giveUp()
      if (!(await this.#pause(pauseMs))) return
      const hasAnswered = await probe().then(
        () => true,
        () => false,
      )
      if (hasAnswered) break
    }
    this.#silence = undefined
    this.answered()
    log.info({}, 'the database answers again')
  }

  /** False when closed meanwhile. */
  async #pause(ms: number): Promise<boolean> {
    await this.#deps.clock.sleep(ms, this.#closing.signal).catch(() => undefined)
    return !this.#closing.signal.aborted
  }
}
