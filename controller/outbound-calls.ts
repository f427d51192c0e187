// What requests may ask of the outside, each by the one gate.
import type { Clock } from '../src/kernel/clock.ts'
import type { Store } from '../src/store/store.ts'
import { dashboardOf, type Config } from './config.ts'
import { createEgress, type Egress } from './egress/gate.ts'
import { ownDestinations } from './egress/own.ts'
import type { RestDeps } from './http/rest/deps.ts'
import { createMailer } from './notify/mail.ts'
import { createTestLimit } from './notify/test-limit.ts'
import { notifierTester } from './notify/try-notifier.ts'
import { keyLister } from './stores/list-keys.ts'
import { openerWith, type StoreMeans } from './stores/opener.ts'

/** `port`: that of this controller, which it does not call. */
export const egressOf = ({ egress, databaseUrl }: Config, port: () => number): Egress =>
  createEgress({ ...egress, own: () => ownDestinations(port(), databaseUrl) })

interface OutsideDeps {
  readonly store: Store
  readonly clock: Clock
  readonly egress: Egress
  readonly storeMeans: StoreMeans
}

export const outboundCallsFor = (
  { smtp, ...config }: Pick<Config, 'smtp' | 'dashboard' | 'advertiseUrl'>,
  { store, clock, egress, storeMeans }: OutsideDeps,
): Pick<RestDeps, 'listKeys' | 'testNotifier'> => ({
  listKeys: keyLister({
    store,
    open: openerWith({ egress, clock, storeMeans }),
    budgets: storeMeans.budgets,
  }),
  testNotifier: notifierTester({
    store,
    egress,
    mail: smtp && createMailer(smtp),
    now: () => clock.now(),
    dashboard: dashboardOf(config),
    checkLimit: createTestLimit(clock),
  }),
})
