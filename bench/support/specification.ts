// The specification's own table and indexes, in a schema beside ours with the same events, so that its queries run there to
// the letter.

import type { Sql } from '../../src/database/connection.ts';
import { fieldNames, fields } from '../../src/events/fields.ts';

const TABLE = `
  CREATE SCHEMA specification;
  CREATE TABLE specification.events (
    id SERIAL PRIMARY KEY, event_id VARCHAR(50) UNIQUE NOT NULL, event_category VARCHAR(20) NOT NULL,
    event_type VARCHAR(50) NOT NULL, event_name VARCHAR(100) NOT NULL, event_description TEXT, user_id INTEGER,
    username VARCHAR(50), user_role VARCHAR(20), ip_address INET, user_agent TEXT, session_id VARCHAR(100),
    resource_type VARCHAR(50), resource_id VARCHAR(50), resource_name VARCHAR(200), action VARCHAR(50) NOT NULL,
    status VARCHAR(20) NOT NULL, http_method VARCHAR(10), endpoint VARCHAR(200), request_data JSONB, response_data JSONB,
    error_message TEXT, error_code VARCHAR(20), processing_time_ms INTEGER,
    timestamp TIMESTAMP WITH TIME ZONE DEFAULT CURRENT_TIMESTAMP, metadata JSONB, tags TEXT[],
    severity VARCHAR(20) DEFAULT 'INFO', created_at TIMESTAMP WITH TIME ZONE DEFAULT CURRENT_TIMESTAMP,
    updated_at TIMESTAMP WITH TIME ZONE DEFAULT CURRENT_TIMESTAMP)`;

const INDEXES = ['category', 'type', 'user_id', 'timestamp', 'status', 'severity'].map(
  (name) => `CREATE INDEX idx_events_${name} ON specification.events(${name === 'category' || name === 'type' ? `event_${name}` : name})`,
); // oxfmt-ignore

/** Copies all events of the log, in the order of their time. */
export const fillSpecification = async (sql: Sql): Promise<void> => {
  const columns = fieldNames
    .filter((name) => name !== 'id' && name !== 'code')
    .map((name) => `"${fields[name].column}"`)
    .join(', ');
  await sql.unsafe(TABLE);
  await sql.unsafe(
    `INSERT INTO specification.events (${columns}) SELECT ${columns} FROM events ORDER BY "timestamp"`,
  );
  for (const index of INDEXES) await sql.unsafe(index);
  await sql.unsafe('VACUUM (ANALYZE) specification.events');
};
