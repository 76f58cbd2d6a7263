-- What finds all of these folded words, which blanks separate: a word that begins with it, or, for one of 4 to 40 letters, a
-- word of a resource's name that shares a third of all their trigrams; after "=" the word itself. It is called with parameters
-- of a query that is planned each time, and IMMUTABLE has it called once, by the planner: as STABLE it was called for every
-- partition and, as a filter, for every row (2,600 ms instead of 20).
CREATE OR REPLACE FUNCTION search_query(wanted text) RETURNS tsquery
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT string_agg(format('(%s%s)', quoted, CASE WHEN NOT exactly THEN ':*' || coalesce(alike, '') END), ' & ')::tsquery
  FROM string_to_array(wanted, ' ') AS words, unnest(words) AS given,
       starts_with(given, '=') AS exactly,
       ltrim(given, '=') AS sought,
       format('''%s''', replace(sought, '\', '\\')) AS quoted,
       LATERAL (
         SELECT string_agg(format(' | '':%s''', known.word), '') AS alike
         FROM search_trigrams(sought) AS own, search_names AS known, cardinality(ARRAY(
                SELECT unnest(own) INTERSECT SELECT unnest(known.trigrams))) AS shared
         WHERE NOT exactly AND sought ~ '^[a-z]{4,40}$' AND known.trigrams && own
           AND 4 * shared >= cardinality(own) + cardinality(known.trigrams)
       ) AS names
$$;
