// The specification's own payloads and queries, as data: its six sample events, what its JavaScript client, its Python
// logger and its FastAPI middleware send, and its six monitoring queries to the letter. Payloads are written as they
// travel, under the names of the REST door. Only what the document leaves to the caller's moment is an argument.

export type Payload = Readonly<Record<string, unknown>>;

/** The six sample events, by the code that each shows. */
export const samples = {
  'AUTH-001': {
    event_id: 'AUTH-001-20250619-143052-001',
    event_category: 'AUTH',
    event_type: 'USER_LOGIN',
    event_name: 'User Login Success',
    event_description: 'User guru01 berhasil login ke sistem EduPro',
    user_id: 15,
    username: 'guru01',
    user_role: 'GURU',
    ip_address: '192.168.1.100',
    user_agent: 'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36',
    session_id: 'sess_abc123def456',
    action: 'LOGIN',
    status: 'SUCCESS',
    http_method: 'POST',
    endpoint: '/api/auth/login',
    processing_time_ms: 245,
    severity: 'INFO',
    metadata: {
      login_method: 'password',
      browser: 'Chrome 91.0',
      device_type: 'desktop',
    },
    tags: ['authentication', 'login', 'success'],
  },
  'DATA-001': {
    event_id: 'DATA-001-20250619-143052-002',
    event_category: 'DATA',
    event_type: 'STUDENT_MANAGEMENT',
    event_name: 'Student Created',
    event_description: "Data siswa baru 'Ahmad Rizki' berhasil ditambahkan",
    user_id: 12,
    username: 'admin01',
    user_role: 'ADMIN',
    resource_type: 'STUDENT',
    resource_id: 'STD-2025-001',
    resource_name: 'Ahmad Rizki',
    action: 'CREATE',
    status: 'SUCCESS',
    http_method: 'POST',
    endpoint: '/api/siswa',
    request_data: {
      nama_lengkap: 'Ahmad Rizki',
      nis: '12345678',
      jenis_kelamin: 'L',
      agama: 'Islam',
    },
    processing_time_ms: 156,
    severity: 'INFO',
    metadata: {
      grade: '10',
      class: 'A',
      academic_year: '2024/2025',
    },
    tags: ['data_management', 'student', 'create'],
  },
  'PRED-002': {
    event_id: 'PRED-002-20250619-143052-003',
    event_category: 'PRED',
    event_type: 'INDIVIDUAL_PREDICTION',
    event_name: 'Individual Prediction Completed',
    event_description: 'Prediksi prestasi siswa Ahmad Rizki berhasil diselesaikan',
    user_id: 15,
    username: 'guru01',
    user_role: 'GURU',
    resource_type: 'STUDENT',
    resource_id: 'STD-2025-001',
    resource_name: 'Ahmad Rizki',
    action: 'PREDICT',
    status: 'SUCCESS',
    http_method: 'POST',
    endpoint: '/api/prediksi/individual',
    response_data: {
      prediction: 'TINGGI',
      confidence: 87.5,
      features: {
        academic_average: 85.2,
        attendance_rate: 92.0,
        income_category: 'SEDANG',
      },
    },
    processing_time_ms: 1245,
    severity: 'INFO',
    metadata: {
      model_version: 'v2025.06.15.001',
      algorithm: 'C4.5',
      feature_count: 8,
    },
    tags: ['prediction', 'individual', 'success'],
  },
  'MODEL-002': {
    event_id: 'MODEL-002-20250619-143052-004',
    event_category: 'MODEL',
    event_type: 'MODEL_TRAINING',
    event_name: 'Model Training Completed',
    event_description: 'Training model C4.5 berhasil diselesaikan dengan akurasi 87.3%',
    user_id: 1,
    username: 'admin',
    user_role: 'ADMIN',
    resource_type: 'ML_MODEL',
    resource_id: 'v2025.06.19.001',
    resource_name: 'C4.5 Decision Tree Model',
    action: 'TRAIN',
    status: 'SUCCESS',
    http_method: 'POST',
    endpoint: '/api/prediksi/train',
    response_data: {
      accuracy: 87.3,
      precision: 85.6,
      recall: 88.1,
      f1_score: 86.8,
      training_samples: 245,
      test_samples: 61,
    },
    processing_time_ms: 187456,
    severity: 'INFO',
    metadata: {
      algorithm: 'C4.5',
      max_depth: 10,
      min_samples_leaf: 5,
      cross_validation_folds: 5,
    },
    tags: ['model', 'training', 'c45', 'success'],
  },
  'SYS-005': {
    event_id: 'SYS-005-20250619-143052-005',
    event_category: 'SYSTEM',
    event_type: 'PERFORMANCE_ALERT',
    event_name: 'High Memory Usage',
    event_description: 'Penggunaan memory mencapai 85% dari kapasitas maksimum',
    action: 'MONITOR',
    status: 'ALERT',
    processing_time_ms: 0,
    severity: 'WARNING',
    metadata: {
      memory_usage_mb: 3400,
      memory_total_mb: 4000,
      memory_usage_percent: 85.0,
      threshold_percent: 80.0,
      top_processes: [
        { name: 'python', memory_mb: 1200 },
        { name: 'postgres', memory_mb: 800 },
      ],
    },
    tags: ['system', 'performance', 'memory', 'alert'],
  },
  'SEC-002': {
    event_id: 'SEC-002-20250619-143052-006',
    event_category: 'SECURITY',
    event_type: 'ATTACK_DETECTION',
    event_name: 'Brute Force Attack',
    event_description: 'Serangan brute force terdeteksi dari IP 192.168.1.999',
    ip_address: '192.168.1.999',
    user_agent: 'curl/7.68.0',
    action: 'BLOCK',
    status: 'BLOCKED',
    http_method: 'POST',
    endpoint: '/api/auth/login',
    processing_time_ms: 0,
    severity: 'CRITICAL',
    metadata: {
      attempt_count: 25,
      timeframe_minutes: 5,
      targeted_usernames: ['admin', 'root', 'administrator'],
      attack_pattern: 'sequential_dictionary',
      blocked_duration_minutes: 60,
    },
    tags: ['security', 'attack', 'brute_force', 'blocked'],
  },
} as const satisfies Record<string, Payload>;

