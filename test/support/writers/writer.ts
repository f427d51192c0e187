// A store that writes in a process of its own, and the harm that is done to it.
import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { bundled } from '../bundled.ts'
import { DatabaseRelay } from '../databases/database-relay.ts'
import { shortLived } from '../short-lived.ts'
import { realClock } from '../../../src/kernel/clock.ts'

/** How it is started. */
export interface WriterOptions {
  readonly databaseUrl: string
  readonly dataDir: string
  /** base64 */
  readonly masterKey: string
  /** Names of its writes begin so. */
  readonly name: string
  /** How many write at once. */
  readonly writers: number
  readonly namespace: string
  /** Projects `counter-0` and so on, with a Count in their description. */
  readonly counters: number
  /** Secrets `s-0` and so on. */
  readonly secrets: number
}

/** What a counter says: how often it was moved, and by which write last. */
export interface Count {
  readonly n: number
  readonly id: string
}

interface Ended {
  readonly id: string
  readonly ms: number
  /** Reason and message of what was not acknowledged. */
  readonly error?: string
}

interface Compared {
  readonly state: unknown
  readonly tables: unknown
}

type Told = { readonly open: true } | { readonly stopped: true } | Ended | Compared

export const faults = ['kill', 'pause', 'refuse', 'silence'] as const
export type Fault = (typeof faults)[number]

export class Writer {
  /** Writes that were acknowledged. */
  readonly done: Ended[] = []
  readonly failed: Ended[] = []
  /** How its process ended by itself. */
  ended: string | undefined
  readonly #options: WriterOptions
  readonly #relay: DatabaseRelay
  #child: ChildProcess | undefined
  #starts = 0
  #stopped: (() => void) | undefined
  #compared: ((told: Compared) => void) | undefined

  static async start(options: WriterOptions): Promise<Writer> {
    const relay = await DatabaseRelay.start(options.databaseUrl)
    const writer = new Writer(options, relay)
    await writer.#run()
    return writer
  }

  private constructor(options: WriterOptions, relay: DatabaseRelay) {
    this.#options = options
    this.#relay = relay
  }

  async #run(): Promise<void> {
    const name = `${this.#options.name}.${this.#starts++}`
    const options = { ...this.#options, name, databaseUrl: this.#relay.url }
    const program = bundled('writers/program.mjs')
    const child = fork(program, [JSON.stringify(options)], { execArgv: shortLived })
    this.#child = child
    await new Promise<void>((resolve, reject) => {
      child.on('exit', (code, signal) => {
        if (signal !== 'SIGKILL') this.ended = `${name} ended with ${code ?? signal}`
        reject(new Error(this.ended ?? `${name} was killed`))
      })
      child.on('message', (told: Told) => {
        if ('open' in told) resolve()
        else if ('stopped' in told) this.#stopped?.()
        else if ('state' in told) this.#compared?.(told)
        else (told.error === undefined ? this.done : this.failed).push(told)
      })
    })
  }

  async harm(fault: Fault, ms: number): Promise<void> {
    const relay = this.#relay
    if (fault === 'kill') await this.#kill()
    else if (fault === 'pause') this.#child?.kill('SIGSTOP')
    else if (fault === 'refuse') relay.setRefusing(true)
    else relay.setSilent(true)
    await realClock.sleep(ms)
    if (fault === 'kill') await this.#run()
    else if (fault === 'pause') this.#child?.kill('SIGCONT')
    else if (fault === 'refuse') relay.setRefusing(false)
    else relay.setSilent(false)
  }

  async #kill(): Promise<void> {
    const child = this.#child
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return
    const exited = once(child, 'close')
    child.kill('SIGKILL')
    await exited
  }

  #order(order: 'stop' | 'compare'): void {
    this.#child?.send(order)
  }

  /** Resolves after its last write. */
  stop(): Promise<void> {
    const stopped = new Promise<void>((resolve) => (this.#stopped = resolve))
    this.#order('stop')
    return stopped
  }

  /** Its state, and the tables. */
  compare(): Promise<Compared> {
    const told = new Promise<Compared>((resolve) => (this.#compared = resolve))
    this.#order('compare')
    return told
  }

  async remove(): Promise<void> {
    await this.#kill()
    await this.#relay.close()
  }
}
