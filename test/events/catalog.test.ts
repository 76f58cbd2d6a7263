// The catalog against a second, independent copy of what the specification says of each code.

import { describe, expect, test } from 'vitest';
import {
  catalog,
  codeInId,
  definitionByName,
  definitionOf,
  securityRelevantCodes,
} from '../../src/events/catalog.ts';
import { severityNames, statusNames } from '../../src/events/vocabulary.ts';

const definitions = [...catalog.values()];
const upperSnake = /^[A-Z]+(_[A-Z]+)*$/;

/** Code, name, severity: taken from the specification, never from the catalog. */
const specification = `
  AUTH-001 User Login Success INFO
  AUTH-002 User Login Failed WARNING
  AUTH-003 User Logout INFO
  AUTH-004 Password Changed INFO
  AUTH-005 Account Locked CRITICAL
  AUTH-006 Token Generated DEBUG
  AUTH-007 Token Expired WARNING
  AUTH-008 Token Refreshed INFO
  AUTH-009 Unauthorized Access WARNING
  AUTH-010 Session Timeout INFO
  DATA-001 Student Created INFO
  DATA-002 Student Updated INFO
  DATA-003 Student Deleted WARNING
  DATA-004 Academic Score Added INFO
  DATA-005 Academic Score Updated INFO
  DATA-006 Attendance Record Created INFO
  DATA-007 Attendance Updated INFO
  DATA-008 Parent Income Added INFO
  DATA-009 Parent Income Updated INFO
  DATA-010 Data Validation Failed ERROR
  DATA-011 Bulk Data Import INFO
  DATA-012 Data Export INFO
  PRED-001 Individual Prediction Started INFO
  PRED-002 Individual Prediction Completed INFO
  PRED-003 Individual Prediction Failed ERROR
  PRED-004 Batch Prediction Started INFO
  PRED-005 Batch Prediction Completed INFO
  PRED-006 Batch Prediction Failed ERROR
  PRED-007 Prediction History Viewed DEBUG
  PRED-008 Prediction Exported INFO
  PRED-009 Low Confidence Warning WARNING
  PRED-010 Data Completeness Check DEBUG
  MODEL-001 Model Training Started INFO
  MODEL-002 Model Training Completed INFO
  MODEL-003 Model Training Failed ERROR
  MODEL-004 Model Evaluation Started INFO
  MODEL-005 Model Evaluation Completed INFO
  MODEL-006 Model Deployed CRITICAL
  MODEL-007 Model Rollback CRITICAL
  MODEL-008 Model Performance Alert WARNING
  MODEL-009 Model Backup Created INFO
  MODEL-010 Feature Importance Updated DEBUG
  SYS-001 Application Started INFO
  SYS-002 Application Stopped INFO
  SYS-003 Database Connected INFO
  SYS-004 Database Disconnected WARNING
  SYS-005 High Memory Usage WARNING
  SYS-006 High CPU Usage WARNING
  SYS-007 Slow Response Time WARNING
  SYS-008 Error Rate High CRITICAL
  SYS-009 Backup Completed INFO
  SYS-010 Backup Failed ERROR
  SYS-011 Configuration Changed WARNING
  SYS-012 Health Check Failed CRITICAL
  SEC-001 Suspicious Login Activity CRITICAL
  SEC-002 Brute Force Attack CRITICAL
  SEC-003 SQL Injection Attempt CRITICAL
  SEC-004 XSS Attempt WARNING
  SEC-005 Unauthorized API Access WARNING
  SEC-006 Data Breach Attempt CRITICAL
  SEC-007 Privilege Escalation CRITICAL
  SEC-008 Malicious File Upload WARNING
  SEC-009 Anomalous User Behavior WARNING
  SEC-010 Security Policy Violation WARNING
  ANLY-001 Dashboard Accessed DEBUG
  ANLY-002 Report Generated INFO
  ANLY-003 Chart Rendered DEBUG
  ANLY-004 Data Aggregation DEBUG
  ANLY-005 Export Analytics INFO
  ANLY-006 Filter Applied DEBUG
  ANLY-007 Drill Down Analysis INFO
  ANLY-008 Trend Analysis INFO
  ANLY-009 Correlation Analysis INFO
  ANLY-010 Performance Metrics DEBUG
  ADMIN-001 User Account Created INFO
  ADMIN-002 User Account Modified INFO
  ADMIN-003 User Account Deleted WARNING
  ADMIN-004 Role Permission Changed WARNING
  ADMIN-005 System Configuration Updated WARNING
  ADMIN-006 Database Maintenance INFO
  ADMIN-007 Log Cleanup INFO
  ADMIN-008 Security Audit INFO
  ADMIN-009 System Upgrade CRITICAL
  ADMIN-010 Emergency Shutdown CRITICAL
`
  .trim()
  .split('\n')
  .map((line) => {
    const [, code = '', name = '', severity = ''] = /^\s*(\S+) (.+) (\S+)$/.exec(line) ?? [];
    return { code, name, severity };
  });