/** `EventLogger.logUserAction('CREATE', 'STUDENT', { student_name: 'Ahmad Rizki' })`, by guru01. */
export const userAction = (timestamp: string) =>
  ({
    event_category: 'DATA',
    event_type: 'USER_ACTION',
    event_name: 'CREATE STUDENT',
    event_description: 'User performed CREATE on STUDENT',
    action: 'CREATE',
    resource_type: 'STUDENT',
    user_id: 15,
    username: 'guru01',
    user_role: 'GURU',
    timestamp, // new Date().toISOString()
    metadata: { student_name: 'Ahmad Rizki' },
    severity: 'INFO',
    tags: ['user_action', 'create', 'student'],
  }) as const satisfies Payload;

/** `EventLogger.logPredictionEvent('STD-001', 'TINGGI', 87.5)`: the document makes it a user action (trap P14). */
export const predictionAction = (timestamp: string) =>
  ({
    ...userAction(timestamp),
    event_name: 'PREDICT STUDENT',
    event_description: 'User performed PREDICT on STUDENT',
    action: 'PREDICT',
    metadata: {
      student_id: 'STD-001',
      prediction_result: 'TINGGI',
      confidence: 87.5,
      model_version: 'v2025.06.19.001',
    },
    tags: ['user_action', 'predict', 'student'],
  }) as const satisfies Payload;

/** `EventLogger.logSecurityEvent('UNAUTHORIZED_ACCESS', { … })`: no id, action, status or timestamp (trap P2). */
export const securityEvent = {
  event_category: 'SECURITY',
  event_type: 'UNAUTHORIZED_ACCESS',
  event_name: 'Security Event: UNAUTHORIZED_ACCESS',
  event_description: 'Attempted access to admin panel',
  severity: 'WARNING',
  metadata: { description: 'Attempted access to admin panel', ip_address: '192.168.1.100' },
  tags: ['security', 'unauthorized_access'],
} as const satisfies Payload;

