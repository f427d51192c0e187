// Findings as SARIF 2.1: rules are states, a fingerprint is secret and version. No snippet: it would hold the value.
import { version } from '../../src/kernel/version.ts'
import type { Finding } from './findings.ts'

const levels = {
  current: 'error',
  superseded: 'warning',
  deleted: 'note',
  revoked: 'note',
} as const

export const toSarif = (findings: readonly Finding[]): unknown => ({
  $schema: 'https://json.schemastore.org/sarif-2.1.0.json',
  version: '2.1.0',
  runs: [
    {
      tool: {
        driver: {
          name: 'stagely scan',
          version,
          rules: Object.entries(levels).map(([state, level]) => ({
            id: `${state}-secret`,
            shortDescription: { text: `The ${state} value of a secret` },
            defaultConfiguration: { level },
          })),
        },
      },
      results: findings.map(({ path, line, commit, project, key, scope, ...finding }) => ({
        ruleId: `${finding.state}-secret`,
        level: levels[finding.state],
        message: {
          text: `${key} (${project}, ${scope}), version ${finding.version}: ${finding.state} since ${finding.since}`,
        },
        locations: [
          {
            physicalLocation: {
              artifactLocation: { uri: path.split('/').map(encodeURIComponent).join('/') },
              region: { startLine: line },
            },
          },
        ],
        partialFingerprints: { 'secret/version': `${finding.secret_id}/${finding.version}` },
        ...(commit !== undefined && { properties: { commit } }),
      })),
    },
  ],
})