/** What each prefix means and how many codes carry it. */
const prefixes = {
  AUTH: { category: 'AUTH', count: 10 },
  DATA: { category: 'DATA', count: 12 },
  PRED: { category: 'PRED', count: 10 },
  MODEL: { category: 'MODEL', count: 10 },
  SYS: { category: 'SYSTEM', count: 12 },
  SEC: { category: 'SECURITY', count: 10 },
  ANLY: { category: 'ANALYTICS', count: 10 },
  ADMIN: { category: 'ADMIN', count: 10 },
};

describe('the definitions', () => {
  test('are those of the specification: every code, name and severity, in its order', () => {
    expect(specification).toHaveLength(84);
    expect(definitions.map(({ code, name, severity }) => ({ code, name, severity }))).toEqual(
      specification,
    );
  });

  test.each(Object.entries(prefixes))(
    'I2: the prefix %s leads to its category, in the number the specification lists',
    (prefix, { category, count }) => {
      const carrying = definitions.filter(({ code }) => code.startsWith(`${prefix}-`));
      expect(carrying).toHaveLength(count);
      expect(new Set(carrying.map((each) => each.category))).toEqual(new Set([category]));
    },
  );

  test('I3: every code has a type, and no type spans two categories', () => {
    for (const { type } of definitions) expect(type).toMatch(upperSnake);
    const types = new Set(definitions.map(({ type }) => type));
    const typesByCategory = new Set(definitions.map(({ category, type }) => `${category} ${type}`));
    expect(typesByCategory.size).toBe(types.size);
  });

  test.each([
    ['AUTH-001', 'USER_LOGIN', 'LOGIN', 'SUCCESS'],
    ['DATA-001', 'STUDENT_MANAGEMENT', 'CREATE', 'SUCCESS'],
    ['PRED-002', 'INDIVIDUAL_PREDICTION', 'PREDICT', 'SUCCESS'],
    ['MODEL-002', 'MODEL_TRAINING', 'TRAIN', 'SUCCESS'],
    ['SYS-005', 'PERFORMANCE_ALERT', 'MONITOR', 'ALERT'],
    ['SEC-002', 'ATTACK_DETECTION', 'BLOCK', 'BLOCKED'],
  ])('%s has the type, action and status of its sample', (code, type, action, status) => {
    expect(definitionOf(code)).toMatchObject({ type, action, status });
  });

  test.each([
    ['a job that begins', 'STARTED', ['PRED-001', 'PRED-004', 'MODEL-001', 'MODEL-004']],
    ['a job that breaks', 'ERROR', ['PRED-003', 'PRED-006', 'MODEL-003', 'SYS-010']],
    ['a mistake of the caller', 'FAILED', ['AUTH-002', 'DATA-010']],
    ['a refusal', 'DENIED', ['AUTH-009', 'SEC-005']],
  ])('V1: %s has the default status %s', (_, status, codes) => {
    expect(codes.map((code) => definitionOf(code)?.status)).toEqual(codes.map(() => status));
  });

  test.each(definitions)('$code keeps to the closed vocabularies and the column widths', (each) => {
    expect(severityNames).toContain(each.severity);
    expect(statusNames).toContain(each.status);
    expect(each.action).toMatch(upperSnake);
    expect(each.type.length).toBeLessThanOrEqual(50);
    expect(each.action.length).toBeLessThanOrEqual(50);
    expect(each.name.length).toBeLessThanOrEqual(100);
  });

  test.each(definitions)('I8: typical data of $code are snake_case keys, each once', ({ data }) => {
    expect(data).not.toHaveLength(0);
    expect(new Set(data).size).toBe(data.length);
    for (const key of data) expect(key).toMatch(/^[a-z][a-z0-9]*(_[a-z0-9]+)*$/);
  });

  test('are described by one short sentence of their own in each language', () => {
    const sentences = definitions.flatMap(({ descriptions: { en, id } }) => [en, id]);
    for (const sentence of sentences) expect(sentence).toMatch(/^[A-Z].{10,107}[^.]\.$/);
    const repeated = sentences.filter((each, place) => sentences.indexOf(each) !== place);
    expect(repeated).toEqual([]);
  });
});

