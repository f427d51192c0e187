// A rotator that changes a login of a database: the steps of src/databases, done by an agent in the container or by the
// controller over the network.
import {
  isOneLine,
  StepFault,
  type Facts,
  type Login,
  type Step,
} from '../../../src/databases/step.ts'
import { generateValue } from '../../../src/secrets/generate.ts'
import { RotatorFault, type Credential, type FoundLogins, type Rotator } from './rotator.ts'

export interface Ask {
  readonly step: Step
  readonly attempt: string
  readonly login: Login | undefined
  readonly watchMs?: number | undefined
}

export interface LoginRotator {
  /** Logins that take turns. Empty: one whose passwords do. */
  readonly slots: readonly string[]
  /** Login of a credential that names none, such as one that is adopted. */
  readonly usual: string
  /** Names of the outputs that the Rotation has. */
  readonly outputs: readonly string[]
  readonly inPlace: boolean
  /** The login that is taken over, which does not take turns. */
  readonly adopt?: string | undefined
  /** False where the database does not know which password a session has logged in with. */
  readonly countsSessions: boolean
  /** What the outputs hold now. */
  readonly current?: (() => Promise<Credential['values']>) | undefined
  readonly ask: (what: Ask, signal: AbortSignal) => Promise<Facts>
}

/** They go into URLs. */
const password = { charset: 'alphanumeric', length: 32 } as const

const outputFaults = ({ outputs, slots, inPlace }: LoginRotator): string[] => [
  ...(outputs.includes('password') ? [] : ['outputs name no secret for the password']),
  ...(slots.length > 1 && !outputs.includes('username')
    ? ['outputs name no secret for the username, and logins take turns']
    : []),
  ...(slots.length === 1 && !inPlace
    ? ['one login cannot take turns: give two, or say inPlace']
    : []),
]

/** Why what the outputs hold cannot be the old credential. */
const currentFaults = (
  { slots, usual, adopt }: LoginRotator,
  { username, password: now = '' }: Credential['values'],
): string[] => {
  const own = [
    ...slots,
    ...(slots.length === 0 ? [usual] : []),
    ...(adopt === undefined ? [] : [adopt]),
  ]
  return [
    ...(username === undefined || own.includes(username)
      ? []
      : [
          `the output username holds "${username}", which is neither one of ${own.join(', ')}: name it in adopt, or write the right one`,
        ]),
    ...(isOneLine(now)
      ? []
      : ['the password in the output holds a line break or a NUL: write the right one']),
  ]
}

/**
 * Of two logins, the one that accepts nothing is idle; where an older agent does not tell that, the one without a
 * session beside one that has some.
 */
const idleAmong = (logins: readonly { slot: string; facts: Facts }[]): string => {
  const quiet = logins.filter(({ facts }) => facts.sessions === 0)
  const idle =
    logins.find(({ facts }) => facts.ended === true) ?? (quiet.length === 1 ? quiet[0] : undefined)
  if (idle !== undefined) return idle.slot
  const names = logins.map(({ slot }) => slot).join(' and ')
  throw new RotatorFault(
    'Failed',
    `${names} both accept passwords, and which of them services use is not known: take the login of the other one away, then run the rotation`,
  )
}

export const createLoginRotator = (given: LoginRotator): Rotator => {
  const { slots, usual, inPlace } = given
  const loginOf = ({ slot, values }: Credential): Login => ({
    username: values['username'] ?? slot ?? usual,
    password: values['password'] ?? '',
  })
  const ask = async (
    step: Step,
    login: Login | undefined,
    { attempt = '', signal, watchMs }: { attempt?: string; signal: AbortSignal; watchMs?: number },
  ): Promise<Facts> => {
    try {
      return await given.ask({ step, attempt, login, watchMs }, signal)
    } catch (error) {
      if (error instanceof StepFault) throw new RotatorFault(error.kind, error.message)
      throw error
    }
  }
  const make = async (slot: string | undefined): Promise<Credential> => {
    const value = (await generateValue(password)).toString('utf8')
    return { slot, values: { username: slot ?? usual, password: value } }
  }
  const find = async (signal: AbortSignal): Promise<FoundLogins> => {
    const logins: { slot: string; facts: Facts }[] = []
    for (const slot of slots)
      logins.push({ slot, facts: await ask('stillUsed', loginOf(await make(slot)), { signal }) })
    const idle = idleAmong(logins)
    const slot = slots.find((slotName) => slotName !== idle)
    // Nobody has its password: it is named by its login alone.
    return { idle, running: { slot, values: { username: slot ?? usual } } }
  }
  return {
    slots,
    adopt: given.adopt,
    outputs: ['username', 'password'],
    make,
    ...(slots.length > 1 && !inPlace && { find }),
    preflight: async (signal, warn) => {
      const own = outputFaults(given)
      const now = currentFaults(given, (await given.current?.()) ?? {})
      // The old password can log in for the steps too, which take one of one line.
      if (now.length > 0) return [...own, ...now]
      const { faults = [], warnings = [] } = await ask('preflight', undefined, { signal })
      for (const warning of warnings) warn?.(warning)
      return [...own, ...faults]
    },
    checkAccepted: async (candidate, signal) => {
      const { accepted } = await ask('look', loginOf(candidate), { signal })
      return accepted === 'refused' ? 'refused' : 'accepted'
    },
    set: async (candidate, attempt, signal) => {
      await ask('set', loginOf(candidate), { attempt, signal })
    },
    test: async (candidate, signal) =>
      (await ask('test', loginOf(candidate), { signal })).accepted ?? 'refused',
    stillUsed: async (old, signal, watchMs = 0) => {
      if (!given.countsSessions) return { sessions: undefined, from: [] }
      const around = { signal, watchMs }
      const { sessions, from = [], watchedMs, ended } = await ask('stillUsed', loginOf(old), around)
      if (sessions === undefined)
        throw new RotatorFault('Failed', 'it is not told how many sessions use the credential')
      return { sessions, from, watchedMs, canLogIn: ended !== true }
    },
    revoke: async (old, attempt, signal) => {
      await ask('revoke', loginOf(old), { attempt, signal })
    },
    // Of passwords of one user, what is taken back is one that nobody has logged in with.
    ...(slots.length === 0 && {
      discard: async (candidate: Credential, attempt: string, signal: AbortSignal) => {
        await ask('scramble', loginOf(candidate), { attempt, signal })
      },
    }),
    disable: async (slot, signal) => {
      if (slot === undefined) return
      await ask('scramble', { username: slot, password: '' }, { signal })
    },
  }
}
