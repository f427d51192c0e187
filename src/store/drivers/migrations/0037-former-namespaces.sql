-- Names of namespaces that are gone: a value that was sealed for a name alone opens in the first namespace
-- of that name only. Of deletions before, the audit log and the feed tell.
CREATE TABLE former_namespaces (
  name text PRIMARY KEY
);
INSERT INTO former_namespaces (name)
SELECT name FROM audit WHERE kind = 'Namespace' AND action = 'delete' AND result = 'success'
UNION
SELECT name FROM changes WHERE kind = 'Namespace' AND type = 'DELETED';
