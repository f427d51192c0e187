// A rotator that changes a login of a database: the steps of src/databases, done by an agent in the container or by the
// controller over the network.
import { StepFault, type Facts, type Login, type Step } from '../../src/databases/step.ts'
import { generateValue } from '../../src/secrets/generate.ts'
import { RotatorFault, type Credential, type Rotator } from './rotator.ts'

export interface Ask {
  readonly step: Step
  readonly attempt: string
  readonly login: Login | undefined
}

export interface LoginRotator {
  /** Logins that take turns. Empty: one whose passwords do. */
  readonly slots: readonly string[]
  /** Login of a credential that names none, such as one that is adopted. */
  readonly usual: string
  /** Names of the outputs that the Rotation has. */
  readonly outputs: readonly string[]
  readonly inPlace: boolean
  readonly ask: (what: Ask, signal: AbortSignal) => Promise<Facts>
}

/** They go into URLs. */
const password = { charset: 'alphanumeric', length: 32 } as const

export const createLoginRotator = (given: LoginRotator): Rotator => {
  const { slots, usual, outputs, inPlace } = given
  const loginOf = ({ slot, values }: Credential): Login => ({
    username: values['username'] ?? slot ?? usual,
    password: values['password'] ?? '',
  })
  const ask = async (
    step: Step,
    login: Login | undefined,
    { attempt = '', signal }: { attempt?: string; signal: AbortSignal },
  ): Promise<Facts> => {
    try {
      return await given.ask({ step, attempt, login }, signal)
    } catch (error) {
      if (error instanceof StepFault) throw new RotatorFault(error.kind, error.message)
      throw error
    }
  }
  return {
    slots,
    outputs: ['username', 'password'],
    make: async (slot) => ({
      slot,
      values: {
        username: slot ?? usual,
        password: (await generateValue(password)).toString('utf8'),
      },
    }),
    preflight: async (signal) => {
      const own = [
        ...(outputs.includes('password') ? [] : ['outputs name no secret for the password']),
        ...(slots.length > 1 && !outputs.includes('username')
          ? ['outputs name no secret for the username, and logins take turns']
          : []),
        ...(slots.length === 1 && !inPlace
          ? ['one login cannot take turns: give two, or say inPlace']
          : []),
      ]
      const { faults = [] } = await ask('preflight', undefined, { signal })
      return [...own, ...faults]
    },
    look: async (candidate, signal) => {
      const { accepted } = await ask('look', loginOf(candidate), { signal })
      return accepted === 'refused' ? 'refused' : 'accepted'
    },
    set: async (candidate, attempt, signal) => {
      await ask('set', loginOf(candidate), { attempt, signal })
    },
    test: async (candidate, signal) =>
      (await ask('test', loginOf(candidate), { signal })).accepted ?? 'refused',
    stillUsed: async (old, signal) => {
      const { sessions = 0, from = [] } = await ask('stillUsed', loginOf(old), { signal })
      return { sessions, from }
    },
    revoke: async (old, attempt, signal) => {
      await ask('revoke', loginOf(old), { attempt, signal })
    },
    scramble: async (slot, signal) => {
      if (slot === undefined) return
      await ask('scramble', { username: slot, password: '' }, { signal })
    },
  }
}
