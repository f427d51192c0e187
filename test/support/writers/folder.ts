// A store in a process of its own, on the folder that the argument names: creates projects one after the
// other, and prints the name of each that is stored.
import { realClock } from '../../../src/kernel/clock.ts'
import { silentLogger } from '../../../src/kernel/log.ts'
import { openStore } from '../../../src/store/open/open-store.ts'
import { localKeyRing } from '../keys.ts'

const keyRing = localKeyRing(Buffer.alloc(32, 42))
const options = { dataDir: process.argv[2]!, keyRing, clock: realClock, log: silentLogger }
const { store } = await openStore(options)
for (let i = 0; ; i++) {
  const metadata = { name: `p${i}`, namespace: 'default' }
  const project = { apiVersion: 'stagely.dev/v1alpha1', kind: 'Project', metadata, spec: {} }
  await store.write({ name: 'x', source: 'api', authority: 'whole' }, {}, (tx) =>
    tx.create(project),
  )
  console.log(metadata.name)
}
