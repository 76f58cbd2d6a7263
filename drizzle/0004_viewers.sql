-- What a key is kept within, and where and for how long it may be used. Null is: no limit.
ALTER TABLE api_keys
  ADD COLUMN narrowing         jsonb,         -- categories, codes, severities and resources; see src/access/narrowing.ts
  ADD COLUMN sources           text[],        -- addresses and blocks of addresses
  ADD COLUMN origins           text[],        -- of the pages it is for: a key for browsers
  ADD COLUMN events_per_second integer,
  ADD COLUMN expires_at        timestamptz,
  ADD COLUMN last_used_at      timestamptz,   -- to the minute
  ADD COLUMN replaces          integer REFERENCES api_keys;
