import { defineConfig } from 'vitest/config'
import { MixedSequencer } from './test/support/sequencer.ts'
import { shortGo } from './test/support/short-go.ts'
import { shortLived } from './test/support/short-lived.ts'

// Three projects: `unit` beside the source (nothing outside the process), `services` (`test/contract`: both
// databases, the API over a port; `test/integration`: real engine, real processes; `test/ui`: the dashboard in
// a real browser), and `budget`, whose
// limits are times: it runs when the others have ended, one file at a time. Files have databases, Compose
// projects and folders of their own; eight run at a time, of which most wait while others compute.
// Files of one project share workers and what these have loaded: a worker of its own costs a file some
// seconds of CPU. So no file leaves anything behind in a module or in the environment, and `npm test` runs
// `unit` in the workers of `services`. It runs all of them as scripts/lib/bundle-tests.mjs has bundled them
// into STAGELY_TEST_BUNDLE.

/** What is waited for comes late on a busy machine; who waits in vain waits this long. */
const expectations = { poll: { timeout: 60_000 } }

const units = ['{src,controller,agent,cli,dashboard,scripts}/**/*.test.{ts,tsx}']
const timed = ['hostile-budget', 'hostile-machine', 'linear-cost', 'linear-requests'].map(
  (name) => `test/contract/budget/${name}.test.ts`,
)

const bundle = process.env['STAGELY_TEST_BUNDLE']
const files =
  bundle === undefined
    ? { services: 'test/{contract,integration,ui}/**/*.test.ts', timed }
    : {
        services: `${bundle}/**/*.test.mjs`,
        timed: timed.map((file) => `${bundle}/${file.replace(/ts$/, 'mjs')}`),
      }

export default defineConfig({
  test: {
    maxWorkers: 8,
    // Kept below node_modules by its content: a module is compiled once for all projects and runs.
    experimental: { fsModuleCache: true },
    sequence: { sequencer: MixedSequencer },
    projects: [
      {
        test: {
          name: 'unit',
          expect: expectations,
          include: units,
          isolate: false,
          execArgv: shortLived,
          testTimeout: 60_000,
        },
      },
      {
        test: {
          name: 'services',
          expect: expectations,
          include: [files.services],
          exclude: files.timed,
          isolate: false,
          execArgv: shortLived,
          env: shortGo,
          globalSetup: [
            'test/support/databases/postgres-setup.ts',
            'test/support/docker/docker-setup.ts',
          ],
          testTimeout: 180_000,
          hookTimeout: 180_000,
        },
      },
      {
        test: {
          name: 'budget',
          expect: expectations,
          include: files.timed,
          exclude: [], // the bundle is below node_modules
          maxWorkers: 1,
          sequence: { groupOrder: 1 },
          globalSetup: ['test/support/databases/postgres-setup.ts'],
          testTimeout: 60_000,
          hookTimeout: 60_000,
        },
      },
    ],
  },
})
