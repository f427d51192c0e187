-- The places to which a token is narrowed, as {"projects": […], "environments": […], "stagelets": […]}; NULL: its whole teams.
-- See docs/adr/0082-rights-below-a-team.md.
ALTER TABLE tokens ADD COLUMN narrowing json;
