// What is personal and what is secret: a table of rules, a line each, that says which keys of JSON (and labels in text) they
// mean and what becomes of the values. `protect.ts` applies it where events come in, `mask.ts` where they are read.

import { createHmac, createSecretKey } from 'node:crypto';
import { type Field, type InputName, fields, inputNames } from './fields.ts';

/**
 * What becomes of a value, the least strict first. `keep`: everybody who reads may see it. `mask`: it is stored, and masked for
 * readers without the scope events:read_personal. `hash`: a keyed hash is stored in its place, the same for the same value.
 * `drop`: it is not stored.
 */
export const actions = ['keep', 'mask', 'hash', 'drop'] as const;
export type Action = (typeof actions)[number];
const strictnessOf = (action: Action): number => actions.indexOf(action);

/**
 * `keys` are words of a key, whatever joins them: `api_key` is in `x-api-key`, `apiKey`, `API_KEY_2` and `apikey`. A `*` stands
 * for letters, `=` means the whole key, and a dot a key below another, or below a column. The longest match decides, then the
 * strictest. What lies below a key that is meant has its action too, unless the rule is of a `scalar`. What is masked with `ends`
 * shows its first and last character. The action of an `always` rule cannot be changed.
 */
export type Rule = {
  readonly action: Action;
  readonly keys: string;
  readonly ends?: true;
  readonly scalar?: true;
  readonly always?: true;
  readonly about: string;
};

const PEOPLE = 'siswa siswi student pupil murid guru teacher orang_tua ortu parent wali guardian ayah father ibu mother user pengguna'; // oxfmt-ignore

// oxfmt-ignore
export const rules = {
  secret: { action: 'drop', always: true, about: 'passwords, tokens, cookies, API keys, PINs', keys: '*password* *passwd* =pass pwd pass_word pass_phrase pass_code kata_sandi sandi *token *tokens jwt bearer authorization otp totp kode_otp mfa_code mfa_codes recovery_code recovery_codes backup_code backup_codes pin cvv cvc *cookie *cookies api_key api_keys access_key private_key secret_key ssh_key encryption_key signing_key kunci_api *secret *secrets *credential *credentials kredensial' },
  nik: { action: 'drop', always: true, about: 'numbers of identity cards, families, passports and taxpayers', keys: 'nik no_ktp nomor_ktp =ktp national_id no_kk nomor_kk kartu_keluarga npwp ssn no_paspor nomor_paspor passport_number passport_no =paspor =passport' },
  card: { action: 'drop', always: true, about: 'numbers of payment cards', keys: 'card_number card_no no_kartu nomor_kartu credit_card debit_card kartu_kredit kartu_debit =pan' },
  biometric: { action: 'drop', about: 'biometric data', keys: 'biometric biometrics biometrik sidik_jari fingerprint_template face_embedding face_template data_wajah retina iris_code' },
  session: { action: 'hash', about: 'sessions', keys: 'session_id sessionid id_sesi sesi_id sess_id session.id sesi.id =sid phpsessid jsessionid' },
  visit: { action: 'hash', scalar: true, about: 'sessions that are named so', keys: '=session =sesi' },
  bank: { action: 'hash', about: 'bank accounts', keys: 'rekening no_rek bank_account account_number account_no iban virtual_account no_va nomor_va' },
  student: { action: 'mask', ends: true, about: 'numbers of students and teachers', keys: 'nisn nis nomor_induk no_induk nomor_siswa student_number nip nuptk' },
  account: { action: 'mask', ends: true, about: 'user names', keys: 'username usernames user_name nama_pengguna claimed_user =login' },
  phone: { action: 'mask', ends: true, about: 'telephone numbers', keys: 'hp no_hp nomor_hp telepon no_telp telp phone phones phone_number mobile_number mobile_phone handphone whatsapp =wa no_wa nomor_wa' },
  email: { action: 'mask', ends: true, about: 'e-mail addresses', keys: '*email *emails e_mail surel' },
  address: { action: 'mask', about: 'network addresses', keys: '=ip ip_address ip_addresses alamat_ip client_ip remote_ip source_ip remote_addr x_forwarded_for x_real_ip' },
  name: { action: 'mask', ends: true, about: 'names of people', keys: `nama resource_name full_name first_name last_name middle_name nick_name surname display_name real_name contact_name person_name people_names ${PEOPLE.split(' ').map((who) => `${who}_name ${who}_names ${who}.name`).join(' ')}` },
  person: { action: 'mask', ends: true, scalar: true, about: 'people who are named so', keys: PEOPLE.split(' ').map((who) => `=${who}`).join(' ') },
  birth: { action: 'mask', about: 'birth and sex', keys: 'tanggal_lahir tgl_lahir tempat_lahir ttl birth_date date_of_birth birthdate birthday birth_place =dob jenis_kelamin gender =sex' },
  home: { action: 'mask', about: 'where people live and are', keys: 'alamat address home_address street_address kelurahan kecamatan desa rt_rw kode_pos postal_code zip_code latitude longitude koordinat coordinates =gps =lat =lng =lon' },
  religion: { action: 'mask', about: 'religion', keys: 'agama religion kepercayaan' },
  health: { action: 'mask', about: 'health', keys: 'kesehatan penyakit disabilitas disability diagnosis medical alergi golongan_darah blood_type berkebutuhan_khusus' },
  income: { action: 'mask', about: 'income', keys: '*income* penghasilan gaji salary pendapatan pekerjaan_ayah pekerjaan_ibu' },
  score: { action: 'mask', about: 'scores and predictions about students', keys: 'nilai score scores skor rapor raport rata_rata academic_average grade_point gpa ipk peringkat ranking prestasi =prediction =prediksi prediction_result hasil_prediksi predicted_class risk_level' },
  search: { action: 'mask', about: 'what was looked for, and what was asked of this log', keys: '=search search_query search_term search_terms search_text =keyword =keywords kata_kunci =pencarian audit_scope audit_variables json.equals json.in json.contains json.gt json.gte json.lt json.lte' },
  plain: { action: 'keep', about: 'what only sounds like the above', keys: 'token_expiry token_expires token_age token_type token_count token_limit expires_token max_tokens prompt_tokens completion_tokens total_tokens session_duration password_length password_strength password_policy cookie_consent nama_sekolah nama_kelas nama_mapel nama_mata_pelajaran nama_file nama_berkas nama_model nama_tabel nama_kolom nama_fitur nama_server nama_aplikasi nama_event nama_laporan memory_address f1_score confidence_score completeness_score importance_score importance_scores accuracy_score risk_score threat_score anomaly_score performance_score auc_score r2_score' },
} as const satisfies Record<string, Rule>;
export type RuleName = keyof typeof rules;

