-- Additive. Journeys that somebody watches: since when they are live, and what is wrong with them, so that a restart forgets neither.
CREATE TABLE watches (
    journey text PRIMARY KEY,
    since timestamptz NOT NULL,
    alarm text NOT NULL DEFAULT '', -- Empty: all is well. Else silent, flooding or suppressed.
    alarm_since timestamptz
);
