// The chain of audit rows on both databases: what somebody with SQL does to it, and what shows it.
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { rowFault } from '../../../src/audit/proof.ts'
import type { ChainedRecord, ExportLine, SignedHead } from '../../../src/audit/lines.ts'
import { ChainVerifier, type ChainVerdict, type VerifyOptions } from '../../../src/audit/verify.ts'
import { contentDigest, createSigner, nodeCrypto, sha256 } from '../../../src/audit/chain.ts'
import { actorText, linkText } from '../../../src/audit/texts.ts'
import { AuditLog } from '../../../src/store/audit/audit-log.ts'
import { readChain } from '../../../src/store/audit/chain-row.ts'
import { exportRows } from '../../../src/store/audit/queries.ts'
import { auditReads } from '../../../src/store/history/reads.ts'
import type { Actor } from '../../../src/store/store.ts'
import { openTestStore, type TestStore } from '../../support/databases/open-test-store.ts'
import { createAs, createShop, secretOf, updateAs } from '../../support/databases/store-fixtures.ts'
import { soak } from '../../support/soak.ts'

const alice: Actor = {
  name: 'alice',
  id: 'u-1',
  source: 'api',
  authority: 'whole',
  address: '203.0.113.9',
  requestId: 'req-1',
}

const everything = { teams: undefined }

const linesOf = async (store: TestStore, after?: number): Promise<string[]> => {
  const lines: string[] = []
  for await (const line of store.audit.export(everything, after)) lines.push(JSON.stringify(line))
  return lines
}

/** Line by line and all at once, as a browser does, which must find the same. */
const judge = async (lines: readonly string[], options?: VerifyOptions): Promise<ChainVerdict> => {
  const [one, all] = [0, 1].map(() => new ChainVerifier(nodeCrypto, options))
  for (const line of lines) await one!.accept(line)
  await all!.accept(...lines)
  const verdict = await one!.finish()
  expect(await all!.finish()).toEqual(verdict)
  return verdict
}

const faultOf = (verdict: ChainVerdict): { seq: number | undefined; message: string } =>
  verdict.ok ? { seq: -1, message: 'no fault' } : verdict.fault

const headOf = (lines: readonly string[]): SignedHead => JSON.parse(lines.at(-1)!) as SignedHead

