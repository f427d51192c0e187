// Images of real databases, made from the programs of this machine's Debian packages: no registry is needed. Each
// behaves as the official image of its database where that matters here: see the scripts.
import { execFile } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { mkdir, mkdtemp, readdir, rm, symlink, writeFile, copyFile, chmod } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)

interface Recipe {
  /** Programs, with the libraries that they need. */
  readonly programs: readonly string[]
  /** Files and folders that are taken as they are. */
  readonly files: readonly string[]
  /** What the container runs. */
  readonly script: string
  /** Where the engine looks for programs. */
  readonly path?: string
  /** Done in the image once it is made, by the shell. */
  readonly prepare?: string
}

/** An initdb takes 0.7 s of CPU: a container copies what it has made. */
const prepareCluster = (bin: string): string =>
  `mkdir /cluster && chown postgres /cluster && exec su postgres -s /bin/sh -c "exec ${bin}/initdb -D /cluster --username=postgres --no-sync --locale=C --encoding=UTF8 --wal-segsize=1 >/dev/null"`

/** As the official image: no password for the local socket and loopback, SCRAM for all other addresses. */
const postgresScript = (bin: string): string => `#!/bin/sh
set -e
PATH=/bin:/usr/bin:${bin}
data=/var/lib/postgresql/data
user=\${POSTGRES_USER:-postgres}
mkdir -p $data /var/run/postgresql && chown -R postgres $data /var/run/postgresql && chmod 700 $data
as() { su postgres -s /bin/sh -c "exec $*"; }
if [ ! -s $data/PG_VERSION ]; then
  cp -a /cluster/. $data
  echo "host all all all \${POSTGRES_HOST_AUTH_METHOD:-scram-sha-256}" >> $data/pg_hba.conf
  printf "listen_addresses='*'\\nfsync=off\\nlog_statement=all\\n" >> $data/postgresql.conf
  if [ -f /tls/key.pem ]; then
    cp /tls/key.pem /tls/chain.pem $data/ && chown postgres $data/*.pem && chmod 600 $data/key.pem
    printf "ssl=on\\nssl_cert_file='chain.pem'\\nssl_key_file='key.pem'\\n" >> $data/postgresql.conf
  fi
  # Not where clients look: they would lose this server at once.
  as pg_ctl -D $data -w -o "-c\\ listen_addresses=\\ -c\\ unix_socket_directories=/tmp" start >/dev/null
  ask() { psql -qX -h /tmp -v ON_ERROR_STOP=1 -v user=$user -v password="$POSTGRES_PASSWORD" -v database=\${POSTGRES_DB:-$user} "$@"; }
  # The first role is another's to rename.
  [ $user = postgres ] || echo 'create role renaming superuser login' | ask -U postgres
  [ $user = postgres ] || echo 'alter role postgres rename to :"user"' | ask -U renaming -d postgres
  ask -U $user -d postgres <<'SQL'
drop role if exists renaming;
alter role :"user" password :'password';
SQL
  [ \${POSTGRES_DB:-$user} = postgres ] || echo 'create database :"database"' | ask -U $user -d postgres
  as pg_ctl -D $data -m fast -w stop >/dev/null
fi
exec su postgres -s /bin/sh -c "exec postgres -D $data"
`

const redisScript = (server: string): string => `#!/bin/sh
PATH=/bin:/usr/bin
[ $# = 0 ] && set -- ${server}
exec "$@"
`

const mariadbScript = `#!/bin/sh
PATH=/bin:/usr/bin:/usr/sbin
data=/var/lib/mysql
mkdir -p $data /run/mysqld && chown -R mysql $data /run/mysqld
if [ ! -d $data/mysql ]; then
  mariadb-install-db --user=mysql --datadir=$data --skip-test-db --auth-root-authentication-method=normal >/dev/null
  cat > /tmp/init.sql <<SQL
CREATE DATABASE \\\`$MARIADB_DATABASE\\\`;
ALTER USER root@localhost IDENTIFIED BY '$MARIADB_ROOT_PASSWORD';
SQL
  chown mysql /tmp/init.sql
  init=--init-file=/tmp/init.sql
fi
exec mariadbd --user=mysql --datadir=$data --socket=/run/mysqld/mysqld.sock $init
`

const postgresBin = async (): Promise<string> => {
  const [version = '15'] = (await readdir('/usr/lib/postgresql')).sort().reverse()
  return `/usr/lib/postgresql/${version}`
}

