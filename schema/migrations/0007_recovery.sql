-- What a take-over must know of the time before it.
ALTER TABLE progress
    -- Timers up to here may be in the snapshots: no later record is accepted at or before it.
    ADD COLUMN closed timestamptz NOT NULL DEFAULT 'epoch',
    -- The newest publication that every waiting run has met.
    ADD COLUMN swept bigint NOT NULL DEFAULT 0;

-- The publications before the one in force at a partition's watermark, oldest first: what was due in their
-- time fires under them. A few.
CREATE TABLE publication_eras (
    partition smallint NOT NULL,
    n smallint NOT NULL,
    publication bigint NOT NULL,
    until timestamptz NOT NULL, -- When the next one was accepted.
    PRIMARY KEY (partition, n)
);

-- A parked record is kept whole, for the log does not wait for it. The customer is tried again where the
-- service finds `released` set: whoever set it had nobody to ask.
ALTER TABLE parked
    ADD COLUMN kind smallint,
    ADD COLUMN accepted_at timestamptz,
    ADD COLUMN body bytea,
    ADD COLUMN released boolean NOT NULL DEFAULT false;
CREATE INDEX parked_released ON parked (partition) WHERE released;

-- Read apart: what is claimed at a take-over, what is pending by channel, the oldest first.
DROP INDEX outbox_open;
CREATE INDEX outbox_claimed ON outbox (partition) WHERE state = 'claimed';
CREATE INDEX outbox_pending ON outbox (partition, channel, opened_at, intent) WHERE state = 'pending';
