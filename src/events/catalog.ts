// The catalog: the 84 event definitions of the specification, as data. A definition is two lines, its facts and then
// its descriptions; a new one is two more. Code, name, severity and typical data are the specification's, to the
// letter; type, default action and default status are ours where its samples do not fix them.
// Typical data are documented keys, never required. A family (`type`) never spans two categories.

import { categories, categoryNames, type Category, type Severity, type Status } from './vocabulary.ts';

/** What the specification, and we, say of an event before any event of that code has happened. */
export type Definition = {
  readonly code: Code;
  readonly category: Category;
  /** The stable family of related codes, such as USER_LOGIN. */
  readonly type: string;
  readonly name: string;
  /** The least severity the code deserves, and the one given to an event that states none. */
  readonly severity: Severity;
  /** Stands in when the producer names no action. */
  readonly action: string;
  /** Stands in when the producer names no status. It never claims a protection that the event does not imply. */
  readonly status: Status;
  /** Whether a security officer watches it, whatever its category. */
  readonly security: boolean;
  /** Keys that producers usually send. */
  readonly data: readonly string[];
  readonly descriptions: { readonly en: string; readonly id: string };
};

type Row = Omit<Definition, 'code' | 'category' | 'descriptions'> & Definition['descriptions'];
type Prefix = (typeof categories)[Category]['prefix'];

