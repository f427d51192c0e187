import { expect, it } from 'vitest'
import { faultsOfRule, misfitOf } from './claims.ts'

const issuer = 'https://token.actions.githubusercontent.com'

it.each([
  ['ref', 'refs/tags/v*', true],
  ['base_ref', 'release-*', true],
  ['repository', 'acme/*', true],
  ['job_workflow_ref', 'acme/shop/.github/workflows/deploy.yml@*', true],
  ['job_workflow_ref', 'acme/shop*', false],
  ['workflow_ref', 'acme/shop*', false],
  ['my_ref', 'acme*', false],
])('a rule with %s: %s is taken: %s', (claim, text, isTaken) => {
  const faults = faultsOfRule(issuer, { repository: 'acme/shop', [claim]: text }, 'claims')
  expect(faults.length === 0).toBe(isTaken)
})

it.each([[1], [true], [{ toString: 'acme/shop' }], [['acme/shop']], [null]])(
  'no rule is for a claim that is no text: %j',
  (given) => {
    const wanted = { repository: 'acme/shop', ref: 'true' }
    expect(misfitOf(wanted, { repository: given, ref: 'true' })).toBe(
      'the claim repository is no text',
    )
    expect(misfitOf(wanted, { repository: 'acme/shop', ref: true })).toBe(
      'the claim ref is no text',
    )
  },
)
