-- Additive. Changes of consent that the audit log has not got yet. The flush that stores a change puts it here, and the
-- transaction that enters it into the audit log takes it out: so none is left out, whenever a process ends.
CREATE TABLE consent_changes (
    id bigserial PRIMARY KEY,
    at timestamptz NOT NULL,
    customer bytea NOT NULL,
    channel text NOT NULL,
    topic text NOT NULL, -- Empty: the whole channel.
    state text NOT NULL,
    data bytea NOT NULL  -- Of the timeline's line: source and text version.
);