// `security` outside SEC marks what is rare and touches accounts, permissions, settings, evidence or personal data in
// bulk. Successful logins and score changes are everyday work: marking them would bury the rest.
const rows = {
  'AUTH-001': { type: 'USER_LOGIN', name: 'User Login Success', severity: 'INFO', action: 'LOGIN', status: 'SUCCESS', security: false, data: ['username', 'ip_address', 'session_id'],
    en: 'A user proved who they are and was let in.', id: 'Seorang pengguna terbukti identitasnya dan diizinkan masuk.' },
  'AUTH-002': { type: 'USER_LOGIN', name: 'User Login Failed', severity: 'WARNING', action: 'LOGIN', status: 'FAILED', security: true, data: ['username', 'ip_address', 'error_reason'],
    en: 'Somebody tried to log in with credentials that do not match.', id: 'Seseorang mencoba masuk dengan nama pengguna atau kata sandi yang tidak cocok.' },
  'AUTH-003': { type: 'USER_SESSION', name: 'User Logout', severity: 'INFO', action: 'LOGOUT', status: 'SUCCESS', security: false, data: ['username', 'session_duration'],
    en: 'A user ended their own session.', id: 'Seorang pengguna mengakhiri sesinya sendiri.' },
  'AUTH-004': { type: 'PASSWORD_MANAGEMENT', name: 'Password Changed', severity: 'INFO', action: 'CHANGE_PASSWORD', status: 'SUCCESS', security: true, data: ['username', 'ip_address'],
    en: 'A new password replaced the old one on an account.', id: 'Kata sandi sebuah akun diganti dengan yang baru.' },
  'AUTH-005': { type: 'ACCOUNT_LOCKOUT', name: 'Account Locked', severity: 'CRITICAL', action: 'LOCK', status: 'BLOCKED', security: true, data: ['username', 'ip_address', 'attempt_count'],
    en: 'An account was shut after repeated failed logins.', id: 'Akses ke sebuah akun ditutup setelah berulang kali gagal masuk.' },
  'AUTH-006': { type: 'TOKEN_MANAGEMENT', name: 'Token Generated', severity: 'DEBUG', action: 'ISSUE', status: 'SUCCESS', security: false, data: ['username', 'token_expiry'],
    en: 'A fresh access token was issued to a user.', id: 'Sebuah token akses diterbitkan untuk seorang pengguna.' },
  'AUTH-007': { type: 'TOKEN_MANAGEMENT', name: 'Token Expired', severity: 'WARNING', action: 'VERIFY', status: 'FAILED', security: false, data: ['username', 'token_age'],
    en: 'A token was presented after its lifetime had ended.', id: 'Sebuah token digunakan setelah masa berlakunya habis.' },
  'AUTH-008': { type: 'TOKEN_MANAGEMENT', name: 'Token Refreshed', severity: 'INFO', action: 'REFRESH', status: 'SUCCESS', security: false, data: ['username', 'old_expiry', 'new_expiry'],
    en: 'A token was exchanged for one that lasts longer.', id: 'Sebuah token ditukar dengan token baru yang berlaku lebih lama.' },
  'AUTH-009': { type: 'ACCESS_CONTROL', name: 'Unauthorized Access', severity: 'WARNING', action: 'ACCESS', status: 'DENIED', security: true, data: ['username', 'resource', 'action'],
    en: 'A user asked for something their role does not allow.', id: 'Seorang pengguna meminta sesuatu di luar kewenangan perannya.' },
  'AUTH-010': { type: 'USER_SESSION', name: 'Session Timeout', severity: 'INFO', action: 'EXPIRE', status: 'SUCCESS', security: false, data: ['username', 'session_duration'],
    en: 'A session was closed because it had been idle too long.', id: 'Sebuah sesi diakhiri karena terlalu lama tidak digunakan.' },

  'DATA-001': { type: 'STUDENT_MANAGEMENT', name: 'Student Created', severity: 'INFO', action: 'CREATE', status: 'SUCCESS', security: false, data: ['student_id', 'student_name', 'creator'],
    en: 'A student was registered for the first time.', id: 'Seorang siswa didaftarkan untuk pertama kalinya.' },
  'DATA-002': { type: 'STUDENT_MANAGEMENT', name: 'Student Updated', severity: 'INFO', action: 'UPDATE', status: 'SUCCESS', security: false, data: ['student_id', 'changed_fields', 'updater'],
    en: 'Some fields of a student record were changed.', id: 'Sebagian isian pada catatan seorang siswa diubah.' },
  'DATA-003': { type: 'STUDENT_MANAGEMENT', name: 'Student Deleted', severity: 'WARNING', action: 'DELETE', status: 'SUCCESS', security: true, data: ['student_id', 'student_name', 'deleter'],
    en: 'A student record was removed from the school data.', id: 'Catatan seorang siswa dikeluarkan dari data sekolah.' },
  'DATA-004': { type: 'ACADEMIC_SCORE', name: 'Academic Score Added', severity: 'INFO', action: 'CREATE', status: 'SUCCESS', security: false, data: ['student_id', 'subject', 'score', 'semester'],
    en: 'A student received a score in a subject.', id: 'Seorang siswa memperoleh nilai pada suatu mata pelajaran.' },
  'DATA-005': { type: 'ACADEMIC_SCORE', name: 'Academic Score Updated', severity: 'INFO', action: 'UPDATE', status: 'SUCCESS', security: false, data: ['student_id', 'old_score', 'new_score'],
    en: 'A score that had already been recorded was corrected.', id: 'Nilai yang sudah tercatat dikoreksi.' },
  'DATA-006': { type: 'ATTENDANCE', name: 'Attendance Record Created', severity: 'INFO', action: 'CREATE', status: 'SUCCESS', security: false, data: ['student_id', 'attendance_data', 'period'],
    en: 'Attendance of a student over a period was entered.', id: 'Kehadiran seorang siswa pada suatu periode dicatat.' },
  'DATA-007': { type: 'ATTENDANCE', name: 'Attendance Updated', severity: 'INFO', action: 'UPDATE', status: 'SUCCESS', security: false, data: ['student_id', 'old_data', 'new_data'],
    en: 'An attendance entry was corrected after the fact.', id: 'Catatan kehadiran dikoreksi setelah sebelumnya disimpan.' },
  'DATA-008': { type: 'PARENT_INCOME', name: 'Parent Income Added', severity: 'INFO', action: 'CREATE', status: 'SUCCESS', security: false, data: ['student_id', 'income_data', 'category'],
    en: 'What a student’s parents earn was recorded.', id: 'Besaran pendapatan orang tua seorang siswa dicatat.' },
  'DATA-009': { type: 'PARENT_INCOME', name: 'Parent Income Updated', severity: 'INFO', action: 'UPDATE', status: 'SUCCESS', security: false, data: ['student_id', 'old_income', 'new_income'],
    en: 'The recorded earnings of a student’s parents were revised.', id: 'Catatan pendapatan orang tua seorang siswa disesuaikan.' },
  'DATA-010': { type: 'DATA_VALIDATION', name: 'Data Validation Failed', severity: 'ERROR', action: 'VALIDATE', status: 'FAILED', security: false, data: ['resource_type', 'validation_errors'],
    en: 'Submitted data broke one or more rules and was not accepted.', id: 'Data yang dikirim melanggar satu atau beberapa aturan sehingga tidak diterima.' },
  'DATA-011': { type: 'DATA_IMPORT', name: 'Bulk Data Import', severity: 'INFO', action: 'IMPORT', status: 'SUCCESS', security: false, data: ['record_count', 'import_type', 'status'],
    en: 'Many records were brought in at once.', id: 'Banyak catatan dimasukkan sekaligus.' },
  'DATA-012': { type: 'DATA_EXPORT', name: 'Data Export', severity: 'INFO', action: 'EXPORT', status: 'SUCCESS', security: true, data: ['export_type', 'record_count', 'format'],
    en: 'Records were copied out of the system to a file.', id: 'Sejumlah catatan disalin ke luar sistem dalam bentuk berkas.' },

  'PRED-001': { type: 'INDIVIDUAL_PREDICTION', name: 'Individual Prediction Started', severity: 'INFO', action: 'PREDICT', status: 'STARTED', security: false, data: ['student_id', 'model_version'],
    en: 'The model was asked about one student.', id: 'Model mulai menghitung prediksi untuk satu siswa.' },
  'PRED-002': { type: 'INDIVIDUAL_PREDICTION', name: 'Individual Prediction Completed', severity: 'INFO', action: 'PREDICT', status: 'SUCCESS', security: false, data: ['student_id', 'prediction_result', 'confidence'],
    en: 'The model gave its answer about one student.', id: 'Model memberikan hasil prediksi untuk satu siswa.' },
  'PRED-003': { type: 'INDIVIDUAL_PREDICTION', name: 'Individual Prediction Failed', severity: 'ERROR', action: 'PREDICT', status: 'ERROR', security: false, data: ['student_id', 'error_reason'],
    en: 'No answer about a student could be produced.', id: 'Prediksi untuk seorang siswa tidak dapat dihasilkan.' },
  'PRED-004': { type: 'BATCH_PREDICTION', name: 'Batch Prediction Started', severity: 'INFO', action: 'PREDICT', status: 'STARTED', security: false, data: ['batch_size', 'semester', 'tahun_ajaran'],
    en: 'A run over many students was set going.', id: 'Prediksi untuk sekumpulan siswa mulai dijalankan.' },
  'PRED-005': { type: 'BATCH_PREDICTION', name: 'Batch Prediction Completed', severity: 'INFO', action: 'PREDICT', status: 'SUCCESS', security: false, data: ['total_processed', 'success_count', 'failed_count'],
    en: 'A run over many students reached its end.', id: 'Prediksi untuk sekumpulan siswa telah tuntas.' },
  'PRED-006': { type: 'BATCH_PREDICTION', name: 'Batch Prediction Failed', severity: 'ERROR', action: 'PREDICT', status: 'ERROR', security: false, data: ['batch_id', 'error_reason'],
    en: 'A run over many students broke off before its end.', id: 'Prediksi untuk sekumpulan siswa terhenti sebelum tuntas.' },
  'PRED-007': { type: 'PREDICTION_HISTORY', name: 'Prediction History Viewed', severity: 'DEBUG', action: 'VIEW', status: 'SUCCESS', security: false, data: ['user_id', 'filter_criteria'],
    en: 'A user looked through earlier predictions.', id: 'Seorang pengguna menelusuri prediksi terdahulu.' },
  'PRED-008': { type: 'PREDICTION_EXPORT', name: 'Prediction Exported', severity: 'INFO', action: 'EXPORT', status: 'SUCCESS', security: true, data: ['export_format', 'record_count'],
    en: 'Predictions were taken out of the system as a file.', id: 'Sejumlah prediksi dibawa ke luar sistem dalam bentuk berkas.' },
  'PRED-009': { type: 'PREDICTION_CONFIDENCE', name: 'Low Confidence Warning', severity: 'WARNING', action: 'MONITOR', status: 'ALERT', security: false, data: ['student_id', 'confidence_score'],
    en: 'The model was unsure of its answer; a person should check it.', id: 'Model kurang yakin akan jawabannya sehingga perlu ditinjau oleh manusia.' },
  'PRED-010': { type: 'DATA_COMPLETENESS', name: 'Data Completeness Check', severity: 'DEBUG', action: 'CHECK', status: 'SUCCESS', security: false, data: ['student_id', 'completeness_score'],
    en: 'It was checked whether enough is known of a student to predict.', id: 'Kecukupan data seorang siswa diperiksa sebelum prediksi dilakukan.' },

  'MODEL-001': { type: 'MODEL_TRAINING', name: 'Model Training Started', severity: 'INFO', action: 'TRAIN', status: 'STARTED', security: false, data: ['training_data_size', 'parameters'],
    en: 'A model began to learn from past records.', id: 'Sebuah model mulai belajar dari data terdahulu.' },
  'MODEL-002': { type: 'MODEL_TRAINING', name: 'Model Training Completed', severity: 'INFO', action: 'TRAIN', status: 'SUCCESS', security: false, data: ['accuracy', 'training_time', 'model_version'],
    en: 'A model finished learning and has a version of its own.', id: 'Sebuah model tuntas dilatih dan memperoleh nomor versi.' },
  'MODEL-003': { type: 'MODEL_TRAINING', name: 'Model Training Failed', severity: 'ERROR', action: 'TRAIN', status: 'ERROR', security: false, data: ['error_reason', 'training_duration'],
    en: 'Learning broke off and left no usable model.', id: 'Pelatihan terhenti tanpa menghasilkan model yang dapat digunakan.' },
  'MODEL-004': { type: 'MODEL_EVALUATION', name: 'Model Evaluation Started', severity: 'INFO', action: 'EVALUATE', status: 'STARTED', security: false, data: ['model_version', 'test_data_size'],
    en: 'A model is being tried on records it has not seen.', id: 'Sebuah model mulai diuji dengan data yang belum pernah dikenalnya.' },
  'MODEL-005': { type: 'MODEL_EVALUATION', name: 'Model Evaluation Completed', severity: 'INFO', action: 'EVALUATE', status: 'SUCCESS', security: false, data: ['accuracy', 'precision', 'recall', 'f1_score'],
    en: 'A trial of a model is over and its scores are known.', id: 'Pengujian sebuah model tuntas dan skornya telah diketahui.' },
  'MODEL-006': { type: 'MODEL_DEPLOYMENT', name: 'Model Deployed', severity: 'CRITICAL', action: 'DEPLOY', status: 'SUCCESS', security: false, data: ['model_version', 'previous_version'],
    en: 'Predictions now come from a new model.', id: 'Prediksi kini dihasilkan oleh model yang baru.' },
  'MODEL-007': { type: 'MODEL_DEPLOYMENT', name: 'Model Rollback', severity: 'CRITICAL', action: 'ROLLBACK', status: 'SUCCESS', security: false, data: ['current_version', 'rollback_version', 'reason'],
    en: 'A model was withdrawn and an earlier one took its place.', id: 'Sebuah model ditarik dan digantikan oleh versi terdahulu.' },
  'MODEL-008': { type: 'MODEL_PERFORMANCE', name: 'Model Performance Alert', severity: 'WARNING', action: 'MONITOR', status: 'ALERT', security: false, data: ['current_accuracy', 'threshold', 'degradation'],
    en: 'The model in use answers less accurately than it should.', id: 'Akurasi model yang digunakan berada di bawah batas yang ditetapkan.' },
  'MODEL-009': { type: 'MODEL_BACKUP', name: 'Model Backup Created', severity: 'INFO', action: 'BACKUP', status: 'SUCCESS', security: false, data: ['model_version', 'backup_location'],
    en: 'A copy of a model was put in safe keeping.', id: 'Salinan cadangan sebuah model disimpan di tempat yang aman.' },
  'MODEL-010': { type: 'FEATURE_IMPORTANCE', name: 'Feature Importance Updated', severity: 'DEBUG', action: 'UPDATE', status: 'SUCCESS', security: false, data: ['top_features', 'importance_scores'],
    en: 'How much each input counts in the model was worked out anew.', id: 'Bobot pengaruh setiap masukan terhadap model dihitung ulang.' },

  'SYS-001': { type: 'APPLICATION_LIFECYCLE', name: 'Application Started', severity: 'INFO', action: 'START', status: 'SUCCESS', security: false, data: ['version', 'startup_time'],
    en: 'The application came up and is ready to serve.', id: 'Aplikasi telah aktif dan siap melayani.' },
  'SYS-002': { type: 'APPLICATION_LIFECYCLE', name: 'Application Stopped', severity: 'INFO', action: 'STOP', status: 'SUCCESS', security: false, data: ['uptime', 'shutdown_reason'],
    en: 'The application shut down and serves no longer.', id: 'Aplikasi telah berhenti dan tidak lagi melayani.' },
  'SYS-003': { type: 'DATABASE_CONNECTION', name: 'Database Connected', severity: 'INFO', action: 'CONNECT', status: 'SUCCESS', security: false, data: ['database_name', 'connection_pool'],
    en: 'The application reached its database.', id: 'Aplikasi telah terhubung dengan basis datanya.' },
  'SYS-004': { type: 'DATABASE_CONNECTION', name: 'Database Disconnected', severity: 'WARNING', action: 'DISCONNECT', status: 'ALERT', security: false, data: ['database_name', 'disconnect_reason'],
    en: 'The application no longer has its database.', id: 'Aplikasi kehilangan hubungan dengan basis datanya.' },
  'SYS-005': { type: 'PERFORMANCE_ALERT', name: 'High Memory Usage', severity: 'WARNING', action: 'MONITOR', status: 'ALERT', security: false, data: ['memory_usage_percent', 'threshold'],
    en: 'Memory in use rose above its limit.', id: 'Pemakaian memori melampaui batas yang ditetapkan.' },
  'SYS-006': { type: 'PERFORMANCE_ALERT', name: 'High CPU Usage', severity: 'WARNING', action: 'MONITOR', status: 'ALERT', security: false, data: ['cpu_usage_percent', 'threshold'],
    en: 'The processor was busier than its limit allows.', id: 'Beban prosesor melampaui batas yang ditetapkan.' },
  'SYS-007': { type: 'PERFORMANCE_ALERT', name: 'Slow Response Time', severity: 'WARNING', action: 'MONITOR', status: 'ALERT', security: false, data: ['endpoint', 'response_time', 'threshold'],
    en: 'An endpoint took longer to answer than its limit allows.', id: 'Sebuah endpoint menjawab lebih lama daripada batas yang ditetapkan.' },
  'SYS-008': { type: 'PERFORMANCE_ALERT', name: 'Error Rate High', severity: 'CRITICAL', action: 'MONITOR', status: 'ALERT', security: false, data: ['error_rate_percent', 'time_window'],
    en: 'Too large a share of recent requests failed.', id: 'Terlalu banyak permintaan yang gagal dalam waktu belakangan ini.' },
  'SYS-009': { type: 'SYSTEM_BACKUP', name: 'Backup Completed', severity: 'INFO', action: 'BACKUP', status: 'SUCCESS', security: false, data: ['backup_type', 'backup_size', 'duration'],
    en: 'A safe copy of the system was made and kept.', id: 'Salinan cadangan sistem berhasil dibuat dan disimpan.' },
  'SYS-010': { type: 'SYSTEM_BACKUP', name: 'Backup Failed', severity: 'ERROR', action: 'BACKUP', status: 'ERROR', security: false, data: ['backup_type', 'error_reason'],
    en: 'The system could not be copied; the last good copy grows older.', id: 'Salinan cadangan sistem tidak berhasil dibuat.' },
  'SYS-011': { type: 'CONFIGURATION_CHANGE', name: 'Configuration Changed', severity: 'WARNING', action: 'UPDATE', status: 'SUCCESS', security: true, data: ['config_key', 'old_value', 'new_value'],
    en: 'A setting of the running system has a new value.', id: 'Sebuah pengaturan sistem yang sedang berjalan diberi nilai baru.' },
  'SYS-012': { type: 'HEALTH_CHECK', name: 'Health Check Failed', severity: 'CRITICAL', action: 'CHECK', status: 'ERROR', security: false, data: ['component', 'check_type', 'error'],
    en: 'A part of the system did not prove that it works.', id: 'Salah satu komponen sistem tidak lolos pemeriksaan kesehatan.' },

  'SEC-001': { type: 'SUSPICIOUS_ACTIVITY', name: 'Suspicious Login Activity', severity: 'CRITICAL', action: 'MONITOR', status: 'ALERT', security: true, data: ['ip_address', 'login_attempts', 'pattern'],
    en: 'Logins follow a pattern that an honest user would not make.', id: 'Pola upaya masuk tidak lazim bagi pengguna yang sah.' },
  'SEC-002': { type: 'ATTACK_DETECTION', name: 'Brute Force Attack', severity: 'CRITICAL', action: 'BLOCK', status: 'BLOCKED', security: true, data: ['ip_address', 'attempt_count', 'timeframe'],
    en: 'Passwords are being guessed one after another from an address.', id: 'Kata sandi ditebak secara beruntun dari sebuah alamat.' },
  'SEC-003': { type: 'ATTACK_DETECTION', name: 'SQL Injection Attempt', severity: 'CRITICAL', action: 'BLOCK', status: 'BLOCKED', security: true, data: ['ip_address', 'payload', 'endpoint'],
    en: 'A request carried SQL meant for the database to run.', id: 'Sebuah permintaan menyelundupkan perintah SQL ke basis data.' },
  'SEC-004': { type: 'ATTACK_DETECTION', name: 'XSS Attempt', severity: 'WARNING', action: 'BLOCK', status: 'BLOCKED', security: true, data: ['ip_address', 'payload', 'endpoint'],
    en: 'A request carried a script meant to run in other users’ browsers.', id: 'Sebuah permintaan membawa skrip yang menyasar peramban pengguna lain.' },
  'SEC-005': { type: 'UNAUTHORIZED_ACCESS', name: 'Unauthorized API Access', severity: 'WARNING', action: 'ACCESS', status: 'DENIED', security: true, data: ['ip_address', 'endpoint', 'user_agent'],
    en: 'The API was called without the right to call it.', id: 'API dipanggil oleh pihak yang tidak berhak.' },
  'SEC-006': { type: 'DATA_BREACH', name: 'Data Breach Attempt', severity: 'CRITICAL', action: 'BLOCK', status: 'BLOCKED', security: true, data: ['resource_type', 'access_pattern'],
    en: 'Somebody tried to reach protected data in a way that suggests theft.', id: 'Seseorang mencoba mengakses data terlindungi dengan pola yang mengarah pada pencurian.' },
  'SEC-007': { type: 'PRIVILEGE_ESCALATION', name: 'Privilege Escalation', severity: 'CRITICAL', action: 'ESCALATE', status: 'DENIED', security: true, data: ['user_id', 'attempted_action'],
    en: 'A user tried to act with more rights than they were given.', id: 'Seorang pengguna berusaha bertindak melebihi hak yang diberikan kepadanya.' },
  'SEC-008': { type: 'MALICIOUS_UPLOAD', name: 'Malicious File Upload', severity: 'WARNING', action: 'UPLOAD', status: 'ALERT', security: true, data: ['filename', 'file_type', 'user_id'],
    en: 'A file sent to the system appears to be harmful.', id: 'Berkas yang dikirim ke sistem terindikasi membahayakan.' },
  'SEC-009': { type: 'SUSPICIOUS_ACTIVITY', name: 'Anomalous User Behavior', severity: 'WARNING', action: 'MONITOR', status: 'ALERT', security: true, data: ['user_id', 'behavior_pattern'],
    en: 'A user acts unlike their own habits.', id: 'Tindakan seorang pengguna menyimpang dari kebiasaannya.' },
  'SEC-010': { type: 'POLICY_VIOLATION', name: 'Security Policy Violation', severity: 'WARNING', action: 'MONITOR', status: 'ALERT', security: true, data: ['policy_name', 'violation_type'],
    en: 'Something was done that a security rule forbids.', id: 'Terjadi tindakan yang dilarang oleh aturan keamanan.' },

  'ANLY-001': { type: 'DASHBOARD_USAGE', name: 'Dashboard Accessed', severity: 'DEBUG', action: 'VIEW', status: 'SUCCESS', security: false, data: ['user_id', 'dashboard_type'],
    en: 'A user opened a dashboard.', id: 'Seorang pengguna membuka dasbor.' },
  'ANLY-002': { type: 'REPORT_GENERATION', name: 'Report Generated', severity: 'INFO', action: 'GENERATE', status: 'SUCCESS', security: false, data: ['report_type', 'parameters', 'record_count'],
    en: 'A report was compiled from the chosen parameters.', id: 'Sebuah laporan disusun berdasarkan parameter yang dipilih.' },
  'ANLY-003': { type: 'DASHBOARD_USAGE', name: 'Chart Rendered', severity: 'DEBUG', action: 'RENDER', status: 'SUCCESS', security: false, data: ['chart_type', 'data_points'],
    en: 'Figures were drawn as a chart.', id: 'Sekumpulan angka ditampilkan dalam bentuk grafik.' },
  'ANLY-004': { type: 'DATA_AGGREGATION', name: 'Data Aggregation', severity: 'DEBUG', action: 'AGGREGATE', status: 'SUCCESS', security: false, data: ['aggregation_type', 'record_count'],
    en: 'Many records were summed up into a few figures.', id: 'Banyak catatan diringkas menjadi beberapa angka.' },
  'ANLY-005': { type: 'ANALYTICS_EXPORT', name: 'Export Analytics', severity: 'INFO', action: 'EXPORT', status: 'SUCCESS', security: true, data: ['export_format', 'data_range'],
    en: 'Analytical figures were saved outside the system.', id: 'Hasil analisis disimpan di luar sistem.' },
  'ANLY-006': { type: 'DASHBOARD_USAGE', name: 'Filter Applied', severity: 'DEBUG', action: 'FILTER', status: 'SUCCESS', security: false, data: ['filter_criteria', 'result_count'],
    en: 'A user narrowed down what a dashboard shows.', id: 'Seorang pengguna mempersempit data yang ditampilkan pada dasbor.' },
  'ANLY-007': { type: 'DATA_ANALYSIS', name: 'Drill Down Analysis', severity: 'INFO', action: 'ANALYZE', status: 'SUCCESS', security: false, data: ['source_metric', 'target_detail'],
    en: 'A user went from a summary figure to the detail beneath it.', id: 'Seorang pengguna menelusuri rincian di balik sebuah angka ringkasan.' },
  'ANLY-008': { type: 'DATA_ANALYSIS', name: 'Trend Analysis', severity: 'INFO', action: 'ANALYZE', status: 'SUCCESS', security: false, data: ['time_period', 'trend_direction'],
    en: 'The course of a figure over time was examined.', id: 'Perkembangan suatu angka dari waktu ke waktu dikaji.' },
  'ANLY-009': { type: 'DATA_ANALYSIS', name: 'Correlation Analysis', severity: 'INFO', action: 'ANALYZE', status: 'SUCCESS', security: false, data: ['variables', 'correlation_coefficient'],
    en: 'It was measured how closely some variables move together.', id: 'Keeratan hubungan antara beberapa variabel diukur.' },
  'ANLY-010': { type: 'PERFORMANCE_METRICS', name: 'Performance Metrics', severity: 'DEBUG', action: 'MEASURE', status: 'SUCCESS', security: false, data: ['metric_type', 'value', 'benchmark'],
    en: 'A measurement was taken and set beside its benchmark.', id: 'Suatu pengukuran dilakukan dan dibandingkan dengan tolok ukurnya.' },

  'ADMIN-001': { type: 'USER_ACCOUNT', name: 'User Account Created', severity: 'INFO', action: 'CREATE', status: 'SUCCESS', security: true, data: ['new_user_id', 'role', 'creator'],
    en: 'Somebody was given an account and a role.', id: 'Seseorang diberi akun beserta perannya.' },
  'ADMIN-002': { type: 'USER_ACCOUNT', name: 'User Account Modified', severity: 'INFO', action: 'UPDATE', status: 'SUCCESS', security: true, data: ['user_id', 'changed_fields', 'modifier'],
    en: 'The details of an account were altered.', id: 'Rincian sebuah akun diubah.' },
  'ADMIN-003': { type: 'USER_ACCOUNT', name: 'User Account Deleted', severity: 'WARNING', action: 'DELETE', status: 'SUCCESS', security: true, data: ['user_id', 'username', 'deleter'],
    en: 'An account was removed and can no longer be used.', id: 'Sebuah akun dicabut dan tidak dapat digunakan lagi.' },
  'ADMIN-004': { type: 'ROLE_PERMISSION', name: 'Role Permission Changed', severity: 'WARNING', action: 'UPDATE', status: 'SUCCESS', security: true, data: ['role', 'old_permissions', 'new_permissions'],
    en: 'What a role is allowed to do is no longer the same.', id: 'Kewenangan yang melekat pada sebuah peran tidak lagi sama.' },
  'ADMIN-005': { type: 'SYSTEM_CONFIGURATION', name: 'System Configuration Updated', severity: 'WARNING', action: 'UPDATE', status: 'SUCCESS', security: true, data: ['config_section', 'changes'],
    en: 'An administrator changed a section of the settings.', id: 'Seorang administrator mengubah satu bagian pengaturan.' },
  'ADMIN-006': { type: 'DATABASE_MAINTENANCE', name: 'Database Maintenance', severity: 'INFO', action: 'MAINTAIN', status: 'SUCCESS', security: false, data: ['maintenance_type', 'duration'],
    en: 'Upkeep work was done on the database.', id: 'Pekerjaan pemeliharaan basis data dilaksanakan.' },
  'ADMIN-007': { type: 'LOG_CLEANUP', name: 'Log Cleanup', severity: 'INFO', action: 'CLEANUP', status: 'SUCCESS', security: true, data: ['log_type', 'deleted_count', 'retention_days'],
    en: 'Log entries past their retention period were removed.', id: 'Catatan log yang telah melewati masa simpannya dihapus.' },
  'ADMIN-008': { type: 'SECURITY_AUDIT', name: 'Security Audit', severity: 'INFO', action: 'AUDIT', status: 'SUCCESS', security: true, data: ['audit_scope', 'findings_count'],
    en: 'The protection of the system was reviewed and findings were noted.', id: 'Perlindungan sistem ditinjau dan temuannya dicatat.' },
  'ADMIN-009': { type: 'SYSTEM_UPGRADE', name: 'System Upgrade', severity: 'CRITICAL', action: 'UPGRADE', status: 'SUCCESS', security: false, data: ['old_version', 'new_version'],
    en: 'The system moved to a newer version.', id: 'Sistem beralih ke versi yang lebih baru.' },
  'ADMIN-010': { type: 'EMERGENCY_SHUTDOWN', name: 'Emergency Shutdown', severity: 'CRITICAL', action: 'SHUTDOWN', status: 'SUCCESS', security: true, data: ['shutdown_reason', 'initiated_by'],
    en: 'Somebody took the whole system down at once to prevent harm.', id: 'Seluruh sistem segera dimatikan untuk mencegah kerugian.' },
} as const satisfies Record<`${Prefix}-${string}`, Row>;

