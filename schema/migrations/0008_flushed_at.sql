-- Up to which instant of the service's clock timers may have fired and been stored. The clock of whoever takes
-- over goes on from there: else an event could be accepted before a timer that has fired already.
ALTER TABLE progress ADD COLUMN flushed_at timestamptz NOT NULL DEFAULT 'epoch';
