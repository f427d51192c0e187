import { describe, expect, it } from 'vitest'
import { anEntry } from '../../test/support/builders.ts'
import type { Quarantined } from '../kinds/observation/schema.ts'
import type { SetEntry } from '../secrets/visible.ts'
import { digestFor } from './quarantine.ts'
import { decideRevision, type RevisionDecision, type RevisionFacts } from './revision.ts'

/** `web` has its own value at each revision, `db` the same at all, unless the table says otherwise. */
const entries = (web: number, db = 1): SetEntry[] => [
  anEntry({ key: 'WEB', scope: 'web', version: web }),
  anEntry({ key: 'DB', scope: 'db', version: db }),
]
const set = (revision: number, web = revision) => ({ revision, entries: entries(web) })
const failure = (web: number, given = entries(web)): Quarantined => ({
  service: 'web',
  digest: digestFor('shop', 'web', given),
  revision: web,
  retry: '',
  message: 'crashed',
})
const starved = failure(6, [])

type Facts = Omit<RevisionFacts, 'stagelet'>
type Decided = Partial<RevisionDecision>

const turns = { isStaged: true }
const drained = { drained: true }
const sets = [set(6), set(5), set(4)]

/** What is known, and what is decided. What a row does not name is undefined, or nothing. */
const table: readonly [string, readonly [string, Facts, Decided][]][] = [
  [
    'nothing holds the newest revision back',
    [
      ['it is run', { newest: 6, ordered: 5 }, { revision: 6 }],
      ['it is run first of all', { newest: 6 }, { revision: 6 }],
      ['a project without revisions has revision 0', { newest: 0 }, { revision: 0 }],
      ['after a restore it may be an older one', { newest: 3, ordered: 6 }, { revision: 3 }],
      ['an older one is there to go back to', { newest: 6, sets }, { revision: 6, fallback: 5 }],
      [
        'which is one that was healthy, where that is known',
        { newest: 6, sets, healthy: 4 },
        { revision: 6, fallback: 4 },
      ],
      ['or none', { newest: 6, sets, healthy: 3 }, { revision: 6 }],
    ],
  ],
  [
    'nothing new may begin',
    [
      [
        'a running stack keeps its revision',
        { newest: 6, ordered: 5, mustWait: true },
        { revision: 5 },
      ],
      ['another one is not started', { newest: 6, mustWait: true }, {}],
      ['nor while the first change set is open', { newest: undefined, ordered: 0 }, {}],
    ],
  ],
  [
    'turns are taken',
    [
      [
        'it keeps what it was told',
        { newest: 6, ordered: 5, ...turns },
        { revision: 5, heldBy: 'AwaitingTurn' },
      ],
      ['it is not started', { newest: 6, ...turns }, { heldBy: 'AwaitingTurn' }],
      [
        'it runs what it is admitted to',
        { newest: 6, ordered: 5, admitted: 6, ...turns },
        { revision: 6 },
      ],
      [
        'an older admission takes nothing back',
        { newest: 6, ordered: 5, admitted: 4, ...turns },
        { revision: 5, heldBy: 'AwaitingTurn' },
      ],
      [
        'what its agent has already is not taken back',
        { newest: 6, ordered: 5, reported: 6, ...turns },
        { revision: 6 },
      ],
      ['without any revision there are no turns', { newest: 0, ...turns }, { revision: 0 }],
      ['it never runs what does not exist', { newest: 3, ordered: 6, ...turns }, { revision: 3 }],
    ],
  ],
  [
    'the agent is drained',
    [
      [
        'it keeps what it was told',
        { newest: 6, ordered: 5, ...drained },
        { revision: 5, heldBy: 'AgentDrained' },
      ],
      ['it is not started', { newest: 6, ...drained }, { heldBy: 'AgentDrained' }],
      [
        'an admission does not count',
        { newest: 6, ordered: 5, admitted: 6, ...turns, ...drained },
        { revision: 5, heldBy: 'AgentDrained' },
      ],
      [
        'what its agent has already is not taken back',
        { newest: 6, ordered: 5, reported: 6, ...drained },
        { revision: 6 },
      ],
      [
        'where nothing is newer nothing is held',
        { newest: 5, ordered: 5, ...drained },
        { revision: 5 },
      ],
    ],
  ],
  [
    'something failed',
    [
      [
        'the newest without it is run',
        { newest: 6, sets, quarantine: [failure(6)] },
        { revision: 5, failed: failure(6), fallback: 4 },
      ],
      [
        'one that was not proven is run where it holds nothing of it, and the healthy one is there to go back to',
        {
          newest: 6,
          sets: [
            { revision: 6, entries: entries(6, 5) },
            { revision: 5, entries: entries(3, 5) },
            { revision: 4, entries: entries(3, 4) },
            { revision: 3, entries: entries(3, 3) },
          ],
          healthy: 3,
          quarantine: [failure(6)],
        },
        { revision: 5, failed: failure(6), fallback: 3 },
      ],
      [
        'of two that failed neither is run',
        { newest: 6, sets, quarantine: [failure(6), failure(5)] },
        { revision: 4, failed: failure(6) },
      ],
      [
        'a newer one that gives the service something else is run',
        { newest: 7, sets: [set(7), ...sets], quarantine: [failure(6)] },
        { revision: 7, fallback: 5 },
      ],
      [
        'a newer one that still holds it is not',
        { newest: 7, sets: [set(7, 6), ...sets], quarantine: [failure(6)] },
        { revision: 5, failed: failure(6), fallback: 4 },
      ],
      [
        'a set that takes from the service what it needs fails as well',
        { newest: 6, sets: [{ revision: 6, entries: [] }, set(5)], quarantine: [starved] },
        { revision: 5, failed: starved },
      ],
      [
        'the newest is tried again where all hold it',
        { newest: 6, sets: [set(6), set(4)], quarantine: [failure(6), failure(4)] },
        { revision: 6 },
      ],
      [
        'the newest is tried again where no other is known',
        { newest: 6, sets: [set(6)], quarantine: [failure(6)] },
        { revision: 6 },
      ],
      [
        'what failed is nothing to go back to',
        { newest: 6, sets: [set(6), set(4)], quarantine: [failure(4)] },
        { revision: 6 },
      ],
      [
        'it stays at what it was told where nobody has read the sets',
        { newest: 6, ordered: 4, quarantine: [failure(6)] },
        { revision: 4 },
      ],
      [
        'the newest that it may have is looked for among the older ones',
        { newest: 6, ordered: 5, sets, quarantine: [failure(5)], ...turns },
        { revision: 4, heldBy: 'AwaitingTurn', failed: failure(5) },
      ],
    ],
  ],
]

describe.each(table)('where %s', (_, rows) => {
  it.each(rows)('%s', (_name, facts, decided) => {
    const nothing = {
      revision: undefined,
      heldBy: undefined,
      failed: undefined,
      fallback: undefined,
    }
    expect(decideRevision({ stagelet: 'shop', ...facts })).toEqual({ ...nothing, ...decided })
  })
})
