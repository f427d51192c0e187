// The name that a secret's object gets. Pure.

export type SecretInput = Readonly<Record<string, unknown>>

const label = (text: string): string => text.replace(/^-+|-+$/g, '')

/**
 * Name for a new secret's object, `stripe-secret-key.backend`. One for the controller alone has no place: `aws-reader`.
 * Characters that a name cannot hold are left out.
 */
export const secretName = ({
  key,
  scope = 'global',
  stagelet,
  environments,
  audience,
}: SecretInput): string => {
  const place = [
    scope,
    ...(typeof stagelet === 'string' ? [stagelet] : []),
    ...(Array.isArray(environments) ? environments.map(String) : []),
  ]
  const parts = audience === 'Controller' ? [key] : [key, ...place]
  const labels = parts.flatMap((part) =>
    String(part).toLowerCase().replaceAll('_', '-').split('.').map(label).filter(Boolean),
  )
  return labels.join('.').slice(0, 200) || 'secret'
}
