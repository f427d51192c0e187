export interface TestResult {
  readonly status: string
  readonly ancestorTitles: readonly string[]
  readonly title: string
}
/** What Vitest's reporter of JSON writes, and how many errors no test has caught. */
export interface Results {
  readonly unhandled: number
  readonly testResults: readonly {
    readonly name: string
    readonly status: string
    readonly assertionResults: readonly TestResult[]
  }[]
}
/** A line of test/unsteady.json. */
export interface Unsteady {
  readonly test: string
  readonly seen: readonly string[]
  readonly cause: string
  readonly done: string
  readonly mended?: string
}
export const mostRunAgain: number
export const filesToRunAgain: (results: Results | undefined) => string[]
export const outcomeOf: (run: {
  readonly results: Results | undefined
  readonly exitCode: number
  readonly again: readonly Results[]
  readonly listed: readonly Unsteady[]
  readonly checks: readonly string[]
  readonly maySkip: boolean
  readonly root: string
}) => {
  readonly passed: number
  readonly failed: readonly string[]
  readonly skipped: number
  readonly unsteady: readonly string[]
  readonly unmended: readonly string[]
  readonly unlisted: readonly string[]
}
