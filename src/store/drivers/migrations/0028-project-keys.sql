-- Name of the key that wraps the keys of a project, as its spec has it; NULL: the master key.
ALTER TABLE projects ADD COLUMN key_provider text;
