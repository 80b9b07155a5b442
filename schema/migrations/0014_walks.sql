-- Additive. An event on its way to many customers, each of whom gets a copy by their own log. How far it has come is stored
-- with the copies, in one transaction.
CREATE TABLE walks (
    id bigint PRIMARY KEY, -- The event's hash: what was walked for once is not begun again.
    name text NOT NULL,
    properties text NOT NULL, -- JSON
    at timestamptz NOT NULL,
    product text, -- The one that it is about; null: it is of an audience.
    audience text,
    pace double precision NOT NULL, -- Copies a second.
    copies_max bigint, -- Null: as many as it concerns.
    after bytea NOT NULL DEFAULT '', -- The customer who got the last one, in the order of ids.
    copied bigint NOT NULL DEFAULT 0,
    over_at timestamptz
);
CREATE INDEX walks_open ON walks (at, id) WHERE over_at IS NULL;
CREATE INDEX walks_over ON walks (over_at) WHERE over_at IS NOT NULL;

-- Up to when a journey's audience has been let in: its next instant is later.
CREATE TABLE audience_entries (
    journey text PRIMARY KEY,
    version bigint NOT NULL,
    until_at timestamptz NOT NULL
);
