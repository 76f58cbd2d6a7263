// Plays a story: its scenes one after another, each as an event of the log with an id and a time of its own.

import { randomBytes } from 'node:crypto';
import { definitionOf } from '../src/events/catalog.ts';
import type { EventInput } from '../src/events/fields.ts';
import { type Cast, castFor, nextTurn } from './cast.ts';
import { around, between, chance, whole } from './dice.ts';
import { type Part, type SceneName, type Story, scenes } from './stories.ts';

/** Every event has it, so that what the demo logged can be told from the rest. */
export const DEMO_TAG = 'demo';

export type Scheduled = { readonly at: number; readonly event: EventInput };

/** The events of one story that begins at `at`, in order. */
export const play = (story: Story, at: number): Generator<Scheduled, void> =>
  playParts(story.parts, castFor(story.actor, at));

function* playParts(parts: readonly Part[], cast: Cast): Generator<Scheduled, void> {
  for (const part of parts) {
    if (typeof part === 'string') {
      const scene = scenes[part];
      cast.at += between(...scene.pause) * 1000;
      cast.tookMs = scene.ms === undefined ? 0 : Math.max(1, Math.round(around(scene.ms)));
      yield { at: cast.at, event: eventOf(part, cast) };
    } else if (part.times) {
      const times = whole(...part.times);
      cast.turn = 1;
      for (let turn = 1; turn <= times; turn++) {
        if (turn > 1) nextTurn(cast);
        yield* playParts(part.parts, cast);
      }
    } else {
      const chosen = (part.when?.(cast) ?? true) && chance(part.share ?? 1);
      yield* playParts(chosen ? part.parts : (part.otherwise ?? []), cast);
    }
  }
}

const eventOf = (name: SceneName, cast: Cast): EventInput => {
  const { route, ms, tell } = scenes[name];
  const { person, at } = cast;
  const [httpMethod, endpoint] = route?.split(' ') ?? [];
  const told = tell(cast);
  const code = told.code ?? definitionOf(name)?.code;
  const family = code ? definitionOf(code) : undefined;
  return {
    eventId: newEventId(code ?? told.category!, at),
    code,
    timestamp: new Date(at).toISOString(),
    userId: person?.userId,
    username: person?.username,
    userRole: person?.role,
    ipAddress: cast.address,
    userAgent: cast.agent,
    sessionId: cast.sessionId,
    httpMethod,
    endpoint,
    processingTimeMs: ms === undefined ? undefined : cast.tookMs,
    tags: [
      DEMO_TAG,
      (family?.category ?? told.category!).toLowerCase(),
      (family?.type ?? told.type!).toLowerCase(),
    ],
    ...told,
  };
};

/** Made here and not by the server, so that a call may be repeated without an event being stored twice. */
const newEventId = (head: string, at: number): string => {
  const digits = new Date(at).toISOString().replace(/\D/g, '');
  return `${head}-${digits.slice(0, 8)}-${digits.slice(8, 14)}-${randomBytes(6).toString('hex')}`;
};
