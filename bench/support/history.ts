// The history of a school: events by the million over fourteen days, made by PostgreSQL itself, the same ones in every run;
// in batches of 1,000 with their places in the order, so that whatever follows the log can follow these. Requests are a
// third, a tenth are predictions, a thousandth is critical; a few people do most of it. 5,000,000 took 175 s on two shared
// cores and 3.9 GB, without the indexes for words and JSON, which took 103 s more.

import { type DatabaseAddress, type Sql, connect } from '../../src/database/connection.ts';
import { type Definition, catalog } from '../../src/events/catalog.ts';

export type History = {
  readonly rows: number;
  /** The latest event is just before it. */
  readonly now: Date;
  readonly days?: number;
};

const WRITERS = 2;
const BATCH = 1_000;
const CHUNK = 100 * BATCH;

/** Puts a history into a migrated log. Severities are kept as long as they are: what would be an older DEBUG is INFO. */
export const fillHistory = async (
  address: DatabaseAddress,
  { rows, now, days = 14 }: History,
): Promise<void> => {
  const sql = connect(address, { name: 'history', max: WRITERS });
  try {
    await sql`SET client_min_messages = error`;
    await prepare(sql);
    const rebuild = await withoutIndexes(sql);
    const [{ base }] = await sql<[{ base: number }]>`
      SELECT setval('batch_numbers', nextval('batch_numbers') + ${Math.ceil(rows / BATCH)}) - ${Math.ceil(rows / BATCH)} AS base`;
    const chunks = Array.from({ length: Math.ceil(rows / CHUNK) }, (_, index) => index * CHUNK);
    const work = async (): Promise<void> => {
      for (let from = chunks.shift(); from !== undefined; from = chunks.shift())
        await sql.unsafe(
          INSERT,
          [from, Math.min(from + CHUNK, rows), base, now.toISOString(), days * 86_400, rows],
          { prepare: true },
        );
    };
    await Promise.all(Array.from({ length: WRITERS }, work));
    await sql.unsafe(FINISH);
    await sql.unsafe(NOTE_NAMES);
    await rebuild();
    await sql`VACUUM (ANALYZE) events`;
    await sql`VACUUM (ANALYZE) batches`;
  } finally {
    await sql.end();
  }
};

/** Drops the indexes that are no constraint's; the function makes them again. Kept, they took as long as all the rest. */
const withoutIndexes = async (sql: Sql): Promise<() => Promise<void>> => {
  const indexes = await sql<{ name: string; definition: string }[]>`
    SELECT indexrelid::regclass::text AS name, pg_get_indexdef(indexrelid) AS definition
    FROM pg_index WHERE indrelid = 'events'::regclass AND NOT indisprimary`;
  for (const { name } of indexes) await sql.unsafe(`DROP INDEX ${name}`);
  return async () => {
    for (const { definition } of indexes)
      await sql.begin(async (transaction) => {
        await transaction`SET LOCAL maintenance_work_mem = '512MB'`;
        await transaction.unsafe(definition.replace(' ON ONLY ', ' ON '));
      });
  };
};

/** How often each code occurs among the tickets; what is not said follows from the severity. */
const often: Readonly<Record<string, number>> = {
  'AUTH-001': 600, 'AUTH-002': 60, 'AUTH-003': 400, 'AUTH-006': 600, 'AUTH-008': 400, 'DATA-001': 30, 'DATA-002': 200,
  'DATA-004': 600, 'DATA-005': 200, 'DATA-006': 600, 'DATA-007': 100, 'PRED-001': 1_000, 'PRED-002': 1_000,
  'PRED-007': 200, 'ANLY-001': 300, 'ANLY-003': 300,
}; // oxfmt-ignore
const oftenBySeverity = { DEBUG: 30, INFO: 10, WARNING: 8, ERROR: 4, CRITICAL: 1 } as const;

type Kind = Partial<Definition> & { readonly weight: number };

const request = { category: 'SYSTEM', type: 'API_REQUEST', name: 'API Request', action: 'GET' } as const; // oxfmt-ignore
const kinds: readonly Kind[] = [
  { ...request, status: 'SUCCESS', severity: 'DEBUG', weight: 3_000 },
  { ...request, status: 'FAILED', severity: 'INFO', weight: 250 },
  { ...request, status: 'DENIED', severity: 'WARNING', weight: 100 },
  { ...request, status: 'ERROR', severity: 'ERROR', weight: 150 },
  ...(['VIEW', 'CREATE', 'UPDATE', 'SEARCH'] as const).map((action) => ({
    category: 'DATA' as const, type: 'USER_ACTION', name: `${action} STUDENT`, action, status: 'SUCCESS' as const,
    severity: 'INFO' as const, weight: 200,
  })), // oxfmt-ignore
  ...[...catalog.values()].map((definition) => ({
    ...definition,
    weight: often[definition.code] ?? oftenBySeverity[definition.severity],
  })),
];

