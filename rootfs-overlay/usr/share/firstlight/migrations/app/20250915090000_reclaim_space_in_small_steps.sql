-- Firmware 2.3. The logger now deletes readings past the customer's retention time, but the file never shrank, and a
-- VACUUM of a full unit stops it for a minute. With incremental auto-vacuum it gives pages back a few at a time while
-- idle. An existing file takes the mode on only in a VACUUM, and VACUUM refuses to run inside a transaction.
--
-- There is nothing to undo: no table changed, and firmware 2.2 uses a file in either mode.

-- migrate:up transaction:false
PRAGMA auto_vacuum = INCREMENTAL;
VACUUM;
