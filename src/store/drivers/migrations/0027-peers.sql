-- Where the other controllers reach this one, and the certificate that it shows, as PEM. NULL: nobody
-- has said yet.
ALTER TABLE replicas ADD COLUMN url text;
ALTER TABLE replicas ADD COLUMN certificate text;
