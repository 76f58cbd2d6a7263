// What a school does with its system all day: students, scores, attendance, predictions, reports.

import { oneOf, whole } from '../dice.ts';
import type { Cast } from '../cast.ts';
import { type Scene, TERM, aboutStudent, nameOf } from './scene.ts';

const kinds = ['Ulangan Harian', 'Tugas', 'Praktikum', 'PTS'];
const levels = ['RENDAH', 'SEDANG', 'TINGGI'];
const levelOf = ({ score }: Cast): string =>
  score < 72 ? 'RENDAH' : score < 84 ? 'SEDANG' : 'TINGGI';
const classOf = ({ className }: Cast) => ({ class: className, ...TERM });
const algorithm = ({ model }: Cast) => ({
  model_version: model,
  algorithm: 'C4.5',
  feature_count: 8,
});

export const learning = {
  API_REQUEST: {
    pause: [2, 12],
    tell: ({ request: { path, ms, breaks }, person }) => ({
      category: 'SYSTEM',
      type: 'API_REQUEST',
      name: 'API Request', // the route is the endpoint: a name for each would flood the reports by name
      description: `${person?.username} membuka ${path}`,
      action: 'GET',
      httpMethod: 'GET',
      endpoint: path,
      processingTimeMs: ms,
      severity: breaks ? 'WARNING' : 'DEBUG',
      status: breaks ? 'ERROR' : 'SUCCESS',
      metadata: { status_code: breaks ? 500 : 200, content_length: whole(400, 24_000) },
      ...(breaks && { errorCode: 'HTTP_500', errorMessage: 'Layanan gagal menyusun jawaban' }),
    }),
  },
  'SYS-007': {
    pause: [0.1, 0.5],
    tell: ({ request: { path, ms } }) => ({
      description: `Jawaban dari ${path} memakan waktu ${(ms / 1000).toFixed(1)} detik`,
      httpMethod: 'GET',
      endpoint: path,
      processingTimeMs: ms,
      metadata: { response_time_ms: ms, threshold_ms: 1000 },
    }),
  },

  'DATA-001': {
    route: 'POST /api/siswa',
    ms: 150,
    pause: [30, 90],
    tell: (cast) => ({
      description: `${nameOf(cast)} mendaftarkan ${cast.student.name} sebagai siswa baru kelas ${cast.className}`,
      ...aboutStudent(cast),
      requestData: {
        nama_lengkap: cast.student.name,
        kelas: cast.className,
        jenis_kelamin: oneOf(['L', 'P']),
      },
      metadata: classOf(cast),
    }),
  },
  'DATA-002': {
    route: 'PUT /api/siswa/{id}',
    ms: 110,
    pause: [15, 50],
    tell: (cast) => ({
      description: `${nameOf(cast)} memperbarui data ${cast.student.name}`,
      ...aboutStudent(cast),
      requestData: { changed_fields: [oneOf(['alamat', 'telepon_wali', 'kelas', 'agama'])] },
      metadata: classOf(cast),
    }),
  },
  'DATA-003': {
    route: 'DELETE /api/siswa/{id}',
    ms: 95,
    pause: [20, 60],
    tell: (cast) => ({
      description: `${nameOf(cast)} menghapus data ${cast.student.name} yang pindah sekolah`,
      ...aboutStudent(cast),
      metadata: { reason: 'pindah_sekolah', ...classOf(cast) },
    }),
  },
  'DATA-004': {
    route: 'POST /api/nilai',
    ms: 85,
    pause: [4, 18],
    tell: (cast) => ({
      description: `Nilai ${cast.subject} ${cast.student.name} dicatat: ${cast.score}`,
      ...aboutStudent(cast),
      requestData: { mata_pelajaran: cast.subject, jenis: oneOf(kinds), nilai: cast.score },
      metadata: classOf(cast),
    }),
  },
  'DATA-005': {
    route: 'PUT /api/nilai/{id}',
    ms: 90,
    pause: [10, 35],
    tell: (cast) => ({
      description: `Nilai ${cast.subject} ${cast.student.name} dikoreksi dari ${cast.oldScore} menjadi ${cast.score}`,
      ...aboutStudent(cast),
      requestData: {
        mata_pelajaran: cast.subject,
        old_score: cast.oldScore,
        new_score: cast.score,
      },
      metadata: { reason: oneOf(['remedial', 'salah_input', 'susulan']), ...classOf(cast) },
    }),
  },
  'DATA-006': {
    route: 'POST /api/presensi',
    ms: 45,
    pause: [1, 4],
    tell: (cast) => {
      const presence = oneOf([
        'hadir',
        'hadir',
        'hadir',
        'hadir',
        'hadir',
        'hadir',
        'izin',
        'sakit',
        'alpa',
      ]);
      return {
        description: `Kehadiran ${cast.student.name} pada pelajaran ${cast.subject}: ${presence}`,
        ...aboutStudent(cast),
        requestData: { kehadiran: presence, jam_ke: whole(1, 8) },
        metadata: classOf(cast),
      };
    },
  },
  'DATA-007': {
    route: 'PUT /api/presensi/{id}',
    ms: 50,
    pause: [10, 30],
    tell: (cast) => ({
      description: `Kehadiran ${cast.student.name} diubah karena surat dokter menyusul`,
      ...aboutStudent(cast),
      requestData: { old_data: 'alpa', new_data: 'sakit' },
      metadata: classOf(cast),
    }),
  },
  'DATA-008': {
    route: 'POST /api/penghasilan',
    ms: 70,
    pause: [10, 40],
    tell: (cast) => ({
      description: `Golongan penghasilan orang tua ${cast.student.name} dicatat`,
      ...aboutStudent(cast),
      requestData: { category: oneOf(levels) },
      metadata: classOf(cast),
    }),
  },
  'DATA-010': {
    route: 'POST /api/nilai',
    ms: 20,
    pause: [5, 15],
    tell: (cast) => ({
      description: `Nilai ${cast.student.name} ditolak: di luar rentang 0–100`,
      ...aboutStudent(cast),
      requestData: { mata_pelajaran: cast.subject, nilai: cast.score * 10 },
      errorCode: 'VALIDATION',
      errorMessage: 'nilai harus di antara 0 dan 100',
      metadata: { validation_errors: ['nilai'] },
    }),
  },
  'DATA-011': {
    route: 'POST /api/impor',
    ms: 9_500,
    pause: [30, 90],
    tell: (cast) => ({
      description: `${nameOf(cast)} mengimpor ${cast.size} baris nilai dari berkas Excel`,
      resourceType: 'FILE',
      resourceName: `nilai-${cast.className}.xlsx`,
      metadata: { import_type: 'nilai', record_count: cast.size, format: 'xlsx' },
    }),
  },
  'DATA-012': {
    route: 'GET /api/ekspor',
    ms: 2_400,
    pause: [20, 60],
    tell: (cast) => ({
      description: `${nameOf(cast)} mengekspor ${cast.size} data siswa ke CSV`,
      resourceType: 'FILE',
      resourceName: 'data-siswa.csv',
      metadata: { export_type: 'siswa', record_count: cast.size, format: 'csv' },
    }),
  },

  'PRED-001': {
    route: 'POST /api/prediksi/individual',
    pause: [2, 8],
    tell: (cast) => ({
      description: `Prediksi prestasi ${cast.student.name} dimulai`,
      ...aboutStudent(cast),
      metadata: algorithm(cast),
    }),
  },
  'PRED-002': {
    route: 'POST /api/prediksi/individual',
    ms: 1_150,
    pause: [0.8, 2.5],
    tell: (cast) => ({
      description: `Prestasi ${cast.student.name} diprediksi ${levelOf(cast)} dengan keyakinan ${cast.confidence} %`,
      ...aboutStudent(cast),
      responseData: {
        prediction: levelOf(cast),
        confidence: cast.confidence,
        features: {
          academic_average: cast.score,
          attendance_rate: whole(78, 100),
          income_category: oneOf(levels),
        },
      },
      metadata: algorithm(cast),
    }),
  },
  'PRED-003': {
    route: 'POST /api/prediksi/individual',
    ms: 400,
    pause: [0.5, 2],
    tell: (cast) => ({
      description: `Prediksi ${cast.student.name} gagal karena nilai semester lalu belum ada`,
      ...aboutStudent(cast),
      errorCode: 'PRED_NO_DATA',
      errorMessage: 'academic_average kosong',
      metadata: algorithm(cast),
    }),
  },
  'PRED-004': {
    route: 'POST /api/prediksi/batch',
    pause: [10, 30],
    tell: (cast) => ({
      description: `Prediksi untuk ${cast.size} siswa dijalankan`,
      requestData: { batch_size: cast.size, ...TERM },
      metadata: algorithm(cast),
    }),
  },
  'PRED-005': {
    route: 'POST /api/prediksi/batch',
    ms: 48_000,
    pause: [35, 70],
    tell: (cast) => {
      const failed = whole(0, 5);
      return {
        description: `Prediksi ${cast.size} siswa tuntas, ${failed} di antaranya gagal`,
        responseData: {
          total_processed: cast.size,
          success_count: cast.size - failed,
          failed_count: failed,
        },
        metadata: algorithm(cast),
      };
    },
  },
  'PRED-006': {
    route: 'POST /api/prediksi/batch',
    ms: 15_000,
    pause: [10, 25],
    tell: (cast) => ({
      description: `Prediksi untuk ${cast.size} siswa terhenti di tengah jalan`,
      errorCode: 'PRED_WORKER_LOST',
      errorMessage: 'Proses pekerja berhenti karena kehabisan memori',
      metadata: algorithm(cast),
    }),
  },
  'PRED-007': {
    route: 'GET /api/prediksi/riwayat',
    ms: 190,
    pause: [5, 20],
    tell: (cast) => ({
      description: `${nameOf(cast)} menelusuri riwayat prediksi kelas ${cast.className}`,
      metadata: { filter_criteria: { kelas: cast.className } },
    }),
  },
  'PRED-008': {
    route: 'GET /api/prediksi/ekspor',
    ms: 1_700,
    pause: [15, 40],
    tell: (cast) => ({
      description: `${nameOf(cast)} mengunduh ${cast.size} hasil prediksi sebagai PDF`,
      metadata: { export_format: 'pdf', record_count: cast.size },
    }),
  },
  'PRED-009': {
    pause: [0.1, 0.3],
    tell: (cast) => ({
      description: `Keyakinan prediksi ${cast.student.name} hanya ${cast.confidence} %; perlu ditinjau wali kelas`,
      ...aboutStudent(cast),
      metadata: { confidence_score: cast.confidence, threshold: 60, model_version: cast.model },
    }),
  },
  'PRED-010': {
    ms: 35,
    pause: [3, 12],
    tell: (cast) => ({
      description: `Kelengkapan data ${cast.student.name} diperiksa`,
      ...aboutStudent(cast),
      metadata: { completeness_score: whole(70, 100) },
    }),
  },

  'ANLY-001': {
    route: 'GET /api/analitik/dasbor',
    ms: 320,
    pause: [2, 6],
    tell: (cast) => ({
      description: `${nameOf(cast)} membuka dasbor`,
      metadata: { dashboard_type: cast.person?.role === 'KEPALA_SEKOLAH' ? 'sekolah' : 'kelas' },
    }),
  },
  'ANLY-002': {
    route: 'POST /api/analitik/laporan',
    ms: 3_200,
    pause: [20, 60],
    tell: (cast) => ({
      description: `${nameOf(cast)} menyusun laporan prestasi kelas ${cast.className}`,
      resourceType: 'REPORT',
      resourceName: `Laporan prestasi ${cast.className}`,
      metadata: { report_type: 'prestasi', record_count: cast.size, parameters: classOf(cast) },
    }),
  },
  'ANLY-003': {
    route: 'GET /api/analitik/grafik',
    ms: 140,
    pause: [1, 4],
    tell: (cast) => ({
      description: `Grafik sebaran nilai kelas ${cast.className} ditampilkan`,
      metadata: { chart_type: oneOf(['bar', 'line', 'boxplot']), data_points: cast.size },
    }),
  },
  'ANLY-005': {
    route: 'GET /api/analitik/ekspor',
    ms: 1_900,
    pause: [15, 45],
    tell: (cast) => ({
      description: `${nameOf(cast)} mengekspor rekap analitik ke Excel`,
      metadata: { export_format: 'xlsx', data_range: TERM },
    }),
  },
  'ANLY-006': {
    route: 'GET /api/analitik/dasbor',
    ms: 180,
    pause: [3, 12],
    tell: (cast) => ({
      description: `${nameOf(cast)} menyaring dasbor untuk kelas ${cast.className}`,
      metadata: { filter_criteria: { kelas: cast.className }, result_count: whole(20, 36) },
    }),
  },
  'ANLY-008': {
    route: 'GET /api/analitik/tren',
    ms: 860,
    pause: [8, 30],
    tell: (cast) => ({
      description: `${nameOf(cast)} melihat tren nilai satu semester`,
      metadata: { time_period: TERM.semester, trend_direction: oneOf(['naik', 'datar', 'turun']) },
    }),
  },
} as const satisfies Record<string, Scene>;
