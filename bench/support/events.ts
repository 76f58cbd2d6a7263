// What a service logs in the benchmarks: five kinds of event, every column that such an event has, 600 to 900 bytes each.
// The same ones in every run.

import type { EventInput } from '../../src/events/fields.ts';

const AGENT =
  'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/137.0.0.0 Safari/537.36';
const subjects = ['Matematika', 'Fisika', 'Kimia', 'Bahasa Indonesia'];
const TERM = { semester: 'GANJIL', academic_year: '2025/2026' };

const actor = (number: number) => ({
  userId: 15 + (number % 40),
  username: `guru${15 + (number % 40)}`,
  userRole: 'GURU',
  ipAddress: `10.20.${number % 6}.${number % 200}`,
  userAgent: AGENT,
  sessionId: `sess_${(number * 2_654_435_761).toString(16).padStart(12, '0')}`,
});
const student = (number: number) => ({
  resourceType: 'STUDENT',
  resourceId: `STD-2025-${number % 500}`,
  resourceName: `Siswa Nomor ${number % 500}`,
});

const kinds: readonly ((number: number) => EventInput)[] = [
  (number) => ({
    code: 'DATA-004',
    description: `Nilai ${subjects[number % 4]} Siswa Nomor ${number % 500} dicatat untuk rapor semester ganjil`,
    ...actor(number),
    ...student(number),
    httpMethod: 'POST',
    endpoint: '/api/nilai',
    requestData: {
      mata_pelajaran: subjects[number % 4],
      jenis: 'Ulangan Harian',
      nilai: number % 101,
    },
    responseData: { id: number, rata_rata: 81.4 },
    processingTimeMs: 20 + (number % 300),
    metadata: { class: 'XI-A', ...TERM },
    tags: ['data_management', 'score', 'create'],
  }),
  (number) => ({
    code: 'PRED-002',
    description: `Prediksi prestasi Siswa Nomor ${number % 500} diselesaikan dengan keyakinan tinggi`,
    ...actor(number),
    ...student(number),
    httpMethod: 'POST',
    endpoint: '/api/prediksi/individual',
    responseData: {
      prediction: 'TINGGI',
      confidence: 60 + (number % 400) / 10,
      features: { academic_average: 85.2, attendance_rate: 92, income_category: 'SEDANG' },
    },
    processingTimeMs: 900 + (number % 900),
    metadata: { model_version: 'v2025.06.15.001', algorithm: 'C4.5', feature_count: 8 },
    tags: ['prediction', 'individual', 'success'],
  }),
  (number) => ({
    code: 'AUTH-001',
    description: `guru${15 + (number % 40)} masuk ke EduPro dari Chrome 137 di ruang guru gedung B`,
    ...actor(number),
    httpMethod: 'POST',
    endpoint: '/api/auth/login',
    processingTimeMs: 180 + (number % 200),
    metadata: {
      login_method: 'password',
      browser: 'Chrome 137',
      device_type: 'desktop',
      os: 'Windows 10',
    },
    tags: ['authentication', 'login', 'success'],
  }),
  (number) => ({
    category: 'SYSTEM',
    type: 'API_REQUEST',
    name: 'GET /api/siswa/{id}',
    description: `Permintaan API ke /api/siswa/${number % 500} dijawab oleh layanan siswa`,
    ...actor(number),
    action: 'GET',
    status: 'SUCCESS',
    severity: 'DEBUG',
    httpMethod: 'GET',
    endpoint: '/api/siswa/{id}',
    requestData: { id: number % 500, fields: ['nama_lengkap', 'kelas', 'nis'] },
    processingTimeMs: 10 + (number % 90),
    metadata: { status_code: 200, content_length: 400 + (number % 9000), upstream: 'siswa-2' },
    tags: ['api', 'request', 'get'],
  }),
  (number) => ({
    code: 'AUTH-002',
    description: `Percobaan masuk ke-${number % 20} untuk akun admin01 ditolak`,
    ...actor(number),
    httpMethod: 'POST',
    endpoint: '/api/auth/login',
    errorCode: 'AUTH_BAD_PASSWORD',
    errorMessage: 'Nama pengguna atau kata sandi tidak cocok',
    processingTimeMs: 150 + (number % 90),
    metadata: { error_reason: 'wrong_password', attempt: number % 20, browser: 'Chrome 137' },
    tags: ['authentication', 'login', 'failed'],
  }),
];

/** So many events that have just happened. */
export const sampleEvents = (count: number): EventInput[] => {
  const timestamp = new Date().toISOString();
  return Array.from({ length: count }, (_, number) => ({
    timestamp,
    ...kinds[number % kinds.length]!(number),
  }));
};

export const meanBytes = (events: readonly EventInput[]): number =>
  Math.round(
    events.reduce((sum, event) => sum + Buffer.byteLength(JSON.stringify(event)), 0) /
      events.length,
  );
