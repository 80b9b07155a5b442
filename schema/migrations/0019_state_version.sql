-- Additive: the release before this one does not look at it.
-- The newest version of a customer's state that was ever written, so that an older release refuses to start instead of
-- meeting states that it cannot read one by one.
ALTER TABLE deployment ADD COLUMN state_version smallint NOT NULL DEFAULT 0;