const words = {
  given:
    'Ahmad Siti Budi Dewi Rizki Putri Agus Nur Wayan Ketut Dian Eko Fitri Gilang Hana Indra Joko Kartika Lestari Made Nanda Oktavia Pandu Ratna Surya Tri Utami Vina Wulan Yusuf',
  family:
    'Santoso Rahmawati Siregar Hidayat Wulandari Nasution Saputra Pratama Kusuma Wijaya Setiawan Lubis Simanjuntak Gunawan Halim Permata Maulana Susanto Anggraini Firmansyah Handayani Iskandar Jayadi Mahendra Nugroho Purnama Ramadhan Suryani Wibowo Zulkarnain',
  subject: 'Matematika Fisika Kimia Biologi Sejarah Geografi Ekonomi Sosiologi',
  route:
    '/api/siswa/{id} /api/dashboard /api/siswa /api/nilai/{id} /api/presensi /api/prediksi/individual /api/prediksi/riwayat /api/laporan /api/kelas/{id} /api/orang-tua/{id} /api/laporan/ekspor /api/model /api/pengguna /api/pengaturan',
} as const;

/** As many of a kind as its weight, so that drawing one draws a kind as often as it occurs. */
const tickets = kinds.flatMap(({ weight, descriptions, ...kind }) =>
  Array.from({ length: weight }, () => ({ ...kind, words: descriptions?.id })),
);

const prepare = async (sql: Sql): Promise<void> => {
  await sql.unsafe(`
    DROP TABLE IF EXISTS history_tickets, history_batches, history_words;
    CREATE UNLOGGED TABLE history_tickets (ticket int PRIMARY KEY, code text, category text, type text, name text,
      severity text, action text, status text, words text);
    CREATE UNLOGGED TABLE history_words (given text[], family text[], subject text[], route text[]);
    CREATE UNLOGGED TABLE history_batches (number bigint, size int, severities int, categories int, earliest timestamptz, latest timestamptz)`);
  await sql`INSERT INTO history_words SELECT string_to_array(${words.given}, ' '), string_to_array(${words.family}, ' '),
    string_to_array(${words.subject}, ' '), string_to_array(${words.route}, ' ')`;
  await sql`INSERT INTO history_tickets SELECT row_number() OVER () - 1, kind.*
    FROM jsonb_to_recordset(${tickets as never}::jsonb)
      AS kind (code text, category text, type text, name text, severity text, action text, status text, words text)`;
  await sql`ANALYZE history_tickets`;
};

/** A number below a bound, the same for the same event and purpose. */
const below = (bound: string | number, purpose: number): string =>
  `((hashint8extended(i, ${purpose}) & 1073741823) % ${bound})`;
/** From 0 to 1, the low ones by far the most frequent. */
const favoured = (purpose: number): string =>
  `power((hashint8extended(i, ${purpose}) & 1048575) / 1048576.0::float8, 3)`;
const word = (of: keyof typeof words, number: string): string =>
  `w.${of}[1 + ((${number}) % ${words[of].split(' ').length})::int]`;

