// Rows by the million, put there by PostgreSQL itself: copies of the events that are in the log, in batches of 1,000 with
// their places in the order, spread evenly over the days that every severity is kept.

import type { Running } from './contender.ts';

const BATCH = 1_000;
const CHUNK = 50 * BATCH;
const DAYS = 6;

export const fill = async (server: Running, rows: number): Promise<void> => {
  for (let done = 0; done < rows; done += CHUNK) {
    const batches = Math.ceil(Math.min(CHUNK, rows - done) / BATCH);
    const age = `interval '${(DAYS * 86_400 * (1 - done / rows)).toFixed(0)} seconds'`;
    await server.count(`
      WITH batch AS MATERIALIZED (
        SELECT nextval('batch_numbers') AS number FROM generate_series(1, ${batches})
      ), sample AS MATERIALIZED (
        SELECT *, row_number() OVER () - 1 AS place FROM (SELECT * FROM events LIMIT ${BATCH}) AS latest
      ), stored AS (
        INSERT INTO events
        SELECT number * 1024 + place, gen_random_uuid()::text, code, event_category, event_type, event_name,
               event_description, user_id, username, user_role, ip_address, user_agent, session_id, resource_type,
               resource_id, resource_name, action, status, http_method, endpoint, request_data, response_data,
               error_message, error_code, processing_time_ms, now() - ${age}, metadata, tags, severity
        FROM batch, sample RETURNING 1
      )
      SELECT count(take_ticket(number, gen_random_uuid(), ${BATCH}, 31, 255, now() - ${age}, now() - ${age}))
      FROM batch WHERE (SELECT count(*) FROM stored) > 0`);
  }
};
