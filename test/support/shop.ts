// The product text's example: three services, six secrets.

export const seedEnvironments: Record<string, Record<string, string>> = {
  backend: {
    DATABASE_URL: 'postgres://user:pass@postgres:5432/db',
    REDIS_URL: 'redis://redis:6379',
    PORT: '8080',
    STRIPE_SECRET_KEY: 'sk_test_abc123',
  },
  frontend: {
    DATABASE_URL: 'postgres://user:pass@postgres:5432/db',
    REDIS_URL: 'redis://redis:6379',
    PORT: '3000',
    NEXT_PUBLIC_API_URL: 'https://api.example.com',
  },
  postgres: {
    DATABASE_URL: 'postgres://user:pass@postgres:5432/db',
    REDIS_URL: 'redis://redis:6379',
  },
}

export const secretYaml = (
  key: string,
  value: string,
  scope = 'global',
  project = 'shop',
): string => `---
apiVersion: stagely.dev/v1alpha1
kind: StagelySecret
metadata:
  name: ${project}-${key.toLowerCase().replaceAll('_', '-')}.${scope.toLowerCase()}
spec:
  projectRef: {name: ${project}}
  key: ${key}
  scope: ${scope}
  value: ${JSON.stringify(value)}
`

export const projectYaml = (name = 'shop'): string => `---
apiVersion: stagely.dev/v1alpha1
kind: Project
metadata: {name: ${name}}
spec: {description: the shop}
`

export const stageletYaml = (
  directory: string,
  projectName: string,
  project = 'shop',
): string => `---
apiVersion: stagely.dev/v1alpha1
kind: Stagelet
metadata: {name: ${project}}
spec:
  projectRef: {name: ${project}}
  agentRef: {name: box}
  compose: {directory: ${directory}, projectName: ${projectName}}
`

export const seedSecretsYaml = (): string =>
  [
    secretYaml('DATABASE_URL', 'postgres://user:pass@postgres:5432/db'),
    secretYaml('REDIS_URL', 'redis://redis:6379'),
    secretYaml('PORT', '8080', 'backend'),
    secretYaml('PORT', '3000', 'frontend'),
    secretYaml('STRIPE_SECRET_KEY', 'sk_test_abc123', 'backend'),
    secretYaml('NEXT_PUBLIC_API_URL', 'https://api.example.com', 'frontend'),
  ].join('')
