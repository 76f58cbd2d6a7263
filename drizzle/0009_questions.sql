-- Questions: words that are searched for, and the indexes that a measured plan uses.

-- The words of an event, those of its resource's name once more with a colon before them: ASCII in lower case, accents of
-- Latin letters gone. src/query/search.ts says the same; a test holds both equal. No word is longer than its text, so that
-- 500 characters are within what an index entry takes. On a text of 100 characters replace() fifteen times took 2 µs where
-- one translate() or regular expression took 17 to 40, so translate() is left for text that has more than ASCII.
CREATE FUNCTION search_words(name text, description text, error text, resource text) RETURNS tsvector
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE COST 500 AS $$
DECLARE
  words text := name || coalesce(' ' || left(description, 500), '') || coalesce(' ' || left(error, 500), '') || coalesce(' ' || resource, '');
BEGIN
  IF octet_length(words) > length(words) THEN
    words := translate(words, 'ÀÁÂÃÄÅàáâãäåÇçÈÉÊËèéêëÌÍÎÏìíîïÑñÒÓÔÕÖØòóôõöøÙÚÛÜùúûüÝýÿ', 'aaaaaaaaaaaacceeeeeeeeiiiiiiiinnoooooooooooouuuuuuuuyyy');
  END IF;
  words := replace(replace(replace(replace(replace(replace(replace(replace(replace(replace(replace(replace(replace(replace(replace(
    lower(words COLLATE "C"), '.', ' '), ',', ' '), ';', ' '), ':', ' '), '''', ' '), '"', ' '), '(', ' '), ')', ' '), '/', ' '),
    '-', ' '), '_', ' '), '=', ' '), E'\n', ' '), E'\r', ' '), E'\t', ' ');
  IF resource <> '' THEN  -- it is as long as it was
    words := words || replace(' ' || right(words, length(resource)), ' ', ' :');
  END IF;
  RETURN array_to_tsvector(array_remove(array_remove(string_to_array(words, ' '), ''), ':'));
END $$;
--> statement-breakpoint

-- The groups of three letters of a word with two blanks before it and one after it, as pg_trgm makes them.
CREATE FUNCTION search_trigrams(word text) RETURNS text[]
LANGUAGE sql IMMUTABLE PARALLEL SAFE RETURN
  ARRAY(SELECT DISTINCT substr('  ' || word || ' ', place, 3) FROM generate_series(1, length(word) + 1) AS place);
--> statement-breakpoint

-- Every word of letters in a name of a resource, so that a misspelt one finds those that are like it.
CREATE TABLE search_names (
  word     text   PRIMARY KEY,
  trigrams text[] NOT NULL
);
--> statement-breakpoint
CREATE INDEX search_names_trigrams ON search_names USING gin (trigrams) WITH (fastupdate = off);
--> statement-breakpoint
CREATE FUNCTION names_in(resource text) RETURNS SETOF text
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT substr(word, 2) FROM unnest(tsvector_to_array(search_words('', NULL, NULL, resource))) AS word WHERE word ~ '^:[a-z]{3,40}$'
$$;
--> statement-breakpoint
CREATE FUNCTION note_search_names() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
  -- In the order of the words, so that two batches with the same new ones wait for each other and never in a circle.
  INSERT INTO search_names
  SELECT word, search_trigrams(word)
  FROM (SELECT DISTINCT resource_name FROM fresh WHERE resource_name IS NOT NULL) AS named, names_in(resource_name) AS said (word)
  WHERE NOT EXISTS (SELECT FROM search_names AS known WHERE known.word = said.word)
  ORDER BY word
  ON CONFLICT DO NOTHING;
  RETURN NULL;
END $$;
--> statement-breakpoint
CREATE TRIGGER note_search_names AFTER INSERT ON events REFERENCING NEW TABLE AS fresh
FOR EACH STATEMENT EXECUTE FUNCTION note_search_names();
--> statement-breakpoint
INSERT INTO search_names
SELECT word, search_trigrams(word)
FROM (SELECT DISTINCT resource_name FROM events WHERE resource_name IS NOT NULL) AS named, names_in(resource_name) AS said (word)
ON CONFLICT DO NOTHING;
--> statement-breakpoint

-- What finds all of these folded words, which blanks separate: a word that begins with it, or one of a resource's name that
-- shares a third of all their trigrams; after "=" the word itself. It is called with parameters of a query that is planned
-- each time, and IMMUTABLE has it called once, by the planner: as STABLE it was called for every partition and, as a filter,
-- for every row (2,600 ms instead of 20).
CREATE FUNCTION search_query(wanted text) RETURNS tsquery
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT string_agg(format('(%s%s)', quoted, CASE WHEN NOT exactly THEN ':*' || coalesce(alike, '') END), ' & ')::tsquery
  FROM string_to_array(wanted, ' ') AS words, unnest(words) AS given,
       starts_with(given, '=') AS exactly,
       ltrim(given, '=') AS word,
       format('''%s''', replace(word, '\', '\\')) AS quoted,
       LATERAL (
         SELECT string_agg(format(' | '':%s''', known.word), '') AS alike
         FROM search_trigrams(word) AS own, search_names AS known, cardinality(ARRAY(
                SELECT unnest(own) INTERSECT SELECT unnest(known.trigrams))) AS shared
         WHERE NOT exactly AND word ~ '^[a-z]{4,40}$' AND known.trigrams && own
           AND 4 * shared >= cardinality(own) + cardinality(known.trigrams)
       ) AS names
$$;
--> statement-breakpoint
-- A lower limit makes shorter stalls and searches and costs no more: 100,000 rows took 2.7 s with 512 kB, 4 MB and 16 MB.
CREATE INDEX events_words ON events USING gin (search_words(event_name, event_description, error_message, resource_name))
  WITH (gin_pending_list_limit = 512);
--> statement-breakpoint
CREATE INDEX events_json ON events USING gin (metadata jsonb_path_ops, request_data jsonb_path_ops, response_data jsonb_path_ops);
--> statement-breakpoint
-- Who acted, and what was acted on. Inserting 100,000 rows took 1.50 s with the first and 1.24 s without.
CREATE INDEX events_user_time ON events (user_id, "timestamp", id) WHERE user_id IS NOT NULL;
--> statement-breakpoint
CREATE INDEX events_resource_time ON events (resource_id, "timestamp", id) WHERE resource_id IS NOT NULL;
