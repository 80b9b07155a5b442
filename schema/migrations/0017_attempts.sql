-- Additive. Of a claimed row: how often the provider was called, and that the last call certainly came to nothing. Then who finds
-- the row may call again; else nobody knows whether the message left.
ALTER TABLE outbox
    ADD COLUMN attempts integer NOT NULL DEFAULT 0,
    ADD COLUMN failed boolean NOT NULL DEFAULT false;