describe('recovering the code of an event that states none', () => {
  test.each(definitions)(
    'I3: $code is found by a canonical id and by category and name',
    (each) => {
      expect(codeInId(`${each.code}-20250619-143052-001`)).toBe(each.code);
      expect(codeInId(`${each.code}-20250619-143052-01j5x9q2m8v7k3w4n6`)).toBe(each.code);
      expect(definitionByName(each.category, each.name)).toBe(each);
    },
  );

  test.each(Object.values(prefixes))(
    'I1, I3: the id form of the Python logger holds no code: $category',
    ({ category }) => {
      expect(codeInId(`${category}-20250619-143052-1a2b3c4d`)).toBeUndefined();
      expect(codeInId(`${category}-20250619-143052-12345678`)).toBeUndefined();
    },
  );

  test.each([
    ['a code that is not in the catalog', 'AUTH-011-20250619-143052-001'],
    ['a category in place of its prefix', 'SYSTEM-005-20250619-143052-001'],
    ['a category that was missing', 'UNK-20250619-143052-1a2b3c4d'],
    ['a bare code', 'AUTH-001'],
    ['an id without a tail', 'AUTH-001-20250619-143052-'],
    ['an id without a time', 'AUTH-001-20250619-001'],
    ['something before the code', 'x-AUTH-001-20250619-143052-001'],
    ['a line after the id', 'AUTH-001-20250619-143052-001\nAUTH-002'],
    ['lower case', 'auth-001-20250619-143052-001'],
    ['a UUID', '0197a3c4-7f4e-7b1a-9c55-3f2d8e6a1b90'],
    ['nothing', ''],
  ])('I3: no code is read out of %s', (_, id) => {
    expect(codeInId(id)).toBeUndefined();
  });

  test('I3: a name counts only if exact and within its category', () => {
    expect(definitionByName('AUTH', 'User Login Success')?.code).toBe('AUTH-001');
    expect(definitionByName('DATA', 'User Login Success')).toBeUndefined();
    expect(definitionByName('AUTH', 'user login success')).toBeUndefined();
    expect(definitionByName('SYS', 'High Memory Usage')).toBeUndefined();
    expect(definitionByName('SECURITY', 'Security Event: UNAUTHORIZED_ACCESS')).toBeUndefined();
  });

  test('a word that every object knows is not a code', () => {
    expect(definitionOf('constructor')).toBeUndefined();
    expect(definitionOf('AUTH-001')?.name).toBe('User Login Success');
  });
});

describe('what a security officer watches', () => {
  test('Q4: holds account lockouts and everything of SECURITY', () => {
    const attacks = specification.map(({ code }) => code).filter((code) => code.startsWith('SEC-'));
    expect(attacks).toHaveLength(10);
    expect(securityRelevantCodes).toEqual(expect.arrayContaining(['AUTH-005', ...attacks]));
  });

  test('Q4: outside SECURITY it is accounts, permissions, settings, evidence and bulk data', () => {
    const watched = `
      AUTH-002 AUTH-004 AUTH-005 AUTH-009 DATA-003 DATA-012 PRED-008 SYS-011 ANLY-005
      ADMIN-001 ADMIN-002 ADMIN-003 ADMIN-004 ADMIN-005 ADMIN-007 ADMIN-008 ADMIN-010`;
    expect(securityRelevantCodes.filter((code) => !code.startsWith('SEC-'))).toEqual(
      watched.trim().split(/\s+/),
    );
  });
});