// $1 to $2 are the numbers of the events, $3 the batch before the first, $4 to $6 when, over how many seconds, how many.
const INSERT = `
  WITH drawn AS (
    SELECT i, $4::timestamptz - $5::float8 * (1 - (i + ${below(1_000, 1)} / 1000.0) / $6::float8) * interval '1 second' AS at,
           ${below(tickets.length, 2)}::int AS ticket,
           CASE WHEN ${below(4, 3)} > 0 THEN (${favoured(4)} * 1200)::int + 1 END AS person,
           CASE WHEN ${below(2, 5)} > 0 THEN (${favoured(6)} * 4000)::int + 1 END AS student,
           (${favoured(7)} * 14)::int AS way, ${below(1_000, 8)}::int AS chance
    FROM generate_series($1::bigint, $2::bigint - 1) AS i
  ), stored AS (
    INSERT INTO events (id, event_id, code, event_category, event_type, event_name, event_description, user_id, username,
      user_role, ip_address, user_agent, session_id, resource_type, resource_id, resource_name, action, status, http_method,
      endpoint, request_data, response_data, error_message, error_code, processing_time_ms, "timestamp", metadata, tags,
      severity, created_at, updated_at)
    SELECT ($3::bigint + i / ${BATCH}) * 1024 + i % ${BATCH},
      coalesce(code, category) || to_char(at AT TIME ZONE 'UTC', '-YYYYMMDD-HH24MISS-') || lpad(to_hex($3::bigint * ${BATCH} + i), 20, '0'),
      code, category, type, name,
      concat(coalesce(words, 'Permintaan ke ' || ${word('route', 'way')}), CASE WHEN student IS NOT NULL
        THEN format(' %s oleh %s untuk %s semester ganjil', ${word('subject', 'i')}, ${word('given', 'person')}, learner) END),
      person, CASE WHEN person IS NOT NULL THEN lower(${word('given', 'person')} || '.' || ${word('family', 'person / 30')}) || person % 7 END,
      CASE WHEN person IS NOT NULL THEN (ARRAY['GURU', 'SISWA', 'WALI_KELAS', 'KEPALA_SEKOLAH', 'ADMIN'])[1 + person % 5] END,
      ('10.20.' || ${below(16, 9)} || '.' || ${below(250, 10)})::inet,
      'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/137.0.0.0 Safari/537.36',
      CASE WHEN person IS NOT NULL THEN 'sess_' || to_hex(hashint8extended(person * 1000 + i / 20000, 11)) END,
      CASE WHEN student IS NOT NULL THEN 'STUDENT' END, 'STD-2025-' || student, learner, action, status,
      CASE WHEN chance < 800 THEN CASE WHEN action IN ('LOGIN', 'CREATE') THEN 'POST' ELSE 'GET' END END,
      CASE WHEN chance < 800 THEN ${word('route', 'way')} END,
      CASE WHEN chance % 3 = 0 THEN jsonb_build_object('mata_pelajaran', ${word('subject', 'i')}, 'nilai', chance % 101) END,
      CASE WHEN code = 'PRED-002' THEN jsonb_build_object('prediction', (ARRAY['TINGGI', 'SEDANG', 'RENDAH'])[1 + chance % 3],
             'confidence', 50 + chance / 20.0,
             'features', jsonb_build_object('academic_average', 60 + chance % 40, 'attendance_rate', 92.5)) END,
      CASE WHEN status IN ('ERROR', 'FAILED') THEN 'Koneksi ke layanan terputus setelah ' || chance || ' ms' END,
      CASE WHEN status IN ('ERROR', 'FAILED') THEN 'E' || chance % 40 END,
      CASE WHEN chance % 5 > 0 THEN (20 / (1.001 - chance / 1000.0))::int END,
      at,
      CASE WHEN type = 'API_REQUEST' THEN jsonb_build_object('status_code', 200 + chance % 3, 'content_length', chance * 9)
           WHEN type = 'USER_LOGIN' THEN jsonb_build_object('browser', 'Chrome 137', 'login', jsonb_build_object('method', 'password', 'attempts', chance % 20))
           ELSE jsonb_build_object('academic_year', '2025/2026', 'class', 'XI-' || chr(65 + chance % 6), 'student_id', student) END,
      ARRAY[lower(category), lower(action), lower(status)],
      severity, at, at
    FROM (
      SELECT drawn.*, kind.code, kind.category, kind.type, kind.name, kind.action, kind.status, kind.words,
             CASE WHEN kind.severity = 'DEBUG' AND at < $4::timestamptz - interval '7 days' THEN 'INFO' ELSE kind.severity END AS severity,
             ${word('given', 'student')} || ' ' || ${word('family', 'student / 30')} AS learner
      FROM drawn JOIN history_tickets AS kind USING (ticket) CROSS JOIN history_words AS w
    ) AS event CROSS JOIN history_words AS w
    RETURNING id, severity, event_category, "timestamp"
  )
  INSERT INTO history_batches
  SELECT id >> 10, count(*),
    bit_or(1 << array_position(ARRAY['DEBUG', 'INFO', 'WARNING', 'ERROR', 'CRITICAL'], severity::text) - 1),
    bit_or(1 << array_position(ARRAY['AUTH', 'DATA', 'PRED', 'MODEL', 'SYSTEM', 'SECURITY', 'ANALYTICS', 'ADMIN'], event_category::text) - 1),
    min("timestamp"), max("timestamp")
  FROM stored GROUP BY 1`;

// Several statements in one query are one transaction.
/** As src/ingest/names.ts does for what comes through a door. */
const NOTE_NAMES = `
  INSERT INTO search_names (word, trigrams) SELECT DISTINCT word, search_trigrams(word)
  FROM (SELECT DISTINCT resource_name FROM events WHERE resource_name IS NOT NULL) AS named, names_in(resource_name) AS word
  ON CONFLICT DO NOTHING`;

const FINISH = `
  SELECT pg_advisory_xact_lock(7402002);
  INSERT INTO batches (seq, number, key, size, severities, categories, earliest, latest, committed_at)
  SELECT (SELECT coalesce(max(seq), 0) FROM batches) + row_number() OVER (ORDER BY number), number, gen_random_uuid(),
         size, severities, categories, earliest, latest, latest
  FROM history_batches ORDER BY number;
  DROP TABLE history_tickets, history_batches, history_words`;
