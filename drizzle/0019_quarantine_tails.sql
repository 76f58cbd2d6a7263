-- Of the id under which what was refused is logged again: 74 random bits, so that nobody logs under it beforehand.
ALTER TABLE quarantine ADD COLUMN tail char(20) NOT NULL DEFAULT left(replace(gen_random_uuid()::text, '-', ''), 20);
