// What Stagely promises, and the command that shows it. `npm run proof` runs the commands.

/** A line that a test prints, or a row of a bench. */
export interface Evidence {
  /** `test/integration/leak.test.ts`, or the group of a bench. */
  readonly test?: string
  readonly bench?: string
  /** Of a test: the part of its output that is the figure. Without it the figure is how many cases pass. */
  readonly figure?: RegExp
  /** Of a bench: its rows by their names. */
  readonly rows?: Readonly<Record<string, Figure>>
}

interface Figure {
  /** What the value means to a reader. */
  readonly text: (value: number) => string
  /** The promise holds up to this value; absent: it is told, and nothing is promised. */
  readonly most?: number
  /** Another column of the row than its value. */
  readonly of?: string
}

export interface ProductPromise extends Evidence {
  readonly name: string
  readonly says: string
}

const ms = (value: number): string => `${value < 10 ? value.toPrecision(2) : Math.round(value)} ms`

const timesOf =
  (what: string) =>
  (value: number): string =>
    `${what}: ${value.toFixed(2)} times`

export const promises: readonly ProductPromise[] = [
  {
    name: 'no leak',
    says: 'No secret shows in a log, an argument, an answer, a dump or a file.',
    test: 'test/integration/leak.test.ts',
    figure: /leak: (.*)/,
  },
  {
    name: 'no needless restart',
    says: 'A change re-creates the containers that see it, and touches no other.',
    bench: 'changes',
    rows: {
      needless_restarts: { text: (value) => `${value} needless restarts`, most: 0 },
      jobs_run_again: { text: (value) => `${value} jobs that ran again`, most: 0 },
    },
  },
  {
    name: 'convergence under faults',
    says: 'Whatever is killed, cut off or filled up, the stacks reach what is declared.',
    test: 'test/integration/chaos.test.ts',
    figure: /chaos, (seed.*)/,
  },
  {
    name: 'nothing acknowledged is lost, one leader',
    says: 'A write that was answered stays, while leaders are killed, paused and cut off, and two never lead at once.',
    test: 'test/integration/replicas.test.ts',
    figure: /restarted (3 of 3 over.*)/,
  },
  {
    name: 'access',
    says: 'Each role reaches exactly what the table of rights says, on each route.',
    test: 'test/contract/people/access-walk.test.ts',
    figure: /access walk: (.*)/,
  },
  {
    name: 'values behind a request',
    says: 'A guarded value leaves in exactly the cells that a grant opens: role, token and way.',
    test: 'test/contract/people/access-requests.test.ts',
  },
  {
    name: 'proof of a rotation',
    says: 'A rotation that is cut off anywhere ends with a login that works and an old one that is refused.',
    test: 'test/integration/rotation-kills.test.ts',
  },
  {
    name: 'audit',
    says: 'A row of the audit log that was edited, removed, swapped or put in shows.',
    test: 'test/contract/people/audit-chain.test.ts',
  },
  {
    name: 'beside docker compose by hand',
    says: 'From a write to the running container, Stagely takes about as long as docker compose by hand.',
    bench: 'rollout',
    rows: {
      write_to_running_ratio: { text: (value) => `${value.toFixed(2)} times as long`, most: 1.15 },
    },
  },
  {
    name: "beside Kubernetes' code",
    says: "A read takes less time than with the API server of Kubernetes' own code and etcd, on the same machine in turns. What a write takes is told beside it.",
    bench: 'load',
    rows: {
      'load postgres get c=1': { of: 'ratio_ms', text: timesOf('a read'), most: 1 },
      'load postgres create c=1': { of: 'ratio_ms', text: timesOf('a create') },
      'load postgres patch-merge c=1': { of: 'ratio_ms', text: timesOf('a patch') },
      'load postgres get c=16': {
        of: 'ratio_per_s',
        text: timesOf('reads of 16 clients a second'),
      },
      'load postgres create c=16': {
        of: 'ratio_per_s',
        text: timesOf('creates of 16 clients a second'),
      },
    },
  },
  {
    name: 'encryption',
    says: 'Encrypting a secret takes less than 1 ms.',
    bench: 'pure',
    rows: { seal_1kib_us: { text: (value) => ms(value / 1000), most: 1000 } },
  },
  {
    name: 'override',
    says: 'Making the override of 50 services with 200 secrets each takes less than 10 ms.',
    bench: 'pure',
    rows: { override_50x200_ms: { text: ms, most: 10 } },
  },
  {
    name: 'merge',
    says: 'Compose merges the override into the files of a stack in less than 100 ms.',
    bench: 'pure',
    rows: { compose_merge_ms: { text: ms, most: 100 } },
  },
  {
    name: 'look-up',
    says: 'Looking up a secret takes less than 5 ms.',
    bench: 'store',
    rows: { secret_lookup_ms: { text: ms, most: 5 } },
  },
]

/** What was measured of a promise, and when. */
export interface Proof {
  readonly figure: string
  readonly holds: boolean
  readonly at: string
  /** The machine, and how busy it was. */
  readonly on: string
}

export type Proofs = Readonly<Record<string, Proof>>

export const commandOf = ({ name }: ProductPromise): string => `npm run proof -- --only "${name}"`
