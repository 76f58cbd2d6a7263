// The school: who is there and what they use. Nobody in it exists; addresses outside the school are of the ranges that are
// kept for documentation.

import { oneOf, whole } from './dice.ts';

export type Role = 'GURU' | 'ADMIN' | 'KEPALA_SEKOLAH' | 'SISWA';
export type Person = {
  readonly userId: number;
  readonly username: string;
  readonly name: string;
  readonly role: Role;
  readonly subject?: string;
};
export type Student = { readonly id: string; readonly name: string; readonly className: string };
export type Device = { readonly browser: string; readonly kind: string; readonly agent: string };

const teacherTable = [
  ['Sri Wahyuningsih', 'Matematika'],
  ['Bambang Sutrisno', 'Fisika'],
  ['Ni Luh Sukerti', 'Bahasa Inggris'],
  ['Marlina Simanjuntak', 'Kimia'],
  ['Ahmad Fauzan', 'Pendidikan Agama'],
  ['Yuliana Tampubolon', 'Biologi'],
  ['Dedi Kurniawan', 'Informatika'],
  ['Rina Marpaung', 'Bahasa Indonesia'],
  ['Hendra Gunawan', 'Ekonomi'],
  ['Siti Nurhaliyah', 'Sejarah'],
  ['I Made Wirawan', 'Geografi'],
  ['Endang Puspitasari', 'Sosiologi'],
  ['Joko Purnomo', 'PJOK'],
  ['Fitri Handayani', 'Seni Budaya'],
  ['Agus Salimun', 'PPKn'],
  ['Lusiana Wijayanti', 'Matematika'],
] as const;

const two = (number: number): string => String(number).padStart(2, '0');

const teachers: readonly Person[] = teacherTable.map(([name, subject], index) => ({
  userId: 15 + index,
  username: `guru${two(index + 1)}`,
  name,
  role: 'GURU',
  subject,
}));

const office: readonly Person[] = [
  { userId: 1, username: 'admin', name: 'Wahyu Nugroho', role: 'ADMIN' },
  { userId: 12, username: 'admin01', name: 'Ratna Kusumadewi', role: 'ADMIN' },
  { userId: 13, username: 'admin02', name: 'Taufik Hidayanto', role: 'ADMIN' },
  { userId: 5, username: 'kepsek', name: 'Suryani Hartati', role: 'KEPALA_SEKOLAH' },
];

export const classes = ['X-A', 'X-B', 'XI-A', 'XI-B', 'XII-A', 'XII-B'] as const;
const CLASS_SIZE = 30;

const givenNames = 'Aditya Aisyah Bayu Citra Dimas Dinda Eka Fajar Galih Hana Ilham Intan Jihan Kevin Laras Maulana Nadia Oktavia Putra Rafi Salma Tegar Ulfa Vina Wulan Yoga Zahra'.split(' '); // oxfmt-ignore
const familyNames = 'Pratama Lestari Siregar Saputra Maharani Hidayat Nasution Permata Wibowo Anggraini Ginting Ramadhan Setiawan Utami Manurung Firmansyah Kirana'.split(' '); // oxfmt-ignore

export const students: readonly Student[] = classes.flatMap((className, place) =>
  Array.from({ length: CLASS_SIZE }, (_, seat) => {
    const number = place * CLASS_SIZE + seat;
    const given = givenNames[number % givenNames.length]!;
    const family = familyNames[(number * 5) % familyNames.length]!;
    return {
      id: `STD-2025-${String(number + 1).padStart(3, '0')}`,
      name: `${given} ${family}`,
      className,
    };
  }),
);

const pupils: readonly Person[] = students.map(({ name }, index) => ({
  userId: 201 + index,
  username: `siswa${String(index + 1).padStart(3, '0')}`,
  name,
  role: 'SISWA',
}));

export const people: readonly Person[] = [...teachers, ...office, ...pupils];

const desktops: readonly Device[] = [
  {
    browser: 'Chrome 137',
    kind: 'desktop',
    agent:
      'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/137.0.0.0 Safari/537.36',
  },
  {
    browser: 'Firefox 139',
    kind: 'desktop',
    agent: 'Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:139.0) Gecko/20100101 Firefox/139.0',
  },
  {
    browser: 'Edge 137',
    kind: 'desktop',
    agent:
      'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/137.0.0.0 Safari/537.36 Edg/137.0.0.0',
  },
];
const phones: readonly Device[] = [
  {
    browser: 'Chrome Mobile 137',
    kind: 'mobile',
    agent:
      'Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/137.0.0.0 Mobile Safari/537.36',
  },
  {
    browser: 'Safari Mobile 18',
    kind: 'mobile',
    agent:
      'Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Mobile/15E148 Safari/604.1',
  },
];

export const deviceOf = ({ role }: Person): Device =>
  oneOf(role === 'SISWA' ? [...phones, ...phones, desktops[0]!] : [...desktops, phones[0]!]);

/** In the school's network on a desktop, mostly from outside on a telephone. */
export const addressOf = (device: Device): string =>
  device.kind === 'desktop'
    ? `10.20.${whole(1, 6)}.${whole(20, 220)}`
    : `198.51.100.${whole(2, 250)}`;

/** What knocks at the door and is not a browser. */
export const intruders = [
  'python-requests/2.32.3',
  'curl/8.5.0',
  'Hydra/9.5',
  'sqlmap/1.8.4',
] as const;
export const intruderAddress = (): string => `203.0.113.${whole(2, 250)}`;
