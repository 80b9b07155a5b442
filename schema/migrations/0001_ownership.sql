-- Who owns which partition. Append and flush lock its row FOR SHARE, so a new owner's UPDATE waits for
-- them, and they fail after it.
CREATE TABLE deployment (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    partitions integer NOT NULL -- Stored positions hang on it: fixed when the database is made.
);

CREATE TABLE partitions (
    partition smallint PRIMARY KEY,
    epoch bigint NOT NULL DEFAULT 0,
    owner text NOT NULL DEFAULT '' -- The instance, as its connections' application_name carries it.
);

-- How far the flushes of each partition have come. Apart from the owner's row, because a flush writes it
-- while appends hold that one.
CREATE TABLE progress (
    partition smallint PRIMARY KEY,
    watermark bigint NOT NULL DEFAULT 0,
    flush_sequence bigint NOT NULL DEFAULT 0,
    publication bigint NOT NULL DEFAULT 0 -- The one in force at the watermark.
) WITH (fillfactor = 10, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000);
