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
interface ReadTask {
  readonly values: readonly string[]
  readonly run: (step: Step, container: DatabaseContainer) => Promise<Facts>
}

/** StepFault for parameters that it does not understand. */
export type Plugin = (params: unknown) => ReadTask

/** Fields, with what is wrong where a rule of the steps says so; no value. */
const fieldsOf = ({ issues }: z.ZodError): string =>
  issues
    .map(({ path, code, message }) => path.join('.') + (code === 'custom' ? ` ${message}` : ''))
    .join(', ')

export const createPlugin =
  <P>({ params, values, run }: PluginOf<P>): Plugin =>
  (given) => {
    const read = params.safeParse(given)
    if (!read.success) {
      throw new StepFault('Failed', `the task is malformed at: ${fieldsOf(read.error)}`)
    }
    return {
      values: values(read.data).filter((value) => value !== undefined),
      run: (step, container) => run(step, read.data, container),
    }
  }
