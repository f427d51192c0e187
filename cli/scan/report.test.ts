import { expect, it } from 'vitest'
import { repositoryOf } from './report.ts'

it.each([
  ['https://user:pass@git.example.com/acme/shop.git', 'git.example.com/acme/shop'],
  [
    'https://oauth2:a@b@git.example.com:8443/acme/shop.git/?x=secret#y',
    'git.example.com:8443/acme/shop',
  ],
  ['https://token@git.example.com/acme/shop', 'git.example.com/acme/shop'],
  ['git@git.example.com:acme/shop.git', 'git.example.com/acme/shop'],
  ['ssh://git@git.example.com:2222/acme/shop.git', 'git.example.com:2222/acme/shop'],
  ['/srv/git/shop.git', '/srv/git/shop'],
  ['../shop', '../shop'],
])('the address %s is the repository %s', (address, repository) => {
  expect(repositoryOf(address)).toBe(repository)
})
