// Coming in, going out, and trying to.

import { around, oneOf, whole } from '../dice.ts';
import type { Cast } from '../cast.ts';
import { type Scene, nameOf } from './scene.ts';

const sinceLogin = (cast: Cast): number => Math.round((cast.at - cast.begun) / 1000);
const client = ({ device }: Cast) => ({ browser: device?.browser, device_type: device?.kind });

const payloads = ["' OR '1'='1' --", "1; DROP TABLE siswa; --", "' UNION SELECT username, password FROM users --"]; // oxfmt-ignore
const hiddenPlaces = ['/api/users', '/api/admin/konfigurasi', '/api/backup', '/api/penghasilan'];

export const access = {
  'AUTH-001': {
    route: 'POST /api/auth/login',
    ms: 230,
    pause: [2, 8],
    tell: (cast) => ({
      description: `${nameOf(cast)} masuk ke EduPro dari ${cast.device?.browser}`,
      metadata: { login_method: 'password', ...client(cast) },
    }),
  },
  'AUTH-002': {
    route: 'POST /api/auth/login',
    ms: 190,
    pause: [4, 12],
    tell: (cast) => ({
      description: `${nameOf(cast)} salah mengetik kata sandi`,
      sessionId: null,
      errorCode: 'AUTH_BAD_PASSWORD',
      errorMessage: 'Nama pengguna atau kata sandi tidak cocok',
      metadata: { error_reason: 'wrong_password', ...client(cast) },
    }),
  },
  'AUTH-003': {
    route: 'POST /api/auth/logout',
    ms: 25,
    pause: [3, 20],
    tell: (cast) => ({
      description: `${nameOf(cast)} keluar setelah ${Math.ceil(sinceLogin(cast) / 60)} menit`,
      metadata: { session_duration: sinceLogin(cast) },
    }),
  },
  'AUTH-004': {
    route: 'PUT /api/auth/password',
    ms: 310,
    pause: [15, 60],
    tell: (cast) => ({ description: `${nameOf(cast)} mengganti kata sandi akunnya` }),
  },
  'AUTH-006': {
    route: 'POST /api/auth/token',
    ms: 12,
    pause: [0.1, 0.4],
    tell: (cast) => ({
      description: `Token akses terbit untuk ${cast.person?.username}`,
      metadata: { token_expiry: new Date(cast.at + 3_600_000).toISOString() },
    }),
  },
  'AUTH-009': {
    route: 'GET /api/admin/users',
    ms: 9,
    pause: [5, 30],
    tell: (cast) => ({
      description: `${nameOf(cast)} ditolak saat membuka daftar pengguna`,
      resourceType: 'PAGE',
      resourceId: '/admin/users',
      errorCode: 'FORBIDDEN',
      errorMessage: `Peran ${cast.person?.role} tidak boleh melihat daftar pengguna`,
    }),
  },
  'AUTH-010': {
    pause: [900, 1800],
    tell: (cast) => ({
      description: `Sesi ${nameOf(cast)} ditutup karena tidak ada kegiatan`,
      metadata: { session_duration: sinceLogin(cast), idle_minutes: 15 },
    }),
  },

  // One guess of many: the same account, the same address, and never a browser.
  GUESS: {
    route: 'POST /api/auth/login',
    ms: 180,
    pause: [0.3, 2.5],
    tell: ({ target, turn }) => ({
      code: 'AUTH-002',
      description: `Percobaan masuk ke-${turn} untuk akun ${target.username} ditolak`,
      username: target.username,
      errorCode: 'AUTH_BAD_PASSWORD',
      errorMessage: 'Nama pengguna atau kata sandi tidak cocok',
      metadata: { error_reason: 'wrong_password', attempt: turn },
    }),
  },
  'SEC-002': {
    route: 'POST /api/auth/login',
    pause: [0.2, 0.6],
    tell: ({ address, target, turn, begun, at }) => ({
      description: `Kata sandi akun ${target.username} ditebak ${turn} kali dari ${address}; alamat itu diblokir satu jam`,
      metadata: {
        attempt_count: turn,
        timeframe_minutes: Math.ceil((at - begun) / 60_000),
        targeted_usernames: [target.username],
        attack_pattern: 'sequential_dictionary',
        blocked_duration_minutes: 60,
      },
    }),
  },
  'AUTH-005': {
    pause: [0.1, 0.4],
    tell: ({ target, turn }) => ({
      description: `Akun ${target.username} dikunci setelah ${turn} kali gagal masuk`,
      userId: target.userId,
      username: target.username,
      userRole: target.role,
      resourceType: 'USER',
      resourceId: String(target.userId),
      resourceName: target.name,
      metadata: { attempt_count: turn, locked_minutes: 30 },
    }),
  },
  'SEC-003': {
    route: 'GET /api/siswa',
    ms: 6,
    pause: [1, 5],
    tell: ({ address }) => ({
      description: `Parameter pencarian dari ${address} memuat perintah SQL`,
      requestData: { cari: oneOf(payloads) },
      metadata: { rule: 'sql_injection', blocked_duration_minutes: 60 },
    }),
  },
  'SEC-005': {
    ms: 4,
    pause: [0.5, 3],
    tell: ({ address }) => ({
      description: `API dipanggil tanpa token dari ${address}`,
      httpMethod: 'GET',
      endpoint: oneOf(hiddenPlaces),
      errorCode: 'UNAUTHENTICATED',
    }),
  },
  'SEC-009': {
    pause: [1, 4],
    tell: (cast) => ({
      description: `${nameOf(cast)} mengunduh jauh lebih banyak data daripada biasanya`,
      metadata: {
        behavior_pattern: 'bulk_download',
        usual_per_hour: whole(2, 6),
        observed_per_hour: Math.round(around(160)),
      },
    }),
  },
} as const satisfies Record<string, Scene>;
