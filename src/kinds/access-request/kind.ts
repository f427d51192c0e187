import { age, bool, integer, ofProject, text, wide } from '../../resources/columns.ts'
import { defineKind } from '../../resources/define-kind.ts'
import { names } from './names.ts'
import { accessRequestSpec, accessRequestStatus } from './schema.ts'

export const accessRequest = defineKind({
  names,
  spec: accessRequestSpec,
  status: accessRequestStatus,
  columns: [
    ofProject,
    text('State', '.status.state', 'Where the request stands.'),
    text('By', '.status.requester.name', 'Who asks.'),
    integer('Approvals', '.status.approvals.counted', 'Approvals that count.'),
    integer('Needed', '.status.approvals.needed', 'How many are needed.'),
    bool('Emergency', '.spec.emergency', 'Was it declared an emergency?'),
    text('Ends', '.status.endsAt', 'When the grant ends by itself.'),
    wide(integer('Uses', '.status.uses', 'How often values were read.')),
    wide(text('Review-By', '.status.reviewBy', 'Until when a review is due.')),
    age,
  ],
})
