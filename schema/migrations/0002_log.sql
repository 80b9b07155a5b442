-- The event log: a table per span of accepted_at, written by COPY straight into the newest one.
CREATE TABLE log (
    partition smallint NOT NULL,
    "offset" bigint NOT NULL,
    accepted_at timestamptz NOT NULL,
    kind smallint NOT NULL,
    customer_hash bigint NOT NULL,
    message_hash bigint NOT NULL,
    customer bytea NOT NULL,
    body bytea NOT NULL
) PARTITION BY RANGE (accepted_at);
ALTER TABLE log ALTER COLUMN body SET STORAGE EXTERNAL;

CREATE TABLE log_segments (
    segment text PRIMARY KEY, -- The table's name.
    from_at timestamptz NOT NULL,
    until_at timestamptz NOT NULL,
    closed boolean NOT NULL DEFAULT false, -- Nothing more is written to it.
    indexed boolean NOT NULL DEFAULT false -- Old duplicates are found in it.
);

-- Where each partition stood when a segment was closed: it may go once that is below the watermark.
CREATE TABLE log_ends (
    segment text NOT NULL REFERENCES log_segments ON DELETE CASCADE,
    partition smallint NOT NULL,
    last_offset bigint NOT NULL,
    PRIMARY KEY (segment, partition)
);

-- The end of each partition, moved by every append: it tells whether a commit whose reply was lost
-- went through, without an index on the log.
CREATE TABLE log_positions (
    partition smallint PRIMARY KEY,
    last_offset bigint NOT NULL DEFAULT 0,
    accepted_at timestamptz NOT NULL DEFAULT 'epoch'
) WITH (fillfactor = 10, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000);

-- Records behind `positions` (by partition, from 1) were accepted at or after `accepted_at`: a replay
-- begins there instead of reading the whole segment.
CREATE TABLE log_marks (
    accepted_at timestamptz PRIMARY KEY,
    positions bigint[] NOT NULL
);

-- The segment for `at`, made if it is not there. Attached instead of created as a part, for that locks
-- out readers of the whole log.
CREATE FUNCTION log_segment_for(at timestamptz, span interval, OUT name text, OUT begins timestamptz, OUT ends timestamptz)
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('log_segment_for'));
    SELECT s.segment, s.from_at, s.until_at INTO name, begins, ends FROM log_segments s
        WHERE s.from_at <= at AND at < s.until_at AND NOT s.closed;
    IF FOUND THEN RETURN; END IF;
    begins := date_bin(span, at, 'epoch');
    ends := begins + span;
    begins := greatest(begins, (SELECT max(s.until_at) FROM log_segments s WHERE s.until_at <= at));
    ends := least(ends, (SELECT min(s.from_at) FROM log_segments s WHERE s.from_at > at));
    name := 'log_' || to_char(begins AT TIME ZONE 'UTC', 'YYYYMMDD_HH24MISSMS');
    EXECUTE format('CREATE TABLE %I (LIKE log INCLUDING STORAGE,
                        CHECK (accepted_at >= %L AND accepted_at < %L))
                    WITH (autovacuum_enabled = false)', name, begins, ends);
    EXECUTE format('CREATE INDEX %I ON %I USING brin (accepted_at) WITH (pages_per_range = 64)',
                   name || '_at', name);
    EXECUTE format('ALTER TABLE log ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)',
                   name, begins, ends);
    INSERT INTO log_segments (segment, from_at, until_at) VALUES (name, begins, ends);
END $$;
