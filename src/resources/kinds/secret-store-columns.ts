// The table of `kubectl get secretstores`.
import { age, condition, type PrinterColumn } from '../columns.ts'

export const secretStoreColumns: readonly PrinterColumn[] = [
  {
    name: 'Provider',
    type: 'string',
    jsonPath: '.status.provider',
    description: 'Which kind of store it is.',
  },
  {
    name: 'Ready',
    type: 'string',
    jsonPath: condition('Ready', 'status'),
    description: 'Does the store take the credential?',
  },
  {
    name: 'Fresh',
    type: 'string',
    jsonPath: condition('Fresh', 'status'),
    description: 'Was it looked at lately?',
  },
  {
    name: 'Reason',
    type: 'string',
    jsonPath: condition('Ready', 'reason'),
    description: 'Why it is ready, or not.',
  },
  {
    name: 'Secrets',
    type: 'integer',
    jsonPath: '.status.secrets',
    description: 'How many secrets take their value from it.',
  },
  {
    name: 'Last-Look',
    type: 'date',
    jsonPath: '.status.lastLookAt',
    description: 'When it was looked at last.',
  },
  {
    name: 'Calls',
    type: 'integer',
    jsonPath: '.status.callsPerMinute',
    description: 'Calls a minute.',
    priority: 1,
  },
  {
    name: 'Throttled',
    type: 'string',
    jsonPath: condition('Throttled', 'status'),
    description: 'Does it ask to be left alone?',
    priority: 1,
  },
  {
    name: 'Braked',
    type: 'string',
    jsonPath: condition('Braked', 'status'),
    description: 'Were too many secrets missing at once?',
    priority: 1,
  },
  age,
]