/** Whether what is meant is not stored as it is. */
export const removes = (decision: Pick<Decision, 'action'> | undefined): boolean =>
  decision?.action === 'hash' || decision?.action === 'drop';

/** The stricter of two decisions; either may be missing. */
export const strictest = (
  one: Decision | undefined,
  other: Decision | undefined,
): Decision | undefined => {
  if (!one || !other) return one ?? other;
  return strictnessOf(other.action) > strictnessOf(one.action) ? other : one;
};

/** What of a policy an operator may say; see `readPolicy`. Each part overrides the one built in. */
export type PolicyChanges = {
  readonly fields?: Readonly<Partial<Record<InputName, Action>>> | undefined;
  readonly rules?: Readonly<Partial<Record<RuleName, Action>>> | undefined;
  readonly keys?: Readonly<Record<string, Action>> | undefined;
};

/** What becomes of a value, and the name of the rule that says so. */
export type Decision = {
  readonly action: Action;
  readonly rule: string;
  readonly ends: boolean;
  readonly scalar: boolean;
};

/** The decision about a key; `undefined` where no rule means it. Parents are the keys above it, the column the first. */
export type Policy = {
  readonly ofField: (name: InputName) => Action;
  readonly ofRule: (name: RuleName) => Decision;
  readonly ofKey: (key: string, parents: readonly string[]) => Decision | undefined;
  /** About a label in text: the rules that mean its end. */
  readonly ofLabel: (words: string) => Decision | undefined;
};

type Pattern = Decision & {
  readonly always: boolean;
  readonly words: number;
  /** Of a key that it means one of these is a word; undefined is any. */
  readonly leads: readonly string[] | undefined;
  readonly test: RegExp;
  readonly parents: readonly string[];
};