const recipes: Readonly<Record<string, () => Promise<Recipe>>> = {
  postgres: async () => {
    const home = await postgresBin()
    const names = ['postgres', 'initdb', 'pg_ctl', 'psql', 'pg_isready']
    return {
      programs: [
        ...names.map((name) => `${home}/bin/${name}`),
        ...['plpgsql', 'dict_snowball'].map((name) => `${home}/lib/${name}.so`),
      ],
      files: [`/usr/share/postgresql/${home.split('/').pop()!}`, '/usr/share/zoneinfo'],
      script: postgresScript(`${home}/bin`),
      prepare: prepareCluster(`${home}/bin`),
      path: `/bin:/usr/bin:${home}/bin`,
    }
  },
  redis: () => redisLike('redis'),
  valkey: () => redisLike('valkey'),
  mariadb: () =>
    Promise.resolve({
      programs: ['/usr/sbin/mariadbd', '/usr/bin/mariadb', '/usr/bin/my_print_defaults'],
      files: ['/usr/share/mariadb', '/usr/bin/mariadb-install-db', '/usr/bin/resolveip'],
      script: mariadbScript,
    }),
}

const redisLike = (name: string): Promise<Recipe> =>
  Promise.resolve({
    // The server is the same program as the checker, by another name.
    programs: [`/usr/bin/${name}-cli`, `/usr/bin/${name}-check-rdb`],
    files: [],
    script: redisScript(`${name}-server`),
  })

const users = `root:x:0:0:root:/root:/bin/sh
postgres:x:70:70::/var/lib/postgresql:/bin/sh
mysql:x:71:71::/var/lib/mysql:/bin/sh
`

export type DatabaseImage = 'postgres' | 'redis' | 'valkey' | 'mariadb'
export const databaseImage = (name: DatabaseImage): string => `stagely-test/${name}:2`

const librariesOf = async (program: string): Promise<string[]> => {
  const { stdout } = await run('ldd', [program]).catch(() => ({ stdout: '' }))
  return [...stdout.matchAll(/(\/[^ ]+) \(0x/g)].map(([, path]) => path!)
}

/** Makes the image unless it exists. */
export const makeDatabaseImage = async (name: DatabaseImage): Promise<string> => {
  const image = databaseImage(name)
  if ((await run('docker', ['images', '-q', image])).stdout.trim() !== '') return image
  const {
    programs,
    files,
    script,
    path: searched = '/bin:/usr/bin:/usr/sbin',
    prepare,
  } = await recipes[name]!()
  const libraries = (await Promise.all(programs.map(librariesOf))).flat()
  const folder = await mkdtemp(join(tmpdir(), 'stagely-image-'))
  const root = join(folder, 'root')
  try {
    for (const path of ['bin', 'tmp', 'etc', 'root', 'var/run', 'run', 'usr/bin', 'usr/sbin'])
      await mkdir(join(root, path), { recursive: true })
    await run('tar', [
      '-C',
      '/',
      '-chf',
      join(folder, 'files.tar'),
      ...relative([...programs, ...libraries, ...files]),
    ])
    await run('tar', ['-C', root, '-xf', join(folder, 'files.tar')])
    await copyFile('/bin/busybox', join(root, 'bin/busybox'))
    const applets = (await run('/bin/busybox', ['--list'])).stdout.split('\n').filter(Boolean)
    for (const applet of applets.filter((one) => one !== 'busybox'))
      await symlink('busybox', join(root, 'bin', applet))
    if (name === 'redis' || name === 'valkey')
      await symlink(`${name}-check-rdb`, join(root, 'usr/bin', `${name}-server`))
    await writeFile(join(root, 'etc/passwd'), users)
    await writeFile(join(root, 'etc/group'), 'root:x:0:\npostgres:x:70:\nmysql:x:71:\n')
    await writeFile(join(root, 'entry'), script)
    await chmod(join(root, 'entry'), 0o755)
    await chmod(join(root, 'tmp'), 0o1777)
    await run('tar', ['-C', root, '-cf', join(folder, 'image.tar'), '.'])
    // Its own: another process may be making the same.
    const bare = `${image}-${randomUUID()}`
    const settings = ['ENTRYPOINT ["/entry"]', `ENV PATH=${searched}`, 'CMD []']
    const changes = settings.flatMap((setting) => ['--change', setting])
    await run('docker', ['import', ...changes, join(folder, 'image.tar'), bare])
    if (prepare === undefined) await run('docker', ['tag', bare, image])
    else await commitAfter(prepare, { bare, image, changes })
    await run('docker', ['rmi', bare])
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
  return image
}

/** Makes an image of what a command leaves in another one. */
const commitAfter = async (
  command: string,
  { bare, image, changes }: { bare: string; image: string; changes: readonly string[] },
): Promise<void> => {
  const name = `stagely-t-image-${randomUUID()}`
  const inside = ['--network', 'none', '--entrypoint', '/bin/sh', bare, '-c', command]
  await run('docker', ['run', '--name', name, ...inside])
  await run('docker', ['commit', ...changes, name, image])
  await run('docker', ['rm', name])
}

const relative = (paths: readonly string[]): string[] =>
  [...new Set(paths)].map((path) => path.replace(/^\//, ''))
