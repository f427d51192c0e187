CREATE UNIQUE INDEX projects_place ON projects (namespace, name);

-- Each write of a secret asks who takes its value; without this it read every secret of the project.
CREATE INDEX objects_secret_follows ON objects (
  namespace,
  (body #>> '{spec,projectRef,name}'),
  (body #>> '{spec,valueFrom,secretRef,name}')
) WHERE kind = 'StagelySecret' AND body #>> '{spec,valueFrom,secretRef,name}' IS NOT NULL;