/** Keys are remembered, as long as they are few and short: nearly all that come were seen before. */
const REMEMBERED = 20_000;
const REMEMBERED_LENGTH = 200;
export const remember = <T>(work: (key: string) => T): ((key: string) => T) => {
  const known = new Map<string, T>();
  return (key) => {
    const found = known.get(key);
    if (found !== undefined || known.has(key)) return found as T;
    const made = work(key);
    if (key.length > REMEMBERED_LENGTH) return made;
    if (known.size >= REMEMBERED) known.clear();
    known.set(key, made);
    return made;
  };
};

/** The words of a key, each between underscores: `_x_api_key_` of `X-API-Key`. */
const wordsOf = remember(
  (key) =>
    `_${key
      .normalize('NFKC')
      .replaceAll(/([a-z])([A-Z])|([A-Z])(?=[A-Z][a-z])/g, '$1$3_$2')
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}]+/gu, '_')
      .replaceAll(/(?<=\p{L})(?=\d)/gu, '_')
      .replaceAll(/^_+|_+$/g, '')}_`,
);

const patternOf = (text: string, decision: Decision, always = false): Pattern => {
  const path = text.split('.');
  const key = path.pop()!;
  const whole = key.startsWith('=') || path.length > 0;
  const words = wordsOf(key.replaceAll('*', 'ʘ')).slice(1, -1).split('_');
  const source = words.map((word) => word.replaceAll('ʘ', '\\p{L}*'));
  const letters = words.join('');
  const joined = source.length > 1 ? `(?:${source.join('_')}|${source.join('')})` : source[0]!;
  return {
    ...decision,
    always,
    words: letters.length + 100 * path.length,
    leads: letters.includes('ʘ') ? undefined : [words[0]!, letters],
    test: new RegExp(whole ? `^_${joined}_$` : `_${joined}(?=_)`, 'u'),
    parents: path.map((parent) => (parent === '*' ? '*' : wordsOf(parent))),
  };
};

/** Letters that are a whole key of what is always dropped, such as `password`, are that key in any spelling: `pAss-WORD`. Fewer
 * may be others by chance, as `sId` and `p_in`. */
const LETTERS = 6;
const alwaysMeant: ReadonlySet<string> = new Set(
  Object.values(rules as Record<string, Rule>)
    .filter(({ always }) => always)
    .flatMap(({ keys }) => keys.split(' ').map((key) => key.replaceAll(/[^a-z]/g, '')))
    .filter((letters) => letters.length >= LETTERS),
);
const meantWordsOf = (key: string): string => {
  const words = wordsOf(key);
  const letters = words.replaceAll('_', '');
  return alwaysMeant.has(letters) ? `_${letters}_` : words;
};

const isBelow = (wanted: readonly string[], parents: readonly string[]): boolean => {
  const tail = parents.slice(parents.length - wanted.length);
  return (
    tail.length === wanted.length &&
    wanted.every((one, index) => one === '*' || one === wordsOf(tail[index]!))
  );
};

const stricter = (one: Pattern, other: Pattern): Pattern => {
  const order =
    one.words - other.words ||
    Number(one.always) - Number(other.always) ||
    strictnessOf(one.action) - strictnessOf(other.action);
  return order < 0 ? other : one;
};

/** Kinds of resource that are no people, so that their names are for everybody. */
const THINGS = /^(?:ML_)?(?:MODEL|DATASET|FILE|REPORT|LAPORAN|DASHBOARD|CHART|CONFIG|CONFIGURATION|SETTING|SYSTEM|SERVICE|DATABASE|TABLE|BACKUP|SERVER|ENDPOINT|API|CLASS|KELAS|SUBJECT|MAPEL|SEMESTER|ROLE|PERMISSION|BATCH|LOG|FEATURE)S?$/i; // oxfmt-ignore
export const isThing = (resourceType: string | null): boolean =>
  resourceType !== null && THINGS.test(resourceType);