export type Code = keyof typeof rows;

// A code's prefix is its category's: the type of `rows` admits no other, so no row is left out here.
const definitions = categoryNames.flatMap((category) =>
  (Object.entries(rows) as [Code, Row][])
    .filter(([code]) => code.startsWith(`${categories[category].prefix}-`))
    .map(([code, { en, id, ...facts }]): Definition => ({ code, category, ...facts, descriptions: { en, id } })),
);

/** Every definition by its code, in the order of the specification. */
export const catalog: ReadonlyMap<string, Definition> = new Map(definitions.map((each) => [each.code, each]));

export const definitionOf = (code: string): Definition | undefined => catalog.get(code);

const nameKey = (category: string, name: string) => `${category}/${name}`;
const byName = new Map(definitions.map((each) => [nameKey(each.category, each.name), each]));

/** The definition whose name is exactly `name` within `category` ("SYSTEM", not "SYS"). */
export const definitionByName = (category: string, name: string): Definition | undefined =>
  byName.get(nameKey(category, name));

const names = new Set(definitions.map(({ name }) => name));
/** Whether it is the name of some definition, such as "Student Created", and so nobody's. */
export const isEventName = (text: string): boolean => names.has(text);

const dataKeys = new Set(definitions.flatMap(({ data }) => data));
/** Whether some definition names it among its typical data. */
export const isDataKey = (key: string): boolean => dataKeys.has(key);

const canonicalId = /^([A-Z]+-\d{3})-\d{8}-\d{6}-[\w-]+$/;

/** The catalogued code that heads a canonical id, `<code>-<yyyymmdd>-<hhmmss>-<tail>`; nothing for any other id. */
export const codeInId = (eventId: string): Code | undefined =>
  definitionOf(canonicalId.exec(eventId)?.[1] ?? '')?.code;

/** The codes that a security officer watches: all of SECURITY, and those of other categories marked so. */
export const securityRelevantCodes: readonly Code[] = definitions
  .filter((each) => each.security)
  .map((each) => each.code);
