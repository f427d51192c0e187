// Which variables the images of databases read. Pure.

const postgres = /^(POSTGRES|PG(?!_))/
const mysql = /^(MYSQL|MARIADB)_/
const redis = /^(REDIS|VALKEY)/

/** By the program that an image is named after. */
const readBy = new Map([
  ...['postgres', 'postgresql', 'postgis', 'pgvector', 'timescaledb'].map(
    (program) => [program, postgres] as const,
  ),
  ...['mysql', 'mariadb', 'percona'].map((program) => [program, mysql] as const),
  ...['redis', 'valkey'].map((program) => [program, redis] as const),
  ...['mongo', 'mongodb'].map((program) => [program, /^MONGO/] as const),
])

/** `redis` of `docker.io/library/redis:7-alpine`. */
export const programOf = (image: string): string =>
  (image.split('/').at(-1) ?? '').split(/[:@]/)[0] ?? ''

/** Whether the image of a database has a variable of this name; undefined for other images. */
export const readsVariable = (image: string, key: string): boolean | undefined =>
  readBy.get(programOf(image))?.test(key)
