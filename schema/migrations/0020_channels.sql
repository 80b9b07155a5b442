-- Additive. Channels that an operator has paused or drains, so that neither a restart nor a take-over lets them go on.
CREATE TABLE channels (
    channel text PRIMARY KEY,
    paused boolean NOT NULL DEFAULT false,
    draining boolean NOT NULL DEFAULT false,
    since timestamptz NOT NULL -- Of the newest word.
);
