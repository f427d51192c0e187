// Issuers whose keys are not as they should be.
import { sendJson, type CiIssuer } from './ci-issuer.ts'

/** By what they are: how an issuer comes to have them, and what the audit log says. */
export const spoiltKeys: Record<string, { spoil: (issuer: CiIssuer) => void; noted: RegExp }> = {
  'answer with more than a mebibyte': {
    spoil: ({ answers }) => answers.set('/jwks', (response) => response.end('x'.repeat(1_100_000))),
    noted: /more than 1048576 bytes/,
  },
  'are too many': {
    spoil: ({ answers, publicKeys: [key] }) =>
      answers.set('/jwks', (response) =>
        sendJson(response, { keys: Array.from({ length: 101 }, () => key) }),
      ),
    noted: /more than 100 keys/,
  },
  'are elsewhere (a redirect)': {
    spoil: ({ answers, url }) =>
      answers.set('/jwks', (response) =>
        response.writeHead(302, { location: `${url}/other` }).end(),
      ),
    noted: /answers with 302/,
  },
  'are at a private address': {
    spoil: ({ answers, url }) =>
      answers.set('/.well-known/openid-configuration', (response) =>
        sendJson(response, { issuer: url, jwks_uri: 'http://169.254.169.254/keys' }),
      ),
    noted: /169\.254\.169\.254:80 is not called/,
  },
  'are of another issuer': {
    spoil: ({ answers, url }) =>
      answers.set('/.well-known/openid-configuration', (response) =>
        sendJson(response, { issuer: 'https://other.test', jwks_uri: `${url}/jwks` }),
      ),
    noted: /of another issuer/,
  },
  'are no keys': {
    spoil: ({ answers }) =>
      answers.set('/jwks', (response) => sendJson(response, { keys: 'none' })),
    noted: /no keys/,
  },
  'nest without end': {
    spoil: ({ answers }) => answers.set('/jwks', (response) => response.end('['.repeat(9_000))),
    noted: /nests deeper/,
  },
}
