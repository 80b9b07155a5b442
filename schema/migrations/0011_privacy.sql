-- A whole shop is erased only once somebody has confirmed it. While a request is carried out, `subjects` holds
-- every id that is being erased, so that a process which ends in the middle is followed by one that can go on.
ALTER TABLE privacy_requests DROP CONSTRAINT privacy_requests_state_check;
ALTER TABLE privacy_requests ADD CONSTRAINT privacy_requests_state_check
    CHECK (state IN ('open', 'confirmed', 'done'));
DROP INDEX privacy_requests_open;
CREATE INDEX privacy_requests_open ON privacy_requests (due_at) WHERE state <> 'done';