/** The dict of the Python usage: 13 of the 27 names that its INSERT binds (trap P3). */
export const pythonUsage = {
  event_category: 'AUTH',
  event_type: 'USER_LOGIN',
  event_name: 'User Login Success',
  event_description: 'User guru01 berhasil login',
  user_id: 15,
  username: 'guru01',
  user_role: 'GURU',
  ip_address: '192.168.1.100',
  action: 'LOGIN',
  status: 'SUCCESS',
  severity: 'INFO',
  metadata: { login_method: 'password' },
  tags: ['authentication', 'login', 'success'],
} as const satisfies Payload;

/** What `log_event` adds to it: a time without a zone, and an id that has lost the code (traps P4, I1). */
export const pythonLogged = (naiveTimestamp: string, eventId = 'AUTH-20250619-143052-1a2b3c4d') =>
  ({ ...pythonUsage, timestamp: naiveTimestamp, event_id: eventId }) as const satisfies Payload;

/** What the FastAPI middleware logs of `GET /api/siswa/STD-2025-001`, answered 200 to an anonymous client. */
export const middlewareRequest = {
  event_category: 'SYSTEM',
  event_type: 'API_REQUEST',
  event_name: 'GET /api/siswa/STD-2025-001',
  event_description: 'API request to /api/siswa/STD-2025-001',
  user_id: null,
  username: null,
  user_role: null,
  ip_address: '10.0.0.7',
  user_agent: 'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36',
  http_method: 'GET',
  endpoint: '/api/siswa/STD-2025-001',
  action: 'GET',
  status: 'SUCCESS',
  processing_time_ms: 12,
  severity: 'DEBUG',
  metadata: { status_code: 200, content_length: '512' },
  tags: ['api', 'request', 'get'],
} as const satisfies Payload;

/** The six monitoring queries, to the letter (trailing blanks and all). */
// oxfmt-ignore
export const monitoringQueries = {
  /** Recent Critical Events. */
  recentCriticalEvents: `SELECT event_name, event_description, username, timestamp
FROM events 
WHERE severity = 'CRITICAL' 
  AND timestamp >= NOW() - INTERVAL '24 hours'
ORDER BY timestamp DESC;`,
  /** User Activity Summary. */
  userActivity: `SELECT username, COUNT(*) as event_count, 
       MAX(timestamp) as last_activity
FROM events 
WHERE timestamp >= NOW() - INTERVAL '24 hours'
GROUP BY username
ORDER BY event_count DESC;`,
  /** Error Rate by Endpoint. */
  errorRateByEndpoint: `SELECT endpoint, 
       COUNT(*) as total_requests,
       SUM(CASE WHEN status = 'ERROR' THEN 1 ELSE 0 END) as error_count,
       ROUND(SUM(CASE WHEN status = 'ERROR' THEN 1 ELSE 0 END) * 100.0 / COUNT(*), 2) as error_rate
FROM events 
WHERE endpoint IS NOT NULL 
  AND timestamp >= NOW() - INTERVAL '1 hour'
GROUP BY endpoint
HAVING COUNT(*) > 10
ORDER BY error_rate DESC;`,
  /** Security Events Dashboard. */
  securityEvents: `SELECT event_type, COUNT(*) as count, MAX(timestamp) as latest
FROM events 
WHERE event_category = 'SECURITY' 
  AND timestamp >= NOW() - INTERVAL '24 hours'
GROUP BY event_type
ORDER BY count DESC;`,
  /** Model Performance Tracking. */
  modelPerformance: `SELECT 
    DATE_TRUNC('hour', timestamp) as hour,
    AVG(CAST(response_data->>'confidence' as FLOAT)) as avg_confidence,
    COUNT(*) as prediction_count
FROM events 
WHERE event_category = 'PRED' 
  AND event_type = 'INDIVIDUAL_PREDICTION'
  AND status = 'SUCCESS'
  AND timestamp >= NOW() - INTERVAL '24 hours'
GROUP BY hour
ORDER BY hour DESC;`,
  /** System Performance Metrics. */
  systemPerformance: `SELECT 
    event_name,
    AVG(processing_time_ms) as avg_response_time,
    MAX(processing_time_ms) as max_response_time,
    COUNT(*) as request_count
FROM events 
WHERE processing_time_ms IS NOT NULL
  AND timestamp >= NOW() - INTERVAL '1 hour'
GROUP BY event_name
ORDER BY avg_response_time DESC;`,
} as const;
