-- The first of the keys that were made in each other's place; null is: itself. Names of keys are not unique.
ALTER TABLE api_keys ADD COLUMN root integer REFERENCES api_keys;
--> statement-breakpoint
WITH RECURSIVE made AS (
  SELECT id, id AS root FROM api_keys WHERE replaces IS NULL
  UNION ALL
  SELECT api_keys.id, made.root FROM made JOIN api_keys ON api_keys.replaces = made.id
)
UPDATE api_keys SET root = made.root FROM made WHERE made.id = api_keys.id AND replaces IS NOT NULL;