for (const [name, serverUrl] of [
  ['a Postgres server', (): string | undefined => inject('postgresUrl')],
  ['PGlite', (): string | undefined => undefined],
] as const) {
  describe(`the audit chain on ${name}`, () => {
    let store: TestStore
    let ns: string
    let secret: Awaited<ReturnType<typeof createAs>>

    beforeAll(async () => {
      store = await openTestStore(serverUrl())
      ns = (await createShop(store.store)).ns
      for (const key of ['a', 'b', 'c', 'd']) {
        secret = await createAs(store.store, alice, secretOf(ns, key, { value: `value of ${key}` }))
        await store.audit.sign()
      }
    })
    afterAll(() => store.destroy())

    /** Runs SQL on the chain, verifies what is then exported, and puts everything back. */
    const tampered = async (
      statements: readonly string[],
      options?: VerifyOptions,
    ): Promise<{ seq: number | undefined; message: string }> => {
      await store.audit.sign()
      await store.sql.exec(
        'CREATE TABLE kept_audit AS TABLE audit; CREATE TABLE kept_chain AS TABLE audit_chain',
      )
      try {
        for (const statement of statements) await store.sql.exec(statement)
        return faultOf(await judge(await linesOf(store), options))
      } finally {
        await store.sql.exec(
          'DELETE FROM audit; INSERT INTO audit TABLE kept_audit; DELETE FROM audit_chain; INSERT INTO audit_chain TABLE kept_chain; DROP TABLE kept_audit; DROP TABLE kept_chain',
        )
        expect(await judge(await linesOf(store))).toMatchObject({ ok: true })
      }
    }

    it('verifies, with every row in it', async () => {
      const lines = await linesOf(store)
      const [row] = await store.sql.query<{ count: number }>('SELECT count(*) AS count FROM audit')
      expect(await judge(lines)).toMatchObject({ ok: true, rows: row!.count, hidden: 0 })
      const created = lines.map((l) => JSON.parse(l) as ExportLine).filter((l) => l.type === 'row')
      expect(created.find((l) => l.object.name === 'b')).toMatchObject({
        actor: { name: 'alice', id: 'u-1', address: '203.0.113.9', source: 'api' },
        action: 'create',
        object: { kind: 'StagelySecret', namespace: ns, name: 'b' },
        result: 'success',
        request_id: 'req-1',
      })
      expect(lines.join('\n')).not.toContain('value of')
    })

    it('holds a row from its commit on, whatever its texts', async () => {
      const ref = { kind: 'Request', namespace: '', name: 'a\0b\ud800c' }
      const detail = { path: '\0/\udfff', absent: undefined, list: [undefined, 1.5e-7] }
      await store.audit.record({ name: 'bo', source: 'api', authority: 'whole' }, ref, {
        action: 'deny',
        detail,
      })
      const rows = await exportRows(store.sql, everything, { after: 0, upTo: 1e9, limit: 1e4 })
      expect(rows.at(-1)).toMatchObject({ action: 'deny', object: { name: 'a\ufffdb\ufffdc' } })
      let last = ''
      for (const row of rows) {
        if (row.type !== 'row') throw new Error('a hidden row')
        expect(await rowFault(nodeCrypto, last, row)).toBeUndefined()
        last = row.hash
      }
      expect(store.audit.isUnsigned).toBe(true)
      expect(await judge(await linesOf(store))).toMatchObject({ ok: true, rows: rows.length })
    })

    it('has a row that was changed before its first signature found by whom it was written by', async () => {
      await store.audit.sign()
      const put = (detail: string, hash: string): Promise<unknown> =>
        store.sql.query('UPDATE audit SET detail = $1, hash = $2 WHERE seq = $3', [
          ...[detail, hash, written.seq],
        ])
      await store.audit.record(
        alice,
        { kind: 'Request', namespace: '', name: 'r' },
        { action: 'deny', detail: { path: 'true' } },
      )
      const [before, written] = (
        await exportRows(store.sql, everything, { after: 0, upTo: 1e9, limit: 1e4 })
      ).slice(-2) as [ChainedRecord, ChainedRecord]
      const forged = { ...written, detail: { path: 'forged' } }
      const bound = { seq: written.seq, actor: written.actor_commitment.digest, subject: undefined }
      const hash = sha256(linkText(before.hash, contentDigest(forged, bound)))
      await put('{"path":"forged"}', hash)
      await expect(store.audit.sign()).rejects.toThrow('is not the one that was written')
      await put('{"path":"true"}', written.hash)
      expect(await judge(await linesOf(store))).toMatchObject({ ok: true })
    })

    it('proves rows that another process did not live to sign before it signs them', async () => {
      await store.audit.sign()
      await createAs(store.store, alice, secretOf(ns, 'unsigned', { value: 'value' }))
      const { sql, store: objects, settings } = store
      const next = new AuditLog({ sql, store: objects, settings })
      const ofLast = 'WHERE seq = (SELECT max(seq) FROM audit)'
      await store.sql.exec(`UPDATE audit SET result = 'denied' ${ofLast}`)
      await expect(next.sign()).rejects.toThrow('was changed')
      await store.sql.exec(`UPDATE audit SET result = 'success' ${ofLast}`)
      await next.sign()
      expect(await judge(await linesOf(store))).toMatchObject({ ok: true })
    })

    // What rests on the same, in the long form.
    if (name === 'PGlite' && soak(0, 1) === 0) return

    it('names the row in which any column was edited', async () => {
      await store.audit.sign()
      await store.sql.exec('CREATE TABLE kept_row AS SELECT * FROM audit WHERE seq = 3')
      for (const sql of [
        `actor = 'mallory'`,
        `actor_id = 'u-2'`,
        `address = '198.51.100.1'`,
        `source = 'system'`,
        `action = 'read'`,
        `namespace = 'other'`,
        `name = 'z'`,
        `result = 'denied'`,
        `request_id = 'req-2'`,
        `detail = '{"version":9}'`,
        `at = at + interval '1 microsecond'`,
        `actor_salt = 'AAAA'`,
      ]) {
        await store.sql.exec(`UPDATE audit SET ${sql} WHERE seq = 3`)
        const fault = faultOf(await judge(await linesOf(store)))
        expect(fault, sql).toMatchObject({ seq: 3 })
        expect(fault.message, sql).toContain('row 3 was changed')
        await store.sql.exec('DELETE FROM audit WHERE seq = 3; INSERT INTO audit TABLE kept_row')
      }
      await store.sql.exec('DROP TABLE kept_row')
      expect(await judge(await linesOf(store))).toMatchObject({ ok: true })
    })

    it('names the first row that was removed', async () => {
      const one = await tampered(['DELETE FROM audit WHERE seq = 2'])
      expect(one).toEqual({ seq: 2, message: 'row 2 is missing' })
      const first = await tampered(['DELETE FROM audit WHERE seq <= 2'])
      expect(first).toEqual({ seq: 1, message: 'row 1 to 2 are missing' })
    })

    it('says that its oldest rows are missing where somebody moved its start, online and offline', async () => {
      const moved = (row: string, signature: string): string[] => [
        `UPDATE audit_chain SET (start_seq, start_hash, start_signature) = (SELECT seq, hash, ${signature} FROM audit WHERE seq = ${row})`,
        'DELETE FROM audit WHERE seq <= (SELECT start_seq FROM audit_chain)',
      ]
      const signed = '(SELECT min(seq) FROM audit WHERE signature IS NOT NULL AND seq > 1)'
      for (const attack of [moved('2', 'NULL'), moved(signed, 'signature')]) {
        const fault = await tampered(attack)
        expect(fault.seq).toBe(1)
        expect(fault.message).toContain('has not signed that it pruned them')
      }
      const lines = await linesOf(store)
      const rows = lines.map((line) => JSON.parse(line) as ExportLine)
      const cut = rows.findIndex((line) => line.type === 'row' && line.seq === 3)
      const { hash } = rows[cut - 1] as { hash: string }
      const start = JSON.stringify({ type: 'start', seq: 2, hash })
      const later = [start, ...lines.slice(cut)]
      expect(faultOf(await judge(later))).toMatchObject({ seq: 1 })
      expect(await judge(later, { after: 2 })).toMatchObject({ ok: true, pruned: undefined })
      expect(faultOf(await judge(later, { after: 1 }))).toMatchObject({ seq: 1 })
    })

    it('neither links nor prunes on a start that somebody moved', async () => {
      await store.audit.sign()
      await store.sql.exec(
        `CREATE TABLE kept_chain AS TABLE audit_chain;
         UPDATE audit_chain SET (start_seq, start_hash) = (SELECT seq, hash FROM audit WHERE seq = 2)`,
      )
      await expect(store.audit.sign()).rejects.toThrow('where it begins')
      await expect(store.audit.prune(4_000_000_000_000)).rejects.toThrow('where it begins')
      await store.sql.exec(
        'DELETE FROM audit_chain; INSERT INTO audit_chain TABLE kept_chain; DROP TABLE kept_chain',
      )
      expect(await judge(await linesOf(store))).toMatchObject({ ok: true })
    })

    it('names the first of two rows that changed places', async () => {
      const swap = [
        'UPDATE audit SET seq = 100 WHERE seq = 3',
        'UPDATE audit SET seq = 3 WHERE seq = 4',
        'UPDATE audit SET seq = 4 WHERE seq = 100',
      ]
      expect(await tampered(swap)).toMatchObject({ seq: 3 })
    })

    it('names the row that was put in', async () => {
      const put = (seq: string, where: string): string =>
        `INSERT INTO audit (at, actor, source, action, kind, namespace, name, seq, actor_salt, actor_digest, hash)
         SELECT at, actor, source, action, kind, namespace, name, ${seq}, actor_salt, actor_digest, hash FROM audit WHERE ${where}`
      const shifted = [
        'UPDATE audit SET seq = seq + 1000 WHERE seq > 3',
        put('4', 'seq = 2'),
        'UPDATE audit SET seq = seq - 999 WHERE seq > 1000',
      ]
      expect(await tampered(shifted)).toMatchObject({ seq: 4 })
    })

    it('names the first row that was cut off, also when the head was cut with it', async () => {
      const whole = headOf(await linesOf(store))
      const cut = await tampered(['DELETE FROM audit WHERE seq = (SELECT max(seq) FROM audit)'])
      expect(cut).toMatchObject({ seq: whole.seq })
      const earlier =
        '(SELECT max(seq) FROM audit WHERE signature IS NOT NULL AND seq < (SELECT head_seq FROM audit_chain))'
      const older = [
        `UPDATE audit_chain SET (head_seq, head_hash, head_signature) = (SELECT seq, hash, signature FROM audit WHERE seq = ${earlier})`,
        'DELETE FROM audit WHERE seq > (SELECT head_seq FROM audit_chain)',
      ]
      // The process that signed the newer head knows; a new one needs the head that was kept elsewhere.
      expect(await tampered(older)).toMatchObject({
        message: expect.stringContaining('cut off') as string,
      })
    })

    it('is not fooled by a tail that was computed anew: only the controller signs', async () => {
      const lines = (await linesOf(store)).map((line) => JSON.parse(line) as ExportLine)
      let last = ''
      const forged = lines.map((line) => {
        if (line.type === 'start') return line
        if (line.type === 'head') return { ...line, hash: last }
        if (line.type !== 'row') throw new Error('a hidden row')
        const row = line.seq === 3 ? { ...line, actor: { ...line.actor, name: 'mallory' } } : line
        const digest = sha256(actorText(row.actor_commitment.salt!, row))
        const bound = { seq: row.seq, actor: digest, subject: undefined }
        last = sha256(linkText(last, contentDigest(row, bound)))
        return { ...row, actor_commitment: { ...row.actor_commitment, digest }, hash: last }
      })
      const { seq, message } = faultOf(await judge(forged.map((line) => JSON.stringify(line))))
      expect(seq).toBeGreaterThan(0)
      expect(seq).toBeLessThanOrEqual(3)
      expect(message).toContain('chain recomputed')
    })

    it('finds in an export far away what is wrong with it', async () => {
      const lines = await linesOf(store)
      const head = headOf(lines)
      expect(faultOf(await judge(lines.slice(0, -1))).message).toContain('without a signed head')
      expect(faultOf(await judge([...lines.slice(0, 3), ...lines.slice(4)]))).toMatchObject({
        seq: 3,
      })
      expect(faultOf(await judge(lines.slice(1))).message).toContain('is not the start line')
      expect(faultOf(await judge([])).message).toBe('the export is empty')
      const shorter = await linesOf(store)
      await createAs(store.store, alice, secretOf(ns, 'e', { value: 'value of e' }))
      const longer = await linesOf(store)
      expect(await judge(longer, { heads: [head] })).toMatchObject({ ok: true })
      expect(faultOf(await judge(shorter, { heads: [headOf(longer)] })).message).toContain(
        'are cut off',
      )
      expect(await judge(await linesOf(store, head.seq), { heads: [head] })).toMatchObject({
        ok: true,
        rows: 1,
      })
      const stranger = { ...head, public_key: 'A'.repeat(43) }
      expect(faultOf(await judge(longer, { publicKey: stranger.public_key })).message).toContain(
        'signed with the key',
      )
    })

    it('shows a reader his rows, and of others what keeps the chain whole', async () => {
      const lines: string[] = []
      for await (const line of store.audit.export({ teams: [ns], name: 'b' }))
        lines.push(JSON.stringify(line))
      expect(lines.filter((line) => line.includes('"type":"row"'))).toHaveLength(1)
      expect(await judge(lines)).toMatchObject({ ok: true })
    })

    it('refuses a secret update when its row cannot be written, and changes nothing', async () => {
      const before = await store.store.get({ kind: 'StagelySecret', namespace: ns, name: 'd' })
      await store.sql.exec(
        `CREATE FUNCTION no_audit() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'read-only'; END $$;
         CREATE TRIGGER no_audit BEFORE INSERT ON audit EXECUTE FUNCTION no_audit()`,
      )
      try {
        const next = { ...secret, spec: { ...secret.spec, value: 'another value' } }
        await expect(updateAs(store.store, alice, next)).rejects.toThrow()
        expect(await store.store.get({ kind: 'StagelySecret', namespace: ns, name: 'd' })).toEqual(
          before,
        )
        const versions = await store.sql.query(
          'SELECT 1 FROM secret_versions WHERE secret_uid = $1',
          [secret.metadata.uid],
        )
        expect(versions).toHaveLength(1)
        const project = await store.store.get({ kind: 'Project', namespace: ns, name: 'shop' })
        const delivery = { stagelet: 'web', agent: 'box' }
        await expect(store.store.openSet(project!.metadata.uid!, 0, delivery)).rejects.toThrow()
      } finally {
        await store.sql.exec('DROP TRIGGER no_audit ON audit; DROP FUNCTION no_audit')
      }
    })

    it('is one chain however many write and sign at once, and does nothing when nothing is new', async () => {
      const stores = serverUrl() === undefined ? [store] : [store, await store.again()]
      const writes = Array.from({ length: 40 }, (_, i) =>
        createAs(
          stores[i % stores.length]!.store,
          alice,
          secretOf(ns, `many-${i}`, { value: 'x' }),
        ),
      )
      const rounds = Array.from({ length: 10 }, (_, i) => stores[i % stores.length]!.audit.sign())
      await Promise.all([...writes, ...rounds])
      const lines = await linesOf(store)
      expect(await judge(lines)).toMatchObject({ ok: true })
      expect(store.audit.isUnsigned).toBe(false)
      const head = await store.audit.sign()
      expect(head).toEqual(headOf(lines))
      expect(await store.audit.state()).toEqual({ linkedTo: head.seq, head, fault: undefined })
    })

    it('does not sign on top of a head that somebody else wrote', async () => {
      await store.sql.exec(`UPDATE audit_chain SET head_hash = 'x' || head_hash`)
      await createAs(store.store, alice, secretOf(ns, 'after-tampering', { value: 'value' }))
      await expect(store.audit.sign()).rejects.toThrow('tampered')
      const { linkedTo, head, fault } = await store.audit.state()
      expect(fault).toContain('tampered')
      expect(linkedTo).toBeGreaterThan(head.seq)
      expect(faultOf(await judge(await linesOf(store))).message).toContain('recomputed')
      expect(store.audit.isUnsigned).toBe(true)
      await store.sql.exec('UPDATE audit_chain SET head_hash = substr(head_hash, 2)')
      expect(await judge(await linesOf(store))).toMatchObject({ ok: true })
    })

    it('tells what a person has read, and which of it is still in use', async () => {
      const bob: Actor = { ...alice, name: 'bob', id: 'u-2' }
      const read = (key: string, version: number): Promise<void> =>
        store.store.writeWithSession(bob, (session) => {
          const row = session.fetch({ kind: 'StagelySecret', namespace: ns, name: key })
          const ref = { kind: 'StagelySecret', namespace: ns, name: key }
          const what = {
            ref,
            uid: row!.uid,
            project: 'shop',
            key: key.toUpperCase(),
            scope: 'global',
            version,
          }
          auditReads(session, 'reveal', [what])
          return Promise.resolve()
        })
      await read('a', 1)
      await read('a', 1)
      await read('b', 1)
      const b = await store.store.get({ kind: 'StagelySecret', namespace: ns, name: 'b' })
      await updateAs(store.store, alice, { ...b!, spec: { ...b!.spec, value: 'rotated value' } })
      expect(await store.audit.revealed('bob', [ns])).toMatchObject([
        { key: 'A', version: 1, reads: 2, currentVersion: 1, knowsCurrent: true },
        { key: 'B', version: 1, reads: 1, currentVersion: 2, knowsCurrent: false },
      ])
      expect(await store.audit.revealed('u-2', ['other'])).toEqual([])
      expect(await store.audit.revealed('alice', undefined)).toEqual([])
    })

    it('erases a person wherever else a name is kept, in what is deleted too', async () => {
      const carol: Actor = { name: 'carol', id: 'u-carol', source: 'api', authority: 'whole' }
      const shop = await createShop(store.store)
      await createAs(store.store, carol, secretOf(shop.ns, 'gone', { value: 'value' }))
      await createAs(store.store, carol, secretOf(shop.ns, 'kept', { value: 'value' }))
      await store.store.write(carol, {}, (tx) =>
        tx.remove({ kind: 'StagelySecret', namespace: shop.ns, name: 'gone' }),
      )
      await store.keys.rotateDataKeys(carol, shop.projectUid)
      const made = { principal: 'user:u-admin', route: 'createUser', key: 'once', content: [] }
      const claimed = await store.idempotency.claim(made)
      if (claimed.outcome !== 'claimed') throw new Error('somebody else has claimed it')
      await store.idempotency.answer(claimed.claim, { status: 201, body: { name: 'carol' } })
      const tables = await store.sql.query<{ name: string }>(
        `SELECT table_name AS name FROM information_schema.tables
         WHERE table_schema = 'public' AND table_type = 'BASE TABLE' ORDER BY 1`,
      )
      const naming = async (): Promise<string[]> => {
        const found: string[] = []
        for (const { name } of tables) {
          const rows = await store.sql.query(
            `SELECT 1 FROM ${name} t WHERE t::text LIKE '%carol%' LIMIT 1`,
          )
          if (rows.length > 0) found.push(name)
        }
        return found
      }
      expect(await naming()).toEqual(
        expect.arrayContaining([
          ...[
            'audit',
            'changes',
            'deleted_secrets',
            'idempotency_keys',
            'key_rotations',
            'objects',
          ],
        ]),
      )
      await store.audit.erase('carol', alice, false)
      expect(await naming()).toEqual([])
    })

    it('erases a person and stays whole; a row that is blanked out by hand is named', async () => {
      await store.audit.record(
        alice,
        { kind: 'User', namespace: '', name: 'bob' },
        { action: 'create user' },
      )
      const blanked = await tampered([
        `UPDATE audit SET actor = 'erased:nobody', actor_id = NULL, address = NULL, actor_salt = NULL WHERE actor = 'bob' AND name = 'b'`,
      ])
      expect(blanked.message).toContain('blanked out by hand')
      const before = headOf(await linesOf(store))
      const dry = await store.audit.erase('bob', alice, true)
      expect(dry.rows).toBe(4)
      expect(await store.audit.revealed('bob', undefined)).toHaveLength(2)
      const erasure = await store.audit.erase('bob', alice, false)
      expect(erasure).toMatchObject({ rows: 4, mentions: 0 })
      const lines = await linesOf(store)
      expect(lines.join('\n')).not.toMatch(/"bob"|"u-2"/)
      expect(await judge(lines, { heads: [before] })).toMatchObject({ ok: true, hidden: 0 })
      await expect(store.audit.erase('bob', alice, false)).rejects.toThrow('names nobody')
      const more = await tampered([
        `UPDATE audit SET actor = '${erasure.pseudonym}', actor_id = NULL, address = NULL, actor_salt = NULL WHERE seq = 3`,
      ])
      expect(more.message).toContain('blanked out by hand')
      const alone = await store.audit.list(
        { teams: undefined, by: erasure.pseudonym },
        { limit: 10 },
      )
      expect(alone.records.map((r) => r.action)).toEqual(['reveal', 'reveal', 'reveal'])
    })

    it('prunes no row that somebody made old or took away: a pruning would hide it', async () => {
      await store.audit.sign()
      const made = `UPDATE audit SET at = '2000-01-01' WHERE seq <= 3`
      await store.sql.exec('CREATE TABLE kept_rows AS SELECT * FROM audit WHERE seq <= 3')
      const left = (): Promise<unknown[]> => store.sql.query('SELECT seq FROM audit ORDER BY id')
      for (const [statement, why] of [
        [made, 'row 1 was changed'],
        [`${made}; DELETE FROM audit WHERE seq = 1`, 'row 1 is missing'],
        [`${made}; DELETE FROM audit WHERE seq = 2`, 'row 1 was changed'],
      ] as const) {
        await store.sql.exec(statement)
        const before = await left()
        await expect(store.audit.prune(Date.UTC(2001))).rejects.toThrow(why)
        expect(await left()).toEqual(before)
        await store.sql.exec('DELETE FROM audit WHERE seq <= 3; INSERT INTO audit TABLE kept_rows')
      }
      await store.sql.exec('DROP TABLE kept_rows')
      expect(await judge(await linesOf(store))).toMatchObject({ ok: true, pruned: undefined })
    })

    it('stays verifiable when what is old was pruned', async () => {
      const head = headOf(await linesOf(store))
      expect(await store.audit.prune(0)).toBe(0)
      expect(await store.audit.prune(4_000_000_000_000)).toBe(head.seq)
      await createAs(store.store, alice, secretOf(ns, 'after-pruning', { value: 'value' }))
      const lines = await linesOf(store)
      const pruned = { upTo: head.seq, at: expect.any(String) as string }
      expect(await judge(lines)).toMatchObject({ ok: true, rows: 2, pruned })
      expect(await judge(lines, { heads: [head] })).toMatchObject({ ok: true, rows: 2, pruned })
      const hidden: string[] = []
      for await (const line of store.audit.export({ teams: ['none'] }))
        hidden.push(JSON.stringify(line))
      expect(await judge(hidden)).toMatchObject({ ok: true, pruned: { upTo: head.seq } })
      const forged = await tampered([`UPDATE audit_chain SET start_hash = 'x'`])
      expect(forged.seq).toBe(head.seq + 1)
      expect(
        (await store.audit.list(everything, { limit: 10 })).records.map((r) => r.action),
      ).toEqual(['create', 'prune'])
    })

    it('is not signed where the signature of a head stands in place of the signature of its start', async () => {
      const { start } = await readChain(store.sql)
      const stored = await store.settings.getSealed('audit-signing-key')
      const signer = createSigner(stored!.subarray('starts signed:'.length))
      const { sql, store: objects, settings } = store
      const sign = (): Promise<unknown> => new AuditLog({ sql, store: objects, settings }).sign()
      const replaceBy = (as: 'head' | 'start'): Promise<unknown> =>
        sql.query('UPDATE audit_chain SET start_signature = $1', [signer.sign(as, start)])
      await replaceBy('head')
      await expect(sign()).rejects.toThrow('where it begins')
      await replaceBy('start')
      await sign()
    })
  })
}
