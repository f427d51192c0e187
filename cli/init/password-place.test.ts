import { expect, it } from 'vitest'
import { loginBeside, passwordPlaceOf } from './password-place.ts'

const read = (text: string): string | undefined => {
  const place = passwordPlaceOf(text)
  if (place === undefined) return undefined
  expect(text.startsWith(place.before + place.password)).toBe(true)
  return place.password
}

it.each([
  ['postgres://u:pa/ss@db', 'pa/ss'],
  ['postgres://u:pa/ss@db:5432/shop?a=b@c', 'pa/ss'],
  ['postgres://u:p@ss@db/shop', 'p@ss'],
  ['postgres://u:p@db/shop@2', 'p'],
  ['redis://:12/ss@redis', '12/ss'],
  ['http://proxy:8080/a@b', undefined],
])('reads the password of the URL %s', (text, password) => expect(read(text)).toBe(password))

it.each([
  // It ends with the sign that ends pairs in this text, and with no other one.
  ['Password=ab&cd;', 'ab&cd'],
  ['Server=db;Password=ab&c d,e;User Id=sa', 'ab&c d,e'],
  ['Server=db; Pwd=ab cd; User Id=sa', 'ab cd'],
  ['Server=db;Password="a;b";User Id=sa', 'a;b'],
  ["host=db password='a b' user=app", 'a b'],
  ['host=db password=a;b&c user=app', 'a;b&c'],
  ['password=a&b host=db', 'a&b'],
  ['password=a&b;c,ssl=true', 'a&b;c'],
  ['redis:6379,password=a&b;c,ssl=False', 'a&b;c'],
  ['jdbc:mysql://db/x?user=a&password=b;c&ssl=1#d', 'b;c'],
  ['Password=;Server=db', undefined],
  ['?password=&x=1', undefined],
])('reads the password of the pairs %s', (text, password) => expect(read(text)).toBe(password))

it('names the host of a URL whose password has a slash', () => {
  expect(passwordPlaceOf('postgres://u:pa/ss@db:5432/shop')).toMatchObject({
    user: 'u',
    hosts: ['db'],
  })
  expect(
    loginBeside('DB_PASSWORD', new Map([['DB_URL', 'postgres://u:pa/ss@db/x']]))?.hosts,
  ).toEqual(['db'])
})
