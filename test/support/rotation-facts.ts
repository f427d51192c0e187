// What is known of a Rotation while nothing is to be done: tests of the machine change what they are about.
import type { RotationFacts } from '../../controller/rotators/machine/facts.ts'
import { nothingToProve } from '../../controller/rotators/proof/proof.ts'

export const idleFacts = (nowMs: number, createdMs: number): RotationFacts => ({
  nowMs,
  uid: '80000000-0000-4000-8000-000000000000',
  createdMs,
  faults: [],
  hasValues: true,
  changed: [],
  steps: ['Switch'],
  proof: nothingToProve,
  busy: undefined,
  hasProject: true,
  away: [],
})