/** The rules with an operator's changes. */
export const createPolicy = (changes: PolicyChanges = {}): Policy => {
  const decisions = Object.fromEntries(
    Object.entries(rules).map(([name, rule]: [string, Rule]) => [
      name,
      {
        action: changes.rules?.[name as RuleName] ?? rule.action,
        rule: name,
        ends: rule.ends ?? false,
        scalar: rule.scalar ?? false,
      },
    ]),
  ) as Record<RuleName, Decision>;
  const builtIn = Object.entries(rules).flatMap(([name, rule]: [string, Rule]) =>
    rule.keys.split(' ').map((key) => patternOf(key, decisions[name as RuleName], rule.always)),
  );
  // An operator's word counts before that of a rule of equal length, but for the rules that hold always.
  const own = Object.entries(changes.keys ?? {}).map(([key, action]) => {
    const pattern = patternOf(key, { action, rule: key, ends: false, scalar: false });
    return { ...pattern, words: pattern.words + 0.5 };
  });
  const patterns = [...builtIn, ...own];
  /** By a word that a key must have; to try them all took 40 µs. */
  const byLead = Map.groupBy(
    patterns.flatMap((pattern) => (pattern.leads ?? []).map((lead) => ({ lead, pattern }))),
    ({ lead }) => lead,
  );
  const unled = patterns.filter(({ leads }) => leads === undefined);
  const meaning = (words: string): readonly Pattern[] => {
    const led = words.split('_').flatMap((lead) => byLead.get(lead) ?? []);
    if (led.length === 0) return unled;
    const either = new Set([...unled, ...led.map(({ pattern }) => pattern)]);
    return patterns.filter((pattern) => either.has(pattern)); // in their order
  };

  const decide = (found: readonly Pattern[]): Decision | undefined =>
    found.length === 0 ? undefined : found.reduce(stricter);
  const meaningOf = remember((key) => {
    const words = meantWordsOf(key);
    const found = meaning(words).filter(({ test }) => test.test(words));
    const anywhere = found.filter(({ parents }) => parents.length === 0);
    return {
      decision: decide(anywhere),
      found: found.length > anywhere.length ? found : undefined,
    };
  });
  const ofLabel = remember((label) => {
    const words = wordsOf(label);
    return decide(
      meaning(words).filter(({ test, parents }) => {
        const match = parents.length === 0 ? test.exec(words) : null;
        return match !== null && match.index + match[0].length >= words.length - 1;
      }),
    );
  });

  const ofField = (name: InputName): Action => changes.fields?.[name] ?? privacyOf(name);
  const columns = new Map(inputNames.map((name) => [fields[name].column as string, decisionOf(name, ofField(name))])); // oxfmt-ignore

  return {
    ofField,
    ofRule: (name) => decisions[name],
    ofKey: (key, parents) => {
      const { decision, found } = meaningOf(key);
      const meant = found
        ? decide(found.filter((each) => isBelow(each.parents, parents)))
        : decision;
      return isAside(parents) ? strictest(meant, columns.get(key)) : meant;
    },
    ofLabel,
  };
};

/** Where values of columns stand that were claimed or not valid. */
const isAside = ([column, key, ...below]: readonly string[]): boolean =>
  column === fields.metadata.column && (key === 'claimed' || key === '_original') && below.length === 0; // oxfmt-ignore

/** The decision about a column, whatever its values are. */
export const decisionOf = (name: InputName, action: Action): Decision => ({
  action,
  rule: fields[name].column,
  ends: true,
  scalar: false,
});

const privacyOf = (name: InputName): Action => {
  const field: Field = fields[name];
  return field.privacy ?? 'keep';
};
/** The columns that are not for everybody, for the README. */
export const privateFields = inputNames.filter((name) => privacyOf(name) !== 'keep');

/** A keyed hash: the same for the same text and key, and without the key nobody can tell of what, however few there are. */
export type Hash = (text: string) => string;

const HASH_PREFIX = 'h:';
const HASH_CHARACTERS = 22; // of base64url: 128 bits
const hashed = new RegExp(`^${HASH_PREFIX}[\\w-]{${HASH_CHARACTERS}}$`);
export const isHash = (text: string): boolean => hashed.test(text);

/** What stands in the place of what is not stored, and the pattern of it. */
export const markOf = (rule: string): string => `[dropped:${rule}]`;
export const MARK = String.raw`\[dropped:[^\]]*\]`;

/** HMAC-SHA-256, cut to 128 bits. Sessions come again and again: remembered, one takes 0.1 µs instead of 4; of a key that is
 * made ready each time, 45. */
export const createHash = (key: Uint8Array): Hash => {
  const secret = createSecretKey(key);
  return remember(
    (text) =>
      HASH_PREFIX +
      createHmac('sha256', secret).update(text).digest('base64url').slice(0, HASH_CHARACTERS),
  );
};
