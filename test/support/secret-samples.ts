// A secret with something in every field; a field that is added to the schema needs one here.

/** A value for each field that is shown; for a change another one than a new secret has. */
export const secretSamples: Readonly<Record<string, unknown>> = {
  key: 'ROUND_TRIP',
  scope: 'backend',
  type: 'file',
  stagelet: 'preview',
  environments: ['preview', 'staging'],
  file_path: './config/a.json',
  file_permissions: '0640',
  file_uid: 1000,
  file_gid: 1001,
  file_target: '/etc/a.json',
  file_env_var: 'A_FILE',
  format: 'json',
  pattern: '.*',
  references: true,
  audience: 'Controller',
  visibility: 'Plain',
  expiry: { after: '30d', warn: ['7d'] },
  value_from: { secretRef: { name: 'source.global' } },
}
