// What a task of one kind of database is.
import type * as z from 'zod'
import { StepFault, type Facts, type Step } from '../../src/databases/step.ts'
import type { DatabaseContainer } from './container.ts'

interface PluginOf<P> {
  readonly params: z.ZodType<P>
  /** Values in the parameters, which are hidden from then on. */
  readonly values: (params: P) => readonly (string | undefined)[]
  /** Idempotent. StepFault. */
  readonly run: (step: Step, params: P, container: DatabaseContainer) => Promise<Facts>
}

/** One task, whose parameters are read. */
export interface ReadTask {
  readonly values: readonly string[]
  readonly run: (step: Step, container: DatabaseContainer) => Promise<Facts>
}

/** StepFault for parameters that it does not understand. */
export type Plugin = (params: unknown) => ReadTask

export const createPlugin =
  <P>({ params, values, run }: PluginOf<P>): Plugin =>
  (given) => {
    const read = params.safeParse(given)
    if (!read.success) {
      const fields = read.error.issues.map(({ path }) => path.join('.'))
      throw new StepFault('Failed', `the task is malformed at: ${fields.join(', ')}`)
    }
    return {
      values: values(read.data).filter((value) => value !== undefined),
      run: (step, container) => run(step, read.data, container),
    }
  }
