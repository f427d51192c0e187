// The dashboard in a real browser, on a real controller with an agent and containers. All parts share them: a part
// is a file that exports its tests, and one line here.
import { afterAll, afterEach, beforeAll, describe, expect } from 'vitest'
import { freshDatabase } from '../support/databases/fresh-database.ts'
import { soak } from '../support/soak.ts'
import { cheapFlags } from './browser.ts'
import { compose, startDashboard, type Dashboard } from './dashboard.ts'
import { accessTests } from './access.ts'
import { shellTests } from './shell.ts'
import { activityTests } from './activity.ts'
import { formTests } from './forms.ts'
import { agentTests } from './agents.ts'
import { logTests } from './logs.ts'
import { notKnownTests } from './not-known.ts'
import { overviewTests } from './overview.ts'
import { secretsTests } from './secrets.ts'
import { historyTests } from './history.ts'
import { largeImportTests } from './large-import.ts'
import { auditTests } from './audit.ts'
import { paletteTests } from './palette.ts'
import { peopleTests } from './people.ts'
import { rolloutTests } from './rollouts.ts'
import { elsewhereTests } from './elsewhere.ts'
import { environmentTests } from './environments.ts'
import { documentTests } from './documents.ts'
import { settingsTests } from './settings.ts'
import { stageletTests } from './stagelet.ts'
import { sinkTests } from './sinks.ts'
import { walkTests } from './walk.ts'

describe('the dashboard', () => {
  let dashboard: Dashboard

  beforeAll(async () => {
    dashboard = await startDashboard(await freshDatabase(), compose, cheapFlags)
  })
  afterEach(async () => {
    expect(await dashboard.endTest()).toEqual([])
  })
  afterAll(async () => {
    await dashboard?.stop()
  })
  const given = (): Dashboard => dashboard

  shellTests(given)
  overviewTests(given)
  notKnownTests(given)
  paletteTests(given)
  secretsTests(given)
  historyTests(given)
  auditTests(given)
  peopleTests(given)
  logTests(given)
  agentTests(given)
  stageletTests(given)
  rolloutTests(given)
  activityTests(given)
  environmentTests(given)
  accessTests(given)
  settingsTests(given)
  formTests(given)
  documentTests(given)
  elsewhereTests(given)
  walkTests(given, soak(1, 3))
  largeImportTests(given)
  sinkTests(given)
})
