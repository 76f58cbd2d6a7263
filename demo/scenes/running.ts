// What keeps the system going: models, backups, load, accounts and settings.

import { oneOf, whole } from '../dice.ts';
import { rounded } from '../cast.ts';
import { type Scene, aboutModel, nameOf } from './scene.ts';

export const running = {
  'MODEL-001': {
    route: 'POST /api/prediksi/train',
    pause: [10, 30],
    tell: (cast) => ({
      description: `${nameOf(cast)} memulai pelatihan model ${cast.newModel}`,
      ...aboutModel(cast.newModel),
      requestData: {
        training_data_size: cast.size,
        parameters: { max_depth: 10, min_samples_leaf: 5 },
      },
    }),
  },
  'MODEL-002': {
    route: 'POST /api/prediksi/train',
    ms: 165_000,
    pause: [140, 240],
    tell: ({ newModel, accuracy, size }) => ({
      description: `Model ${newModel} tuntas dilatih dengan akurasi ${accuracy} %`,
      ...aboutModel(newModel),
      responseData: { accuracy, training_samples: size, test_samples: Math.round(size / 4) },
      metadata: { algorithm: 'C4.5', cross_validation_folds: 5 },
    }),
  },
  'MODEL-003': {
    route: 'POST /api/prediksi/train',
    ms: 30_000,
    pause: [20, 60],
    tell: ({ newModel }) => ({
      description: `Pelatihan model ${newModel} terhenti karena data latih tidak seimbang`,
      ...aboutModel(newModel),
      errorCode: 'TRAIN_CLASS_EMPTY',
      errorMessage: 'Kelas TINGGI tidak memiliki contoh yang cukup',
    }),
  },
  'MODEL-005': {
    route: 'POST /api/prediksi/evaluate',
    ms: 21_000,
    pause: [18, 40],
    tell: ({ newModel, accuracy }) => ({
      description: `Pengujian model ${newModel} selesai dengan akurasi ${accuracy} %`,
      ...aboutModel(newModel),
      responseData: {
        accuracy,
        precision: rounded(accuracy - 1.7),
        recall: rounded(accuracy + 0.8),
        f1_score: rounded(accuracy - 0.5),
      },
    }),
  },
  'MODEL-006': {
    route: 'POST /api/prediksi/deploy',
    ms: 4_200,
    pause: [30, 90],
    tell: (cast) => ({
      description: `Model ${cast.newModel} menggantikan ${cast.model}`,
      ...aboutModel(cast.newModel),
      metadata: { model_version: cast.newModel, previous_version: cast.model },
    }),
  },
  'MODEL-009': {
    ms: 2_600,
    pause: [5, 15],
    tell: ({ newModel }) => ({
      description: `Salinan model ${newModel} disimpan`,
      ...aboutModel(newModel),
      metadata: { backup_location: `/backup/model/${newModel}.pkl` },
    }),
  },

  'SYS-005': {
    pause: [5, 30],
    tell: () => {
      const percent = rounded(80 + whole(5, 140) / 10);
      return {
        description: `Pemakaian memori mencapai ${percent} %`,
        metadata: {
          memory_usage_percent: percent,
          memory_total_mb: 8192,
          threshold_percent: 80,
          top_processes: [
            { name: 'python', memory_mb: 2950 },
            { name: 'postgres', memory_mb: 1810 },
          ],
        },
      };
    },
  },
  'SYS-006': {
    pause: [5, 30],
    tell: () => {
      const percent = whole(86, 99);
      return {
        description: `Beban prosesor ${percent} % selama lima menit`,
        metadata: { cpu_usage_percent: percent, threshold: 85 },
      };
    },
  },
  'SYS-009': {
    ms: 94_000,
    pause: [60, 120],
    tell: () => ({
      description: 'Cadangan basis data harian tersimpan',
      resourceType: 'BACKUP',
      metadata: { backup_type: 'incremental', backup_size_mb: whole(380, 520) },
    }),
  },
  'SYS-010': {
    ms: 12_000,
    pause: [60, 120],
    tell: () => ({
      description: 'Cadangan basis data gagal karena ruang simpan penuh',
      resourceType: 'BACKUP',
      errorCode: 'ENOSPC',
      errorMessage: 'Tidak ada ruang tersisa di /backup',
      metadata: { backup_type: 'incremental' },
    }),
  },
  'ANLY-010': {
    ms: 15,
    pause: [1, 3],
    tell: () => ({
      description: 'Kinerja layanan diukur',
      metadata: {
        metric_type: oneOf(['p95_ms', 'requests_per_second']),
        value: whole(40, 420),
        benchmark: 500,
      },
    }),
  },

  'ADMIN-001': {
    route: 'POST /api/users',
    ms: 260,
    pause: [40, 90],
    tell: (cast) => ({
      description: `${nameOf(cast)} membuat akun untuk ${cast.student.name}`,
      resourceType: 'USER',
      resourceName: cast.student.name,
      metadata: { role: 'SISWA', creator: cast.person?.username },
    }),
  },
  'ADMIN-002': {
    route: 'PUT /api/users/{id}',
    ms: 120,
    pause: [20, 60],
    tell: (cast) => ({
      description: `${nameOf(cast)} membuka kembali akun ${cast.target.username} yang terkunci`,
      resourceType: 'USER',
      resourceId: String(cast.target.userId),
      resourceName: cast.target.name,
      requestData: { changed_fields: ['locked_until'] },
    }),
  },
  'ADMIN-004': {
    route: 'PUT /api/roles/{id}',
    ms: 90,
    pause: [30, 90],
    tell: (cast) => ({
      description: `${nameOf(cast)} memberi peran GURU hak mengekspor nilai`,
      resourceType: 'ROLE',
      resourceId: 'GURU',
      metadata: {
        old_permissions: ['nilai:tulis'],
        new_permissions: ['nilai:tulis', 'nilai:ekspor'],
      },
    }),
  },
  'ADMIN-005': {
    route: 'PUT /api/admin/konfigurasi',
    ms: 75,
    pause: [30, 90],
    tell: (cast) => ({
      description: `${nameOf(cast)} memperpanjang batas waktu sesi`,
      metadata: { config_section: 'sesi', changes: { idle_minutes: [10, 15] } },
    }),
  },
} as const satisfies Record<string, Scene>;
