import { age, condition, date, integer, text, wide } from '../../resources/columns.ts'
import { defineKind } from '../../resources/define-kind.ts'
import { names } from './names.ts'
import { secretStoreSpec, secretStoreStatus, checkSecretStore } from './schema.ts'

export const secretStore = defineKind({
  names,
  spec: secretStoreSpec,
  status: secretStoreStatus,
  needsSpec: true,
  check: checkSecretStore,
  columns: [
    text('Provider', '.status.provider', 'Which kind of store it is.'),
    text('Ready', condition('Ready', 'status'), 'Does the store take the credential?'),
    text('Fresh', condition('Fresh', 'status'), 'Was it read lately?'),
    text('Reason', condition('Ready', 'reason'), 'Why it is ready or not.'),
    integer('Secrets', '.status.secrets', 'How many secrets take their value from it.'),
    date('Last-Sync', '.status.lastLookAt', 'When it was read last.'),
    wide(integer('Calls', '.status.callsPerMinute', 'Calls a minute.')),
    wide(integer('Lag', '.status.lagSeconds', 'How many seconds old its answers may be.')),
    wide(text('Throttled', condition('Throttled', 'status'), 'Does it limit the calls?')),
    wide(
      text(
        'Deletions-Held',
        condition('Braked', 'status'),
        'Were too many secrets missing at once?',
      ),
    ),
    age,
  ],
})
